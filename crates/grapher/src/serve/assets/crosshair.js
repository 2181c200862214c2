// The crosshair: time and values of all panels at one pixel column, by pointer, by keyboard, and aloud. Dragging selects
// a time to zoom into.

import * as plot from './plot.js';
import * as ranges from './ranges.js';

const element = (id) => document.getElementById(id);
const cursor = element('cursor');
const hair = element('hair');
const dots = element('dots');
const readout = element('readout');
const selection = element('selection');

/** A hand moves the pointer a little during a click. */
const CLICK_PX = 6;
/** How near to the crosshair an event is said. */
const NEAR_PX = 6;

/** Where the crosshair is: a column of the view, or -1. It stays with its time when the picture moves on. */
let column = -1;
let time = null;
/** Where the pointer is, while it is over the plot. */
let pointer = null;
/** Where a selection began, as a time. */
let begun = null;
let drag = null;

const place = (node, key, px) => (node.style[key] = `${px}px`);

function nearest(list, wanted) {
  let best = -1;
  for (let i = 0; i < list.length; i += 1) {
    if (best < 0 || Math.abs(list[i] - wanted) < Math.abs(list[best] - wanted)) best = i;
  }
  return best;
}

function xAt(moment) {
  const { from, to, left, right } = plot.view;
  return (left + ((moment - from) / (to - from)) * (right - left)) * plot.scale();
}

function put(next) {
  column = next;
  time = next < 0 ? null : plot.view.columns.time[next];
  draw();
}

function line(kind, text, color) {
  const row = document.createElement('p');
  row.className = kind;
  if (color) {
    const swatch = document.createElement('i');
    swatch.style.background = color;
    row.append(swatch);
  }
  row.append(text);
  return row;
}

/** What the crosshair says: rows of a name, a value and a range. */
function said() {
  const { columns, panels, marks } = plot.view;
  const x = columns.x[column];
  const values = panels.flatMap((panel) =>
    panel.series.map((series) => ({
      name: series.name,
      color: series.color,
      value: series.values[column] ?? 'unknown',
      range: series.ranges[column],
    })),
  );
  return { clock: columns.clock[column], values, events: marks.filter((mark) => Math.abs(mark.x - x) <= NEAR_PX) };
}

function drawReadout({ clock, values, events }) {
  const rows = [line('clock', clock)];
  for (const { name, color, value, range } of values) {
    const row = line('value', name, color);
    const strong = document.createElement('b');
    strong.textContent = value;
    row.append(strong);
    rows.push(row);
    if (range) rows.push(line('range', range));
  }
  for (const mark of events.slice(0, 4)) rows.push(line('event', `${mark.glyph} ${mark.time} ${mark.says}`));
  if (events.length > 4) rows.push(line('event', `and ${events.length - 4} more`));
  readout.replaceChildren(...rows);
}

function drawDots(x) {
  const scale = plot.scale();
  const marks = [];
  for (const panel of plot.view.panels) {
    for (const series of panel.series) {
      const y = series.y[column];
      if (y === null || y === undefined) continue;
      const dot = document.createElement('i');
      dot.style.background = series.color;
      place(dot, 'left', x);
      place(dot, 'top', y * scale);
      marks.push(dot);
    }
  }
  dots.replaceChildren(...marks);
}

function drawSelection() {
  const from = drag ? drag.time : begun;
  const to = drag ? plot.timeAt(drag.x) : time;
  selection.hidden = from === null || to === null || (drag !== null && !drag.moved);
  if (selection.hidden) return;
  const [a, b] = [xAt(from), xAt(to)].sort((p, q) => p - q);
  place(selection, 'left', a);
  place(selection, 'width', b - a);
}

function speak(text) {
  cursor.setAttribute('aria-valuemax', String(Math.max(0, plot.view.columns.x.length - 1)));
  cursor.setAttribute('aria-valuenow', String(Math.max(0, column)));
  if (cursor.getAttribute('aria-valuetext') !== text) cursor.setAttribute('aria-valuetext', text);
}

