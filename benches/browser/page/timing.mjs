/**
 * Measures contenders together: all of them in every round, in a new random order, so that other work on the machine
 * affects all of them alike.
 */

/** How long one contender may take, hot or cold, in milliseconds; its fewest rounds may take longer. */
const BUDGET_MS = 4_000;
const FEWEST_ROUNDS = 7;
const MOST_ROUNDS = 200;

/** The shortest block, long enough that the timer's ticks don't matter. */
const BLOCK_MS = 4;

/** @typedef {{name: string, run: (turn: number) => unknown}} Contender `run` may return a promise. */

/** @param {number[]} values @returns {{median: number, p99: number, least: number, rounds: number}} milliseconds */
export function summary(values) {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (/** @type {number} */ share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { median: at(0.5), p99: at(0.99), least: at(0), rounds: sorted.length };
}

/** @template T @param {T[]} items @returns {T[]} */
function shuffled(items) {
  const order = items.map((item) => ({ item, place: Math.random() }));
  return order.toSorted((left, right) => left.place - right.place).map(({ item }) => item);
}

/** Eight megabytes, more than the private cache of a core. */
const otherNumbers = new Float64Array(1 << 20);

/** A page's work between two clicks: it touches other memory and makes objects. */
function otherWork() {
  for (let place = 0; place < otherNumbers.length; place++) otherNumbers[place] = otherNumbers[place] * 0.5 + place;
  const labels = [];
  for (let place = 0; place < 2_000; place++) labels.push(`movie ${otherNumbers[place]}`);
  return labels.join().length;
}

/**
 * Measures each contender hot (blocks of runs, after one run that doesn't count) and cold (single runs after other
 * work).
 * @param {Contender[]} contenders
 */
export async function measure(contenders) {
  const plans = [];
  for (const contender of contenders) {
    // JavaScript engines recompile functions that run often, so warm up first.
    const warm = performance.now() + 200;
    let runs = 0;
    const start = performance.now();
    do {
      await contender.run(runs++);
    } while (performance.now() < warm && runs < 1_000);
    const once = (performance.now() - start) / runs;
    const block = Math.max(1, Math.ceil(BLOCK_MS / once));
    const rounds = (/** @type {number} */ length) =>
      Math.max(FEWEST_ROUNDS, Math.min(MOST_ROUNDS, Math.round(BUDGET_MS / length)));
    plans.push({ contender, block, hotRounds: rounds(once * (block + 1)), coldRounds: rounds(once + 2) });
  }
  /** @type {Map<string, {hot: number[], cold: number[]}>} */
  const times = new Map(plans.map(({ contender }) => [contender.name, { hot: [], cold: [] }]));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (const { contender, block } of shuffled(plans.filter(({ hotRounds }) => round < hotRounds))) {
      await contender.run(round);
      const start = performance.now();
      for (let turn = 0; turn < block; turn++) await contender.run(round + turn);
      times.get(contender.name)?.hot.push((performance.now() - start) / block);
    }
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (const { contender } of shuffled(plans.filter(({ coldRounds }) => round < coldRounds))) {
      otherWork();
      const start = performance.now();
      await contender.run(round);
      times.get(contender.name)?.cold.push(performance.now() - start);
    }
  }
  return [...times].map(([name, { hot, cold }]) => ({ name, hot: summary(hot), cold: summary(cold) }));
}
