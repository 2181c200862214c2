// The part of our scripts that runs in both ways of watching a Node program, the preload and the inspector: what its heap
// and its garbage collector do, as records (record.rs lists the kinds). Written in the oldest syntax that any Node under
// watch understands.
var PERIOD_MS = 200, HEAP_EVERY_MS = 400, HANDLES_EVERY_MS = 1000, DEAR_MS = 0.5, DEAR_ROUNDS = 30;
// With 60 a line of collections stays below the 4,095 bytes that a pipe takes whole.
var COLLECTIONS_PER_RECORD = 60;
// GCProfiler costs 50 to 200 us for each collection, PerformanceObserver a tenth of it.
var HOT_PER_SECOND = 150, COOL_PER_SECOND = 75, SWITCH_AFTER_MS = 2000;
// What the profiler gathers in a blocked loop is read as one text: 3 KB for each collection, and 8 KB of objects.
var BLOCKED_PER_SECOND = 300, OBJECTS_BYTES = 8192, LONGEST_TEXT_MS = 500000;

var hrtime = process.hrtime;
function ms() { var t = hrtime(); return t[0] * 1e3 + t[1] / 1e6; }
function tenths(number) { return Math.round(number * 10) / 10; }

// MiB of --max-old-space-size: V8's own limit adds the young generation to it (108 MiB for 60).
function flagOf(options) {
  var all = (options + ' ' + process.execArgv.join(' ')).match(/--max[-_]old[-_]space[-_]size=\d+/g);
  return all ? Number(all[all.length - 1].split('=')[1]) : null;
}

// Collections by PerformanceObserver. It gives kind, pause and time; no sizes, so the size at its call is said, a little late.
function observer(hooks, statistics) {
  var observed = [], self = { from: 0, till: Infinity, take: take, stop: stop };
  var watcher = new hooks.PerformanceObserver(function (list) { note(list.getEntries()); });
  watcher.observe({ entryTypes: ['gc'] });
  function note(entries) {
    if (entries.length === 0) return;
    var now = hooks.performance.now(), used = statistics().used_heap_size, names = hooks.constants;
    entries.forEach(function (e, i) {
      if (e.startTime < self.from || e.startTime >= self.till) return;
      var is = e.detail ? e.detail.kind : e.kind;
      var kind = is === names.NODE_PERFORMANCE_GC_MAJOR ? 1 : is === names.NODE_PERFORMANCE_GC_MINOR ? 0 : 2;
      var last = kind === 1 || i === entries.length - 1;
      observed.push({ said: [kind, Math.round(e.duration * 1e3), null, last ? used : null], at: Math.min(e.startTime, now) });
    });
  }
  function take() {
    if (watcher.takeRecords) note(watcher.takeRecords());
    var now = hooks.performance.now(), list = observed;
    observed = [];
    return list.map(function (g) { return g.said.concat(tenths(now - g.at)); });
  }
  function stop() { watcher.disconnect(); }
  return self;
}

// Collections by GCProfiler, one after the other.
function profiler(Profiler, statistics, blind) {
  var current = null, startedAt = 0, tail = [], self = { age: age, take: take, stop: stop };
  start(new Profiler());
  function start(next) { next.start(); current = next; startedAt = ms(); }
  function age() { return ms() - startedAt; }
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
  function tooMuch(since) {
    var h = statistics(), room = h.heap_size_limit - h.used_heap_size;
    return since > Math.min(room / 2 / (BLOCKED_PER_SECOND * OBJECTS_BYTES) * 1e3, LONGEST_TEXT_MS);
  }
  function take(last) {
    var since = age(), old = current;
    // The next one runs before the last one stops, so that no collection falls between them.
    if (last) current = null; else start(new Profiler());
    if (since > PERIOD_MS * 5 && tooMuch(since)) { blind(since); return []; }
    var result = old.stop(), list = unseen((result ? result.statistics : []).map(function (g) {
      var kind = g.gcType === 'MarkSweepCompact' ? 1 : /^(Scavenge|Minor)/.test(g.gcType) ? 0 : 2;
      return [kind, g.cost, g.beforeGC.heapStatistics.usedHeapSize, g.afterGC.heapStatistics.usedHeapSize];
    }));
    // It gives no times: they are spread evenly over the time it ran.
    return list.map(function (g, i) { return g.concat(tenths(since * (1 - (i + 0.5) / list.length))); });
  }
  function stop() { if (current) current.stop(); current = null; }
  return self;
}

