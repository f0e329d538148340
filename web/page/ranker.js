/**
 * The second stage, which knows how likely a suggestion is to be liked. It comes after the first suggestions, and the page does
 * without it for as long as it must.
 */

import { say } from './announce.js';
import { byId } from './dom.js';

/** @typedef {import('../runtime.js').Engine} Engine */

const main = byId('app');
const section = byId('suggestions');
const line = byId('ranker-status');
const words = byId('ranker-words');
const again = byId('ranker-retry');

const MISSING = "How likely you are to like these couldn't be loaded.";

export class Ranker {
  /** @type {Engine | undefined} */
  #engine;
  /** The engine whose ranker is on its way. @type {Engine | undefined} */
  #loading;
  #onReady;
  #onCrash;

  /**
   * @param {() => Promise<void>} onReady
   * @param {(error: any) => void} onCrash called when the worker is gone, and the suggestions with it.
   */
  constructor(onReady, onCrash) {
    this.#onReady = onReady;
    this.#onCrash = onCrash;
    again.addEventListener('click', () => void this.load());
  }

  /** @param {Engine | undefined} engine */
  use(engine) {
    this.#engine = engine;
    line.hidden = true;
    this.#tellStyles(engine?.info.rankerBytes == null ? 'none' : 'coming');
  }

  /** Loads the ranker, if the bundle has one, and says quietly when that fails. */
  async load() {
    const engine = this.#engine;
    if (engine?.info.rankerBytes == null || engine === this.#loading) return;
    this.#loading = engine;
    words.textContent = 'Trying again …';
    try {
      await engine.loadRanker();
    } catch (error) {
      if (engine === this.#engine) this.#failed(error);
      return;
    } finally {
      if (engine === this.#loading) this.#loading = undefined;
    }
    if (engine !== this.#engine) return;
    // The button that was pressed is about to go.
    if (line.contains(document.activeElement)) section.focus({ preventScroll: true });
    line.hidden = true;
    this.#tellStyles('ready');
    await this.#onReady();
  }

  /** @param {any} error */
  #failed(error) {
    if (error.code === 'worker-crashed') {
      this.#onCrash(error);
      return;
    }
    this.#tellStyles('failed');
    line.dataset.code = error.code;
    line.title = error.message;
    words.textContent = MISSING;
    line.hidden = false;
    say(MISSING);
  }

  /** What depends on the ranker is shown, or its room kept, by the style sheet. @param {'none' | 'coming' | 'ready' | 'failed'} state */
  #tellStyles(state) {
    main.dataset.ranker = state;
  }
}
