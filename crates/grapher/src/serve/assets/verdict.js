// The verdict over the recording so far: one line, and why when it is opened.

import * as address from './address.js';

/** It changes slowly, and takes the whole recording to tell. */
const EVERY_MS = 20000;
const details = document.getElementById('verdict');
const summary = details.querySelector('summary');
const list = details.querySelector('ul');
let timer = 0;
/** What the page shows a recording of; null: of none. */
let recording = null;

const line = (finding) => [`${finding.source}: ${finding.title}`, finding.rate].filter(Boolean).join(', ');

function part(parent, kind, text) {
  const node = document.createElement(kind);
  node.textContent = text;
  parent.append(node);
  return node;
}

function item(finding) {
  const node = document.createElement('li');
  node.dataset.word = finding.word;
  part(node, 'b', line(finding));
  for (const text of finding.more) part(node, 'p', text);
  return node;
}

function show({ word, findings }) {
  details.dataset.word = word;
  const decisive = findings.filter((finding) => finding.decides);
  const shown = (decisive.length > 0 ? decisive : findings).map(line).join('; ');
  if (summary.textContent !== shown) summary.textContent = shown;
  list.replaceChildren(...findings.map(item));
  details.hidden = findings.length === 0;
}

/** Asks, and again after a while; a store that has nothing to judge has no verdict. */
async function ask() {
  clearTimeout(timer);
  const of = recording;
  const db = address.get('db');
  let answer = {};
  try {
    const response = await fetch(`/verdict${db === null ? '' : `?${new URLSearchParams({ db })}`}`);
    answer = await response.json();
  } catch {
    // It is asked again.
  }
  // That of another store, or of one that has gone, is for nobody.
  if (of !== recording) return;
  if (answer.findings) show(answer);
  else details.hidden = true;
  if (!document.hidden) timer = setTimeout(ask, EVERY_MS);
}

/** Shows the verdict over this recording; null: there is none to judge. That of another is not shown any longer. */
export function follow(next) {
  if (next === recording) return;
  recording = next;
  details.hidden = true;
  clearTimeout(timer);
  if (recording !== null) ask();
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) clearTimeout(timer);
  else if (recording !== null) ask();
});
