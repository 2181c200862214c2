// The part of our scripts that runs in both ways of watching a Node program, the preload and the inspector: what its heap
// and its garbage collector do, as records (record.rs lists the kinds). Written in the oldest syntax that any Node under
// watch understands.
var PERIOD_MS = 200, HEAP_EVERY_MS = 400, HANDLES_EVERY_MS = 1000, DEAR_MS = 0.5, DEAR_ROUNDS = 30;
// With 60 a line of collections stays below the 4,095 bytes that a pipe takes whole.
var COLLECTIONS_PER_RECORD = 60;
// A GCProfiler that was stopped goes on writing 6 KB of text for each collection, outside of the heap, and takes 50 to
// 200 us for it, until a major collection takes the object itself. (Restarted five times a second, they took 60 MiB more
// within 800 collections.) So one runs at a time, at most one more is not yet gone, and
// both are given up for PerformanceObserver, which costs a tenth and keeps nothing, at so many collections a second, so
// many bytes of text, or so many collections.
var HOT_PER_SECOND = 150, HOT_MS = 2000, TEXT_BYTES = 6144, MOST_TEXT = 4194304, MOST_PROFILED = 5000;
// What the profiler wrote in a blocked loop is read as one text, and takes 8 KB of objects for each collection.
var BLOCKED_PER_SECOND = 300, OBJECTS_BYTES = 8192, LONGEST_TEXT = 268435456;

var hrtime = process.hrtime;
function ms() { var t = hrtime(); return t[0] * 1e3 + t[1] / 1e6; }
function tenths(number) { return Math.round(number * 10) / 10; }

// MiB of --max-old-space-size: V8's own limit adds the young generation to it (108 MiB for 60).
function flagOf(options) {
  var all = (options + ' ' + process.execArgv.join(' ')).match(/--max[-_]old[-_]space[-_]size=\d+/g);
  return all ? Number(all[all.length - 1].split('=')[1]) : null;
}

// Collections by PerformanceObserver: kind, pause and time of each, one turn of the loop later.
function observer(hooks) {
  var entries = [], self = { now: now, take: take, stop: stop };
  var watcher = new hooks.PerformanceObserver(function (list) { note(list.getEntries()); });
  watcher.observe({ entryTypes: ['gc'] });
  function now() { return hooks.performance.now(); }
  function note(list) {
    list.forEach(function (e) {
      var is = e.detail ? e.detail.kind : e.kind, names = hooks.constants;
      var kind = is === names.NODE_PERFORMANCE_GC_MAJOR ? 1 : is === names.NODE_PERFORMANCE_GC_MINOR ? 0 : 2;
      entries.push({ kind: kind, us: Math.round(e.duration * 1e3), at: e.startTime });
    });
  }
  function take() {
    if (watcher.takeRecords) note(watcher.takeRecords());
    var list = entries;
    entries = [];
    return list;
  }
  function stop() { watcher.disconnect(); }
  return self;
}

// Collections by GCProfiler: the sizes before and after each.
function profiler(Profiler) {
  var current = null, tail = [], self = { start: start, read: read, stop: stop };
  function start() { current = new Profiler(); current.start(); }
  function same(a, b) { return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]; }
  // Without those that the one before saw, too: the end of its list is the beginning of this one.
  function unseen(list) {
    var twice = Math.min(tail.length, list.length), i;
    for (; twice > 0; twice--) {
      for (i = 0; i < twice && same(tail[tail.length - twice + i], list[i]); i++);
      if (i === twice) break;
    }
    tail = list.slice(-4);
    return list.slice(twice);
  }
  // The next one, if any, runs before this one stops, so that no collection falls between them.
  function read(next, unread) {
    var old = current;
    current = null;
    if (next) start();
    if (unread) return [];
    var result = old.stop();
    return unseen((result ? result.statistics : []).map(function (g) {
      var kind = g.gcType === 'MarkSweepCompact' ? 1 : /^(Scavenge|Minor)/.test(g.gcType) ? 0 : 2;
      return [kind, g.cost, g.beforeGC.heapStatistics.usedHeapSize, g.afterGC.heapStatistics.usedHeapSize];
    }));
  }
  function stop() { if (current) current.stop(); current = null; }
  return self;
}

