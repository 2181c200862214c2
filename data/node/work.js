// Fixed work on the event loop, as a server does it: parse, index, sort, keep a little. Prints the CPU seconds it took.
'use strict';
const turns = Number(process.argv[2]);
const text = JSON.stringify(Array.from({ length: 2000 }, (_, i) => ({ id: i, name: `n${i}`, tags: ['a', 'b', String(i)] })));
const kept = new Map();
let turn = 0;

function work() {
  const list = JSON.parse(text);
  list.sort((a, b) => (a.name < b.name ? -1 : 1));
  kept.set(turn % 50, new Map(list.map((it) => [it.name, it])));
  turn += 1;
  if (turn < turns) setImmediate(work);
  else {
    const { user, system } = process.cpuUsage();
    console.log(((user + system) / 1e6).toFixed(3));
  }
}
work();