function draw() {
  const none = column < 0;
  hair.hidden = none;
  readout.hidden = none;
  drawSelection();
  if (none) {
    dots.replaceChildren();
    speak(`no crosshair; ${plot.view.columns.x.length} columns`);
    return;
  }
  const scale = plot.scale();
  const { columns, panels } = plot.view;
  const x = columns.x[column] * scale;
  place(hair, 'left', x);
  place(hair, 'top', panels[0].top * scale);
  place(hair, 'height', (panels[panels.length - 1].bottom - panels[0].top) * scale);
  drawDots(x);
  const words = said();
  drawReadout(words);
  const wide = readout.offsetWidth;
  const beside = x + 14 + wide <= cursor.clientWidth ? x + 14 : x - 14 - wide;
  place(readout, 'left', Math.max(0, Math.min(beside, cursor.clientWidth - wide)));
  place(readout, 'top', panels[0].top * scale + 6);
  const values = words.values.map(({ name, value, range }) => `${name} ${value}${range ? `, ${range}` : ''}`);
  const events = words.events.map((mark) => `event: ${mark.says}`);
  speak([words.clock, ...values, ...events].join('; '));
}

/** Whether a moment is in the picture; the row at its right edge may end a little after it. */
function inside(moment) {
  const { from, to, columns } = plot.view;
  return moment >= from && moment <= Math.max(to, columns.time.at(-1) ?? to);
}

/** Puts the crosshair where it was in the answer that is shown now. */
export function follow() {
  if (pointer !== null) {
    point(pointer);
  } else if (time !== null) {
    put(inside(time) ? nearest(plot.view.columns.time, time) : -1);
  } else {
    put(-1);
  }
}

/** Puts the crosshair to an instant, in unix seconds, as soon as it is shown. */
export function pin(moment) {
  pointer = null;
  time = moment;
  if (plot.view && inside(moment)) follow();
  cursor.focus({ preventScroll: true });
}

function point(x) {
  const at = x / plot.scale();
  const over = at >= plot.view.left - 4 && at <= plot.view.right + 4;
  put(over ? nearest(plot.view.columns.x, at) : -1);
}

const offset = (event) => event.clientX - cursor.getBoundingClientRect().left;

function down(event) {
  if (event.button !== 0 || !plot.view) return;
  const x = offset(event);
  drag = { id: event.pointerId, start: x, x, time: plot.timeAt(x), moved: false };
  cursor.setPointerCapture(event.pointerId);
}

function move(event) {
  if (!plot.view) return;
  pointer = offset(event);
  if (drag?.id === event.pointerId) {
    drag.x = pointer;
    drag.moved ||= Math.abs(drag.x - drag.start) >= CLICK_PX;
  }
  point(pointer);
}

function up(event) {
  if (drag?.id !== event.pointerId) return;
  const { moved, time: from } = drag;
  const to = plot.timeAt(offset(event));
  drag = null;
  drawSelection();
  if (moved) ranges.between(Math.min(from, to), Math.max(from, to));
}

function leave() {
  pointer = null;
  if (plot.view && !cursor.matches(':focus-visible')) put(-1);
}

function step(columns) {
  const last = plot.view.columns.x.length - 1;
  if (last < 0) return;
  put(column < 0 ? last : Math.min(last, Math.max(0, column + columns)));
}

function select() {
  if (time === null) return;
  if (begun === null) {
    begun = time;
    drawSelection();
    return;
  }
  const [from, to] = [begun, time].sort((a, b) => a - b);
  begun = null;
  if (from < to) ranges.between(from, to);
  drawSelection();
}

function away() {
  if (begun === null) put(-1);
  begun = null;
  drawSelection();
}

function key(event) {
  if (!plot.view || event.ctrlKey || event.altKey || event.metaKey) return;
  const tenth = Math.max(1, Math.round(plot.view.columns.x.length / 10));
  const far = event.shiftKey ? 10 : 1;
  const acts = {
    ArrowLeft: () => step(-far),
    ArrowDown: () => step(-far),
    ArrowRight: () => step(far),
    ArrowUp: () => step(far),
    PageDown: () => step(-tenth),
    PageUp: () => step(tenth),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    Enter: select,
    ' ': select,
    '+': () => ranges.zoom(0.5, time ?? undefined),
    '=': () => ranges.zoom(0.5, time ?? undefined),
    '-': () => ranges.zoom(2, time ?? undefined),
    Backspace: ranges.back,
    Escape: away,
  };
  const act = Object.hasOwn(acts, event.key) ? acts[event.key] : null;
  if (!act) return;
  event.preventDefault();
  pointer = null;
  act();
}

/** Lets pointer and keyboard move it. */
export function start() {
  cursor.addEventListener('pointerdown', down);
  cursor.addEventListener('pointermove', move);
  cursor.addEventListener('pointerup', up);
  cursor.addEventListener('pointercancel', () => {
    drag = null;
    if (plot.view) drawSelection();
  });
  cursor.addEventListener('pointerleave', leave);
  cursor.addEventListener('dblclick', () => plot.view && ranges.back());
  cursor.addEventListener('keydown', key);
}
