/**
 * Links that carry a list, after the `#`, which browsers never send. `#list=1-50_9-2571` is three movies; the second
 * has nine half stars.
 */

import { button, byId } from '../element/dom.js';
import { isMovieId, isRating, watchedOf } from '../element/entry.js';

/** @typedef {import('../runtime.js').Watched} Watched */
/** @typedef {{words: import('../element/words.js').Words}} Page */

/** The most movies in a link. Nobody's list has so many. */
const MOST = 20_000;

/** A link to this page with a list. @param {Iterable<Watched>} watched */
export function linkOf(watched) {
  const parts = [...watched].map(({ movieId, rating }) =>
    rating === undefined ? movieId : `${movieId}_${Math.round(2 * rating)}`,
  );
  return new URL(`#list=${parts.join('-')}`, location.href).href;
}

/**
 * The list in a fragment.
 * @param {string} fragment with its `#`.
 * @returns {Watched[] | null | undefined} undefined without a list, null for a damaged one.
 */
export function listOf(fragment) {
  if (!fragment.startsWith('#list=')) return undefined;
  const parts = fragment.slice('#list='.length).split('-');
  if (parts.length > MOST) return null;
  /** @type {Map<number, Watched>} */
  const list = new Map();
  for (const part of parts) {
    const [, id, halves] = /^(\d{1,10})(?:_(\d{1,2}))?$/.exec(part) ?? [];
    const movieId = Number(id);
    const rating = halves === undefined ? undefined : Number(halves) / 2;
    if (!isMovieId(movieId) || (rating !== undefined && !isRating(rating))) return null;
    list.set(movieId, watchedOf(movieId, rating));
  }
  return [...list.values()];
}

/**
 * Takes over a list from a link. If the visitor has a list already, it asks first.
 * @param {import('../watch-next.js').WatchNext} app
 * @param {Page} page
 */
export function setUpLink(app, page) {
  const offer = byId('offer');

  /** @param {string} text @param {[string, () => void][]} choices */
  const show = (text, choices) => {
    offer.replaceChildren(
      text,
      ...choices.map(([label, act]) => {
        const choice = button({ class: 'quiet' }, page.words.text(label));
        choice.addEventListener('click', () => {
          offer.hidden = true;
          act();
          app.focus();
        });
        return choice;
      }),
    );
    offer.hidden = false;
  };

  const look = () => {
    const list = listOf(location.hash);
    if (list === undefined || !app.engine) return;
    // The list leaves the address first, so that a reload doesn't ask again.
    history.replaceState(null, '', location.pathname + location.search);
    /** @type {[string, () => void]} */
    const dismiss = ['dismiss', () => {}];
    if (list === null) {
      show(page.words.text('link.damaged'), [dismiss]);
    } else if (app.watched.length === 0) {
      app.watched = list;
      show(page.words.text('link.taken', { count: list.length }), [dismiss]);
    } else {
      show(page.words.text('link.offer', { count: list.length }), [
        ['link.replace', () => (app.watched = list)],
        ['link.add', () => void app.watch(list)],
        ['link.keep', () => {}],
      ]);
    }
  };
  app.addEventListener('watchnext:ready', look);
  addEventListener('hashchange', look);
  look();
}
