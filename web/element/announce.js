/** Messages to the visitor: the polite live region for screen readers, the notice line, and the toast with its undo. */

const TOAST_MS = 8000;

/** A burst of clicks is over when there was no message for this long. */
const QUIET_MS = 250;

export class Announcer {
  #live;
  #notice;
  #toast;
  #text;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #sayTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hideTimer;

  /** @param {import('./view.js').View} view @param {(at: number) => void} onUndo */
  constructor(view, onUndo) {
    this.#live = view.get('announcer');
    this.#notice = view.get('notice');
    this.#toast = view.get('toast');
    this.#text = view.get('toast-text');
    view.get('toast-undo').addEventListener('click', ({ timeStamp }) => onUndo(timeStamp));
    // The button stays while the visitor reaches for it.
    const keep = () => clearTimeout(this.#hideTimer);
    const leave = () => {
      keep();
      this.#hideTimer = setTimeout(() => this.hideToast(), TOAST_MS);
    };
    this.#leave = leave;
    this.#toast.addEventListener('pointerenter', keep);
    this.#toast.addEventListener('pointerleave', leave);
    this.#toast.addEventListener('focusin', keep);
    this.#toast.addEventListener('focusout', leave);
  }

  #leave;

  /** Says something to screen readers, after the visitor's burst of clicks. @param {string} text */
  say(text) {
    clearTimeout(this.#sayTimer);
    this.#sayTimer = setTimeout(() => (this.#live.textContent = text), QUIET_MS);
  }

  /** Shows a notice about the widget itself, which stays. @param {string} text */
  notify(text) {
    this.#notice.textContent = text;
    this.#notice.hidden = false;
  }

  /** Offers to undo the last change. @param {string} text */
  offerUndo(text) {
    this.#text.textContent = text;
    this.#toast.hidden = false;
    this.#leave();
  }

  hideToast() {
    clearTimeout(this.#hideTimer);
    this.#toast.hidden = true;
  }

  stop() {
    clearTimeout(this.#sayTimer);
    clearTimeout(this.#hideTimer);
  }
}
