/** Engines other than Chromium give the same numbers, and a visit works. An engine that isn't installed is skipped. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { FIXTURE } from './harness.mjs';
import { TOLERANCE, findAll, largestDifference } from './parity.mjs';
import { SHIPPED_MODELS, freePort, startServer } from './server.mjs';

/**
 * @typedef {object} Driven a page in another engine.
 * @property {string} version
 * @property {(url: string) => Promise<unknown>} goto
 * @property {(work: (argument: any) => unknown, argument?: unknown) => Promise<any>} evaluate
 * @property {() => Promise<unknown>} close
 */

/** Firefox by WebDriver BiDi. @param {string} executablePath @returns {Promise<Driven>} */
async function firefox(executablePath) {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
  const page = await browser.newPage();
  return {
    version: await browser.version(),
    goto: (url) => page.goto(url),
    evaluate: (work, argument) => page.evaluate(work, argument),
    close: () => browser.close(),
  };
}

/**
 * WebKitGTK by its own WebDriver, with just the calls that are needed.
 * @param {string} program
 * @returns {Promise<Driven>}
 */
async function webkit(program) {
  const port = await freePort();
  // It needs a screen, so it gets a virtual one. Root can't set up its sandbox.
  const [command, ...before] = existsSync('/usr/bin/xvfb-run') ? ['xvfb-run', '-a', program] : [program];
  const driver = spawn(command, [...before, `--port=${port}`], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', LIBGL_ALWAYS_SOFTWARE: '1' },
  });
  const end = () => driver.pid !== undefined && driver.exitCode === null && process.kill(-driver.pid);
  /** @param {string} method @param {string} path @param {unknown} [body] */
  const call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  try {
    for (let tries = 0; ; tries++) {
      const isUp = await call('GET', '/status').then(() => true, () => false);
      if (isUp) break;
      assert.ok(tries < 100, 'the driver never answered');
      await new Promise((done) => setTimeout(done, 100));
    }
    const options = { binary: MINI_BROWSER, args: ['--automation'] };
    const { sessionId, capabilities } = await call('POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
    });
    const session = `/session/${sessionId}`;
    await call('POST', `${session}/timeouts`, { script: 120_000 });
    return {
      version: `${capabilities.browserName} ${capabilities.browserVersion}`,
      goto: (url) => call('POST', `${session}/url`, { url }),
      async evaluate(work, argument) {
        const script = `const done = arguments[arguments.length - 1];
          Promise.resolve((${work})(arguments[0]))
            .then((value) => done({ value }), (error) => done({ error: String(error) }));`;
        const { value, error } = await call('POST', `${session}/execute/async`, { script, args: [argument ?? null] });
        if (error) throw new Error(error);
        return value;
      },
      close: () => call('DELETE', session).catch(() => {}).finally(end),
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** A visit in the page: clicks, a search, the map, another language. Runs in the page. */
async function visitInPage() {
  const until = async (/** @type {() => any} */ holds) => {
    for (let tries = 0; tries < 400; tries++) {
      const value = holds();
      if (value) return value;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error(`never: ${holds}`);
  };
  const widget = /** @type {HTMLElement} */ (document.querySelector('watch-next'));
  const all = (/** @type {string} */ selector) =>
    /** @type {HTMLElement[]} */ ([
      .../** @type {ShadowRoot} */ (widget.shadowRoot).querySelectorAll(selector),
    ]);
  await until(() => performance.getEntriesByName('watchnext:complete').length > 0);
  const answers = () => performance.getEntriesByName('watchnext:click-to-list').length;
  for (const place of [0, 3, 5]) {
    const before = answers();
    all('.tile')[place].click();
    await until(() => answers() > before);
  }
  const suggestions = all('#suggestions-list .seen').map(({ dataset }) => Number(dataset.movie));
  const { engine, watched } = /** @type {any} */ (widget);
  const direct = await engine.suggest({
    history: watched.map((/** @type {any} */ { movieId }) => ({ movieId })),
  });
  const search = /** @type {HTMLInputElement} */ (all('#search-input')[0]);
  // The list of results opens only if the box has the focus.
  search.focus();
  search.value = 'the';
  search.dispatchEvent(new Event('input', { bubbles: true }));
  await until(() => all('#search-list [role=option]').length > 0);
  /** @type {HTMLElement} */ (document.getElementById('open-map')).click();
  await until(() => document.querySelectorAll('.map-near button').length > 0);
  /** @type {HTMLElement} */ (document.querySelector('.map .round')).click();
  const language = /** @type {HTMLSelectElement} */ (document.getElementById('language'));
  language.value = 'de';
  language.dispatchEvent(new Event('change'));
  await until(() => document.getElementById('open-import')?.textContent === 'Importieren');
  return {
    watched: watched.length,
    suggestions,
    direct: direct.suggestions.map((/** @type {any} */ { movieId }) => movieId),
    failures: all('.failure-panel').length,
  };
}

const MINI_BROWSER = ['4.1', '4.0', '6.0']
  .map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`)
  .find(existsSync);

/** @type {[string, string | undefined, string, (program: string) => Promise<Driven>][]} */
const ENGINES = [
  ['Firefox', ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync), 'firefox-esr', firefox],
  [
    'WebKitGTK',
    MINI_BROWSER && (process.env.DISPLAY || existsSync('/usr/bin/xvfb-run'))
      ? ['/usr/bin/WebKitWebDriver'].find(existsSync)
      : undefined,
    'webkit2gtk-driver xvfb',
    webkit,
  ],
];

for (const [name, program, debian, start] of ENGINES) {
  const skip = program ? false : `${name} isn't installed: apt-get install ${debian}`;
  /** @type {Promise<Driven> | undefined} */
  let starting;
  const driven = () => (starting ??= start(/** @type {string} */ (program)));
  after(async () => (await starting?.catch(() => undefined))?.close());

  for (const folder of new Set([SHIPPED_MODELS, FIXTURE])) {
    const bundle = folder === SHIPPED_MODELS ? 'the shipped bundle' : 'the fixture';
    test(
      `${name}, ${bundle}: vectors and chances within ${TOLERANCE} and the same suggestions`,
      { skip, timeout: 180_000 },
      async () => {
        const { cases } = JSON.parse(await readFile(join(folder, 'parity.json'), 'utf8'));
        const server = await startServer({ models: folder, policy: null });
        try {
          const page = await driven();
          await page.goto(`${server.origin}/web/examples/plain.html`);
          const found = await page.evaluate(findAll, cases);
          const worst = largestDifference(cases, found);
          console.log(
            `${page.version}, ${bundle}: ${cases.length} cases, largest difference ${worst.toExponential(2)}`,
          );
          assert.ok(worst <= TOLERANCE, `largest difference ${worst}`);
        } finally {
          await server.close();
        }
      },
    );
  }

  test(
    `${name}: a visit, from the first click to the map, and the same list at the next`,
    { skip, timeout: 180_000 },
    async () => {
      // Under our strict policy.
      const server = await startServer({ models: FIXTURE });
      try {
        const page = await driven();
        await page.goto(`${server.origin}/`);
        const visit = await page.evaluate(visitInPage);
        assert.equal(visit.watched, 3);
        assert.equal(visit.failures, 0);
        assert.ok(visit.suggestions.length > 0);
        assert.deepEqual(new Set(visit.suggestions), new Set(visit.direct));
        await page.goto(`${server.origin}/?lang=fr`);
        const later = await page.evaluate(async () => {
          const isComplete = () => performance.getEntriesByName('watchnext:complete').length > 0;
          for (let tries = 0; tries < 400 && !isComplete(); tries++) await new Promise((done) => setTimeout(done, 50));
          const widget = /** @type {any} */ (document.querySelector('watch-next'));
          return [widget.watched.length, widget.suggestions.length > 0, document.documentElement.lang];
        });
        assert.deepEqual(later, [3, true, 'fr']);
      } finally {
        await server.close();
      }
    },
  );
}
