/** The trainer's numbers come out of the browser: the same vectors, the same movies. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FIXTURE, launch } from './harness.mjs';
import { SHIPPED_MODELS, startServer } from './server.mjs';

const TOLERANCE = 1e-4;

/** @type {Awaited<ReturnType<typeof launch>>} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

for (const folder of new Set([SHIPPED_MODELS, FIXTURE])) {
  const name = folder === SHIPPED_MODELS ? 'the shipped bundle' : 'the fixture';
  const expectations = join(folder, 'parity.json');
  const skip = folder === SHIPPED_MODELS || existsSync(expectations) ? false : `${name} has no parity.json`;

  test(`${name}: vectors and chances within ${TOLERANCE} and the same suggestions`, { skip }, async () => {
    const { cases } = JSON.parse(await readFile(expectations, 'utf8'));
    assert.ok(cases.length > 0);
    const server = await startServer({ models: folder });
    const page = await browser.newPage();
    await page.goto(`${server.origin}/models/manifest.json`);
    const results = await page.evaluate(async (/** @type {any[]} */ expected) => {
      const { load } = await import(`${location.origin}/web/runtime.js`);
      const engine = await load({ bundle: '/models/' });
      if (expected.some((one) => one.top_states)) await engine.loadStates();
      const found = [];
      for (const { request, top, top_states: topStates } of expected) {
        /** @param {string} retrieval @param {number} limit */
        const ids = async (retrieval, limit) => {
          const { suggestions } = await engine.suggest({ ...request, retrieval, limit, diversity: 0 });
          return suggestions.map((/** @type {any} */ { movieId }) => movieId);
        };
        found.push({
          vector: [...(await engine.userVector(request))],
          top: await ids('movies', top.length),
          topStates: topStates && (await ids('states', topStates.length)),
          likes: /** @type {number[]} */ ([]),
        });
      }
      // The order was the first stage's so far; the chances of a like come with the second.
      if (expected.some((one) => one.likes)) await engine.loadRanker();
      for (const [index, { request, top, likes }] of expected.entries()) {
        if (!likes) continue;
        const { suggestions } = await engine.suggest({ ...request, limit: engine.info.movies, diversity: 0 });
        const chances = new Map(suggestions.map((/** @type {any} */ { movieId, like }) => [movieId, like]));
        found[index].likes = top.map((/** @type {number} */ id) => chances.get(id));
      }
      engine.close();
      return found;
    }, cases);
    await page.close();
    await server.close();

    let worst = 0;
    cases.forEach((/** @type {any} */ expected, /** @type {number} */ index) => {
      const { vector, top, topStates, likes } = results[index];
      assert.equal(vector.length, expected.user_vector.length);
      vector.forEach((/** @type {number} */ value, /** @type {number} */ at) => {
        worst = Math.max(worst, Math.abs(value - expected.user_vector[at]));
      });
      assert.equal(likes.length, expected.likes?.length ?? 0);
      likes.forEach((/** @type {number} */ value, /** @type {number} */ at) => {
        worst = Math.max(worst, Math.abs(value - expected.likes[at]));
      });
      assert.deepEqual(top, expected.top, `case ${index}`);
      if (expected.top_states) assert.deepEqual(topStates, expected.top_states, `case ${index}, states`);
    });
    console.log(`parity of ${name}: ${cases.length} cases, largest difference ${worst.toExponential(2)}`);
    assert.ok(worst <= TOLERANCE, `largest difference ${worst}`);
  });
}
