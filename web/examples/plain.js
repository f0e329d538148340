/** The page's own part of `plain.html`: it says what the widget suggests first. */

const widget = document.querySelector('watch-next');
const pick = document.querySelector('#pick');

widget.addEventListener('watchnext:suggestions', ({ detail: { suggestions } }) => {
  pick.textContent = suggestions.length > 0 ? `Perhaps ${suggestions[0].title}?` : 'Click what you have seen.';
});
