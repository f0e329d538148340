/** The page: it joins the list, the wall, the search and the suggestions, and tells plainly what is going on. */

import { recommender } from './start.js';
import { hideToast, notify, offerUndo, say } from './page/announce.js';
import { byId, megabytes } from './page/dom.js';
import { failurePanel } from './page/errors.js';
import { Ranker } from './page/ranker.js';
import { Search } from './page/search.js';
import { Similar } from './page/similar.js';
import { Store } from './page/store.js';
import { Suggestions } from './page/suggestions.js';
import { Wall } from './page/wall.js';
import { WatchedList } from './page/watched.js';

/** More posters than anyone scrolls through. */
const WALL_MOVIES = 300;

const main = byId('app');
const progressBar = byId('progress-bar');
const wallStatus = byId('wall-status');
const failure = byId('failure');

/** @type {import('./runtime.js').Engine | undefined} */
let engine;

const store = new Store(notify);
const isWatched = (/** @type {number} */ movieId) => store.find(movieId) !== undefined;
const suggestions = new Suggestions(store, stopWith);
const ranker = new Ranker(() => suggestions.rank(), stopWith);
const wall = new Wall((movie, at) => store.toggle(movie, at), isWatched);
const search = new Search(
  async (query, limit) => (engine ? engine.search(query, limit) : Promise.reject(new Error('not loaded'))),
  (movie, at) => store.add(movie, at),
  isWatched,
);
const similar = new Similar(
  async (movieId, limit) => (engine ? engine.similar(movieId, limit) : Promise.reject(new Error('not loaded'))),
  (movie, at) => store.toggle(movie, at),
  isWatched,
);
const watched = new WatchedList(store, () => search.focus());

/** How long a change of the list may wait for its suggestions, to be drawn in one frame with them. */
const TOGETHER_MS = 24;

store.subscribe((change) => {
  let drawn = false;
  const draw = () => {
    if (drawn) return;
    drawn = true;
    watched.render();
    wall.mark(change.entry?.movieId);
    similar.mark(change.entry?.movieId);
    if (change.kind === 'add') watched.showNewest();
  };
  const answered = suggestions.refresh(change);
  if (change.kind === 'add' || change.kind === 'remove') {
    // The suggestions are back within a few milliseconds. A frame drawn before them would make them wait for its end and
    // would be followed by another, so the list waits for them, though not for a worker that takes its time.
    void answered.finally(draw);
    setTimeout(draw, TOGETHER_MS);
  } else {
    draw();
  }
  if (change.kind === 'remove') offerUndo(`Removed ${change.entry?.title}`);
  else if (change.kind === 'clear') offerUndo('Your list was cleared');
  else hideToast();
  if (store.entries.length === 0) say('Your list is empty');
});
byId('toast-undo').addEventListener('click', (/** @type {MouseEvent} */ event) => {
  store.undo(event.timeStamp);
  search.focus();
});

/** @param {{received: number, total: number}} bytes */
function showProgress({ received, total }) {
  progressBar.value = total > 0 ? received / total : 1;
  wallStatus.textContent =
    received < total ? `Loading ${megabytes(received)} of ${megabytes(total)}` : 'Starting the projector …';
}

/** Says what went wrong in the wall's place; the list stays in view and in storage. @param {any} error */
function stopWith(error) {
  engine?.close();
  engine = undefined;
  suggestions.pause('An interruption', 'Your suggestions come back as soon as the movies can be loaded. Your list is safe.');
  ranker.use(undefined);
  similar.close();
  wall.clear();
  progressBar.hidden = true;
  wallStatus.textContent = '';
  failure.replaceChildren(failurePanel(error, () => void start()));
  failure.hidden = false;
}

async function start() {
  const retried = failure.contains(document.activeElement);
  failure.hidden = true;
  failure.replaceChildren();
  progressBar.hidden = false;
  progressBar.removeAttribute('value');
  wallStatus.textContent = 'Getting the movies ready …';
  wall.showSkeleton();
  if (store.entries.length > 0) suggestions.pause('One moment', 'Your suggestions appear as soon as the movies are here.');
  // The button that was pressed is gone; the box that is always there takes the focus.
  if (retried) search.focus();
  try {
    engine = await recommender(showProgress);
    suggestions.use(engine);
    ranker.use(engine);
    // Whoever comes back sees their suggestions first, and then the wall.
    const answer = await suggestions.refresh();
    const movies = await engine.wall(WALL_MOVIES);
    progressBar.hidden = true;
    wallStatus.textContent = 'Click the ones you have watched.';
    search.invite(engine.info.movies);
    byId('dataset').textContent = engine.info.dataset ? ` (${engine.info.dataset})` : '';
    await wall.showMovies(movies);
    watched.markUnknown(answer?.unknown ?? []);
    if (answer?.unknown.length) notify('Some movies of your list are not in this catalogue. They stay in the list, and the suggestions do without them.');
    void search.refresh();
    performance.mark('watchnext:ready');
    await ranker.load();
    performance.mark('watchnext:complete');
  } catch (error) {
    stopWith(error);
  }
}

byId('stuck').remove();
void start();
