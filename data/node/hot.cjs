// Collects hundreds of times a second for so many ms, then rests for so many: `hot.cjs MS REST_MS`, to be run with
// --max-semi-space-size=1.
let last;
const end = Date.now() + Number(process.argv[2]);
(function turn() {
  for (let n = 0; n < 300; n++) last = new Array(2000).fill(n);
  if (Date.now() < end) setImmediate(turn);
  else setTimeout(() => last, Number(process.argv[3]));
})();
