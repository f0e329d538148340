/** Bringing a list from elsewhere, with a report of what was found, and taking it away as a file. */

import { button, element } from '../element/dom.js';

/** @typedef {import('../runtime.js').ListReport} ListReport */

/** Rows that weren't matched and are shown; the rest is counted. */
const SHOWN = 500;

/** A file of this size isn't anybody's list. */
const MOST_BYTES = 10e6;

/** @param {string} id @returns {any} */
const byId = (id) => document.getElementById(id);

/** A cell of a CSV file; one that begins like a formula is kept from being one in a spreadsheet. @param {string | number | null | undefined} value */
function cell(value) {
  const text = String(value ?? '');
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/**
 * A list as CSV, as `readList` reads it.
 * @param {readonly {movieId: number, title: string, year: number | null, rating?: number}[]} watched
 * @param {readonly (import('../runtime.js').Movie | null)[]} movies the same movies as the catalogue has them.
 */
export function csvOf(watched, movies) {
  const rows = watched.map(({ movieId, title, year, rating }, at) => [movieId, movies[at]?.imdb, title, year, rating]);
  return [['movieId', 'imdbId', 'title', 'year', 'rating'], ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/**
 * @param {import('../watch-next.js').WatchNext} app
 * @param {import('./link.js').Page} page
 */
export function setUpImport(app, page) {
  const dialog = byId('import');
  const drop = byId('import-drop');
  const input = byId('import-file');
  const place = byId('import-report');

  byId('open-import').addEventListener('click', () => {
    place.hidden = true;
    input.value = '';
    byId('export').disabled = app.watched.length === 0;
    dialog.showModal();
  });
  input.addEventListener('change', () => void read(input.files[0]));
  for (const type of ['dragover', 'dragleave', 'drop']) {
    dialog.addEventListener(type, (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      drop.classList.toggle('drop-over', type === 'dragover');
      if (type === 'drop') void read(event.dataTransfer?.files[0]);
    });
  }
  byId('export').addEventListener('click', () => void save());

  /** @param {...(Node | string)} parts */
  const show = (...parts) => {
    place.replaceChildren(...parts);
    place.hidden = false;
  };

  /** @param {string} title @param {string} [detail] */
  const trouble = (title, detail = '') => show(element('div', { class: 'trouble' }, element('p', { class: 'report-sum' }, title), element('p', { lang: 'en' }, detail)));

  /** Where the movies are found elsewhere helps to recognise them, and is done without where it can't be had. */
  const engineWithLinks = async () => {
    const { engine } = app;
    if (engine && engine.info.linksBytes !== null) await engine.loadLinks().catch(() => {});
    return engine;
  };

  /** @param {File | undefined} file */
  async function read(file) {
    if (!file) return;
    const { words } = page;
    show(words.text('import.reading', { name: file.name }));
    try {
      const engine = await engineWithLinks();
      if (!engine) return trouble(words.text('import.early'));
      // Rust says of a larger one that it is too large, for which its beginning will do.
      const bytes = new Uint8Array(await file.slice(0, MOST_BYTES + 1).arrayBuffer());
      report(await engine.readList(bytes));
    } catch (error) {
      trouble(words.text('import.failed', { name: file.name }), /** @type {Error} */ (error).message);
    }
  }

  /** @param {ListReport} found */
  function report({ rows, matched, unmatched }) {
    const { words } = page;
    const count = matched.length;
    const watched = matched.map(({ movieId, rating }) => (rating === null ? { movieId } : { movieId, rating }));
    const choice = (/** @type {string} */ name, /** @type {string} */ text, /** @type {() => unknown} */ act) => {
      const made = button({ class: name }, text);
      made.addEventListener('click', async () => {
        const changed = new Promise((resolve) => app.addEventListener('watchnext:watched', resolve, { once: true }));
        await act();
        await changed;
        show(element('p', { class: 'report-sum' }, words.text('import.done', { count: app.watched.length })));
        place.focus();
        byId('export').disabled = app.watched.length === 0;
      });
      return made;
    };
    const choices = [
      choice('primary', words.text('import.add', { count }), () => app.watch(watched)),
      choice('quiet', words.text('import.replace'), () => (app.watched = watched)),
    ];
    const head = (/** @type {string} */ key) => element('th', { scope: 'col' }, words.text(key));
    const row = (/** @type {ListReport['unmatched'][number]} */ { row, title, year, reason, detail }) =>
      element(
        'tr',
        {},
        element('td', {}, String(row)),
        element('td', {}, [title, year].filter((part) => part !== null).join(', ')),
        element('td', {}, words.text(`why.${reason}`, { detail: detail ?? '' })),
      );
    const table = element(
      'div',
      { class: 'report-scroll', tabindex: 0, role: 'region', 'aria-label': words.text('import.unmatched', { count: unmatched.length }) },
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, head('import.row'), head('import.movie'), head('import.why'))),
        element('tbody', {}, ...unmatched.slice(0, SHOWN).map(row)),
      ),
    );
    show(
      element('p', { class: 'report-sum' }, words.text('import.matched', { count, rows })),
      element('div', { class: 'row' }, ...(count > 0 ? choices : [])),
      ...(unmatched.length > 0 ? [element('p', {}, words.text('import.unmatched', { count: unmatched.length })), table] : []),
    );
  }

  async function save() {
    const { watched } = app;
    const engine = await engineWithLinks();
    const movies = (await engine?.movies(watched.map(({ movieId }) => movieId))) ?? [];
    const url = URL.createObjectURL(new Blob([csvOf(watched, movies)], { type: 'text/csv' }));
    const link = /** @type {HTMLAnchorElement} */ (element('a', { href: url, download: 'watchnext.csv' }));
    link.click();
    // The browser has begun to read it by the next turn.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
}
