/** Folding makes the shipped page out of plain modules. It is tested on a small site, without a browser. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { fold } from '../../xtask/fold.mjs';
import { keepOffline } from '../../xtask/offline.mjs';

/** A page, an element and a worker that share state (a counter) and a class, with modules that are imported late. */
const SITE = {
  'index.html': `<!doctype html>
<head>
  <link rel="stylesheet" href="web/page.css">
  <link rel="modulepreload" href="web/page.js">
  <link rel="modulepreload" href="web/page/list.js">
  <script type="module" src="web/page.js"></script>
</head>
<a href="#top">Up</a> <a href="https://example.org/gone">Out</a> <img src="data:,"> <a href="web/examples/">Examples</a>
`,
  'web/page.css': '/* The page. */\nbody {\n  color: #ff0000;\n}\n',
  'web/page.js': `import { Element } from './element.js';
import { lines } from './page/list.js';
export { Element, lines };
export const late = () => import('./page/map.js');
export const extra = () => import('./extra.js');
export const place = new URL('./worker.js', import.meta.url).href;
`,
  'web/extra.js': 'export const extra = 1;\n',
  'web/element.js':
    "import { Failure } from './engine/failure.js';\nexport class Element { fail() { return new Failure('é'); } }\n",
  'web/worker.js':
    "import { Failure } from './engine/failure.js';\nexport const fromWorker = new Failure('w').message;\n",
  'web/engine/failure.js': '/** An error. */\nexport class Failure extends Error {}\n',
  'web/page/list.js':
    "import { next } from './count.js';\nimport { Failure } from '../engine/failure.js';\n" +
    'export const lines = { first: next(), Failure };\n',
  'web/page/map.js': "import { next } from './count.js';\nexport const mapCount = next();\n",
  'web/page/count.js': 'let count = 0;\n/** One more. */\nexport const next = () => ++count;\n',
  'web/page.d.ts': 'export const place: string;\n',
  'web/words/en.json': '{ "hello": "Hello" }\n',
  'web/examples/index.html': '<script type="module" src="../page.js"></script>\n',
  'web/examples/own.js': '// Left as it was written.\nexport const own = 1;\n',
};

const folder = await mkdtemp(join(tmpdir(), 'watchnext-fold-'));
let round = 0;
let dist = '';

/** @param {Record<string, string>} files */
async function put(files) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dist, path)), { recursive: true });
    await writeFile(join(dist, path), text);
  }
}

/** @param {string} path */
const read = (path) => readFile(join(dist, path), 'utf8');

/** @param {string} path */
const run = (path) => import(pathToFileURL(join(dist, path)).href);

/** Puts the site into a new folder, since Node loads a module only once from an address. */
async function fresh() {
  dist = join(folder, String(round++));
  await put(SITE);
}

beforeEach(fresh);
after(() => rm(folder, { recursive: true }));

test('what lies in folders goes into the modules at the top, which do what they did', async () => {
  await fold(dist);
  assert.ok(!existsSync(join(dist, 'web/page')) && !existsSync(join(dist, 'web/engine')));
  const page = await run('web/page.js');
  assert.equal(page.lines.first, 1);
  assert.equal(page.place, pathToFileURL(join(dist, 'web/worker.js')).href);
  assert.equal((await run('web/worker.js')).fromWorker, 'w');
});

test('modules of one thread have state and classes once', async () => {
  const plain = await run('web/page.js');
  assert.equal((await plain.late()).mapCount, 2);
  await fresh();
  const sentences = await fold(dist);
  const page = await run('web/page.js');
  assert.equal((await page.late()).mapCount, 2);
  assert.ok(new page.Element().fail() instanceof page.lines.Failure);
  assert.equal(new page.Element().fail().message, 'é');
  assert.ok(sentences.some((sentence) => sentence.includes('in common')), sentences.join('\n'));
});

test('the worker is one file, since nobody could say why a second one is missing', async () => {
  await fold(dist);
  assert.doesNotMatch(await read('web/worker.js'), /\bimport\b/);
});

test('imports between top modules stay, the late one late', async () => {
  await fold(dist);
  const text = await read('web/page.js');
  assert.match(text, /from"\.\/element\.js"/);
  assert.match(text, /import\("\.\/extra\.js"\)/);
});

test('a module of a folder that is imported late gets a file of its own, which no page preloads', async () => {
  await fold(dist);
  const [, map] = /import\("\.\/(map-[A-Z0-9]+\.js)"\)/.exec(await read('web/page.js')) ?? assert.fail();
  assert.match(await read(`web/${map}`), /mapCount/);
  assert.ok(!(await read('index.html')).includes(map));
});

test('comments and blanks go, characters stay, and what is no script of the page is left alone', async () => {
  await fold(dist);
  assert.equal((await read('web/page.css')).trim(), 'body{color:red}');
  const scripts = (await readdir(join(dist, 'web'))).filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(scripts.map((name) => read(`web/${name}`)));
  assert.ok(texts.every((text) => !text.includes('/*')) && texts.some((text) => text.includes('é')));
  for (const path of ['web/page.d.ts', 'web/words/en.json', 'web/examples/index.html', 'web/examples/own.js']) {
    assert.equal(await read(path), SITE[/** @type {keyof typeof SITE} */ (path)]);
  }
});

