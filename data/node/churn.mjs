// Makes garbage and some survivors, one turn of the loop after the other: `churn.mjs OBJECTS [EXIT_CODE]`. Ends by itself,
// or with process.exit where a code is given.
const kept = [];
let made = 0;
(function turn() {
  for (let n = 0; n < 20000; n++) {
    made++;
    const one = { made, name: 'k' + made, list: [made, made + 1, made + 2] };
    if (made % 50 === 0) kept.push(one);
  }
  if (kept.length > 20000) kept.splice(0, 10000);
  if (made < Number(process.argv[2])) setImmediate(turn);
  else if (process.argv[3]) process.exit(Number(process.argv[3]));
})();
