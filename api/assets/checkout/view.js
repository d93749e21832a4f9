// The page's parts: one panel at a time, told to those who cannot see it as well.

import { now } from './api.js';

export const $ = (id) => document.getElementById(id);

const PANELS = ['start', 'working', 'qr', 'done', 'stopped'];
let shown = null;

/** Shows one panel; its heading takes the focus, except when the page has only just come. */
export function show(name, focus = true) {
  const changed = shown !== name;
  shown = name;
  for (const panel of PANELS) $(`panel-${panel}`).hidden = panel !== name;
  $('panels').hidden = false;
  if (changed && focus) $(`panel-${name}`).querySelector('h2').focus();
}

/** Tells a screen reader what goes on. */
export function say(text) {
  if ($('status').textContent !== text) $('status').textContent = text;
}

/** Shows what went wrong and what to do, above the panel. */
export function warn(problem) {
  $('alert').hidden = !problem;
  if (!problem) return;
  $('alert-title').textContent = problem.title;
  $('alert-text').textContent = problem.text;
}

/** Writes `text` into an element and shows it, or hides it when there is none. */
export function fill(element, text, into = element) {
  into.textContent = text ?? '';
  element.hidden = text === null || text === undefined;
}

/** Marks how far the payment is. `steps` are those of this payment, in order. */
export function progress(steps, current) {
  const at = steps.indexOf(current);
  for (const item of document.querySelectorAll('.progress li')) {
    const place = steps.indexOf(item.dataset.step);
    item.hidden = place < 0;
    item.dataset.state = place < at ? 'done' : place === at ? 'now' : 'later';
    if (place === at) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
}

let ticking = null;

/** Counts down to `expiresAt` (RFC 3339), and calls `over` when it is there; null stops. */
export function countdown(expiresAt, over = () => {}) {
  clearInterval(ticking);
  const places = document.querySelectorAll('[data-countdown]');
  for (const place of places) place.hidden = !expiresAt;
  if (!expiresAt) return;
  const end = Date.parse(expiresAt);
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - now()) / 1000));
    const text = `Held for you for ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    for (const place of places) place.textContent = text;
    if (left > 0) return;
    clearInterval(ticking);
    over();
  };
  ticking = setInterval(tick, 1000);
  tick();
}

/** Both ends of a wallet or transaction. */
export function short(code) {
  return code.length > 16 ? `${code.slice(0, 6)}…${code.slice(-6)}` : code;
}
