// Which time is shown: the last so long, or from one instant to another; and the way back.

import * as address from './address.js';
import * as plot from './plot.js';

const KEYS = ['last', 'start', 'end'];
/** Less than two samples are no picture. */
const SHORTEST_S = 2;
const LONGEST_S = 20 * 366 * 86400;
const before = [];

const shown = () => Object.fromEntries(KEYS.map((key) => [key, address.get(key)]));
const same = (a, b) => KEYS.every((key) => a[key] === b[key]);

function go(range) {
  const now = shown();
  if (same(now, range)) return;
  before.push(now);
  if (before.length > 50) before.shift();
  address.change(range);
}

/** Shows the time between two instants, in unix seconds. */
export function between(from, to) {
  // Nothing was recorded before 1970, and a negative time is one before now.
  const middle = Math.max(0, (from + to) / 2);
  const half = Math.min(LONGEST_S, Math.max(SHORTEST_S, Math.abs(to - from))) / 2;
  go({ last: null, start: Math.max(0, middle - half).toFixed(3), end: (middle + half).toFixed(3) });
}

/** Shows the time around an instant, as long as the one that is shown. */
export function around(time) {
  const half = (plot.view.to - plot.view.from) / 2;
  between(time - half, time + half);
}

/** Shows a part of what is shown, or more: `factor` times as much around `time`. */
export function zoom(factor, time = (plot.view.from + plot.view.to) / 2) {
  const { from, to } = plot.view;
  between(time - (time - from) * factor, time + (to - time) * factor);
}

/** Shows what was shown before; the newest data when there was nothing. */
export function back() {
  address.change(before.pop() ?? { last: address.get('last'), start: null, end: null });
}

function live() {
  const last = [...before].reverse().find((range) => !range.start)?.last ?? null;
  go({ last, start: null, end: null });
}

function shift(share) {
  const { from, to } = plot.view;
  between(from + (to - from) * share, to + (to - from) * share);
}

/** Marks the button of what is shown. */
export function mark() {
  const fixed = address.get('start') !== null;
  const last = fixed ? null : (address.get('last') ?? '10m');
  for (const button of document.querySelectorAll('#lasts button')) {
    button.setAttribute('aria-pressed', String(button.dataset.last === last));
  }
  document.getElementById('live').hidden = !fixed;
  document.getElementById('back').hidden = before.length === 0;
  if (document.querySelector('#more :focus')) return;
  for (const key of ['start', 'end', 'limit']) document.getElementById(key).value = address.get(key) ?? '';
}

/** Lets the buttons work. */
export function start() {
  const on = (id, act) => document.getElementById(id).addEventListener('click', () => plot.view && act());
  for (const button of document.querySelectorAll('#lasts button')) {
    button.addEventListener('click', () => go({ last: button.dataset.last, start: null, end: null }));
  }
  on('earlier', () => shift(-0.5));
  on('later', () => shift(0.5));
  on('closer', () => zoom(0.5));
  on('wider', () => zoom(2));
  on('back', back);
  on('live', live);
  document.getElementById('more').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = (id) => document.getElementById(id).value.trim() || null;
    const [start, end, limit] = ['start', 'end', 'limit'].map(text);
    if (start !== null || end !== null) go({ last: null, start, end });
    address.change({ limit });
  });
  address.onChange(mark);
  mark();
}
