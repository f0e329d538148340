/** Sites that embed `<watch-next>`, for the tests of the element. */

import { SCRIPT, ready, visitHost } from './harness.mjs';

/** A page that a test makes up has no address. From such pages the browser allows no requests to this machine. */
export const ARGUMENTS = ['--disable-features=LocalNetworkAccessChecks'];

/**
 * A site's page with this markup, once the widget is ready.
 * @param {ReturnType<typeof import('./harness.mjs').site>} here
 * @param {string} markup
 * @param {Parameters<typeof visitHost>[3]} [options]
 */
export async function embed(here, markup, options) {
  const page = await here.blank();
  await visitHost(page, here.server.origin, `${SCRIPT}${markup}`, options);
  await ready(page);
  return page;
}

/**
 * Runs a function of the element in the page.
 * @param {import('./harness.mjs').WatchedPage} page
 * @param {string} script
 */
export const onElement = (page, script) =>
  page
    .locator('watch-next')
    .first()
    .evaluate(/** @type {any} */ (new Function('element', `return (${script})(element)`)));

/** A script that records the element's events from the start. @param {string} type */
export const record = (type) => `<script type="module">
  window.heard = [];
  document.addEventListener('watchnext:${type}', (event) => {
    window.heard.push(JSON.parse(JSON.stringify(event.detail)));
  });
</script>`;
