//! What is known of a Node program at a tick.

/// One sample of a Node program. Bytes, counts and ms; none where it is not known at this tick.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NodeReading {
    /// Bytes of the heap in use: live objects and garbage not yet collected.
    pub heap_used: Option<f64>,
    /// Bytes of the heap held from the system.
    pub heap_total: Option<f64>,
    /// V8's limit: that of the old generation (`--max-old-space-size`) and two to three times that of the young one.
    pub heap_limit: Option<f64>,
    /// Bytes outside of the heap that JavaScript objects hold.
    pub external: Option<f64>,
    /// Those of them that are array buffers.
    pub array_buffers: Option<f64>,
    /// Resident bytes of the process.
    pub rss: Option<f64>,
    /// Open handles, requests and timers. Where counting them is dear (50,000 timers) known once in 30 s only.
    pub handles: Option<f64>,
    /// How late the event loop is, in ms: the most since the tick before; of a silent program, the time since it was heard.
    pub loop_lag_ms: Option<f64>,
    /// Minor collections since the start of watching.
    pub gc_minor: Option<f64>,
    /// Major collections since the start of watching.
    pub gc_major: Option<f64>,
    /// How long collections have stopped the program since the start of watching, in ms.
    pub gc_pause_ms: Option<f64>,
    /// Bytes in use after the last major collection; none before the first.
    pub heap_floor: Option<f64>,
}

/// What was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcKind {
    /// The young generation only: a scavenge.
    Minor,
    /// The whole heap: mark-compact.
    Major,
}

/// One garbage collection, for the store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gc {
    /// When, in µs since the unix epoch; good to 0.2 s, or to the length of the block that it took place in.
    pub time_us: i64,
    /// What was collected.
    pub kind: GcKind,
    /// How long it stopped the program, in ms. Work of other threads at the same time is not in it.
    pub pause_ms: f64,
    /// Bytes in use before it.
    pub before: Option<f64>,
    /// Bytes in use after it; read late where collections are seen by [`Mode::Observer`](super::Mode::Observer).
    pub after: Option<f64>,
    /// Asked for by us, on the user's wish: a checkpoint.
    pub forced: bool,
}
