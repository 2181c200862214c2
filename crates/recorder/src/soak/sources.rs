//! The sources a recording has: their names, types and units, in the order of their columns.

use heapsoak_rrd::SourceType;

/// What is known of a source before it has a heartbeat.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceSpec {
    /// Its plain name, without a label.
    pub(crate) name: &'static str,
    /// How readings become rates.
    pub(crate) kind: SourceType,
    /// The unit of its rows.
    pub(crate) unit: &'static str,
    /// One line for `grapher info`.
    pub(crate) description: &'static str,
}

const fn gauge(name: &'static str, unit: &'static str, description: &'static str) -> SourceSpec {
    SourceSpec { name, kind: SourceType::Gauge, unit, description }
}

/// What the page tells.
pub(crate) const PAGE: &[SourceSpec] = &[
    gauge("heap_used", "bytes", "JavaScript heap of the page in use"),
    gauge("heap_total", "bytes", "JavaScript heap of the page reserved"),
    gauge("embedder_heap", "bytes", "the engine's own objects of the page (DOM and others)"),
    gauge("backing_store", "bytes", "memory of array buffers outside the heap"),
    gauge("dom_nodes", "count", "DOM nodes alive, attached or not"),
    gauge("listeners", "count", "event listeners of the page"),
    gauge("documents", "count", "documents alive"),
];

/// What the browser tells of the page's garbage collector.
pub(crate) const PAGE_GC: &[SourceSpec] = &[
    gauge("heap_floor", "bytes", "heap in use after the last mark-compact: what is not garbage"),
    rate("gc_minor", "per second", "minor garbage collections per second"),
    rate("gc_major", "per second", "major garbage collections per second"),
    SourceSpec {
        name: "gc_pause_ms",
        kind: SourceType::DDerive,
        unit: "ms",
        description: "how long garbage collections stopped the page, in each second",
    },
];

/// What the system tells of the browser's processes.
pub(crate) const BROWSER: &[SourceSpec] = &[
    gauge("browser_rss", "bytes", "resident memory of all browser processes, shared pages counted once where readable"),
    gauge("renderer_rss", "bytes", "resident memory of the renderer processes, likewise"),
];

/// What the loop tells.
pub(crate) const LOOP: &[SourceSpec] = &[
    rate("iterations", "per second", "iterations of the scenario per second"),
    rate("failures", "per second", "iterations that failed, per second"),
];

/// What the recorder tells of itself.
pub(crate) const OWN: &[SourceSpec] = &[
    gauge("recorder_heap", "bytes", "the recorder's own heap in use"),
    gauge("recorder_rss", "bytes", "the recorder's own resident memory"),
    gauge("tick_lag_ms", "ms", "how late the tick was noticed"),
];

const fn rate(name: &'static str, unit: &'static str, description: &'static str) -> SourceSpec {
    SourceSpec { name, kind: SourceType::Derive, unit, description }
}

/// What a Node program tells.
pub(crate) const NODE: &[SourceSpec] = &[
    gauge("heap_used", "bytes", "JavaScript heap of the program in use"),
    gauge("heap_total", "bytes", "JavaScript heap of the program reserved"),
    gauge("heap_limit", "bytes", "at which V8 gives up"),
    gauge("heap_floor", "bytes", "heap in use after the last mark-compact: what is not garbage"),
    gauge("external", "bytes", "memory outside the heap that JavaScript objects hold"),
    gauge("array_buffers", "bytes", "the part of it that array buffers hold"),
    gauge("handles", "count", "open handles, requests and timers"),
    gauge("loop_lag_ms", "ms", "how late the event loop is; of a hung program, for how long"),
    rate("gc_minor", "per second", "minor garbage collections per second"),
    rate("gc_major", "per second", "major garbage collections per second"),
    SourceSpec {
        name: "gc_pause_ms",
        kind: SourceType::DDerive,
        unit: "ms",
        description: "how long garbage collections stopped the program, in each second",
    },
];

/// What the system tells of a process.
pub(crate) const PROCESS: &[SourceSpec] = &[
    gauge("rss", "bytes", "resident memory of the process"),
    gauge("rss_anon", "bytes", "the part of it that is heaps and stacks"),
    gauge("pss", "bytes", "resident memory, shared pages divided by those who share them"),
];

/// What the system tells of a process and all its descendants.
pub(crate) const TREE: &[SourceSpec] = &[
    gauge("tree_rss", "bytes", "resident memory of the process and its descendants"),
    gauge("tree_rss_anon", "bytes", "the part of it that is heaps and stacks"),
    gauge("tree_pss", "bytes", "resident memory of them, shared pages counted once"),
];
