/**
 * The recommender that an engineer would write without this project: the same bundle, ONNX Runtime Web for the user
 * tower, and a scan in JavaScript. It checks nothing, because checks would only make it slower.
 */

import * as ort from '/npm/onnxruntime-web/dist/ort.wasm.min.mjs';

/** The number of movies that the tower takes. Shorter histories are padded with a row after the last movie. */
const HISTORY = 50;

ort.env.wasm.wasmPaths = '/npm/onnxruntime-web/dist/';
ort.env.wasm.numThreads = 1;

/** The movies' embeddings as floats, row after row, and their biases. @param {Uint8Array} bytes a safetensors file. */
function embeddings(bytes) {
  const view = new DataView(bytes.buffer);
  const headerLength = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  /** @param {string} name */
  const part = (name) => {
    const [start, end] = header[name].data_offsets;
    return bytes.slice(8 + headerLength + start, 8 + headerLength + end);
  };
  const [movies, dim] = header.embedding.shape;
  const codes = new Int8Array(part('embedding').buffer);
  const scales = new Float32Array(part('scale').buffer);
  const rows = new Float32Array(movies * dim);
  for (let at = 0; at < rows.length; at++) rows[at] = codes[at] * scales[Math.floor(at / dim)];
  return { movies, dim, rows, bias: new Float32Array(part('bias').buffer) };
}

/** Loads the bundle in a folder. @param {string} folder */
export async function loadEngine(folder) {
  /** @param {string} name */
  const fetched = async (name) => new Uint8Array(await (await fetch(folder + name)).arrayBuffer());
  const [session, { movies, dim, rows, bias }, catalog] = await Promise.all([
    fetched('user_tower.onnx').then((bytes) => ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] })),
    fetched('movies.safetensors').then(embeddings),
    fetch(`${folder}catalog.json`).then((response) => response.json()),
  ]);
  const places = new Map(catalog.movie_id.map((/** @type {number} */ id, /** @type {number} */ place) => [id, place]));
  return {
    catalog,
    /**
     * The catalogue's rows of the best movies for a visitor.
     * @param {number[]} ids the movies that the visitor watched.
     * @param {number} limit
     */
    async best(ids, limit) {
      const watched = ids.flatMap((id) => places.get(id) ?? []).slice(-HISTORY);
      const now = new Date();
      const slots = { length: HISTORY };
      const history = BigInt64Array.from(slots, (_, slot) => BigInt(watched[slot] ?? movies));
      const weights = Float32Array.from(slots, (_, slot) => (slot < watched.length ? 1 : 0));
      const { user_vector: vector } = await session.run({
        history: new ort.Tensor('int64', history, [1, HISTORY]),
        weights: new ort.Tensor('float32', weights, [1, HISTORY]),
        time: new ort.Tensor('float32', new Float32Array(50), [1, 50]),
        year: new ort.Tensor('float32', [now.getFullYear() + now.getMonth() / 12], [1, 1]),
      });
      const query = /** @type {Float32Array} */ (vector.data);
      const scores = new Float32Array(movies);
      for (let row = 0; row < movies; row++) {
        let sum = bias[row];
        for (let column = 0; column < dim; column++) sum += rows[row * dim + column] * query[column];
        scores[row] = sum;
      }
      for (const place of watched) scores[place] = -Infinity;
      const order = Array.from(scores.keys()).sort((one, other) => scores[other] - scores[one]);
      return order.slice(0, limit).map((place) => ({ place, score: scores[place] }));
    },
  };
}
