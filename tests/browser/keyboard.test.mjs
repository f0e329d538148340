/** Everything works by keyboard alone, the focus is always in a sensible place, and changes are announced. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clickPosters, ready, settled, site, watchedIds } from './harness.mjs';

const here = site();

/** A name for the element with the focus. @param {import('playwright-core').Page} page */
const focus = (page) =>
  page.evaluate(() => {
    const activeElement = focused();
    return activeElement?.id || activeElement?.getAttribute('aria-label') || activeElement?.textContent || '';
  });

test('the search box by keyboard: type, move, pick, escape', async () => {
  const page = await here.open();
  const input = page.locator('#search-input');
  await input.focus();
  await page.keyboard.type('e');
  await page.locator('#search-list').waitFor();
  assert.equal(await input.getAttribute('aria-expanded'), 'true');
  const active = async () => {
    const id = await input.getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`#${id}`).getAttribute('aria-selected'), 'true');
    assert.equal(await page.locator('[role=option][aria-selected=true]').count(), 1);
    return Number(await page.locator(`#${id}`).getAttribute('data-index'));
  };
  const last = (await page.locator('[role=option]').count()) - 1;
  assert.equal(await active(), 0);
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), 1);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  assert.equal(await active(), last, 'the list goes round');
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), 0);
  await page.keyboard.press('ArrowDown');
  const title = await page.locator('[role=option][aria-selected=true] .option-title').innerText();
  await settled(page, () => page.keyboard.press('Enter'));
  assert.equal(await page.locator('.frame-title').first().innerText(), title);
  assert.equal(await focus(page), 'search-input', 'the focus stays in the box for the next movie');
  assert.equal(await input.getAttribute('aria-expanded'), 'false');
  assert.equal(await input.getAttribute('aria-activedescendant'), null);

  await page.keyboard.type('e');
  await page.locator('#search-list').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#search-list').isVisible(), false);
  assert.equal(await input.inputValue(), 'e');
  await page.keyboard.press('ArrowDown');
  await page.locator('#search-list').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal(await input.inputValue(), '');
});

test('from the top of the page, tabbing alone reaches search, wall, list tools and suggestions', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  // In a new page the focus is before everything else.
  await page.reload();
  await ready(page);
  // A click by script makes something to undo without moving the focus.
  await settled(page, () =>
    page.evaluate(() => /** @type {HTMLElement} */ (inside().querySelectorAll('.tile')[2]).click()),
  );
  /** @type {Set<string>} */
  const reached = new Set();
  for (let presses = 0; presses < 110; presses++) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate(() => {
        const node = focused();
        const visible = node && getComputedStyle(node).outlineStyle !== 'none';
        const name =
          node?.id ||
          [...(node?.classList ?? [])].find((item) => ['tile', 'seen', 'act', 'similar-open'].includes(item)) ||
          node?.tagName ||
          '';
        return name === 'BODY' || name === 'INPUT' || visible ? name : `${name} without a visible focus`;
      }),
    );
  }
  for (const part of ['search-input', 'undo', 'clear', 'act', 'tile', 'wall-more', 'INPUT', 'seen', 'similar-open']) {
    assert.ok(reached.has(part), `${part} is reached by Tab: ${[...reached].join(', ')}`);
  }
  assert.deepEqual([...reached].filter((name) => name.includes('without')), []);
});

test('space and enter press posters and reactions', async () => {
  const page = await here.open();
  await page.locator('.tile').nth(2).focus();
  await settled(page, () => page.keyboard.press('Space'));
  assert.equal(await page.locator('.tile').nth(2).getAttribute('aria-pressed'), 'true');
  await page.locator('[data-act=like]').first().focus();
  await settled(page, () => page.keyboard.press('Enter'));
  assert.equal(await page.locator('[data-act=like]').first().getAttribute('aria-pressed'), 'true');
  assert.equal(await page.evaluate(() => focused()?.getAttribute('data-act')), 'like');
});

test('after a removal the focus goes to the next movie, at last to the search box', async () => {
  const page = await here.open();
  await clickPosters(page, 0, 1, 2);
  await page.locator('[data-act=remove]').nth(1).focus();
  const list = await watchedIds(page);
  await page.keyboard.press('Enter');
  const holder = () => page.evaluate(() => focused()?.closest('li')?.getAttribute('data-movie'));
  assert.equal(await holder(), list[2]);
  await page.keyboard.press('Enter');
  assert.equal(await holder(), list[0]);
  await page.keyboard.press('Enter');
  assert.equal(await focus(page), 'search-input');
});

test('after clearing the focus is on undo, and after undoing all in the search box', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  await page.locator('#clear').focus();
  await page.keyboard.press('Enter');
  assert.equal(await focus(page), 'undo');
  await page.keyboard.press('Enter');
  assert.equal((await watchedIds(page)).length, 1);
  await page.keyboard.press('Enter');
  assert.equal(await focus(page), 'search-input');
});

test('the retrieval is switched by arrow keys', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  await page.getByLabel('Taste model').focus();
  await page.keyboard.press('ArrowRight');
  assert.ok(await page.getByLabel('Viewers like you').isChecked());
});

test('similar movies by keyboard: open, pick, escape, and the focus comes back', async () => {
  const page = await here.open();
  await clickPosters(page, 0);
  const tray = page.locator('#similar');
  const name = await page.locator('.card .similar-open').nth(1).getAttribute('aria-label');
  await page.locator('.card .similar-open').nth(1).focus();
  await page.keyboard.press('Enter');
  await tray.waitFor();
  assert.ok(await page.evaluate(() => focused()?.matches('#similar .tile')), 'the focus goes to the first movie');
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => focused() === inside().querySelectorAll('#similar .tile')[1]));
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Escape');
  assert.equal(await tray.isVisible(), false);
  assert.equal(await focus(page), name);

  await page.keyboard.press('Enter');
  await tray.waitFor();
  const [opened, picked] = await page.evaluate(() => [
    inside().querySelector('.similar-open[aria-expanded=true]')?.getAttribute('data-similar'),
    focused()?.getAttribute('data-movie'),
  ]);
  await settled(page, () => page.keyboard.press('Space'));
  assert.equal((await watchedIds(page))[0], picked);
  await page.keyboard.press('Escape');
  // The card may have left the list by now. Then the suggestions themselves have the focus.
  const holder = await page.evaluate(() => focused()?.getAttribute('data-similar') ?? focused()?.id);
  assert.ok([opened, 'suggestions'].includes(holder), String(holder));
});

test('changes are announced politely', async () => {
  const page = await here.open();
  const announcer = page.locator('#announcer');
  assert.equal(await announcer.getAttribute('aria-live'), 'polite');
  const name = await page.locator('.tile').first().getAttribute('title');
  await clickPosters(page, 0);
  await page.waitForFunction(() => inside().querySelector('#announcer')?.textContent);
  const said = (await announcer.textContent()) ?? '';
  assert.ok(said.startsWith(`Added ${name}. Watch next:`), said);
});
