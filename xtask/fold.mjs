/**
 * Folds the built page: `node xtask/fold.mjs dist`, after Trunk and before compression. Browsers run the modules of
 * web/ as they are, but thirty small files compress worse than six and take thirty requests.
 *
 * Each module at the top of web/ keeps its name and place, because pages and addresses made from `import.meta.url` name
 * it. Modules in folders go into the top modules that import them. One that is imported by `import()` gets a file of
 * its own, with a hash in its name. Imports between top modules stay imports.
 *
 * Everything is checked before anything is written. A page that can't be folded stays as Trunk built it.
 */

import { existsSync } from 'node:fs';
import { readFile, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, posix, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, formatMessages, transform } from 'esbuild';
import { minify } from 'terser';
import { keepOffline } from './offline.mjs';

/** The oldest browsers that the README supports. */
const TARGET = ['chrome105', 'edge105', 'firefox114', 'safari16.4'];

/** The examples are for readers, so they stay as they are written. */
const EXAMPLES = 'examples';

/** @type {import('esbuild').CommonOptions} */
const COMMON = { target: TARGET, charset: 'utf8', legalComments: 'none', minify: true, logLevel: 'silent' };

/** A page that can't be folded. The message is for its author. */
class FoldError extends Error {}

/** The paths of the files below a folder, with slashes. @param {string} folder */
async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join('/'))
    .sort();
}

/**
 * Keeps imports of top modules as imports, and calls `meet` for each.
 * @param {string} web
 * @param {ReadonlySet<string>} tops
 * @param {(top: string) => void} [meet]
 * @returns {import('esbuild').Plugin}
 */
function keepTops(web, tops, meet = () => {}) {
  return {
    name: 'keep-tops',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, kind, resolveDir }) => {
        if (kind === 'entry-point') return undefined;
        const file = resolve(resolveDir, path);
        const isOwn = /^\.\.?\//.test(path) && file.startsWith(web + sep);
        if (!isOwn) {
          return { errors: [{ text: `${path} isn't a module of web/, and the page loads its own files only` }] };
        }
        if (dirname(file) !== web) return undefined;
        const name = basename(file);
        if (!tops.has(name)) return { errors: [{ text: `${path} isn't there` }] };
        meet(name);
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/**
 * Makes `import.meta.url` in a folded module give its own folder, not that of the module that it goes into.
 * @param {string} web
 * @returns {import('esbuild').Plugin}
 */
function keepAddresses(web) {
  return {
    name: 'keep-addresses',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const folder = relative(web, dirname(path)).split(sep).join('/');
        if (folder === '' || !text.includes('import.meta')) return { contents: text };
        const address = '__folderAddress';
        const { code } = await transform(text, {
          define: { 'import.meta.url': address },
          sourcefile: path,
          logLevel: 'silent',
        });
        return {
          contents: `const ${address} = new URL(${JSON.stringify(`./${folder}/`)}, import.meta.url).href;\n${code}`,
        };
      });
    },
  };
}

/**
 * Bundles top modules by esbuild, without writing.
 * @param {string} web
 * @param {string[]} entries names of top modules.
 * @param {import('esbuild').Plugin} plugin
 */
async function bundle(web, entries, plugin) {
  try {
    return await build({
      ...COMMON,
      absWorkingDir: web,
      entryPoints: entries,
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: '.',
      allowOverwrite: true,
      write: false,
      metafile: true,
      plugins: [plugin, keepAddresses(web)],
    });
  } catch (error) {
    const { errors } = /** @type {import('esbuild').BuildFailure} */ (error);
    if (!errors) throw error;
    throw new FoldError((await formatMessages(errors, { kind: 'error' })).join(''));
  }
}

/**
 * A script made as short as possible. After esbuild, terser saves another thirtieth.
 * @param {string} text
 */
async function tightened(text) {
  // wasm-bindgen's module warns of an older way to start it. Nothing here uses that.
  const needed = text.replace(
    new RegExp(
      String.raw`Object\.getPrototypeOf\([\w$]+\)===Object\.prototype\?(\{[\w$]+:[\w$]+\}=[\w$]+)` +
        String.raw`:console\.warn\("using deprecated[^"]*"\)`,
      'g',
    ),
    '($1)',
  );
  const { code = text } = await minify(needed, {
    module: true,
    ecma: 2020,
    compress: { passes: 3, unsafe: true, unsafe_arrows: true, unsafe_methods: true, inline: 1 },
    format: { comments: false },
  });
  return code;
}

/**
 * The top modules in groups that import each other, so that they run on one thread. A module that two of a group import
 * must stay one module, or its classes and its state would exist twice. The worker has its own copies in any case.
 * @param {string} web
 * @param {ReadonlySet<string>} tops
 */
