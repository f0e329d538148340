/**
 * The searches that an engineer would use without this project. Each function builds an index over `rows` × `dim`
 * numbers and returns a search for the `k` nearest rows by squared L2 distance. The rows are `stride` numbers apart in
 * `table`.
 * @typedef {(table: Float32Array, rows: number, dim: number, stride: number, k: number) =>
 *   Promise<(query: Float32Array) => Iterable<number>>} Peer
 */

/**
 * The best scan in plain JavaScript that we know: it keeps four sums, and inserts a row only if it is nearer than the
 * farthest of the best.
 * @type {Peer}
 */
export async function javascript(table, rows, dim, stride, k) {
  const distances = new Float64Array(k);
  return (query) => {
    const best = new Uint32Array(Math.min(k, rows));
    let filled = 0;
    let limit = Infinity;
    for (let row = 0, start = 0; row < rows; row++, start += stride) {
      let first = 0;
      let second = 0;
      let third = 0;
      let fourth = 0;
      for (let column = 0; column < dim; column += 4) {
        const a = table[start + column] - query[column];
        const b = table[start + column + 1] - query[column + 1];
        const c = table[start + column + 2] - query[column + 2];
        const d = table[start + column + 3] - query[column + 3];
        first += a * a;
        second += b * b;
        third += c * c;
        fourth += d * d;
      }
      const distance = first + second + (third + fourth);
      if (distance >= limit) continue;
      let place = filled < best.length ? filled++ : best.length - 1;
      for (; place > 0 && distances[place - 1] > distance; place--) {
        distances[place] = distances[place - 1];
        best[place] = best[place - 1];
      }
      distances[place] = distance;
      best[place] = row;
      if (filled === best.length) limit = distances[filled - 1];
    }
    return best;
  };
}

/** @type {Peer} */
export async function hnswlib(table, rows, dim, stride, k) {
  const { loadHnswlib } = await import('/npm/hnswlib-wasm/dist/hnswlib.js');
  // The type makes the argument optional, but without it the library waits for ever.
  const library = await loadHnswlib('IDBFS');
  const index = new library.BruteforceSearch('l2', dim);
  index.initIndex(rows);
  for (let row = 0; row < rows; row++) index.addPoint(table.subarray(row * stride, row * stride + dim), row);
  return (query) => index.searchKnn(query, k, undefined).neighbors;
}

/** @type {Peer} */
export async function voy(table, rows, dim, stride, k) {
  // The package expects a bundler that imports wasm as a module, so we join its two halves by hand.
  const glue = await import('/npm/voy-search/voy_search_bg.js');
  const module = await WebAssembly.compileStreaming(fetch('/npm/voy-search/voy_search_bg.wasm'));
  const { exports } = await WebAssembly.instantiate(module, { './voy_search_bg.js': glue });
  glue.__wbg_set_wasm(exports);
  const embeddings = Array.from({ length: rows }, (_, row) => ({
    id: String(row),
    title: '',
    url: '',
    embeddings: Array.from(table.subarray(row * stride, row * stride + dim)),
  }));
  const index = new glue.Voy({ embeddings });
  return (query) => index.search(query, k).neighbors.map((/** @type {{id: string}} */ { id }) => Number(id));
}
