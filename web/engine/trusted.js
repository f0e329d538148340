/** Addresses of programs, for pages that demand trusted types. */

/**
 * What workers may be started with: the addresses that are handed over here and no others. It is made at the first use, since importing
 * the runtime has no effects.
 * @type {{createScriptURL: (address: string) => any} | undefined}
 */
let policy;

/** An address that a worker may be started with. @param {string} address @returns {any} */
export function trusted(address) {
  policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy('watchnext', { createScriptURL: (/** @type {string} */ text) => text });
  return policy?.createScriptURL(address) ?? address;
}
