/** Serves the bench's pages, measures in Chromium and writes the results as JSON: `node run.mjs <output> <rows>...` */

import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { readFile, writeFile } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../../tests/browser/harness.mjs';
import { measureClicks } from './click.mjs';
import { WATCHED, measureLoad } from './load.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const KERNELS = process.env.WATCHNEXT_KERNELS ?? join(HERE, '../../target/bench/kernels');

const SITE = join(HERE, '../../dist');

/**
 * The page with ONNX Runtime Web and the page without an engine are the shipped page with another worker.
 * @type {Record<string, string>}
 */
const STAND_INS = {
  '/site-onnxruntime/web/worker.js': '/load/worker.js',
  '/site-ready/web/worker.js': '/load/ready.js',
};

/** Beginnings of addresses and the folders served there. The first match counts. @type {[string, string][]} */
const FOLDERS = [
  ['/kernels/', KERNELS],
  ['/models/', join(HERE, '../../models')],
  ['/site/', SITE],
  ['/site-onnxruntime/', SITE],
  ['/site-ready/', SITE],
  ['/npm/', join(HERE, 'node_modules')],
  ['/', HERE],
];

/** @type {Record<string, string>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** The reports of the measured pages. */
const reports = new EventEmitter();

const server = createServer(async (request, response) => {
  const { pathname: asked, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (asked === '/first-suggestions') {
    reports.emit('first suggestions', Number(searchParams.get('time')));
    response.writeHead(204).end();
    return;
  }
  const pathname = STAND_INS[asked] ?? asked;
  const [prefix, folder] = /** @type {[string, string]} */ (FOLDERS.find(([prefix]) => pathname.startsWith(prefix)));
  const file = join(folder, decodeURIComponent(pathname.slice(prefix.length)));
  try {
    // Never serve a file outside the folder.
    if (!file.startsWith(resolve(folder) + sep)) throw new Error('outside');
    const body = await readFile(file);
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-length': body.length,
      // A cross-origin isolated page has a timer twenty times finer.
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(body);
  } catch {
    response.writeHead(404);
    response.end();
  }
});

const [output, ...sizes] = process.argv.slice(2);
await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const browser = await launch();

/**
 * Calls a function of a new page, so that nothing of an earlier measurement is in memory.
 * @param {string} name
 * @param {unknown} argument
 */
async function inPage(name, argument) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  page.on('pageerror', (error) => console.error(`    page: ${error}`));
  await page.goto(`http://127.0.0.1:${port}/bench.html`);
  await page.waitForFunction((name) => name in globalThis, name, { timeout: 30_000 });
  const result = await page.evaluate(
    ([name, argument]) => /** @type {any} */ (globalThis)[/** @type {string} */ (name)](argument),
    [name, argument],
  );
  await context.close();
  return result;
}

try {
  const { dim, movies } = JSON.parse(await readFile(join(HERE, '../../models/manifest.json'), 'utf8'));
  const origin = `http://127.0.0.1:${port}`;
  const card = '#suggestions-list .card';
  const widgets = [
    { name: 'watchnext', url: `${origin}/site/index.html`, item: card },
    { name: 'ONNX Runtime Web', url: `${origin}/site-onnxruntime/index.html`, item: card },
    { name: 'the page without an engine', url: `${origin}/site-ready/index.html`, item: card },
  ];
  const bareUrl = `${origin}/load/index.html?watched=${WATCHED}`;
  const bare = { name: 'ONNX Runtime Web, a bare page', url: bareUrl, item: '#suggestions li' };
  console.log('    whole pages');
  const loads = await measureLoad(browser, [...widgets, bare], reports);
  console.log('    clicks');
  const clicks = await measureClicks(browser, widgets);
  console.log('    user tower');
  const tower = await inPage('measureTower', { dim, movies });
  const scans = [];
  for (const rows of sizes.map(Number)) {
    console.log(`    scans of ${rows} rows`);
    scans.push(await inPage('measureScans', rows));
  }
  await writeFile(output, JSON.stringify({ browser: browser.version(), loads, clicks, tower, scans }, null, 1));
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
