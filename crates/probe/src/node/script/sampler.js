// The sampler of a running Node program, installed through its inspector. `load` gives built-in modules; `tell` sends a
// text to the other side while the program ends, and may be missing. Each recorder has one of its own. With nobody asking
// for a minute it does nothing any more until it is asked again.
(function (load, tell) {
  var ALONE_MS = 60000, MOST_QUEUED = 500;
  var queue = [], seq = 0, lost = 0, asked = ms(), rested = 0, timer = null, story = null, counts = null;
  var pid = process.pid, wall = Date.now, text = JSON.stringify, flag = null;
  function say(fields) {
    queue.push([pid, ++seq, wall()].concat(fields));
    if (queue.length > MOST_QUEUED) { queue.shift(); lost++; }
  }
  function hand() { var all = queue; queue = []; return text(all); }
  function begin() {
    story = chronicle(say, load, flag, function () { return lost; }, counts);
    if (counts) say(['blind', tenths(ms() - rested)]);
    counts = story.counts;
    timer = setInterval(function () {
      try { story.tick(); if (ms() - asked > ALONE_MS) rest(); } catch (e) { try { rest(); } catch (e2) {} }
    }, PERIOD_MS);
    if (timer.unref) timer.unref();
    if (!tell) return;
    var limit = process.getMaxListeners();
    process.setMaxListeners(0); process.on('exit', end); process.setMaxListeners(limit);
  }
  function rest() {
    if (!story) return;
    clearInterval(timer);
    process.removeListener('exit', end);
    story.stop();
    story = null; rested = ms();
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
  return function (last) {
    asked = ms();
    if (last) { rest(); return null; }
    if (!story) begin();
    story.look();
    return hand();
  };
})
