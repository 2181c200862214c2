// The newest events of the store as a list; each leads to its time in the picture.

import * as address from './address.js';
import * as crosshair from './crosshair.js';
import * as plot from './plot.js';
import * as ranges from './ranges.js';

const list = document.getElementById('events');
const count = document.getElementById('events-count');
const items = new Map();
let seen = null;

function jump(event) {
  if (!plot.view) return;
  const margin = (plot.view.to - plot.view.from) * 0.02;
  const inside = event.time >= plot.view.from + margin && event.time <= plot.view.to - margin;
  if (!inside) ranges.around(event.time);
  crosshair.pin(event.time);
}

function make(event) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  button.addEventListener('click', () => jump(event));
  const part = (kind, text) => {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    button.append(span);
    return span;
  };
  part('glyph', event.glyph).setAttribute('aria-hidden', 'true');
  part('clock', event.clock);
  part('kind', event.kind);
  if (event.detail) part('detail', event.detail);
  item.append(button);
  return item;
}

function show({ events, kept }, recording) {
  const idOf = (event) => `${recording}/${event.id}`;
  const ids = new Set(events.map(idOf));
  for (const [id, item] of items) {
    if (!ids.has(id)) {
      item.remove();
      items.delete(id);
    }
  }
  let after = null;
  for (const event of events) {
    const id = idOf(event);
    if (!items.has(id)) items.set(id, make(event));
    const item = items.get(id);
    const next = after ? after.nextSibling : list.firstChild;
    if (next !== item) list.insertBefore(item, next);
    after = item;
  }
  if (events.length === 0) count.textContent = 'none yet';
  else count.textContent = kept > events.length ? `the newest ${events.length} of ${kept}` : String(kept);
}

/** Asks for the events when there are others than before. */
export async function update() {
  const { recording } = plot.view;
  const mark = `${recording}/${plot.view.events}`;
  if (mark === seen) return;
  seen = mark;
  const db = address.get('db');
  try {
    const response = await fetch(`/events${db === null ? '' : `?${new URLSearchParams({ db })}`}`);
    const answer = await response.json();
    if (!answer.events) throw new Error(answer.says);
    show(answer, recording);
  } catch {
    seen = null;
  }
}
