/** Reads the program's own small files: its words and the looks of its posters. */

import { WatchNextError } from '../runtime.js';

/** How long one of these files may take. */
export const PATIENCE_MS = 20_000;

/** @param {URL | string} url @param {RequestCache} [cache] */
const get = (url, cache) => fetch(url, { cache, signal: AbortSignal.timeout(PATIENCE_MS) });

/**
 * Fetches the file that an error names again, past the browser's cache, which may hold a damaged copy.
 * @param {any} error
 */
export async function refetch({ place }) {
  await get(place, 'reload')
    .then((response) => response.blob())
    .catch(() => {});
}

/** The error for a file that can't be read. @param {URL} url @param {string} reason */
export function unreadable(url, reason) {
  return new WatchNextError(
    'fetch-failed',
    `${url} could not be read (${reason}). Check the connection, that the whole folder is on the server, ` +
      "and that the page's policy allows it (connect-src).",
    url.href,
  );
}

/** The content of a JSON file. @param {URL} url @returns {Promise<any>} */
export async function readJson(url) {
  let reason;
  try {
    const response = await get(url);
    if (response.ok) return await response.json();
    reason = `the server answered ${response.status}`;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw unreadable(url, reason);
}
