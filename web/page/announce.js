/** What is said beside what is shown: the polite live region, the notice line, and the toast with its undo. */

import { byId } from './dom.js';

const TOAST_MS = 8000;

const announcer = byId('announcer');
const notice = byId('notice');
const toast = byId('toast');
const toastText = byId('toast-text');

/** @type {ReturnType<typeof setTimeout> | undefined} */
let sayTimer;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hideTimer;

/** Says something to screen readers, once the visitor's burst of clicks is over. @param {string} text */
export function say(text) {
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => (announcer.textContent = text), 250);
}

/** Shows a lasting notice about the page itself. @param {string} text */
export function notify(text) {
  notice.textContent = text;
  notice.hidden = false;
}

/** Offers to undo what was just done. @param {string} text */
export function offerUndo(text) {
  toastText.textContent = text;
  toast.hidden = false;
  keepToast();
  leaveToast();
}

export function hideToast() {
  keepToast();
  toast.hidden = true;
}

const keepToast = () => clearTimeout(hideTimer);
const leaveToast = () => (hideTimer = setTimeout(hideToast, TOAST_MS));

// Nobody loses the button while reaching for it.
toast.addEventListener('pointerenter', keepToast);
toast.addEventListener('pointerleave', () => {
  keepToast();
  leaveToast();
});
toast.addEventListener('focusin', keepToast);
toast.addEventListener('focusout', leaveToast);
