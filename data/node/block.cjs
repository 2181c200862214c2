// Blocks its event loop for so many ms, three turns after the start, then goes on for a little while: `block.cjs MS [busy]`.
// Waits in a call, or makes garbage all the time.
setTimeout(() => {
  const end = Date.now() + Number(process.argv[2]);
  if (process.argv[3]) {
    let last;
    while (Date.now() < end) last = new Array(1000).fill(Math.random());
  } else {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[2]));
  }
  setTimeout(() => {}, 700);
}, 300);
