/** The scans of this project, compared with loops that only read the table and with libraries from npm. */

import init, { Scans, query, useRelaxedSimd } from '/kernels/kernels.js';
import { hnswlib, javascript, voy } from './peers.mjs';
import { measure } from './timing.mjs';

const DIM = 128;
const K = 100;
const QUERIES = 16;

/** The most rows that a peer gets, and the reason. @type {Record<string, [number, string]>} */
const LIMITS = {
  'voy-search': [
    101_947,
    'it takes one JavaScript object and array a row, through JSON, which 1,000,000 rows have no memory for',
  ],
};

/** The share of the true rows that were found. @param {Iterable<number>} found @param {Iterable<number>} truth */
function recall(found, truth) {
  const rows = new Set(truth);
  return [...found].filter((row) => rows.has(row)).length / rows.size;
}

/**
 * @param {number} rows
 * @returns for each contender the times of a query in milliseconds, hot and cold, and its recall of the exact answer.
 */
export async function measureScans(rows) {
  const { memory } = await init();
  const scans = new Scans(rows, DIM);
  const queries = Array.from({ length: QUERIES }, (_, number) => query(number, DIM));
  const stride = scans.floats_stride();
  const table = () => new Float32Array(memory.buffer, scans.floats_address(), rows * stride);

  /** @type {{name: string, why: string}[]} */
  const skipped = [];
  /** Those with null only read the table. @type {Map<string, ((query: Float32Array) => Iterable<number>) | null>} */
  const contenders = new Map([
    ['floor f32', null],
    ['floor int8', null],
    ['watchnext f32', (query) => scans.floats(query, K)],
    ['watchnext int8, rounded', (query) => scans.codes_rounded(query, K)],
    ['watchnext int8, exact', (query) => scans.codes(query, K)],
  ]);
  const relaxed = 'watchnext int8, relaxed SIMD';
  if (useRelaxedSimd(true)) {
    contenders.set(relaxed, (query) => {
      useRelaxedSimd(true);
      const answer = scans.codes(query, K);
      useRelaxedSimd(false);
      return answer;
    });
  } else {
    skipped.push({ name: relaxed, why: 'this browser lacks it' });
  }
  useRelaxedSimd(false);
  const peers = { 'typed arrays': javascript, 'hnswlib-wasm': hnswlib, 'voy-search': voy };
  for (const [name, make] of Object.entries(peers)) {
    const [most, why] = LIMITS[name] ?? [Infinity, ''];
    if (rows > most) {
      skipped.push({ name, why });
      continue;
    }
    try {
      contenders.set(name, await make(table(), rows, DIM, stride, K));
    } catch (error) {
      skipped.push({ name, why: `it failed to hold them: ${error}` });
    }
  }

  const truth = queries.map((query) => scans.floats(query, K));
  const recalls = new Map(
    [...contenders].map(([name, answer]) => [
      name,
      answer && queries.reduce((sum, query, number) => sum + recall(answer(query), truth[number]), 0) / QUERIES,
    ]),
  );
  const floor = (/** @type {string} */ name) => (name === 'floor f32' ? scans.floats_floor() : scans.codes_floor());
  const runs = [...contenders].map(([name, answer]) => ({
    name,
    run: answer ? (/** @type {number} */ turn) => answer(queries[turn % QUERIES]) : () => floor(name),
  }));
  const measured = await measure(runs);
  const results = measured.map((result) => ({ rows, ...result, recall: recalls.get(result.name) ?? null }));
  return { rows, results, skipped, nearest: [...truth[0]] };
}