async function groups(web, tops) {
  /** @type {Map<string, Set<string>>} */
  const groupOf = new Map([...tops].map((top) => [top, new Set([top])]));
  for (const top of tops) {
    /** @type {Set<string>} */
    const met = new Set();
    await bundle(web, [top], keepTops(web, tops, (other) => met.add(other)));
    for (const other of met) {
      const joined = new Set([
        .../** @type {Set<string>} */ (groupOf.get(top)),
        .../** @type {Set<string>} */ (groupOf.get(other)),
      ]);
      for (const member of joined) groupOf.set(member, joined);
    }
  }
  return [...new Set(groupOf.values())].map((group) => [...group].sort());
}

/**
 * Folds the scripts, without writing. Returns their texts (`written`), the modules that went into them (`folded`), the
 * parts that each script imports at once (`needs`), and the parts that are imported late (`late`).
 * @param {string} web
 * @param {string[]} files
 */
async function foldScripts(web, files) {
  const tops = new Set(files.filter((file) => /^[^/]+\.js$/.test(file)));
  /** @type {Map<string, string>} */
  const written = new Map();
  /** @type {Set<string>} */
  const folded = new Set();
  /** @type {Map<string, string[]>} */
  const needs = new Map();
  /** @type {Set<string>} */
  const late = new Set();
  for (const group of await groups(web, tops)) {
    const { outputFiles, metafile } = await bundle(web, group, keepTops(web, tops));
    for (const { path, text } of outputFiles) written.set(relative(web, path), await tightened(text));
    for (const input of Object.keys(metafile.inputs)) if (!tops.has(input)) folded.add(input);
    for (const [name, { imports, entryPoint }] of Object.entries(metafile.outputs)) {
      if (entryPoint && !tops.has(entryPoint)) late.add(name);
      needs.set(
        name,
        imports.filter(({ external, kind }) => !external && kind === 'import-statement').map(({ path }) => path),
      );
    }
  }
  return { written, folded, needs, late };
}

/**
 * Throws if a script names a folded module in a string: there is no file at that address.
 * @param {Map<string, string>} written
 * @param {Set<string>} folded
 */
function checkAddresses(written, folded) {
  for (const module of folded) {
    for (const [name, text] of written) {
      if (text.includes(module)) {
        throw new FoldError(
          `web/${name} names ${module} in a string, but that module is folded and won't be there. ` +
            'Name a module at the top of web/.',
        );
      }
    }
  }
}

/**
 * Folds the style sheets at the top of web/ with those that they import, without writing. Returns their texts and the
 * sheets that went into them. A sheet may hold no address: after folding it would count from another folder.
 * @param {string} web
 * @param {string[]} files
 */
async function foldStyles(web, files) {
  /** @type {Map<string, string>} */
  const written = new Map();
  /** @type {Set<string>} */
  const folded = new Set();
  const entryPoints = files.filter((name) => /^[^/]+\.css$/.test(name));
  if (entryPoints.length === 0) return { written, folded };
  try {
    const { outputFiles, metafile, warnings } = await build({
      ...COMMON,
      absWorkingDir: web,
      entryPoints,
      bundle: true,
      outdir: '.',
      write: false,
      allowOverwrite: true,
      metafile: true,
    });
    // esbuild keeps what it doesn't understand, and browsers skip it. It is a mistake either way.
    if (warnings.length > 0) throw new FoldError((await formatMessages(warnings, { kind: 'error' })).join(''));
    for (const { path, text } of outputFiles) written.set(relative(web, path), text);
    for (const input of Object.keys(metafile.inputs)) if (!entryPoints.includes(input)) folded.add(input);
  } catch (error) {
    const { errors } = /** @type {import('esbuild').BuildFailure} */ (error);
    if (!errors) throw error;
    throw new FoldError((await formatMessages(errors, { kind: 'error' })).join(''));
  }
  return { written, folded };
}

/**
 * A page without preloads of folded modules. Each other module is preloaded with the parts that it needs.
 * @param {string} html
 * @param {(file: string | undefined) => boolean} isFolded
 * @param {(file: string | undefined) => string[]} partsOf
 * @param {(address: string) => string | undefined} fileAt
 */
