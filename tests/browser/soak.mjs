/**
 * A long visit. It presses buttons at random, by a seed, and records every question of the page to its worker with the
 * answer. `tests/soak.rs` then asks the native library the same questions.
 *
 * node tests/browser/soak.mjs --minutes 60 --seed 1 --out target/soak
 */

import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, lookInside, ready, rendererMemory } from './harness.mjs';
import { SHIPPED_MODELS, startServer } from './server.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'target/soak' },
  },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isInteger(seed)) {
  throw new Error('--minutes takes a number over 0, and --seed a whole number');
}

/** The pause between actions. No visitor is faster for an hour, and the machine stays usable. */
const PAUSE_MS = 60;
/** The share of the run that is warming up. Memory that the page fills then isn't growth. */
const WARM_SHARE = 0.2;
/** How often the memory is read in the whole run. */
const READINGS = 30;
/** How many actions there are between reloads, which the list must survive. */
const RELOAD_EVERY = 1500;
/**
 * The growth that counts as a leak, more than two readings of an idle page differ by: in the heap, and as a share of
 * the renderer's memory.
 */
const HEAP_GROWTH_MB = 2;
const RENDERER_GROWTH = 0.05;

/** Random numbers from 0 to 1, the same for a seed (Steele's SplitMix with 32 bits). @param {number} state */
function generator(state) {
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Records the messages to and from the worker. Runs in the page before its own scripts. */
function listen() {
  const scope = /** @type {any} */ (globalThis);
  scope.heard = [];
  scope.open = new Map();
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ ...rest) {
    if (message?.id !== undefined) scope.open.set(message.id, message);
    return post.call(this, message, ...rest);
  };
  const NativeWorker = Worker;
  scope.Worker = class extends NativeWorker {
    /** @param {any} url @param {any} options */
    constructor(url, options) {
      super(url, options);
      this.addEventListener('message', ({ data }) => {
        const question = scope.open.get(data?.id);
        if (!question) return;
        scope.open.delete(data.id);
        if (data.error) scope.heard.push({ call: question.call, error: data.error });
        else if (question.call === 'suggest') {
          const suggestions = data.result.suggestions.map((/** @type {any} */ { movieId, score, like }) => ({
            movieId,
            score,
            like,
          }));
          scope.heard.push({ call: 'suggest', request: question.parameters[0], suggestions });
        }
      });
    }
  };
}

/**
 * Presses one of the buttons on the page, and returns which kind.
 * @param {number[]} dice numbers from 0 to 1
 */
function press([kind, which, how]) {
  const dialog = document.querySelector('dialog[open]');
  const tree = inside();
  /** @param {string} selector @param {ParentNode} from */
  const shown = (selector, from) =>
    /** @type {HTMLElement[]} */ ([...from.querySelectorAll(selector)]).filter(
      (found) => found.offsetParent && !(/** @type {any} */ (found).disabled),
    );
  /** @param {HTMLElement[]} list */
  const one = (list) => list[Math.floor(which * list.length)];
  const file = 'input[type=file], #export, #share-copy, #share-send';
  if (dialog) {
    const found = one(shown('button', dialog).filter((button) => !button.matches(file)));
    (kind < 0.5 ? /** @type {HTMLElement} */ (dialog.querySelector('[data-close]')) : found)?.click();
    return 'dialog';
  }
  if (kind < 0.3) {
    one(shown('#wall-list button', tree))?.click();
    return 'wall';
  }
  if (kind < 0.55) {
    one(shown('#suggestions-list button', tree))?.click();
    return 'suggestion';
  }
  if (kind < 0.72) {
    one(shown('#watched-list button', tree))?.click();
    return 'watched';
  }
  if (kind < 0.8) {
    const input = /** @type {HTMLInputElement} */ (tree.querySelector('#search-input'));
    const letters = 'thebigstarloveman';
    const from = Math.floor(which * (letters.length - 3));
    input.value = letters.slice(from, from + 2 + Math.floor(how * 3));
    input.dispatchEvent(new Event('input', { bubbles: true }));
    return 'search';
  }
  if (kind < 0.84) {
    one(shown('#search-list [role=option]', tree))?.click();
    return 'found';
  }
  if (kind < 0.88) {
    const range = /** @type {HTMLInputElement} */ (tree.querySelector('#novelty'));
    range.value = String(how);
    range.dispatchEvent(new Event('input', { bubbles: true }));
    range.dispatchEvent(new Event('change', { bubbles: true }));
    return 'novelty';
  }
  if (kind < 0.93) {
    one(shown('#filter-panel summary, #filter-panel button, #filters-clear', tree))?.click();
    return 'filter';
  }
  if (kind < 0.94 && how < 0.1) {
    shown('#clear', tree)[0]?.click();
    return 'clear';
  }
  if (kind < 0.97) {
    one(shown('#undo, #wall-more, #similar button, #jump', tree))?.click();
    return 'tool';
  }
  one(shown('#open-map, #open-import, #open-share', document))?.click();
  return 'opened';
}

