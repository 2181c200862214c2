// The sampler of a running Node program, installed through its inspector. `load` gives built-in modules; `tell` sends a
// text to the other side while the program ends, and may be missing. Only one sampler lives in a program: a new one stops
// the one before it. Nobody listening for a minute, it removes itself.
(function (load, tell) {
  var KEY = Symbol.for('heapsoak'), ALONE_MS = 60000, MOST_QUEUED = 500;
  var queue = [], seq = 0, lost = 0, asked = ms(), timer = null, ended = false;
  var pid = process.pid, wall = Date.now, text = JSON.stringify, root = global;
  function say(fields) {
    queue.push([pid, ++seq, wall()].concat(fields));
    if (queue.length > MOST_QUEUED) { queue.shift(); lost++; }
  }
  function hand() { var all = queue; queue = []; return text(all); }
  function stop() {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    process.removeListener('exit', end);
    story.stop();
    if (root[KEY] === sampler) delete root[KEY];
  }
  function end(code) {
    if (ended) return;
    try {
      story.dry(function () {}); story.heap();
      say(['end', code === undefined ? 0 : code]);
      story.dry(function () {});
      tell(hand());
    } catch (e) {}
  }
  function sampler(last) {
    if (ended) return null;
    asked = ms();
    if (last) { stop(); return null; }
    story.look();
    return hand();
  }
  sampler.stop = stop;
  if (root[KEY]) root[KEY].stop();
  var flag = null;
  try { flag = flagOf(process.env.NODE_OPTIONS || ''); } catch (e) {}
  var story = chronicle(say, load, flag, function () { return lost; });
  timer = setInterval(function () {
    try { story.tick(); if (ms() - asked > ALONE_MS) stop(); } catch (e) { try { stop(); } catch (e2) {} }
  }, PERIOD_MS);
  if (timer.unref) timer.unref();
  if (tell) {
    var limit = process.getMaxListeners();
    process.setMaxListeners(0); process.on('exit', end); process.setMaxListeners(limit);
  }
  Object.defineProperty(root, KEY, { value: sampler, configurable: true });
  return sampler;
})
