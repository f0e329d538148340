/** What the page's address and the visitor's browser say before the widget begins: which model, and which language. */

const LANGUAGE_KEY = 'watchnext.language';

const app = /** @type {HTMLElement} */ (document.getElementById('app'));
const select = /** @type {HTMLSelectElement} */ (document.getElementById('language'));
const parameters = new URLSearchParams(location.search);

// A named model beside the default one, as in `?model=seed-network`. A name is a plain word, so that no link can make the page
// load from elsewhere.
const model = parameters.get('model') ?? '';
if (/^[a-z0-9-]+$/.test(model)) app.setAttribute('bundle', `${app.getAttribute('bundle')}${model}/`);

/** @returns {string | null} */
function storedLanguage() {
  try {
    return localStorage.getItem(LANGUAGE_KEY);
  } catch {
    return null;
  }
}

const known = [...select.options].map(({ value }) => value);
const wished = [parameters.get('lang'), storedLanguage(), ...navigator.languages].map((tag) => tag?.split('-')[0]);
const language = wished.find((tag) => tag && known.includes(tag)) ?? 'en';
document.documentElement.lang = language;
select.value = language;
select.addEventListener('change', () => {
  try {
    localStorage.setItem(LANGUAGE_KEY, select.value);
  } catch {
    // Then the choice holds for this visit.
  }
  document.documentElement.lang = select.value;
  // The widget speaks the language of what it stands in, and looks again when its own attribute changes.
  app.setAttribute('lang', select.value);
  document.dispatchEvent(new Event('watchnext:language'));
});
