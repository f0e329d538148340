/** Axe in every state, and checks that axe doesn't have: width, touch targets, contrast of posters, motion. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { afterEach, test } from 'node:test';
import { clickPosters, explained, failureCode, importFile, openMap, ready, site } from './harness.mjs';

const here = site();
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

afterEach(() => here.server.heal());

/** @param {import('playwright-core').Page} page */
async function assertAxeClean(page) {
  // During an animation an element is half transparent for a moment. Axe would take it for faint text.
  await page.waitForFunction(() =>
    [...document.getAnimations(), ...inside().getAnimations()].every(
      ({ playState, effect }) => playState !== 'running' || effect?.getTiming().iterations === Infinity,
    ),
  );
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const { violations } = await /** @type {any} */ (globalThis).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return violations.map(
      (/** @type {any} */ { id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map((/** @type {any} */ node) => `${node.target} ${node.failureSummary}`)
          .join('; ')} (${nodes.length} in all)`,
    );
  });
  assert.deepEqual(violations, []);
}

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const NARROW = { width: 320, height: 640 };

/** @type {[string, (page: import('./harness.mjs').WatchedPage) => Promise<void>][]} */
const STATES = [
  ['the first visit', async () => {}],
  [
    'three movies clicked',
    async (page) => {
      await clickPosters(page, 0, 3, 5);
      await page.locator('[data-act=like]').first().click();
      await page.locator('[data-act=dislike]').nth(1).click();
    },
  ],
  [
    'the search open',
    async (page) => {
      await clickPosters(page, 0);
      await page.fill('#search-input', 'e');
      await page.locator('#search-list').waitFor();
    },
  ],
  [
    'nothing found',
    async (page) => {
      await page.fill('#search-input', 'qqqqzzzz');
      await page.locator('#search-none').waitFor();
    },
  ],
  [
    'something to undo',
    async (page) => {
      await clickPosters(page, 0, 1);
      await page.locator('[data-act=remove]').first().click();
      await page.locator('#toast').waitFor();
    },
  ],
  [
    'similar movies open',
    async (page) => {
      await clickPosters(page, 0, 3);
      await page.locator('.card .similar-open').first().click();
      await page.locator('#similar').waitFor();
      await page.locator('#similar .tile').first().click();
    },
  ],
  [
    'filters open and set, a movie ignored',
    async (page) => {
      await clickPosters(page, 0, 3);
      await page.locator('#filters-title').click();
      await page.locator('.chip').first().click();
      await page.locator('.card').first().hover();
      await page.locator('.card-ignore').first().click();
      await page.locator('#ignored').waitFor();
      // The toast covers other parts for some seconds, which is another state. Another change removes it.
      await page.locator('[data-act=like]').first().click();
      await page.locator('#toast').waitFor({ state: 'hidden' });
    },
  ],
  [
    'filters that nothing fits',
    async (page) => {
      await clickPosters(page, 0);
      await page
        .locator('watch-next')
        .evaluate((element) => (/** @type {any} */ (element).filter = { decades: [1850] }));
      await page.locator('#filters-clear').waitFor();
    },
  ],
  [
    'reasons shown',
    async (page) => {
      await clickPosters(page, 0, 3);
      await explained(page);
    },
  ],
  [
    'an import reported',
    async (page) => {
      const header = 'Date,Name,Year,Letterboxd URI';
      await importFile(page, `${header}\n2024-01-01,The Crimson Harbour,1950,x\n2024-01-01,Nowhere,1950,x\n`);
    },
  ],
  [
    'an import refused',
    async (page) => {
      await importFile(page, 'a,b\n1,2\n');
      await page.locator('.trouble').waitFor();
    },
  ],
  [
    'the link to share',
    async (page) => {
      await clickPosters(page, 0);
      await page.locator('#open-share').click();
    },
  ],
  [
    'a list offered by a link',
    async (page) => {
      await clickPosters(page, 0);
      await page.evaluate(() => (location.hash = '#list=101-102_9'));
      await page.locator('#offer').waitFor();
    },
  ],
  [
    'the map',
    async (page) => {
      await clickPosters(page, 0, 3);
      await openMap(page);
    },
  ],
  [
    'in Japanese',
    async (page) => {
      await page.locator('#language').selectOption('ja');
      await page.waitForFunction(
        () => inside().querySelector('#root')?.lang === 'ja' && inside().querySelectorAll('.tile').length > 0,
      );
    },
  ],
  [
    'the ranker failing',
    async (page) => {
      await clickPosters(page, 0);
      here.server.faults.set('/models/ranker.onnx', { status: 404 });
      await page.reload();
      await page.locator('#ranker-status').waitFor();
    },
  ],
  [
    'the viewers failing',
    async (page) => {
      await clickPosters(page, 0);
      here.server.faults.set('/models/states.safetensors', { status: 404 });
      await page.getByLabel('Viewers like you').click();
      await failureCode(page);
    },
  ],
];

for (const [scheme, viewport] of /** @type {const} */ ([
  ['light', DESKTOP],
  ['dark', DESKTOP],
  ['light', PHONE],
  ['dark', NARROW],
])) {
  for (const [name, reach] of STATES) {
    test(`axe: ${name}, ${scheme}, ${viewport.width} px`, async () => {
      const page = await here.open({ colorScheme: scheme, viewport, hasTouch: viewport !== DESKTOP });
      await reach(page);
      await assertAxeClean(page);
      await page.context().close();
    });
  }

  test(`axe: loading, and failed, ${scheme}, ${viewport.width} px`, async () => {
    const page = await here.blank({ colorScheme: scheme, viewport });
    here.server.faults.set('/models/catalog.json', { status: 404, delayMs: 2500 });
    await page.goto(`${here.server.origin}/`);
    await page.locator('.skeleton').first().waitFor();
    await assertAxeClean(page);
    await failureCode(page);
    await assertAxeClean(page);
    await page.context().close();
  });
}

test('nothing is wider than a screen of 320 px', async () => {
  const page = await here.open({ viewport: NARROW, hasTouch: true, isMobile: true });
  // innerWidth won't do: a phone's viewport grows if an element is too wide.
  const wide = () =>
    page.evaluate(() => {
      // Parts that scroll may be wider than the screen.
      return [...document.querySelectorAll('body *'), ...inside().querySelectorAll('*')]
        .filter(
          (node) => !node.closest('.film > *, .similar-list > *, svg') && node.getBoundingClientRect().right > 320.5,
        )
        .map((node) => `${node.tagName}.${node.className}`);
    });
  assert.deepEqual(await wide(), []);
  await clickPosters(page, 0, 3, 5);
  assert.deepEqual(await wide(), []);
  await page.locator('.card .similar-open').first().click();
  await page.locator('#similar').waitFor();
  assert.deepEqual(await wide(), []);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
});

test('touch targets are 44 px on coarse pointers', async () => {
  const page = await here.open({ viewport: PHONE, hasTouch: true, isMobile: true });
  await clickPosters(page, 0, 3);
  await page.locator('.card .similar-open').first().click();
  await page.locator('#similar').waitFor();
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('button, input, select'), ...inside().querySelectorAll('button, input')]
      .map((node) => ({ name: node.id || node.className, box: node.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 43.5 || box.height < 39.5))
      .map(({ name, box }) => `${name} ${box.width} × ${box.height}`),
  );
  assert.deepEqual(small, []);
});

test("every poster's words have a contrast of 4.5 and stay on the poster", async () => {
  const page = await here.open();
  for (let round = 0; round < 3 && (await page.locator('#wall-more').isVisible()); round++) {
    const count = await page.locator('.tile').count();
    await page.locator('#wall-more').click();
    await page.waitForFunction(
      (before) =>
        inside().querySelectorAll('.tile').length > before && !inside().querySelector('#wall-list[aria-busy]'),
      count,
    );
    await page.waitForTimeout(200);
  }
  const poor = await page.evaluate(() => {
    /** @param {string} colour */
    const light = (colour) => {
      const [r, g, b] = [1, 3, 5].map((at) => {
        const part = parseInt(colour.slice(at, at + 2), 16) / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    return [...inside().querySelectorAll('.tile .poster')].flatMap((poster) => {
      const style = /** @type {HTMLElement} */ (poster).style;
      const [low, high] = [light(style.getPropertyValue('--ground')), light(style.getPropertyValue('--ink'))].sort(
        (a, b) => a - b,
      );
      const edge = poster.getBoundingClientRect();
      const words = poster.querySelector('.poster-words')?.getBoundingClientRect();
      const title = /** @type {HTMLElement} */ (poster.querySelector('.poster-title'));
      const problems = [];
      if ((high + 0.05) / (low + 0.05) < 4.5) problems.push('contrast');
      if (!words || words.bottom > edge.bottom + 0.5 || words.top < edge.top - 0.5) {
        problems.push('words beyond the edge');
      }
      if (title.scrollWidth > title.clientWidth + 1) problems.push('title too wide');
      if (title.scrollHeight > title.clientHeight + 4) problems.push('title cut off');
      return problems.map((problem) => `${title.textContent}: ${problem}`);
    });
  });
  assert.deepEqual(poor, []);
});

test('reduced motion: nothing moves', async () => {
  const page = await here.open({ reducedMotion: 'reduce' });
  await clickPosters(page, 0, 3);
  await page.locator('[data-act=remove]').first().click();
  assert.equal(
    await page.evaluate(
      () =>
        [...document.getAnimations(), ...inside().getAnimations()].filter(({ playState }) => playState === 'running')
          .length,
    ),
    0,
  );
});

test('loading moves nothing that stands, and a click moves nothing on the wall', async () => {
  for (const viewport of [DESKTOP, PHONE]) {
    const page = await here.blank({ viewport });
    await page.addInitScript(() => {
      /** @type {any} */ (window).shifts = 0;
      new PerformanceObserver((list) => {
        // Movement in answer to the visitor is meant, such as cards that change places.
        for (const entry of /** @type {any[]} */ (list.getEntries())) {
          if (!entry.hadRecentInput) /** @type {any} */ (window).shifts += entry.value;
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(`${here.server.origin}/`);
    await ready(page);
    const place = () =>
      page
        .locator('.tile')
        .nth(4)
        .evaluate((tile) => tile.getBoundingClientRect().top + scrollY);
    const before = await place();
    await clickPosters(page, 0, 1, 2, 3);
    assert.ok(Math.abs((await place()) - before) < 4, 'but for the lift under the pointer');
    const shifts = await page.evaluate(() => /** @type {any} */ (window).shifts);
    assert.ok(shifts < 0.05, `cumulative layout shift ${shifts}`);
  }
});
