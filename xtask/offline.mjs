/**
 * The last step of folding makes the page work without a network. It moves the service worker next to index.html, and
 * writes offline.json, the list of the files that it keeps, each with its hash.
 */

import { createHash } from 'node:crypto';
import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { EXTRA_FILES } from '../web/engine/constants.js';

const WORKER = 'offline.js';
const LIST = 'offline.json';

/** Files of web/ that the page never asks for. */
const NOT_KEPT = /(^examples\/|\.d\.ts$|\.br$|\.gz$)/;

/** Files of the bundle that only some visitors need, and that are too large to keep for all. */
const ON_DEMAND = EXTRA_FILES.states;

/** Words for a catalogue of other things than movies. Only a page that shows one asks for them. */
const OTHER_WORDS = /^web\/words\/items\//;

/** A hash as browsers write it. @param {string | Buffer} bytes */
const hashOf = (bytes) => `sha256-${createHash('sha256').update(bytes).digest('base64')}`;

/**
 * The default bundle's files, with their addresses as the worker makes them.
 * @param {string} dist
 * @returns {Promise<[file: string, address: string, onDemand: boolean][]>}
 */
async function bundleFiles(dist) {
  const { files } = JSON.parse(await readFile(join(dist, 'models/manifest.json'), 'utf8'));
  return Object.entries(files).map(([name, { path, sha256 }]) => [
    `models/${path}`,
    `models/${path}?v=${sha256.slice(0, 16)}`,
    ON_DEMAND.includes(name),
  ]);
}

/**
 * Writes the worker and its list into a built page.
 * @param {string} dist the folder that holds index.html, web/ and models/.
 * @returns {Promise<string>} a sentence for the log.
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
  const own = ['models/manifest.json', ...names.map((name) => `web/${name}`)].map((name) => [
    name,
    name,
    OTHER_WORDS.test(name),
  ]);
  /** @type {Record<string, [string, boolean]>} */
  const list = {};
  for (const [file, address, onDemand] of [['index.html', './', false], ...own, ...(await bundleFiles(dist))]) {
    list[address] = [hashOf(await readFile(join(dist, file))), onDemand];
  }
  const text = await readFile(join(dist, WORKER), 'utf8');
  if (text.split('{hash}').length !== 2) throw new Error(`web/${WORKER} must hold {hash} once`);
  // The service worker is in the list, because a change of it alone is a new version too. The cache of a version in use
  // must not be written.
  const json = JSON.stringify({ [WORKER]: [hashOf(text), true], ...list });
  await writeFile(join(dist, LIST), json);
  await writeFile(join(dist, WORKER), text.replace('{hash}', hashOf(json)));
  return `${WORKER} keeps ${Object.keys(list).length} files for visits without a network`;
}
