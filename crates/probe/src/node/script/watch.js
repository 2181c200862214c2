// The preload of a Node program that we start. It keeps out of the program's sight, keeps nothing open and never lets an
// error of its own reach the program. Known traces: `process.moduleLoadList` is longer, and while the listeners of 'exit'
// run there is one more.
(function () {
  var tag = ' --require ' + __filename;
  // A line must be written whole, or lines of several programs would mix: shorter than PIPE_BUF.
  var LONGEST_LINE = 4095, MOST_QUEUED = 2000, PATIENCE = 20;
  // A pipe that was removed is made again by the recorder's next tick.
  var RESTORED_MS = 60000;

  // There some of what is internal prints a warning when it is looked at.
  function pending(options) {
    return /pending[-_]deprecation/.test(options + process.execArgv.join(' ')) || process.env.NODE_PENDING_DEPRECATION === '1';
  }

  function forgetOurselves() {
    delete require.cache[__filename];
    var listed = process._preload_modules, paths = module.constructor._pathCache;
    for (var key in paths) if (paths[key] === __filename) delete paths[key];
    if (Array.isArray(listed)) {
      // Node still goes through the list itself: taken out of it, the one after us would never be loaded.
      var others = listed.filter(function (name) { return name !== __filename; });
      Object.defineProperty(process, '_preload_modules', { value: others });
    }
    if (pending(process.env.NODE_OPTIONS || '')) return;
    var family = module.parent && module.parent.children, at = Array.isArray(family) ? family.indexOf(module) : -1;
    if (at >= 0) family.splice(at, 1);
  }

  // Under Node's permission model a child could not read this file and would not start.
  function mayNotRead(text) { return /(^|\s)--(experimental-)?permission(\s|$)/.test(text); }

  function carry(options) {
    if (!options || !Array.isArray(options.envPairs)) return;
    if (Array.isArray(options.args) && options.args.some(function (arg) { return mayNotRead(String(arg)); })) return;
    var pairs = options.envPairs.slice(), at = -1;
    for (var i = 0; i < pairs.length; i++) if (String(pairs[i]).indexOf('NODE_OPTIONS=') === 0) at = i;
    if (at < 0) pairs.push('NODE_OPTIONS=' + tag);
    else if (mayNotRead(String(pairs[at]).slice(13))) return;
    else if (pairs[at].indexOf(tag) < 0) pairs[at] += tag;
    options.envPairs = pairs;
  }

  // The program sees the NODE_OPTIONS that it was given; its children get ours back with theirs.
  function hide(main) {
    var given = process.env.NODE_OPTIONS, ours = typeof given === 'string' && given.indexOf(tag) >= 0;
    if (main && !ours) return;
    if (typeof given !== 'string') given = '';
    // The children then inherit ours in plain sight.
    if (pending(given)) return;
    var one = process.binding('process_wrap').Process.prototype, two = process.binding('spawn_sync');
    var spawn = one.spawn, spawnSync = two.spawn;
    if (typeof spawn !== 'function' || typeof spawnSync !== 'function') return;
    one.spawn = function (options) { carry(options); return spawn.call(this, options); };
    two.spawn = function (options) { carry(options); return spawnSync.call(this, options); };
    if (one.spawn === spawn || two.spawn === spawnSync) return;
    if (!ours) return;
    var rest = given.replace(tag, '');
    if (rest === '') delete process.env.NODE_OPTIONS; else process.env.NODE_OPTIONS = rest;
  }

  // The lines that wait for the pipe. It is opened for each batch, so that no descriptor stays open in the program.
  function outlet(leave) {
    var fs = require('fs'), open = fs.openSync, write = fs.writeSync, close = fs.closeSync;
    var mode = fs.constants.O_WRONLY | fs.constants.O_NONBLOCK, path = __dirname + '/to-recorder';
    var pid = process.pid, text = JSON.stringify, wall = Date.now, bytes = Buffer.byteLength;
    var cell = typeof SharedArrayBuffer === 'function' ? new Int32Array(new SharedArrayBuffer(4)) : null;
    var queue = [], seq = 0, missing = null, self = { lost: 0, gone: false, say: say, flush: flush, stop: stop };
    function stop() { self.gone = true; queue = []; leave(); }
    function say(fields) {
      var line = text([pid, ++seq, wall()].concat(fields)) + '\n';
      if (line.length * 3 > LONGEST_LINE && bytes(line) > LONGEST_LINE) { self.lost++; return; }
      queue.push(line);
      if (queue.length > MOST_QUEUED) { queue.shift(); self.lost++; }
    }
    // Out of descriptors is no reason to leave, nor a pipe that is missing a while (ENOENT); no reader (ENXIO) is.
    function mayPass(code) {
      if (code !== 'ENOENT') return code === 'EMFILE' || code === 'ENFILE';
      if (missing === null) missing = ms();
      return ms() - missing < RESTORED_MS;
    }
    function flush(patience) {
      if (self.gone || queue.length === 0) return;
      var fd;
      try { fd = open(path, mode); } catch (e) { if (!mayPass(e.code)) stop(); return; }
      missing = null;
      try {
        while (queue.length > 0) {
          try { write(fd, queue[0]); queue.shift(); } catch (e) {
            if (e.code !== 'EAGAIN') { stop(); break; }
            if (!cell || patience-- <= 0) break;
            Atomics.wait(cell, 0, 0, 10);
          }
        }
      } finally { close(fd); }
    }
    return self;
  }

  function watch(flag) {
    var timer = null, never = clearInterval, story = null;
    // Nobody listens: a profiler or observer left running would gather for ever.
    var out = outlet(function () { if (timer) never(timer); timer = null; if (story) story.stop(); });
    story = chronicle(out.say, require, flag, function () { return out.lost; });
    out.flush(0);
    if (out.gone) return;
    timer = setInterval(function () {
      try { story.tick(); out.flush(0); } catch (e) { try { out.stop(); } catch (e2) {} }
    }, PERIOD_MS);
    if (timer.unref) timer.unref();
    function flush() { out.flush(PATIENCE); }
    function end(code) {
      if (out.gone) return;
      try { story.dry(flush); story.heap(); out.say(['end', code === undefined ? 0 : code]); flush(); story.dry(flush); } catch (e) {}
    }
    // Looked at when the exit is announced: only then do we become a listener, the last one, so that the program
    // counts no listener of ours and finds no frame of ours in a stack trace.
    var emit = process.emit, announced = false;
    Object.defineProperty(process, 'emit', {
      configurable: true, enumerable: false,
      set: function (other) { emit = other; },
      get: function () {
        if (process._exiting && !announced) {
          announced = true;
          end(process.exitCode);
          if (process.listenerCount('exit') > 0) try {
            var limit = process.getMaxListeners();
            process.setMaxListeners(0); process.on('exit', end); process.setMaxListeners(limit);
          } catch (e) {}
        }
        return emit;
      }
    });
  }

  var main = true, flag = null;
  try { main = !(process.abort && process.abort.disabled === true); } catch (e) {}
  try { flag = flagOf(process.env.NODE_OPTIONS || ''); } catch (e) {}
  try { forgetOurselves(); } catch (e) {}
  try { hide(main); } catch (e) {}
  try { if (main) watch(flag); } catch (e) {}
})();