// The collections as they become known, each [0 minor, 1 major, 2 other; us; bytes before; after; ms ago], and the counts
// of all so far, which are known sooner and go on from `counts`.
function collector(say, load, counts) {
  var v8 = load('v8'), hooks = null, told = null, sized = null;
  var self = { mode: 'none', counts: [null, null, null], take: take, settle: settle, stop: stop };
  // Of the profiler that runs: when it began, what it has seen as far as we were told, and if a major one is among it.
  var from = 0, known = [], major = false, others = 0, total = 0, settled = counts ? counts[0] + counts[1] : 0, hot = 0, takenAt = ms();
  try { hooks = load('perf_hooks'); told = observer(hooks); self.mode = 'observer'; self.counts = counts || [0, 0, 0]; } catch (e) {}
  if (told && typeof v8.GCProfiler === 'function') {
    sized = profiler(v8.GCProfiler); sized.start(); from = told.now(); self.mode = 'profiler';
  }
  // Where the heap stands, for want of the size after a major collection: what is not young was there at its end.
  function old() {
    return v8.getHeapSpaceStatistics().reduce(function (sum, space) {
      return /^new_/.test(space.space_name) ? sum : sum + space.space_used_size;
    }, 0);
  }
  function count(entries) {
    entries.forEach(function (e) {
      if (e.kind < 2) self.counts[e.kind]++;
      self.counts[2] = tenths(self.counts[2] + e.us / 1e3);
    });
  }
  function unsized(entries) {
    if (entries.length === 0) return entries;
    var now = told.now(), used = v8.getHeapStatistics().used_heap_size;
    return entries.map(function (e, i) {
      var after = e.kind === 1 ? old() : i === entries.length - 1 ? used : null;
      return [e.kind, e.us, null, after, tenths(Math.max(0, now - e.at))];
    });
  }
  function tooMuch() {
    var h = v8.getHeapStatistics(), room = h.heap_size_limit - h.used_heap_size;
    var most = known.length + (ms() - takenAt) / 1e3 * BLOCKED_PER_SECOND;
    return most * OBJECTS_BYTES > room / 2 || most * TEXT_BYTES > LONGEST_TEXT;
  }
  function profiled(next) {
    var now = told.now(), begun = from, unread = ms() - takenAt > PERIOD_MS * 5 && tooMuch();
    var list = sized.read(next, unread), times = known;
    if (unread) say(['blind', tenths(now - begun)]);
    from = now; known = []; major = false; others = 1; total += list.length;
    // The profiler gives no times: those that the observer has not told yet are spread over what is left.
    return list.map(function (g, i) {
      var last = times.length > 0 ? times[times.length - 1] : begun, rest = i - times.length;
      var at = rest < 0 ? times[i] : last + (now - last) * (rest + 0.5) / (list.length - times.length);
      return g.concat(tenths(Math.max(0, now - at)));
    });
  }
  // `all`: also what only the profiler knows as yet.
  function take(all) {
    if (!told) return [];
    var entries = told.take();
    count(entries);
    if (!sized) return unsized(entries.filter(function (e) { return e.at >= from; }));
    entries.forEach(function (e) {
      if (e.at < from) return;
      known.push(e.at);
      major = major || e.kind === 1;
    });
    return all || major ? profiled(true) : [];
  }
  // Gives the profiler up when it becomes dear.
  function settle() {
    var t = ms(), passed = t - takenAt, all = self.counts[0] + self.counts[1], seen = all - settled;
    hot = seen / passed * 1e3 > HOT_PER_SECOND ? hot + passed : 0;
    var text = (known.length + 1) * TEXT_BYTES * (1 + others), list = [];
    settled = all;
    if (sized && (hot >= HOT_MS || text >= MOST_TEXT || total + known.length >= MOST_PROFILED)) {
      list = profiled(false);
      sized = null; self.mode = 'observer';
      say(['mode', self.mode, Math.round(seen / passed * 1e3)]);
    }
    takenAt = t;
    return list;
  }
  function stop() { if (told) told.stop(); if (sized) sized.stop(); told = sized = null; }
  return self;
}

