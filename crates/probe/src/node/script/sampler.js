// The sampler of a running Node program, installed through its inspector. `load` gives built-in modules; `tell` sends a
// text to the other side while the program ends, and may be missing. Each recorder has one of its own. With nobody asking
// for a minute it does nothing any more until it is asked again. The inspector that was opened for one of them is closed by
// the last that leaves.
(function (load, tell) {
  var KEY = Symbol.for('heapsoak'), ALONE_MS = 60000, MOST_QUEUED = 500, CLOSE_MS = 50, root = global;
  var queue = [], seq = 0, lost = 0, asked = ms(), rested = 0, timer = null, story = null, counts = null;
  var pid = process.pid, wall = Date.now, text = JSON.stringify, flag = null;
  function say(fields) {
    queue.push([pid, ++seq, wall()].concat(fields));
    if (queue.length > MOST_QUEUED) { queue.shift(); lost++; }
  }
  function hand() { var all = queue; queue = []; return text(all); }
  function join() {
    if (!root[KEY]) Object.defineProperty(root, KEY, { value: { samplers: 0, close: false }, configurable: true });
    root[KEY].samplers++;
  }
  function leave(close) {
    var shared = root[KEY];
    shared.close = shared.close || close;
    if (--shared.samplers > 0) return;
    delete root[KEY];
    // A little later, so that we are gone by then.
    if (shared.close) setTimeout(function () { try { process._debugEnd(); } catch (e) {} }, CLOSE_MS);
  }
  function begin() {
    join();
    story = chronicle(say, load, flag, function () { return lost; }, counts);
    if (counts) say(['blind', tenths(ms() - rested)]);
    counts = story.counts;
    timer = setInterval(function () {
      try { story.tick(); if (ms() - asked > ALONE_MS) rest(false); } catch (e) { try { rest(false); } catch (e2) {} }
    }, PERIOD_MS);
    if (timer.unref) timer.unref();
    if (!tell) return;
    var limit = process.getMaxListeners();
    process.setMaxListeners(0); process.on('exit', end); process.setMaxListeners(limit);
  }
  function rest(close) {
    if (!story) return;
    clearInterval(timer);
    process.removeListener('exit', end);
    story.stop();
    story = null; rested = ms();
    leave(close);
  }
  function end(code) {
    if (!story) return;
    try {
      story.dry(function () {}); story.heap();
      say(['end', code === undefined ? 0 : code]);
      story.dry(function () {});
      tell(hand());
    } catch (e) {}
  }
  try { flag = flagOf(process.env.NODE_OPTIONS || ''); } catch (e) {}
  begin();
  return function (last, close) {
    asked = ms();
    if (!story) begin();
    if (last) { rest(close); return null; }
    story.look();
    return hand();
  };
})