await mkdir(values.out, { recursive: true });
const answers = createWriteStream(join(values.out, 'answers.jsonl'));
const [browser, server] = await Promise.all([
  launch(['--js-flags=--expose-gc']),
  startServer({ models: SHIPPED_MODELS }),
]);
/** @type {string[]} */
const trouble = [];
/** @type {{minute: number, heapMb: number, rendererMb: number, nodes: number, clicks: number}[]} */
const memory = [];
/** @type {Record<string, number>} */
const pressed = {};
let [clicks, answered] = [0, 0];
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' });
  const page = await context.newPage();
  page.on('pageerror', (error) => trouble.push(`uncaught: ${error}`));
  page.on('console', (message) => message.type() === 'error' && trouble.push(`console: ${message.text()}`));
  page.on(
    'request',
    (request) => new URL(request.url()).origin === server.origin || trouble.push(`foreign request: ${request.url()}`),
  );
  page.on('dialog', (dialog) => void dialog.accept());
  await page.addInitScript(listen);
  await page.addInitScript(lookInside);
  await page.goto(`${server.origin}/`);
  await ready(page);
  const session = await context.newCDPSession(page);
  await session.send('HeapProfiler.enable');
  const random = generator(seed);
  const start = performance.now();
  const end = start + minutes * 60_000;
  let reading = start;
  while (performance.now() < end) {
    const dice = [random(), random(), random()];
    const what = await page.evaluate(press, dice);
    pressed[what] = (pressed[what] ?? 0) + 1;
    clicks++;
    await page.waitForFunction(() => /** @type {any} */ (globalThis).open.size === 0, null, { timeout: 30_000 });
    await page.waitForTimeout(PAUSE_MS);
    const heard = await page.evaluate(() => /** @type {any} */ (globalThis).heard.splice(0));
    for (const entry of heard) {
      if (entry.error) trouble.push(`${entry.call}: ${JSON.stringify(entry.error)}`);
      else {
        answered++;
        answers.write(`${JSON.stringify(entry)}\n`);
      }
    }
    const wrong = await page.evaluate(() => {
      const widget = /** @type {any} */ (document.querySelector('watch-next'));
      const failure = inside().querySelector('#failure');
      if (failure && !(/** @type {HTMLElement} */ (failure).hidden)) {
        return `the page tells of a failure: ${failure.textContent}`;
      }
      const watched = new Set(widget.watched.map((/** @type {any} */ { movieId }) => movieId));
      const twice = widget.suggestions.find((/** @type {any} */ { movieId }) => watched.has(movieId));
      return twice && !inside().querySelector('#suggestions-list')?.hidden
        ? `${twice.title} is suggested and watched`
        : null;
    });
    if (wrong) trouble.push(wrong);
    if (clicks % RELOAD_EVERY === 0) {
      const ids = () =>
        page.evaluate(() =>
          /** @type {any} */ (document.querySelector('watch-next')).watched
            .map((/** @type {any} */ { movieId }) => movieId)
            .join(),
        );
      const before = await ids();
      await page.reload();
      await ready(page);
      const after = await ids();
      if (before !== after) trouble.push(`a reload made ${after} of the list ${before}`);
    }
    if (performance.now() >= reading) {
      reading += (minutes * 60_000) / READINGS;
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      const { nodes } = await session.send('Memory.getDOMCounters');
      const minute = (performance.now() - start) / 60_000;
      memory.push({ minute, heapMb: usedSize / 1e6, rendererMb: await rendererMemory(browser), nodes, clicks });
      console.log(
        `${minute.toFixed(1)} min: ${clicks} actions, ${answered} answers, heap ${(usedSize / 1e6).toFixed(1)} ` +
          `MB, renderer ${memory.at(-1)?.rendererMb.toFixed(0)} MB, ${nodes} nodes, ${trouble.length} troubles`,
      );
    }
    if (trouble.length > 20) break;
  }
} finally {
  await Promise.all([browser.close(), server.close(), new Promise((done) => answers.end(done))]);
}

/**
 * How much the mean of the readings grew from the first half of the warm part to the second.
 * @param {'heapMb' | 'rendererMb'} name
 */
function growth(name) {
  const warm = memory.slice(Math.ceil(memory.length * WARM_SHARE));
  const mean = (/** @type {typeof memory} */ part) =>
    part.reduce((sum, found) => sum + found[name], 0) / Math.max(1, part.length);
  const middle = Math.floor(warm.length / 2);
  return mean(warm.slice(middle)) - mean(warm.slice(0, middle));
}

const grown = { heapMb: growth('heapMb'), rendererMb: growth('rendererMb') };
await writeFile(
  join(values.out, 'soak.json'),
  JSON.stringify({ minutes, seed, clicks, answered, pressed, memory, grown, trouble }, null, 2),
);
console.log(
  `${clicks} actions (${Object.entries(pressed)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ')}), ${answered} answers`,
);
console.log(
  `growth from the first half to the second, warm: heap ${grown.heapMb.toFixed(2)} MB, renderer ` +
    `${grown.rendererMb.toFixed(2)} MB`,
);
for (const line of trouble) console.error(line);
const grew = grown.heapMb > HEAP_GROWTH_MB || grown.rendererMb > RENDERER_GROWTH * (memory[0]?.rendererMb ?? 0);
if (grew) console.error('the memory grows');
process.exitCode = grew || trouble.length > 0 || answered === 0 ? 1 : 0;
