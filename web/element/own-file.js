/** Reading what lies beside the program: its words, and how its posters look. */

import { WatchNextError } from '../runtime.js';

/** How long one of these small files may take. */
export const PATIENCE_MS = 20_000;

/** @param {URL | string} url @param {RequestCache} [cache] */
const get = (url, cache) => fetch(url, { cache, signal: AbortSignal.timeout(PATIENCE_MS) });

/**
 * Has the browser fetch anew what an error is about, since what its cache holds of it is suspect.
 * @param {any} error
 */
export async function refetch({ place }) {
  await get(place, 'reload')
    .then((response) => response.blob())
    .catch(() => {});
}

/** @param {URL} url @returns {Promise<any>} */
export async function readJson(url) {
  let reason;
  try {
    const response = await get(url);
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
