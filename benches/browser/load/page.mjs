/**
 * The smallest page around the engine: no worker, no wall, no posters. The watched movies are in the address:
 * `?watched=356,4993,592`.
 */

import { loadEngine } from './engine.mjs';

const SHOWN = 12;

const { catalog, best } = await loadEngine('/site/models/');
const watched = (new URLSearchParams(location.search).get('watched') ?? '').split(',').map(Number);
document.querySelector('#suggestions')?.append(
  ...(await best(watched, SHOWN)).map(({ place }) => {
    const item = document.createElement('li');
    item.textContent = `${catalog.title[place]} (${catalog.year[place]})`;
    return item;
  }),
);
