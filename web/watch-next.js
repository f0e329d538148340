/**
 * Defines `<watch-next>`:
 *
 *     <script type="module" src="https://example.org/watchnext/web/watch-next.js"></script>
 *     <watch-next></watch-next>
 *
 * Importing it without a window, as on a server, does nothing.
 */

import { WatchNext } from './element/element.js';

WatchNext.base = new URL('./', import.meta.url);

if (globalThis.customElements && !customElements.get('watch-next')) customElements.define('watch-next', WatchNext);

export { WatchNext };
