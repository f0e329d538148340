/** The recommender without the widget: a box to type a title into, and a plain list. */

import { load } from '../runtime.js';

const input = /** @type {HTMLInputElement} */ (document.querySelector('#title'));
const titles = /** @type {HTMLElement} */ (document.querySelector('#titles'));
const list = /** @type {HTMLElement} */ (document.querySelector('#list'));
const engine = await load();

input.addEventListener('input', async () => {
  const found = await engine.search(input.value);
  titles.replaceChildren(
    ...found.map(({ title }) => Object.assign(document.createElement('option'), { value: title })),
  );
  const [movie] = found;
  if (!movie) return;
  const answer = await engine.suggest({ history: [{ movieId: movie.movieId, rating: 5 }], limit: 10 });
  // A later request has overtaken this one.
  if (!answer) return;
  list.replaceChildren(
    ...answer.suggestions.map(({ title, year }) =>
      Object.assign(document.createElement('li'), { textContent: `${title} (${year})` }),
    ),
  );
});
