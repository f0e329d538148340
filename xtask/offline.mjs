/**
 * The last step of folding: makes the page work without a network. It moves the service worker beside index.html, and writes
 * offline.json, the list of what it keeps: each file with its hash.
 */

import { createHash } from 'node:crypto';
import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const WORKER = 'offline.js';
const LIST = 'offline.json';

/** What of web/ the page never asks for. */
const NOT_KEPT = /(^examples\/|\.d\.ts$|\.br$|\.gz$)/;

/** What the page asks for only if the visitor wishes, and is too large to be kept for everybody. */
const ON_DEMAND = ['states'];

/** Words of a page that isn't about movies, which asks for them. */
const OTHER_WORDS = /^web\/words\/items\//;

/** @param {string | Buffer} bytes as browsers write it. */
const hashOf = (bytes) => `sha256-${createHash('sha256').update(bytes).digest('base64')}`;

/**
 * Addresses of the default bundle's files, with what the worker puts into them.
 * @param {string} dist
 * @returns {Promise<[file: string, address: string, onDemand: boolean][]>}
 */
async function bundleFiles(dist) {
  const { files } = JSON.parse(await readFile(join(dist, 'models/manifest.json'), 'utf8'));
  return Object.entries(files).map(([name, { path, sha256 }]) => [`models/${path}`, `models/${path}?v=${sha256.slice(0, 16)}`, ON_DEMAND.includes(name)]);
}

/**
 * Writes the worker and its list into a built page.
 * @param {string} dist the folder that holds index.html, web/ and models/.
 * @returns {Promise<string>} a sentence that says what was done.
 */
export async function keepOffline(dist) {
  await rename(join(dist, 'web', WORKER), join(dist, WORKER));
  const web = await readdir(join(dist, 'web'), { recursive: true, withFileTypes: true });
  const names = web
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(dist, 'web'), join(entry.parentPath ?? entry.path, entry.name)).split(sep).join('/'))
    .filter((name) => !NOT_KEPT.test(name))
    .sort();
  /** @type {[file: string, address: string, onDemand: boolean][]} */
  const own = ['models/manifest.json', ...names.map((name) => `web/${name}`)].map((name) => [name, name, OTHER_WORDS.test(name)]);
  /** @type {Record<string, [string, boolean]>} */
  const list = {};
  for (const [file, address, onDemand] of [['index.html', './', false], ...own, ...(await bundleFiles(dist))]) {
    list[address] = [hashOf(await readFile(join(dist, file))), onDemand];
  }
  const text = await readFile(join(dist, WORKER), 'utf8');
  if (text.split('{hash}').length !== 2) throw new Error(`web/${WORKER} must hold {hash} once`);
  // The worker counts too, or a version's cache would be written while it is in use.
  const json = JSON.stringify({ [WORKER]: [hashOf(text), true], ...list });
  await writeFile(join(dist, LIST), json);
  await writeFile(join(dist, WORKER), text.replace('{hash}', hashOf(json)));
  return `${WORKER} keeps ${Object.keys(list).length} files for visits without a network`;
}
