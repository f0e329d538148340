/** The documents agree with the program, and their links lead to files. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { reference } from '../../xtask/api.mjs';

const ROOT = new URL('../../', import.meta.url);

test('docs/api.md is what the declarations make', async () => {
  assert.equal(
    await readFile(new URL('docs/api.md', ROOT), 'utf8'),
    await reference(),
    'write it again by: node xtask/api.mjs',
  );
});

test('every link between the documents leads to a file', async () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    ...(await readdir(new URL('docs/', ROOT))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
  const broken = [];
  for (const document of documents) {
    const text = await readFile(new URL(document, ROOT), 'utf8');
    for (const [, address] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      if (!existsSync(new URL(address, new URL(document, ROOT)))) broken.push(`${document}: ${address}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('the embedding guide names every custom property, slot and part that the widget has', async () => {
  const guide = await readFile(new URL('docs/embedding.md', ROOT), 'utf8');
  const reference = await readFile(new URL('docs/api.md', ROOT), 'utf8');
  const folder = new URL('web/element/', ROOT);
  const sources = await Promise.all((await readdir(folder)).map((name) => readFile(new URL(name, folder), 'utf8')));
  const all = sources.join('\n');
  const names = (/** @type {RegExp} */ pattern) => new Set([...all.matchAll(pattern)].map(([, name]) => name));
  for (const property of names(/var\(\s*(--watchnext-[a-z-]+)/g)) {
    assert.ok(guide.includes(`\`${property}\``), property);
  }
  for (const part of names(/part: '([a-z-]+)'/g)) assert.ok(guide.includes(`\`${part}\``), `part ${part}`);
  for (const slot of names(/element\(\s*'slot',\s*\{ name: '([a-z-]+)'/g)) {
    assert.ok(reference.includes(`\`${slot}\``), `slot ${slot}`);
  }
});

test('each fault in docs/RELIABILITY.md has its tests', async () => {
  const text = await readFile(new URL('docs/RELIABILITY.md', ROOT), 'utf8');
  const section = text.slice(text.indexOf('\n## Faults\n')).split('\n## ')[1];
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(1);
  assert.ok(rows.length > 30);
  for (const row of rows) {
    const named = [...(row.split('|').at(-2) ?? '').matchAll(/(\w+): `([^`]+)`/g)];
    assert.ok(named.length > 0, row);
    for (const [, file, name] of named) {
      // A name in a template holds `${…}`, and one in quotes may hold an escaped quote.
      const tests = (await readFile(new URL(`tests/browser/${file}.test.mjs`, ROOT), 'utf8')).replaceAll("\\'", "'");
      assert.ok(tests.includes(name), `${file}.test.mjs has no test named ${name}`);
    }
  }
});
