/** The user tower in tract and in ONNX Runtime Web: the same file, the same typed arrays, one thread each. */

import * as ort from '/npm/onnxruntime-web/dist/ort.wasm.min.mjs';
import init, { Tower } from '/kernels/kernels.js';
import { summary } from './timing.mjs';

const BLOCKS = 200;
const WARM_BLOCKS = 20;
const BLOCK = 50;
const HISTORY = 50;

/** @typedef {{history: BigInt64Array, weights: Float32Array, time: Float32Array, year: number}} Inputs */

/** The inputs of a made-up visitor. @param {number} turn @param {number} movies @returns {Inputs} */
function inputs(turn, movies) {
  const watched = 1 + ((turn * 7) % HISTORY);
  const movie = (/** @type {number} */ place) => (place < watched ? (turn * 131 + place * 37) % movies : movies);
  const history = BigInt64Array.from({ length: HISTORY }, (_, place) => BigInt(movie(place)));
  const weights = Float32Array.from({ length: HISTORY }, (_, place) => (place < watched ? 1 : 0));
  const time = Float32Array.from({ length: 50 }, (_, place) => Math.sin(turn + place));
  return { history, weights, time, year: 2016 + (turn % 10) / 10 };
}

/**
 * Loads a runtime and calls it once.
 * @param {string} name
 * @param {() => Promise<(inputs: Inputs) => Promise<Float32Array> | Float32Array>} load
 * @param {Inputs[]} visitors
 */
async function start(name, load, visitors) {
  const begin = performance.now();
  const run = await load();
  const loaded = performance.now();
  await run(visitors[0]);
  return { name, run, load: loaded - begin, first: performance.now() - loaded };
}

/**
 * @param {{dim: number, movies: number}} model
 * @returns times in milliseconds. Loading includes fetching and compiling the runtime, and reading the model.
 */
export async function measureTower({ dim, movies }) {
  const visitors = Array.from({ length: 64 }, (_, turn) => inputs(turn, movies));
  const bytes = new Uint8Array(await (await fetch('/models/user_tower.onnx')).arrayBuffer());
  const tract = await start('tract', async () => {
    await init();
    const tower = new Tower(bytes, dim, movies);
    return ({ history, weights, time, year }) => tower.run(history, weights, time, year);
  }, visitors);
  const runtime = await start('ONNX Runtime Web', async () => {
    ort.env.wasm.wasmPaths = '/npm/onnxruntime-web/dist/';
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    return async ({ history, weights, time, year }) => {
      /** @type {Record<string, ort.Tensor>} */
      const feeds = {
        history: new ort.Tensor('int64', history, [1, HISTORY]),
        weights: new ort.Tensor('float32', weights, [1, HISTORY]),
        time: new ort.Tensor('float32', time, [1, time.length]),
      };
      if (session.inputNames.includes('year')) feeds.year = new ort.Tensor('float32', [year], [1, 1]);
      return /** @type {Float32Array} */ ((await session.run(feeds)).user_vector.data);
    };
  }, visitors);

  const contenders = [tract, runtime];
  // Both must compute the same: this is the largest difference of a number, relative to the vector's largest.
  let difference = 0;
  for (const visitor of visitors) {
    const [left, right] = [await tract.run(visitor), await runtime.run(visitor)];
    const largest = Math.max(...right.map(Math.abs));
    difference = Math.max(difference, ...left.map((value, place) => Math.abs(value - right[place]) / largest));
  }
  // A call takes only a few ticks of the timer, so the median is over the means of blocks. The 99th percentile is over
  // single calls.
  const blocks = contenders.map(() => /** @type {number[]} */ ([]));
  const calls = contenders.map(() => /** @type {number[]} */ ([]));
  for (let block = -WARM_BLOCKS; block < BLOCKS; block++) {
    const order = Math.random() < 0.5 ? [0, 1] : [1, 0];
    for (const which of order) {
      const { run } = contenders[which];
      const begin = performance.now();
      let last = begin;
      for (let turn = 0; turn < BLOCK; turn++) {
        await run(visitors[turn % visitors.length]);
        const now = performance.now();
        if (block >= 0) calls[which].push(now - last);
        last = now;
      }
      if (block >= 0) blocks[which].push((last - begin) / BLOCK);
    }
  }
  const results = contenders.map(({ name, load, first }, which) => {
    const { median, least, rounds } = summary(blocks[which]);
    return { name, load, first, median, least, rounds, p99: summary(calls[which]).p99 };
  });
  return { difference, results };
}
