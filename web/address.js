/** Sets the model and the language before the widget starts, from the page's address and the visitor's browser. */

const LANGUAGE_KEY = 'watchnext.language';

const app = /** @type {HTMLElement} */ (document.getElementById('app'));
const select = /** @type {HTMLSelectElement} */ (document.getElementById('language'));
const parameters = new URLSearchParams(location.search);

// `?model=seed-network` names a model other than the default one. Only a plain word passes, so no link can make the
// page load a model from elsewhere.
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
    // Without storage the choice holds for this visit.
  }
  document.documentElement.lang = select.value;
  // A change of the widget's own attribute makes it read its language again.
  app.setAttribute('lang', select.value);
  document.dispatchEvent(new Event('watchnext:language'));
});