// What forces a full collection, or null where this Node has no way to it. The flag is on only meanwhile: with it off V8
// (seen up to Node 12) would die of the call, and with it on compiled code that is cached would not fit.
function forcing(load) {
  var set = load('v8').setFlagsFromString, exposed = typeof global.gc === 'function', force = null;
  function exposing(act) {
    if (exposed) return act();
    set('--expose-gc');
    try { return act(); } finally { set('--no-expose-gc'); }
  }
  try { force = exposing(function () { return load('vm').runInNewContext('gc'); }); } catch (e) {}
  return typeof force === 'function' ? function () { exposing(force); } : null;
}

// Everything that is said of this program. `lost()` counts the records that could not be delivered; `counts` are those of
// an earlier chronicle that this one continues.
function chronicle(say, load, flag, lost, counts) {
  var memory = process.memoryUsage, statistics = load('v8').getHeapStatistics, resources = process.getActiveResourcesInfo;
  var due = ms() + PERIOD_MS, lag = 0, heapAt = 0, handlesAt = 0, gc = collector(say, load, counts);
  var checkpointAt = ms() + CHECKPOINT_MS, force = CHECKPOINT_MS > 0 ? forcing(load) : null;
  function report(list) {
    for (var i = 0; i < list.length; i += COLLECTIONS_PER_RECORD) say(['gc', list.slice(i, i + COLLECTIONS_PER_RECORD)]);
    return list.length;
  }
  function handles(t) {
    if (!resources || t < handlesAt) return null;
    var count = resources.call(process).length;
    // It names each of them: dear for a program with 50,000 timers.
    handlesAt = t + HANDLES_EVERY_MS / 2 + (ms() - t > DEAR_MS ? DEAR_ROUNDS * HANDLES_EVERY_MS : 0);
    return count;
  }
  function heap() {
    var t = ms(), open = handles(t), m = memory(), h = statistics();
    heapAt = t + HEAP_EVERY_MS - PERIOD_MS / 2;
    say(['heap', m.heapUsed, m.heapTotal, h.heap_size_limit, m.external, m.arrayBuffers === undefined ? null : m.arrayBuffers,
      m.rss, tenths(Math.max(lag, t - due, 0)), open, lost()].concat(gc.counts));
    lag = 0;
  }
  // For the user who asked for it, and for nobody else. Between two turns of the loop little is under way.
  function checkpoint() {
    var begun = ms(), before = statistics().used_heap_size;
    force();
    say(['checkpoint', Math.round((ms() - begun) * 1e3), before, statistics().used_heap_size]);
    checkpointAt = ms() + CHECKPOINT_MS;
  }
  if (!counts) say(['hello', process.ppid === undefined ? null : process.ppid, process.version,
    process.argv[1] === undefined ? null : String(process.argv[1]).slice(-300), gc.mode, flag]);
  heap();
  return {
    // To be called every PERIOD_MS: that it comes late is the lag of the loop.
    tick: function () {
      var t = ms();
      lag = Math.max(lag, t - due, 0); due = t + PERIOD_MS;
      report(gc.take(false)); report(gc.settle());
      if (force && t >= checkpointAt) checkpoint();
      if (t >= heapAt) heap();
    },
    // What is read and said here may itself set off a collection: goes on until there was none.
    dry: function (flush) { for (var i = 0; i < 8 && report(gc.take(true)) > 0; i++) flush(); },
    // At any time, also while the loop does not turn.
    look: function () { report(gc.take(false)); heap(); },
    heap: heap,
    counts: gc.counts,
    stop: gc.stop
  };
}
