// Leaks until V8 gives up: `leak.cjs OBJECTS_PER_TURN`, a turn every 10 ms.
const kept = [];
setInterval(() => {
  for (let n = 0; n < Number(process.argv[2]); n++) kept.push({ n, name: 'x' + kept.length, list: [1, 2, 3] });
}, 10);