// The collections since they were last taken, each [0 minor, 1 major, 2 other; us; bytes before; after; ms ago].
function collector(say, load) {
  var v8 = load('v8'), Profiler = v8.GCProfiler, statistics = v8.getHeapStatistics;
  var hooks = null, one = null, two = null, hot = 0, cool = 0, takenAt = ms();
  var self = { mode: 'none', take: take, settle: settle, stop: stop };
  function profile() {
    one = profiler(Profiler, statistics, function (since) { say(['blind', tenths(since)]); });
    self.mode = 'profiler';
  }
  function observe() {
    try {
      hooks = hooks || load('perf_hooks');
      two = observer(hooks, statistics);
      self.mode = 'observer';
    } catch (e) { two = null; }
  }
  function take() {
    var list = two ? two.take() : [];
    // The entries of what came before the profiler took over again come one turn late.
    if (one && two && one.age() > PERIOD_MS / 2) { two.stop(); two = null; }
    return one ? list.concat(one.take()) : list;
  }
  // Changes the way of watching when `count` collections since the last call are too many, or few enough again.
  function settle(count) {
    var passed = ms() - takenAt, rate = count / passed * 1e3, rest = [];
    takenAt += passed;
    hot = rate > HOT_PER_SECOND ? hot + passed : 0;
    cool = rate < COOL_PER_SECOND ? cool + passed : 0;
    if (self.mode === 'profiler' && hot >= SWITCH_AFTER_MS && !two) {
      observe();
      if (!two) { hot = -Infinity; return rest; }
      two.from = hooks.performance.now();
      rest = one.take(true); one = null;
      say(['mode', self.mode, Math.round(rate)]);
    } else if (self.mode === 'observer' && cool >= SWITCH_AFTER_MS && typeof Profiler === 'function') {
      profile(); two.till = hooks.performance.now();
      say(['mode', self.mode, Math.round(rate)]);
    }
    return rest;
  }
  function stop() { if (one) one.stop(); if (two) two.stop(); one = two = null; }
  if (typeof Profiler === 'function') profile(); else observe();
  return self;
}

// Everything that is said of this program. `lost()` counts the records that could not be delivered.
function chronicle(say, load, flag, lost) {
  var memory = process.memoryUsage, statistics = load('v8').getHeapStatistics, resources = process.getActiveResourcesInfo;
  var due = ms() + PERIOD_MS, lag = 0, heapAt = 0, handlesAt = 0, gc = collector(say, load);
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
      m.rss, tenths(Math.max(lag, t - due, 0)), open, lost()]);
    lag = 0;
  }
  say(['hello', process.ppid === undefined ? null : process.ppid, process.version,
    process.argv[1] === undefined ? null : String(process.argv[1]).slice(-300), gc.mode, flag]);
  heap();
  return {
    // To be called every PERIOD_MS: that it comes late is the lag of the loop.
    tick: function () {
      var t = ms();
      lag = Math.max(lag, t - due, 0); due = t + PERIOD_MS;
      report(gc.settle(report(gc.take())));
      if (t >= heapAt) heap();
    },
    // What is read and said here may itself set off a collection: goes on until there was none.
    dry: function (flush) { for (var i = 0; i < 8 && report(gc.take()) > 0; i++) flush(); },
    // At any time, also while the loop does not turn.
    look: function () { report(gc.take()); heap(); },
    heap: heap,
    stop: gc.stop
  };
}
