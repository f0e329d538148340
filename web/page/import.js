/** Imports a list from elsewhere, with a report of the movies found, and exports the visitor's list as a file. */

import { button, byId, element } from '../element/dom.js';
import { watchedOf } from '../element/entry.js';
import { MAX_LIST_BYTES } from '../engine/constants.js';

/** @typedef {import('../runtime.js').ListReport} ListReport */
/** @typedef {import('../element/words.js').Words} Words */
/** @typedef {import('../watch-next.js').WatchNext} WatchNext */

/** How many of the rows that weren't matched are shown. The others are counted. */
const SHOWN = 500;

/**
 * A cell of a CSV file. A quote keeps spreadsheets from running text as a formula.
 * @param {string | number | null | undefined} value
 */
function cell(value) {
  const text = String(value ?? '');
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/**
 * A list as CSV, in the form that `readList` reads.
 * @param {readonly {movieId: number, title: string, year: number | null, rating?: number}[]} watched
 * @param {readonly (import('../runtime.js').Movie | null)[]} movies the catalogue's movies of the list.
 */
export function csvOf(watched, movies) {
  const rows = watched.map(({ movieId, title, year, rating }, at) => [movieId, movies[at]?.imdb, title, year, rating]);
  return [['movieId', 'imdbId', 'title', 'year', 'rating'], ...rows]
    .map((row) => `${row.map(cell).join(',')}\r\n`)
    .join('');
}

/**
 * A table of the rows that weren't matched, with the reasons.
 * @param {Words} words
 * @param {string} label for screen readers.
 * @param {ListReport['unmatched']} unmatched
 */
function unmatchedTable(words, label, unmatched) {
  const head = (/** @type {string} */ key) => element('th', { scope: 'col' }, words.text(key));
  const row = (/** @type {ListReport['unmatched'][number]} */ { row, title, year, reason, detail }) =>
    element(
      'tr',
      {},
      element('td', {}, String(row)),
      element('td', {}, [title, year].filter((part) => part !== null).join(', ')),
      element('td', {}, words.text(`why.${reason}`, { detail: detail ?? '' })),
    );
  return element(
    'div',
    { class: 'report-scroll', tabindex: 0, role: 'region', 'aria-label': label },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, head('import.row'), head('import.movie'), head('import.why'))),
      element('tbody', {}, ...unmatched.slice(0, SHOWN).map(row)),
    ),
  );
}

/** Shows something in the place of the report. @param {...(Node | string)} parts */
function show(...parts) {
  byId('import-report').replaceChildren(...parts);
  byId('import-report').hidden = false;
}

/** @param {string} title @param {string} [detail] */
function showError(title, detail = '') {
  const parts = [element('p', { class: 'report-sum' }, title), element('p', { lang: 'en' }, detail)];
  show(element('div', { class: 'trouble' }, ...parts));
}

/** A list can be exported if it has movies. @param {WatchNext} app */
const updateExport = (app) => (byId('export').disabled = app.watched.length === 0);

/**
 * Shows what an import found, with the choice to add it or to replace the list.
 * @param {WatchNext} app
 * @param {Words} words
 * @param {ListReport} list
 */
function showReport(app, words, { rows, matched, unmatched }) {
  const count = matched.length;
  const watched = matched.map(({ movieId, rating }) => watchedOf(movieId, rating));
  const choice = (/** @type {string} */ name, /** @type {string} */ text, /** @type {() => unknown} */ act) => {
    const made = button({ class: name }, text);
    made.addEventListener('click', async () => {
      const changed = new Promise((resolve) => app.addEventListener('watchnext:watched', resolve, { once: true }));
      await act();
      await changed;
      show(element('p', { class: 'report-sum' }, words.text('import.done', { count: app.watched.length })));
      byId('import-report').focus();
      updateExport(app);
    });
    return made;
  };
  const choices = [
    choice('primary', words.text('import.add', { count }), () => app.watch(watched)),
    choice('quiet', words.text('import.replace'), () => (app.watched = watched)),
  ];
  const label = words.text('import.unmatched', { count: unmatched.length });
  show(
    element('p', { class: 'report-sum' }, words.text('import.matched', { count, rows })),
    element('div', { class: 'row' }, ...(count > 0 ? choices : [])),
    ...(unmatched.length > 0 ? [element('p', {}, label), unmatchedTable(words, label, unmatched)] : []),
  );
}

/** The engine, with IMDb's ids if they can be loaded: they help to find movies. @param {WatchNext} app */
async function engineWithLinks({ engine }) {
  if (engine && engine.info.linksBytes !== null) await engine.loadLinks().catch(() => {});
  return engine;
}

/** Reads a file and shows the report. @param {WatchNext} app @param {Words} words @param {File | undefined} file */
async function read(app, words, file) {
  if (!file) return;
  show(words.text('import.reading', { name: file.name }));
  try {
    const engine = await engineWithLinks(app);
    if (!engine) return showError(words.text('import.early'));
    // One byte too many is enough for Rust to refuse a file as too large.
    const bytes = new Uint8Array(await file.slice(0, MAX_LIST_BYTES + 1).arrayBuffer());
    showReport(app, words, await engine.readList(bytes));
  } catch (error) {
    showError(words.text('import.failed', { name: file.name }), /** @type {Error} */ (error).message);
  }
}

/** Downloads the list as a file. @param {WatchNext} app */
async function save(app) {
  const { watched } = app;
  const engine = await engineWithLinks(app);
  const movies = (await engine?.movies(watched.map(({ movieId }) => movieId))) ?? [];
  const url = URL.createObjectURL(new Blob([csvOf(watched, movies)], { type: 'text/csv' }));
  const link = /** @type {HTMLAnchorElement} */ (element('a', { href: url, download: 'watchnext.csv' }));
  link.click();
  // The browser has begun the download by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * Sets up the dialogue for import and export.
 * @param {WatchNext} app
 * @param {import('./link.js').Page} page
 */
export function setUpImport(app, page) {
  const dialog = byId('import');
  const input = byId('import-file');
  byId('open-import').addEventListener('click', () => {
    byId('import-report').hidden = true;
    input.value = '';
    updateExport(app);
    dialog.showModal();
  });
  input.addEventListener('change', () => void read(app, page.words, input.files[0]));
  for (const type of ['dragover', 'dragleave', 'drop']) {
    dialog.addEventListener(type, (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      byId('import-drop').classList.toggle('drop-over', type === 'dragover');
      if (type === 'drop') void read(app, page.words, event.dataTransfer?.files[0]);
    });
  }
  byId('export').addEventListener('click', () => void save(app));
}
