/**
 * The trainer's own answers are in a bundle's parity.json. This finds the runtime's answers in a page, in any engine.
 */

import assert from 'node:assert/strict';

/** The largest difference between an engine's numbers and the trainer's. */
export const TOLERANCE = 1e-5;

/** The runtime's answers to the requests in parity.json. Runs in a page. @param {any[]} expected */
export async function findAll(expected) {
  const { load } = await import(`${location.origin}/web/runtime.js`);
  const engine = await load({ bundle: '/models/' });
  if (expected.some((one) => one.top_states)) await engine.loadStates();
  const found = [];
  for (const { request, top, top_states: topStates } of expected) {
    const ids = async (/** @type {string} */ retrieval, /** @type {number} */ limit) =>
      (await engine.suggest({ ...request, retrieval, limit, novelty: 0 })).suggestions.map(
        (/** @type {any} */ { movieId }) => movieId,
      );
    found.push({
      vector: [...(await engine.userVector(request))],
      top: await ids('movies', top.length),
      topStates: topStates && (await ids('states', topStates.length)),
      likes: /** @type {number[]} */ ([]),
    });
  }
  // So far the order was the first stage's. The chances of a like come with the ranker.
  if (expected.some((one) => one.likes)) await engine.loadRanker();
  for (const [at, { request, top, likes }] of expected.entries()) {
    if (!likes) continue;
    const { suggestions } = await engine.suggest({ ...request, limit: engine.info.movies, novelty: 0 });
    const chances = new Map(suggestions.map((/** @type {any} */ { movieId, like }) => [movieId, like]));
    found[at].likes = top.map((/** @type {number} */ id) => chances.get(id));
  }
  engine.close();
  return found;
}

/**
 * The largest difference between the found and the expected numbers. The movies must be the same.
 * @param {any[]} expected
 * @param {any[]} found
 */
export function largestDifference(expected, found) {
  let worst = 0;
  const compare = (/** @type {number[]} */ numbers, /** @type {number[]} */ wanted) => {
    assert.equal(numbers.length, wanted.length);
    numbers.forEach((value, at) => (worst = Math.max(worst, Math.abs(value - wanted[at]))));
  };
  expected.forEach((one, at) => {
    const { vector, top, topStates, likes } = found[at];
    compare(vector, one.user_vector);
    compare(likes, one.likes ?? []);
    assert.deepEqual(top, one.top, `case ${at}`);
    if (one.top_states) assert.deepEqual(topStates, one.top_states, `case ${at}, states`);
  });
  return worst;
}
