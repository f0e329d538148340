/** Errors as the page and its embedders see them: a stable code for programs, a message for people, and the place. */

export class WatchNextError extends Error {
  /**
   * @param {string} code kebab-case and stable. It is part of the public API; the message isn't.
   * @param {string} message names the place and the remedy, in English.
   * @param {string} [place] the address or the part of the program at fault.
   */
  constructor(code, message, place) {
    super(message);
    this.name = 'WatchNextError';
    this.code = code;
    this.place = place;
  }
}

/**
 * An error as plain data. `postMessage` would drop an Error's code.
 * @param {unknown} error
 * @returns {{code: string, message: string, place?: string}}
 */
export function toPlain(error) {
  if (error instanceof Error) {
    const { code, place } = /** @type {WatchNextError} */ (error);
    if (typeof code === 'string') return { code, message: error.message, place };
    // A trap leaves the wasm memory in an unknown state, so the module must not be used again.
    if (error instanceof WebAssembly.RuntimeError) {
      return { code: 'worker-crashed', message: `The recommender stopped: ${error.message}. Load it again.` };
    }
    return { code: 'unexpected', message: `${error.name}: ${error.message}` };
  }
  return { code: 'unexpected', message: String(error) };
}

/** @param {{code: string, message: string, place?: string}} plain */
export function fromPlain({ code, message, place }) {
  return new WatchNextError(code, message, place);
}