function withPreloads(html, isFolded, partsOf, fileAt) {
  /** @type {Set<string>} */
  const added = new Set();
  return html.replace(/[ \t]*<link\b[^>]*>\n?/gi, (tag) => {
    if (!/\brel\s*=\s*["']?(?:modulepreload|preload)\b/i.test(tag)) return tag;
    const [address = ''] = addresses(tag);
    const file = fileAt(address);
    if (isFolded(file)) return '';
    const parts = partsOf(file).filter((part) => !added.has(part));
    for (const part of parts) added.add(part);
    // Parts are in the module's own folder, so only the name differs.
    return tag + parts.map((part) => tag.replace(address, () => address.replace(/[^/]*$/, part))).join('');
  });
}

/** The addresses in a page's tags. @param {string} html */
function addresses(html) {
  const tags = html.replace(/<!--.*?-->/gs, '').match(/<[a-z][^>]*>/gi) ?? [];
  return tags.flatMap((tag) =>
    [...tag.matchAll(/\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi)].map(
      ([, double, single, bare]) => double ?? single ?? bare,
    ),
  );
}

/**
 * The site's file at an address, or undefined for an address of another site.
 * @param {string} address
 * @param {string} page
 */
function fileOf(address, page) {
  const site = 'https://site.invalid/';
  const url = new URL(address, site + page);
  if (url.origin !== new URL(site).origin) return undefined;
  const path = decodeURIComponent(url.pathname).slice(1);
  return path === '' || path.endsWith('/') ? `${path}index.html` : path;
}

/**
 * The pages that change. Throws if a page refers to a file that isn't there.
 * @param {string} dist
 * @param {Set<string>} folded modules, by their paths in web/.
 * @param {Map<string, string[]>} needs the parts that each script imports.
 */
async function foldPages(dist, folded, needs) {
  /** @type {Map<string, string>} */
  const written = new Map();
  const isFolded = (/** @type {string | undefined} */ file) =>
    file !== undefined && folded.has(posix.relative('web', file));
  const partsOf = (/** @type {string | undefined} */ file) => {
    /** @type {Set<string>} */
    const parts = new Set(file === undefined ? [] : needs.get(posix.relative('web', file)));
    // Parts that are added during the loop are visited too.
    for (const part of parts) for (const more of needs.get(part) ?? []) parts.add(more);
    return [...parts];
  };
  for (const page of (await filesBelow(dist)).filter((file) => file.endsWith('.html'))) {
    const html = await readFile(join(dist, page), 'utf8');
    const lean = withPreloads(html, isFolded, partsOf, (address) => fileOf(address, page));
    for (const address of addresses(lean)) {
      const file = fileOf(address, page);
      if (isFolded(file)) {
        throw new FoldError(
          `${page} refers to ${address}, but that module is folded and won't be there. ` +
            'Refer to a module at the top of web/.',
        );
      }
      const isThere = file === undefined || needs.has(posix.relative('web', file)) || existsSync(join(dist, file));
      if (!isThere) throw new FoldError(`${page} refers to ${address}, which the built page lacks.`);
    }
    if (lean !== html) written.set(page, lean);
  }
  return written;
}

/** The sizes of some files, added up. @param {string} folder @param {Iterable<string>} files */
async function bytesOf(folder, files) {
  const texts = await Promise.all([...files].map((file) => readFile(join(folder, file))));
  return texts.reduce((sum, { length }) => sum + length, 0);
}

/** The sizes of some texts, added up. @param {Map<string, string>} written */
const lengthOf = (written) => [...written.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/**
 * Folds a built page in place.
 * @param {string} dist the folder that holds index.html and web/.
 * @returns {Promise<string[]>} sentences for the log.
 */
export async function fold(dist) {
  const web = resolve(dist, 'web');
  const files = (await filesBelow(web)).filter((file) => !file.startsWith(`${EXAMPLES}/`));
  const scripts = files.filter((file) => file.endsWith('.js'));
  const { written, folded, needs, late } = await foldScripts(web, files);
  checkAddresses(written, folded);
  const styles = await foldStyles(web, files);
  for (const sheet of styles.folded) folded.add(sheet);
  const pages = await foldPages(dist, folded, needs);

  const before = [await bytesOf(web, scripts), await bytesOf(web, files.filter((file) => file.endsWith('.css')))];
  for (const [name, text] of [...written, ...styles.written]) await writeFile(join(web, name), text);
  for (const [name, text] of pages) await writeFile(join(dist, name), text);
  for (const module of folded) await rm(join(web, module));
  await removeEmptyFolders(web, folded);

  const shared = [...written.keys()].filter((name) => !scripts.includes(name));
  const left = scripts.filter((file) => !written.has(file) && !folded.has(file));
  return [
    `${scripts.length} scripts of ${before[0]} bytes became ${written.size + left.length} of ${lengthOf(written)}; ` +
      `style sheets of ${before[1]} bytes, ${lengthOf(styles.written)}`,
    ...shared.map(
      (name) =>
        `web/${name} ${late.has(name) ? 'is fetched when it is needed' : 'holds what several scripts have in common'}`,
    ),
    ...left.map((file) => `web/${file} is imported by no module and stays as it is`),
  ];
}

/** Removes folders that are empty now. @param {string} web @param {Iterable<string>} folded */
async function removeEmptyFolders(web, folded) {
  const folders = new Set();
  for (const module of folded) {
    for (let folder = posix.dirname(module); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder);
  }
  // The deepest first, so that a folder of empty folders goes too.
  for (const folder of [...folders].sort().reverse()) {
    if ((await readdir(join(web, folder))).length === 0) await rmdir(join(web, folder));
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const dist = process.argv[2] ?? 'dist';
    for (const sentence of [...(await fold(dist)), await keepOffline(dist)]) console.log(`    ${sentence}`);
  } catch (error) {
    console.error(error instanceof FoldError ? error.message : error);
    process.exitCode = 1;
  }
}
