/** The npm package is installed, imported in Node, compiled against, and served as a folder to a browser. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The package that `cargo xtask package` has made. It leaves one in its folder. */
const PACKAGE =
  process.env.WATCHNEXT_PACKAGE ??
  join(ROOT, 'target/npm', readdirSync(join(ROOT, 'target/npm')).find((name) => name.endsWith('.tgz')) ?? '');

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** The folder of a project that depends on the package, and the installed package in it. */
let project = '';
let installed = '';

/**
 * Runs a program in the project.
 * @param {string} program
 * @param {string[]} words
 */
function run(program, ...words) {
  // On Windows npm is a batch file, which only a shell can start.
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    cwd: project,
    encoding: 'utf8',
    shell: program === 'npm' && process.platform === 'win32',
  });
  assert.equal(status, 0, `${program} ${words.join(' ')}\n${stdout}\n${stderr}\n${error ?? ''}`);
  return stdout;
}

/** Runs a module in Node in the project, and returns the JSON that it prints. @param {string} source */
const evaluate = (source) => JSON.parse(run(process.execPath, '--input-type=module', '--eval', source));

/** The package's package.json. */
const description = async () => JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));

/** Paths of the installed files, with slashes. */
async function files() {
  const entries = await readdir(installed, { recursive: true });
  const sizes = await Promise.all(entries.map((entry) => stat(join(installed, entry))));
  return entries.filter((_, at) => sizes[at].isFile()).map((entry) => entry.replaceAll('\\', '/'));
}

before(async () => {
  project = await mkdtemp(join(tmpdir(), 'watchnext-package-'));
  installed = join(project, 'node_modules/watchnext');
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  run('npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', resolve(PACKAGE));
});
after(() => rm(project, { recursive: true, force: true }));

test('it says what it is: the version is the workspace’s, and nothing else is needed', async () => {
  const { version, type, dependencies, scripts } = await description();
  const [, cargos] =
    /^\[workspace\.package\]\nversion = "(.+)"/m.exec(await readFile(join(ROOT, 'Cargo.toml'), 'utf8')) ?? [];
  assert.equal(version, cargos);
  assert.deepEqual({ type, dependencies, scripts }, { type: 'module', dependencies: undefined, scripts: undefined });
});

