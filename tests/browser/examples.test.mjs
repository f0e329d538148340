/** The pages in web/examples. React, Vue and Svelte come from npm instead of from a content network. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { build } from 'esbuild';
import { clickPosters, ready, site, suggested } from './harness.mjs';

const here = site();
const require = createRequire(import.meta.url);

/** A package's exports as one module, as a content network sends them. @param {string} contents */
async function moduleOf(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: new URL('.', import.meta.url).pathname },
    bundle: true,
    format: 'esm',
    write: false,
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/** Answers like a content network. @param {import('playwright-core').Route} route @param {string} body */
const send = (route, body) =>
  route.fulfill({ contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' }, body });

/**
 * Checks that a framework's state follows the widget, and the widget the state.
 * @param {import('./harness.mjs').WatchedPage} page
 */
async function assertFollows(page) {
  await ready(page);
  await clickPosters(page, 0, 1);
  await page.getByText('2 watched').waitFor();
  assert.equal((await suggested(page)).length, 4);
  await page.getByLabel('Suggestions:').fill('6');
  await page.waitForFunction(() => inside().querySelectorAll('.seen').length === 6);
  assert.deepEqual(page.errors, []);
}

test('plain HTML', async () => {
  const page = await here.blank();
  await page.goto(`${here.server.origin}/web/examples/plain.html`);
  await ready(page);
  await clickPosters(page, 0);
  assert.equal((await suggested(page)).length, 6);
  assert.match(await page.locator('#pick').innerText(), /^Perhaps .+\?$/);
  assert.deepEqual(page.foreign, []);
  assert.deepEqual(page.errors, []);
});

test('headless', async () => {
  const page = await here.blank();
  await page.goto(`${here.server.origin}/web/examples/headless.html`);
  await page.waitForFunction(() => document.querySelector('#title'));
  await page.waitForTimeout(500);
  await page.fill('#title', 'harbour');
  await page.locator('#list li').first().waitFor();
  assert.equal(await page.locator('#list li').count(), 10);
  assert.deepEqual(page.errors, []);
});

test('React: attributes follow the state, and events change it', async () => {
  // An import map is an inline script, which our policy forbids. A site with one must allow it.
  here.server.setPolicy(null);
  const page = await here.blank();
  // One bundle for both, so that there is one React. The second module exports a part of the first.
  const react = await moduleOf(
    "export { createElement, useState } from 'react'; export { createRoot } from 'react-dom/client';",
  );
  await page.route('https://esm.sh/react@**', (route) => send(route, react));
  await page.route('https://esm.sh/react-dom@**', (route) => send(route, "export { createRoot } from 'react';"));
  await page.goto(`${here.server.origin}/web/examples/react.html`);
  await assertFollows(page);
});

test('Vue: attributes follow the state, and events change it', async () => {
  here.server.setPolicy(null);
  const page = await here.blank();
  const vue = await readFile(require.resolve('vue/dist/vue.esm-browser.prod.js'), 'utf8');
  await page.route('https://unpkg.com/vue@**', (route) => send(route, vue));
  await page.goto(`${here.server.origin}/web/examples/vue.html`);
  await assertFollows(page);
});

test('Svelte: attributes follow the state, and events change it', async () => {
  here.server.setPolicy(null);
  const page = await here.blank();
  const [svelte, compiler] = await Promise.all([
    // As with React, there must be one runtime for all names.
    moduleOf("export { mount } from 'svelte'; export * from 'svelte/internal/client';"),
    moduleOf("export { compile } from 'svelte/compiler';"),
  ]);
  await page.route('https://esm.sh/svelte@**', (route) => {
    const { pathname } = new URL(route.request().url());
    const whole = route
      .request()
      .url()
      .replace(/(svelte@[^/]+).*/, '$1');
    const body = pathname.endsWith('/compiler')
      ? compiler
      : /svelte@[^/]+$/.test(pathname)
        ? svelte
        : `export * from ${JSON.stringify(whole)};`;
    return send(route, body);
  });
  await page.goto(`${here.server.origin}/web/examples/svelte.html`);
  await assertFollows(page);
});
