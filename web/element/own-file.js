/** Reading what lies beside the program: its words, and how its posters look. */

import { WatchNextError } from '../runtime.js';

/** @param {URL} url @returns {Promise<any>} */
export async function readJson(url) {
  let reason;
  try {
    const response = await fetch(url, { credentials: 'same-origin' });
    if (response.ok) return await response.json();
    reason = `the server answered ${response.status}`;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw new WatchNextError(
    'fetch-failed',
    `${url} could not be read (${reason}). Check the connection, that the whole folder is on the server, and that the page's policy allows it (connect-src).`,
    url.href,
  );
}
