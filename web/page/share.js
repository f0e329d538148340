/** Shares the list by a link. */

import { byId } from '../element/dom.js';
import { linkOf } from './link.js';

/**
 * Sets up the dialogue with the link.
 * @param {import('../watch-next.js').WatchNext} app
 * @param {import('./link.js').Page} page
 */
export function setUpShare(app, page) {
  const dialog = byId('share');
  const field = byId('share-link');
  const status = byId('share-status');
  const copy = byId('share-copy');
  const send = byId('share-send');

  byId('open-share').addEventListener('click', () => {
    const { watched } = app;
    field.value = watched.length > 0 ? linkOf(watched) : '';
    status.textContent = watched.length > 0 ? '' : page.words.text('share.empty');
    copy.disabled = watched.length === 0;
    send.hidden = watched.length === 0 || !navigator.share;
    dialog.showModal();
  });
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      status.textContent = page.words.text('share.copied');
    } catch {
      field.focus();
      field.select();
      status.textContent = page.words.text('share.select');
    }
  });
  send.addEventListener('click', async () => {
    try {
      await navigator.share({ title: document.title, url: field.value });
    } catch {
      // The visitor has cancelled it.
    }
  });
}
