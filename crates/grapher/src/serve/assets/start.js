// The start page: each store of the folder with a thumbnail of its newest run.

import * as theme from './theme.js';

const EVERY_MS = 5000;
const list = document.getElementById('stores');
const says = document.getElementById('says');
const cards = new Map();
let timer = 0;

function part(parent, tag, kind) {
  const node = document.createElement(tag);
  node.className = kind;
  parent.append(node);
  return node;
}

function make(name) {
  const item = document.createElement('li');
  const link = part(item, 'a', 'card');
  link.addEventListener('focus', () => link.scrollIntoView({ block: 'nearest' }));
  const head = part(link, 'div', 'head');
  part(head, 'h2', 'name').textContent = name;
  const state = part(head, 'p', 'state');
  part(state, 'i', '').setAttribute('aria-hidden', 'true');
  const words = part(state, 'span', 'words');
  const image = part(link, 'img', 'thumbnail');
  image.width = 480;
  image.height = 150;
  const target = part(link, 'p', 'target');
  const facts = part(link, 'p', 'facts');
  return { item, link, state, words, image, target, facts };
}

const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;

function update(card, store) {
  const chosen = new URLSearchParams(location.search).get('theme');
  const query = new URLSearchParams({ db: store.name, ...(chosen && { theme: chosen }) });
  card.link.href = `/live?${query}`;
  card.state.dataset.kind = store.kind;
  card.words.textContent = store.says;
  card.target.textContent = store.target ?? '';
  const trouble = store.kind === 'trouble';
  card.image.hidden = trouble;
  card.facts.textContent = trouble ? '' : [count(store.runs, 'run'), count(store.events, 'event'), store.size].join(' · ');
  if (trouble) return;
  const picture = new URLSearchParams({ db: store.name, theme: theme.current(), of: store.marker });
  const url = `/thumbnail.svg?${picture}`;
  if (card.image.getAttribute('src') !== url) card.image.src = url;
  card.image.alt = store.shows ? `${store.shows} over the newest run` : 'no source yet';
}

function show({ name, stores, more }) {
  document.getElementById('file').textContent = name;
  document.title = `${name} · heapsoak`;
  const names = new Set(stores.map((store) => store.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.item.remove();
    cards.delete(name);
  }
  stores.forEach((store, index) => {
    if (!cards.has(store.name)) cards.set(store.name, make(store.name));
    const card = cards.get(store.name);
    if (list.children[index] !== card.item) list.insertBefore(card.item, list.children[index] ?? null);
    update(card, store);
  });
  const none = stores.length === 0 ? 'No .db file is in this folder yet: record one into it' : '';
  says.textContent = more > 0 ? `${more} more stores are not shown` : none;
}

async function refresh() {
  clearTimeout(timer);
  try {
    const response = await fetch('/stores');
    const answer = await response.json();
    if (!answer.stores) throw new Error(answer.says);
    show(answer);
  } catch {
    says.textContent = 'grapher serve does not answer; the page goes on by itself when it is there again';
  }
  if (!document.hidden) timer = setTimeout(refresh, EVERY_MS);
}

document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : refresh()));
theme.start(document.getElementById('theme'), refresh);
addEventListener('popstate', refresh);
document.getElementById('theme').addEventListener('click', refresh);
refresh();
