// The live page: what an answer of the server changes on it.

import * as address from './address.js';
import * as crosshair from './crosshair.js';
import * as events from './events.js';
import * as plot from './plot.js';
import * as ranges from './ranges.js';
import * as sources from './sources.js';
import * as stream from './stream.js';
import * as theme from './theme.js';
import * as verdict from './verdict.js';

const element = (id) => document.getElementById(id);
const setText = (id, text) => {
  if (element(id).textContent !== text) element(id).textContent = text;
};

/** How many panels were asked room for. */
let asked = 0;

const wanted = () => plot.view?.panels.length ?? Math.max(1, address.all('panel').length);

function url() {
  asked = wanted();
  return `/view?${address.query({ ...plot.size(asked), theme: theme.current() })}`;
}

function changes() {
  const db = address.get('db');
  return `/changes${db === null ? '' : `?${new URLSearchParams({ db })}`}`;
}

function says(kind, text) {
  element('says').dataset.kind = kind;
  setText('says', text);
}

function recording(kind, text) {
  element('recording').dataset.kind = kind;
  element('recording').querySelector('span').textContent = text;
}

const notes = (view) =>
  [
    view.damaged > 0 && `${view.damaged} values are damaged and left out: see grapher info --verify`,
    view.unknown.length > 0 && `not in this store: ${view.unknown.join(', ')}`,
  ].filter(Boolean);

function title(view) {
  const first = view.panels[0]?.series[0];
  document.title = first?.now ? `${first.now} ${first.name} · ${view.file}` : `${view.file} · heapsoak`;
}

/** The sources of a panel that are there; a picture by itself is refused where one is not. */
const known = (names, unknown) => names.split(',').filter((name) => !unknown.includes(name)).join(',');

function shown(view) {
  plot.show(view);
  setText('file', view.file);
  setText('target', [view.run && `run ${view.run}`, view.target].filter(Boolean).join(' · '));
  setText('span', view.span);
  setText('comments', view.comments.join('; '));
  recording(view.status.kind, view.status.says);
  // The time of each sample is seen, not said.
  setText('aloud', view.status.kind === 'recording' ? 'recording' : view.status.says);
  says(view.damaged > 0 ? 'trouble' : 'note', notes(view).join('; '));
  title(view);
  const panel = address.all('panel').map((names) => known(names, view.unknown)).filter(Boolean);
  const query = address.query({ panel, theme: theme.current(), width: view.width, height: view.height + 90 });
  element('as-svg').href = `/picture.svg?${query}`;
  element('as-png').href = `/picture.png?${query}`;
  document.body.dataset.state = 'shown';
  sources.update();
  crosshair.follow();
  events.update();
  verdict.follow(view.recording);
  if (wanted() !== asked) ask();
}

/** A store that cannot be read is waited for; what was drawn last stays, but pale. */
function show(answer) {
  if (answer.state === 'shown') return shown(answer);
  document.body.dataset.state = answer.state;
  if (answer.state !== 'busy') verdict.follow(null);
  recording(answer.state, answer.state === 'waiting' ? 'waiting' : 'trouble');
  return says(answer.state, `${answer.state === 'waiting' ? 'Waiting: ' : ''}${answer.says}`);
}

function lost() {
  document.body.dataset.state = 'lost';
  recording('lost', 'disconnected');
  says('trouble', 'grapher serve does not answer; the page goes on by itself when it is there again');
}

ranges.start();
crosshair.start();
const ask = stream.start({ url, changes, show, lost });
theme.start(element('theme'), () => ask());
address.onChange(() => ask());
plot.onResize(() => ask());
