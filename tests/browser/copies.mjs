/** Changed copies of what the tests serve: bundles with fitting manifests, and whole built pages. */

import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { keepOffline } from '../../xtask/offline.mjs';
import { FIXTURE } from './harness.mjs';
import { DIST } from './server.mjs';

/** A folder that is removed after the tests of the file. */
export async function temporaryFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'watchnext-test-'));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Copies a bundle with another catalogue, and a manifest with its hash.
 * @param {string} to
 * @param {(catalog: any) => void} change
 * @param {string} [from]
 */
export async function bundleWith(to, change, from = FIXTURE) {
  await cp(from, to, { recursive: true });
  const manifest = JSON.parse(await readFile(join(to, 'manifest.json'), 'utf8'));
  const file = manifest.files.catalog;
  const catalog = JSON.parse(await readFile(join(to, file.path), 'utf8'));
  change(catalog);
  const bytes = Buffer.from(JSON.stringify(catalog));
  Object.assign(file, { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
  await writeFile(join(to, file.path), bytes);
  await writeFile(join(to, 'manifest.json'), JSON.stringify(manifest));
}

/**
 * A built page as after a deploy. It shows its version in a script, in its words, and in its bundle.
 * @param {string} to the folder of index.html.
 * @param {string} version
 */
export async function pageOfVersion(to, version) {
  await mkdir(to, { recursive: true });
  await cp(join(DIST, 'index.html'), join(to, 'index.html'));
  await cp(join(DIST, 'web'), join(to, 'web'), { recursive: true });
  await bundleWith(join(to, 'models'), (catalog) => {
    catalog.title = catalog.title.map((/** @type {string} */ title) => `${title} ${version}`);
  });
  const program = join(to, 'web/page.js');
  await writeFile(
    program,
    `${await readFile(program, 'utf8')}document.documentElement.dataset.program = ${JSON.stringify(version)};`,
  );
  const words = join(to, 'web/words/en.json');
  await writeFile(words, JSON.stringify({ ...JSON.parse(await readFile(words, 'utf8')), 'wall.title': version }));
  const worker = await readFile(join(DIST, 'offline.js'), 'utf8');
  await writeFile(join(to, 'web/offline.js'), worker.replace(/sha256-[^"'`]+(?=["'`][,;])/, '{hash}'));
  await keepOffline(to);
}
