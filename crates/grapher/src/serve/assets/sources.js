// The sources of the store as a table: what is shown and in which panel, and its numbers. It is the legend, and what
// there is to read of the picture without seeing it.

import * as address from './address.js';
import * as plot from './plot.js';

const body = document.getElementById('sources');
const rows = new Map();

/** Chosen sources of each panel. A floor comes with its heap and is no source to choose. */
function panels() {
  const names = new Set(plot.view.sources.map((source) => source.name));
  return plot.view.panels.map((panel) => panel.series.map((series) => series.name).filter((name) => names.has(name)));
}

function arrange(next) {
  const filled = next.filter((names) => names.length > 0);
  if (filled.length > 0) address.change({ panel: filled.map((names) => names.join(',')) });
  else update();
}

function without(name) {
  return panels().map((names) => names.filter((other) => other !== name));
}

/** A source joins the panel of its own unit. */
function toggle(name, shown) {
  const next = without(name);
  if (!shown) return arrange(next);
  const unit = plot.view.sources.find((source) => source.name === name).unit;
  const panelOf = (other) => plot.view.sources.find((source) => source.name === other);
  const found = next.find((names) => unit && names.some((other) => panelOf(other)?.unit === unit));
  if (found) found.push(name);
  else next.push([name]);
  return arrange(next);
}

function move(name, panel) {
  const next = without(name);
  if (panel < next.length) next[panel].push(name);
  else next.push([name]);
  arrange(next);
}

function make(source) {
  const row = document.createElement('tr');
  const head = document.createElement('th');
  head.scope = 'row';
  const label = document.createElement('label');
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.addEventListener('change', () => toggle(source.name, box.checked));
  const swatch = document.createElement('i');
  label.append(box, swatch, source.name);
  if (source.description) label.title = source.description;
  head.append(label);
  const cells = ['now', 'least', 'mean', 'greatest'].map(() => document.createElement('td'));
  const choice = document.createElement('select');
  choice.setAttribute('aria-label', `Panel of ${source.name}; + is a new one`);
  choice.addEventListener('change', () => move(source.name, Number(choice.value)));
  const last = document.createElement('td');
  last.append(choice);
  row.append(head, ...cells, last);
  body.append(row);
  return { row, box, swatch, cells, choice };
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setChoices(choice, count, panel) {
  const texts = Array.from({ length: count }, (_, i) => String(i + 1)).concat('+');
  if (choice.options.length !== texts.length) {
    choice.replaceChildren(...texts.map((text, i) => new Option(text, String(i))));
  }
  choice.disabled = panel === null;
  if (document.activeElement !== choice) choice.selectedIndex = panel ?? -1;
}

/** Shows the sources of the answer that is shown. */
export function update() {
  const { panels: drawn } = plot.view;
  const known = new Map(drawn.flatMap((panel) => panel.series).map((series) => [series.name, series]));
  const named = new Set(plot.view.sources.map((source) => source.name));
  const derived = [...known.keys()].filter((name) => !named.has(name)).map((name) => ({ name, derived: true }));
  const sources = [...plot.view.sources, ...derived];
  for (const [name, { row }] of rows) {
    if (!sources.some((source) => source.name === name)) {
      row.remove();
      rows.delete(name);
    }
  }
  for (const source of sources) {
    if (!rows.has(source.name)) rows.set(source.name, make(source));
    const { row, box, swatch, cells, choice } = rows.get(source.name);
    const series = known.get(source.name);
    row.className = series ? 'shown' : '';
    box.checked = Boolean(series);
    box.disabled = Boolean(source.derived);
    swatch.style.background = series?.color ?? '';
    const texts = [series?.now, series?.least, series?.mean, series?.greatest];
    texts.forEach((text, i) => setText(cells[i], text ?? (series ? 'unknown' : '')));
    setChoices(choice, drawn.length, source.panel ?? null);
  }
  for (const extra of extras) extra.checked = address.get(extra.id) === '1';
}

/** What is drawn beside the sources. */
const extras = ['gc', 'trend'].map((id) => document.getElementById(id));
for (const extra of extras) {
  extra.addEventListener('change', () => address.change({ [extra.id]: extra.checked ? '1' : null }));
}
