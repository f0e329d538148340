/**
 * Loads the ranker after the first suggestions. It gives each suggestion its chance to be liked; without it the widget
 * works and shows no chances.
 */

/** @typedef {import('../runtime.js').Engine} Engine */

export class Ranker {
  /** @type {Engine | undefined} */
  #engine;
  /** The engine whose ranker is on its way. @type {Engine | undefined} */
  #loading;
  #view;
  #line;
  #text;
  #announcer;
  #onReady;
  #onCrash;

  /**
   * @param {import('./view.js').View} view
   * @param {import('./announce.js').Announcer} announcer
   * @param {() => Promise<void>} onReady
   * @param {(error: any) => void} onCrash called when the worker has died. The suggestions are gone with it.
   */
  constructor(view, announcer, onReady, onCrash) {
    this.#view = view;
    this.#announcer = announcer;
    this.#onReady = onReady;
    this.#onCrash = onCrash;
    this.#line = view.get('ranker-status');
    this.#text = view.get('ranker-words');
    view.get('ranker-retry').addEventListener('click', () => void this.load());
  }

  /** @param {Engine | undefined} engine */
  use(engine) {
    this.#engine = engine;
    this.#line.hidden = true;
    this.#tellStyles(engine?.info.rankerBytes == null ? 'none' : 'coming');
  }

  /** Loads the ranker, if the bundle has one. A failure is one quiet line, since the suggestions work. */
  async load() {
    const engine = this.#engine;
    if (engine?.info.rankerBytes == null || engine === this.#loading) return;
    this.#loading = engine;
    this.#text.textContent = this.#view.words.text('retrying');
    try {
      await engine.loadRanker();
    } catch (error) {
      if (engine === this.#engine) this.#failed(error);
      return;
    } finally {
      if (engine === this.#loading) this.#loading = undefined;
    }
    if (engine !== this.#engine) return;
    // The pressed button is about to go.
    if (this.#line.contains(this.#view.focused)) this.#view.get('suggestions').focus({ preventScroll: true });
    this.#line.hidden = true;
    this.#tellStyles('ready');
    await this.#onReady();
  }

  /** @param {any} error */
  #failed(error) {
    if (error.code === 'worker-crashed') {
      this.#onCrash(error);
      return;
    }
    const missing = this.#view.words.text('ranker.missing');
    this.#tellStyles('failed');
    this.#line.dataset.code = error.code;
    this.#line.title = error.message;
    this.#text.textContent = missing;
    this.#line.hidden = false;
    this.#announcer.say(missing);
  }

  /**
   * Tells the style sheet, which shows what needs the ranker or keeps its room.
   * @param {'none' | 'coming' | 'ready' | 'failed'} state
   */
  #tellStyles(state) {
    this.#view.root.dataset.ranker = state;
  }
}
