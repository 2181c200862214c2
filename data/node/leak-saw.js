// Leaks as the three loops do: small linked objects that are never let go, under a saw-tooth of garbage of which most dies
// young and some only after a second or two. No second is like the other.
//   node leak-saw.js KEPT GARBAGE SEED      bytes a second
'use strict';
const [kept, garbage, seed] = process.argv.slice(2).map(Number);
const TICK_MS = 50, PIECE_BYTES = 140;
let state = seed >>> 0, chain = null, lately = [], last = Date.now();
// mulberry32: the same run again for the same seed.
function random() {
  state = (state + 0x6D2B79F5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
function pieces(bytes, before) {
  let piece = before;
  for (let made = 0; made < bytes; made += PIECE_BYTES) piece = { next: piece, a: made + 0.5, b: [made, seed], c: {} };
  return piece;
}
setInterval(function () {
  const now = Date.now(), seconds = Math.min(now - last, 1000) / 1000;
  last = now;
  chain = pieces(kept * seconds * (0.3 + 1.4 * random()), chain);
  for (let i = 0; i < 10; i++) pieces(garbage * seconds * 0.08 * (0.5 + random()), null);
  lately.push([now + 500 + 2000 * random(), pieces(garbage * seconds * 0.2, null)]);
  lately = lately.filter(function (one) { return one[0] > now; });
}, TICK_MS);
