/** The browser's numbers are the trainer's: the same vectors, the same movies. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FIXTURE, launch } from './harness.mjs';
import { TOLERANCE, findAll, largestDifference } from './parity.mjs';
import { SHIPPED_MODELS, startServer } from './server.mjs';

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
    const results = await page.evaluate(findAll, cases);
    await page.close();
    await server.close();

    const worst = largestDifference(cases, results);
    console.log(`parity of ${name}: ${cases.length} cases, largest difference ${worst.toExponential(2)}`);
    assert.ok(worst <= TOLERANCE, `largest difference ${worst}`);
  });
}