test('it holds the default bundle whole, the licences, and nothing of our own page', async () => {
  const all = await files();
  const { files: bundle } = JSON.parse(await readFile(join(installed, 'models/manifest.json'), 'utf8'));
  const models = Object.values(bundle).map(({ path }) => `models/${path}`);
  assert.deepEqual(
    all.filter((path) => path.startsWith('models/')).sort(),
    ['models/README.md', 'models/manifest.json', ...models].sort(),
  );
  for (const { path, bytes } of Object.values(bundle)) {
    assert.equal((await stat(join(installed, 'models', path))).size, bytes, path);
  }
  for (const path of ['README.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'web/engine/watchnext_bg.wasm']) {
    assert.ok(all.includes(path), path);
  }
  const strange = all.filter((path) =>
    /\.(br|gz|map)$|(?<!watch-next)\.html$|\/(page|map-\w+)\.js$|seed-network|examples/.test(path),
  );
  assert.deepEqual(strange, []);
});

test('every path that it exports leads to a file', async () => {
  const { exports } = await description();
  const all = await files();
  for (const [name, target] of Object.entries(exports)) {
    for (const path of typeof target === 'string' ? [target] : Object.values(target)) {
      const [before, behind] = path.slice('./'.length).split('*');
      const meant =
        behind === undefined ? [before] : all.filter((file) => file.startsWith(before) && file.endsWith(behind));
      assert.ok(meant.length > 0 && meant.every((file) => existsSync(join(installed, file))), `${name}: ${path}`);
    }
  }
  const asked = [
    ...Object.keys(exports).filter((name) => !name.includes('*')),
    ...all.filter((file) => /^(web|models)\//.test(file)).map((file) => `./${file}`),
  ].map((name) => `watchnext${name.slice(1)}`);
  const found = evaluate(
    `console.log(JSON.stringify(${JSON.stringify(asked)}.map((name) => import.meta.resolve(name))))`,
  );
  found.forEach((/** @type {string} */ url, /** @type {number} */ at) =>
    assert.ok(existsSync(fileURLToPath(url)), asked[at]),
  );
});

test('both modules can be imported where there is no window', () => {
  const kinds = evaluate(`
    if (typeof window !== 'undefined' || typeof document !== 'undefined') throw new Error('a window');
    const [element, runtime] = [await import('watchnext'), await import('watchnext/runtime')];
    const { load, WatchNextError } = runtime;
    const found = { element: Object.keys(element), load: typeof load, error: typeof WatchNextError };
    console.log(JSON.stringify(found));`);
  assert.ok(kinds.element.length > 0);
  assert.deepEqual([kinds.load, kinds.error], ['function', 'function']);
});

/** Members of an object type, each true. @param {string[]} names */
const allTrue = (names) => names.map((name) => `${JSON.stringify(name)}: true`);

/**
 * A program that uses both modules. It doesn't compile if a declaration has a name that the module lacks, or the other
 * way round.
 * @param {Record<string, string[]>} names
 */
const consumer = (names) => `
import * as element from 'watchnext';
import * as runtime from 'watchnext/runtime';
import { load, WatchNextError, type Answer, type Engine, type Movie } from 'watchnext/runtime';

export const elementNames: { [name in keyof typeof element]: true } = { ${allTrue(names.element)} };
export const runtimeNames: { [name in keyof typeof runtime]: true } = { ${allTrue(names.runtime)} };

export async function titles(bundle: URL): Promise<string[]> {
  const engine: Engine = await load({ bundle, onProgress: ({ received, total }) => console.log(received / total) });
  try {
    const answer: Answer | null = await engine.suggest({ history: [{ movieId: 1, rating: 4.5 }], limit: 5 });
    const name = ({ title, year }: Movie): string => (year === null ? title : \`\${title} (\${year})\`);
    return answer ? answer.suggestions.map(name) : [];
  } catch (error) {
    if (error instanceof WatchNextError) throw new Error(error.code);
    throw error;
  } finally {
    engine.close();
  }
}

/** The element has a type of its own. */
type Own = HTMLElementTagNameMap['watch-next'];
export const own: HTMLElement extends Own ? never : Own = document.createElement('watch-next');
`;

for (const [moduleResolution, module] of [['bundler', 'esnext'], ['node16', 'node16']]) {
  test(`TypeScript takes it under strict, resolved as ${moduleResolution}`, async () => {
    const names = evaluate(`
      const [element, runtime] = [await import('watchnext'), await import('watchnext/runtime')];
      console.log(JSON.stringify({ element: Object.keys(element), runtime: Object.keys(runtime) }));`);
    await writeFile(join(project, 'consumer.ts'), consumer(names));
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      target: 'es2022',
      lib: ['es2022', 'dom', 'dom.iterable'],
      types: [],
      module,
      moduleResolution,
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    run(process.execPath, TSC, '--project', '.');
  });
}

test('the folder on a server is a recommender', async (context) => {
  await writeFile(
    join(installed, 'index.html'),
    `<!doctype html><html lang="en"><title>A shop</title>
      <script type="module" src="web/watch-next.js"></script><watch-next></watch-next></html>`,
  );
  // The server reads this variable when it is imported, so the import comes after it.
  process.env.WATCHNEXT_DIST = installed;
  const [{ launch }, { startServer }] = await Promise.all([import('./harness.mjs'), import('./server.mjs')]);
  const [browser, server] = await Promise.all([launch(), startServer()]);
  context.after(() => Promise.all([browser.close(), server.close()]));
  const page = await browser.newPage();
  /** @type {string[]} */
  const trouble = [];
  page.on('pageerror', (error) => trouble.push(String(error)));
  page.on('response', (response) => {
    if (!response.ok() && !response.url().endsWith('/favicon.ico')) {
      trouble.push(`${response.status()} ${response.url()}`);
    }
  });
  await page.goto(`${server.origin}/`);
  await page.waitForFunction(() => customElements.get('watch-next') !== undefined);
  // With the default bundle, which the runtime finds next to its own folder.
  const found = await page.evaluate(`import('/web/runtime.js').then(async ({ load }) => {
    const engine = await load();
    await engine.loadRanker();
    const { suggestions } = await engine.suggest({ history: [{ movieId: 1 }], limit: 7 });
    engine.close();
    return suggestions.map(({ title, like }) => ({ title, like }));
  })`);
  assert.equal(found.length, 7);
  assert.ok(
    found.every((/** @type {{title: string, like: number}} */ { title, like }) => title && like > 0 && like < 1),
  );
  assert.deepEqual(trouble, []);
});