test('preloads of folded modules leave the page, and what the others have in common joins it', async () => {
  await fold(dist);
  const parts = (await readdir(join(dist, 'web'))).filter((name) => name.startsWith('chunk-'));
  // The page and the map share the counter; the page and the element share the class. The page needs both at once.
  assert.equal(parts.length, 2);
  const wanted = parts.map((name) => `  <link rel="modulepreload" href="web/${name}">\n`);
  const lines = (await read('index.html')).split(/(?<=\n)/);
  assert.deepEqual(lines.filter((line) => line.includes('chunk-')).sort(), wanted.sort());
  const lost = '  <link rel="modulepreload" href="web/page/list.js">\n';
  assert.equal(lines.filter((line) => !line.includes('chunk-')).join(''), SITE['index.html'].replace(lost, ''));
});

test('addresses made in folders lead where they led', async () => {
  const own =
    "/* import.meta.url */ import { lines } from './list.js';\n" +
    "export const own = [lines.first, new URL('../words/en.json', import.meta.url).href];\n";
  await put({ 'web/page/own.js': own, 'web/extra.js': "export { own } from './page/own.js';\n" });
  await fold(dist);
  assert.deepEqual((await run('web/extra.js')).own, [1, pathToFileURL(join(dist, 'web/words/en.json')).href]);
});

/**
 * Tests a site that can't be folded: the error gives the reason, and nothing is changed.
 * @param {string} title
 * @param {Record<string, string>} files
 * @param {RegExp} reason
 */
function refuses(title, files, reason) {
  test(`refused: ${title}`, async () => {
    await put(files);
    await assert.rejects(fold(dist), reason);
    assert.equal(await read('web/page/count.js'), SITE['web/page/count.js']);
    assert.equal(await read('web/page.css'), files['web/page.css'] ?? SITE['web/page.css']);
  });
}

refuses(
  'a page that runs a folded module',
  { 'other.html': '<script type="module" src="web/page/list.js"></script>' },
  /other\.html refers to web\/page\/list\.js.*folded/,
);
refuses(
  'a page that refers to nothing',
  { 'index.html': '<link rel="stylesheet" href="web/gone.css?v=1">' },
  /index\.html refers to web\/gone\.css.*lacks/,
);
refuses(
  'a link out of an example to nothing',
  { 'web/examples/index.html': '<a href=../gone.html>Gone</a>' },
  /examples\/index\.html refers to \.\.\/gone\.html/,
);
refuses(
  'a folded module named in a string',
  { 'web/worker.js': "import './engine/failure.js';\nexport const parts = ['./engine/failure.js'];" },
  /web\/worker\.js names engine\/failure\.js/,
);
refuses('a missing module in a folder', { 'web/extra.js': "import './page/gone.js';" }, /page\/gone\.js/);
refuses('a missing module at the top', { 'web/extra.js': "import './gone.js';" }, /\.\/gone\.js isn't there/);
refuses('a module from elsewhere', { 'web/extra.js': "import 'axe-core';" }, /axe-core isn't a module of web\//);
refuses('a script that is none', { 'web/extra.js': 'export const = 1;' }, /extra\.js:1:13/);
refuses('a style sheet that is none', { 'web/page.css': 'body { color red }' }, /page\.css:1/);

/** A bundle and a service worker, with files and hashes like real ones. */
const KEPT = {
  'web/offline.js': "self.hash = '{hash}';\n",
  'web/words/en.json.br': 'compressed',
  'models/manifest.json': JSON.stringify({
    files: {
      movies: { path: 'm.bin', sha256: '0123456789abcdef'.repeat(4) },
      states: { path: 's.bin', sha256: 'f'.repeat(64), optional: true },
    },
  }),
  'models/m.bin': 'movies',
  'models/s.bin': 'states',
  'models/README.md': 'A card, which the page never asks for.',
};

/** @param {string} text */
const integrity = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

test('offline.json lists each file of the page, at its address and with its hash', async () => {
  await put(KEPT);
  await fold(dist);
  await keepOffline(dist);
  assert.ok(!existsSync(join(dist, 'web/offline.js')));
  const text = await read('offline.json');
  const { 'offline.js': own, ...list } = JSON.parse(text);
  assert.equal((await read('offline.js')).match(/sha256-[^"]+/)?.[0], integrity(text));
  assert.ok(own);
  const scripts = (await readdir(join(dist, 'web')))
    .filter((name) => name.endsWith('.js'))
    .map((name) => `web/${name}`);
  const expected = [
    './',
    'models/manifest.json',
    'models/m.bin?v=0123456789abcdef',
    'models/s.bin?v=ffffffffffffffff',
    'web/page.css',
    'web/words/en.json',
    ...scripts,
  ];
  assert.deepEqual(Object.keys(list).sort(), expected.sort());
  for (const [address, [hash, onDemand]] of Object.entries(list)) {
    const file = address === './' ? 'index.html' : address.split('?')[0];
    assert.equal(hash, integrity(await read(file)), address);
    assert.equal(onDemand, file === 'models/s.bin', address);
  }
});

test('another file is another version to keep, and so is another service worker', async () => {
  const versions = new Set();
  for (const change of [
    {},
    { 'web/words/en.json': '{}' },
    { 'web/offline.js': "addEventListener('fetch', () => {}); self.hash = '{hash}';" },
  ]) {
    await fresh();
    await put({ ...KEPT, ...change });
    await fold(dist);
    await keepOffline(dist);
    versions.add(/sha256-[^"']+/.exec(await read('offline.js'))?.[0]);
  }
  assert.equal(versions.size, 3);
});

test('a service worker without a place for the hash is refused', async () => {
  await put({ ...KEPT, 'web/offline.js': 'self.hash = 1;' });
  await fold(dist);
  await assert.rejects(keepOffline(dist), /must hold \{hash\} once/);
});
