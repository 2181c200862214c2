//! How a Node program ended, told by what it last said and by what the system says. Pure.
use std::fmt;

/// Share of the limit that the heap must have reached, at its last reading, for an abort to be called out of memory. Seen
/// under a limit of 60 MiB on Node 20: 50.4 to 55.5 MiB (84 to 93 %) up to 0.4 s before the end, a leak of 25 to 100 MB/s;
/// programs that abort for another reason are rarely this full.
const FULL: f64 = 0.75;
/// The same for what was left after the last major collection, which is lower by the garbage.
const FULL_AFTER_MAJOR: f64 = 0.7;
/// Node 6.2 died at 33 of 60 MiB: half full, but major collections freed next to nothing.
const HALF: f64 = 0.5;
/// A major collection that leaves this much of what was there is called ineffective.
const INEFFECTIVE: f64 = 0.9;
/// A program that never lets its event loop turn says nothing after its start; then its resident memory has to tell. It
/// must have been silent for longer than a healthy program ever is.
const SILENT_MS: f64 = 1000.0;

/// SIGABRT: what V8 ends itself with.
const ABORT: i32 = 6;
/// SIGTRAP: what newer V8s end themselves with.
const TRAP: i32 = 5;
const KILL: i32 = 9;
/// A shell says 128 + N for a child that signal N ended.
const SHELL: i32 = 128;

/// What is known of the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It ended with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It is no child of ours: nobody tells us.
    Unknown,
}

/// What was known of a program when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// It announced its end, with the exit code that was set by then, where that is known.
    pub announced: Option<Option<i32>>,
    /// Bytes of the heap in use at its last reading.
    pub heap_used: Option<f64>,
    /// The limit of its heap in bytes: `--max-old-space-size` if given, else V8's own.
    pub limit: Option<f64>,
    /// Bytes in use before and after the last major collection.
    pub last_major: Option<(f64, f64)>,
    /// And of the one before.
    pub major_before: Option<(f64, f64)>,
    /// How long it had said nothing, in ms, when the system last showed it alive.
    pub silent_ms: f64,
    /// By how many bytes its resident memory had grown by then, since its first record.
    pub grown_bytes: Option<f64>,
    /// It spent most of its time in collections near the limit.
    pub thrashing: bool,
}

/// The kernel's count of processes killed for want of memory ([`kernel_kills`](super::kernel_kills)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KernelKills {
    /// When it was last looked at while the program lived.
    pub before: Option<u64>,
    /// After its end.
    pub after: Option<u64>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// By itself, with this exit code; none where it ended while it was watched from outside and could not say.
    Exit(Option<i32>),
    /// By this signal.
    Signal(i32),
    /// V8 gave up at the limit of its heap.
    OutOfMemory {
        /// Bytes of the heap in use at the last reading; none where that is too old to mean anything.
        heap_used: Option<f64>,
        /// The limit in bytes.
        limit: Option<f64>,
    },
    /// The kernel killed it for want of memory.
    KernelOom,
    /// It aborted, for another reason than the limit of its heap: `process.abort()`, a failed assertion.
    Aborted,
    /// It is gone, and nobody can say how.
    Gone,
}

impl End {
    /// One word for events: `exit`, `signal`, `out-of-memory`, `kernel-oom`, `aborted`, `gone`.
    pub fn kind(&self) -> &'static str {
        match self {
            End::Exit(_) => "exit",
            End::Signal(_) => "signal",
            End::OutOfMemory { .. } => "out-of-memory",
            End::KernelOom => "kernel-oom",
            End::Aborted => "aborted",
            End::Gone => "gone",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: f64| bytes / 1_048_576.0;
        match *self {
            End::Exit(Some(code)) => write!(out, "exit {code}"),
            End::Exit(None) => write!(out, "exit, its code is not known"),
            End::Signal(signal) => write!(out, "killed by signal {signal}"),
            End::OutOfMemory { heap_used: Some(used), limit: Some(limit) } => {
                write!(out, "out of memory, {:.1} of {:.0} MiB", mib(used), mib(limit))
            }
            End::OutOfMemory { limit: Some(limit), .. } => write!(out, "out of memory, limit {:.0} MiB", mib(limit)),
            End::OutOfMemory { .. } => write!(out, "out of memory"),
            End::KernelOom => write!(out, "killed by the kernel, which was out of memory"),
            End::Aborted => write!(out, "aborted"),
            End::Gone => write!(out, "gone, how is not known"),
        }
    }
}

/// How a program ended.
///
/// That the kernel killed it is told by its count of such kills, so another victim of the same second is mistaken for it.
/// That V8 gave up is told by an abort of a program whose heap was full; where the status is not known, by that it did not
/// announce its end.
pub fn classify(status: Status, evidence: &Evidence, kills: KernelKills) -> End {
    let unannounced = evidence.announced.is_none();
    // A shell or npm between us and the program passes a signal on as a code.
    let signal = match status {
        Status::Signal(signal) => Some(signal),
        Status::Code(code) if unannounced && (SHELL + 1..SHELL + 65).contains(&code) => Some(code - SHELL),
        _ => None,
    };
    if signal == Some(KILL) && kills.before.zip(kills.after).is_some_and(|(before, after)| after > before) {
        return End::KernelOom;
    }
    let gave_up = matches!(signal, Some(ABORT | TRAP)) || (status == Status::Unknown && unannounced);
    if gave_up && let Some(end) = out_of_memory(evidence) {
        return end;
    }
    match (status, signal, evidence.announced) {
        (_, Some(ABORT), _) => End::Aborted,
        (_, Some(signal), _) => End::Signal(signal),
        (Status::Code(code), ..) => End::Exit(Some(code)),
        (_, _, Some(code)) => End::Exit(code),
        _ => End::Gone,
    }
}

fn out_of_memory(evidence: &Evidence) -> Option<End> {
    let limit = evidence.limit.filter(|limit| *limit > 0.0)?;
    let reached = |bytes: Option<f64>, share: f64| bytes.is_some_and(|bytes| bytes >= share * limit);
    let after = evidence.last_major.map(|(_, after)| after);
    let ineffective = |major: Option<(f64, f64)>| major.is_some_and(|(before, after)| after >= INEFFECTIVE * before);
    let stuck = reached(after, HALF) && ineffective(evidence.last_major) && ineffective(evidence.major_before);
    if evidence.thrashing || reached(evidence.heap_used, FULL) || reached(after, FULL_AFTER_MAJOR) || stuck {
        return Some(End::OutOfMemory { heap_used: evidence.heap_used, limit: Some(limit) });
    }
    let blocked = evidence.silent_ms > SILENT_MS && reached(evidence.grown_bytes, FULL);
    blocked.then_some(End::OutOfMemory { heap_used: None, limit: Some(limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;
    const NO_KILLS: KernelKills = KernelKills { before: Some(3), after: Some(3) };

    fn at(heap_mib: f64) -> Evidence {
        let (heap_used, limit) = (Some(heap_mib * MIB), Some(60.0 * MIB));
        Evidence { heap_used, limit, ..Evidence::default() }
    }

    fn says(status: Status, evidence: Evidence) -> String {
        classify(status, &evidence, NO_KILLS).to_string()
    }

    #[test]
    fn a_full_heap_and_an_abort_are_out_of_memory_and_one_without_the_other_is_not() {
        let full = at(59.8);
        let announced = Evidence { announced: Some(Some(0)), ..full };
        for (status, evidence, expected) in [
            (Status::Signal(6), full, "out of memory, 59.8 of 60 MiB"),
            (Status::Code(134), full, "out of memory, 59.8 of 60 MiB"),
            (Status::Unknown, full, "out of memory, 59.8 of 60 MiB"),
            (Status::Signal(5), full, "out of memory, 59.8 of 60 MiB"),
            (Status::Signal(6), at(5.0), "aborted"),
            (Status::Code(134), at(5.0), "aborted"),
            (Status::Unknown, at(5.0), "gone, how is not known"),
            (Status::Signal(6), Evidence::default(), "aborted"),
            (Status::Signal(9), full, "killed by signal 9"),
            (Status::Code(137), full, "killed by signal 9"),
            (Status::Signal(15), full, "killed by signal 15"),
            (Status::Code(1), full, "exit 1"),
            (Status::Code(0), full, "exit 0"),
            (Status::Unknown, announced, "exit 0"),
            (Status::Code(134), announced, "exit 134"),
            (Status::Code(1), announced, "exit 1"),
            (Status::Unknown, Evidence { announced: Some(None), ..full }, "exit, its code is not known"),
            (Status::Code(255), at(5.0), "exit 255"),
        ] {
            assert_eq!(says(status, evidence), expected, "{status:?} {evidence:?}");
        }
    }

    #[test]
    fn an_early_death_a_blocked_loop_and_a_slow_one_are_still_told() {
        let abort = Status::Signal(6);
        let major = |before: f64, after: f64| Some((before * MIB, after * MIB));
        // Node 6.2: 33 MiB used of 60, nothing left to free.
        let early = Evidence { last_major: major(33.5, 33.0), major_before: major(33.2, 32.9), ..at(33.0) };
        assert_eq!(says(abort, early), "out of memory, 33.0 of 60 MiB");
        assert_eq!(says(abort, Evidence { major_before: major(33.2, 20.0), ..early }), "aborted");
        assert_eq!(
            says(abort, Evidence { last_major: major(62.0, 44.0), ..at(20.0) }),
            "out of memory, 20.0 of 60 MiB"
        );
        let blocked = Evidence { silent_ms: 1500.0, grown_bytes: Some(80.0 * MIB), ..at(3.5) };
        assert_eq!(says(abort, blocked), "out of memory, limit 60 MiB");
        assert_eq!(says(abort, Evidence { silent_ms: 300.0, ..blocked }), "aborted");
        assert_eq!(says(abort, Evidence { thrashing: true, ..at(40.0) }), "out of memory, 40.0 of 60 MiB");
    }

    #[test]
    fn the_kernels_kill_is_told_from_anybody_elses() {
        let one = KernelKills { before: Some(3), after: Some(4) };
        assert_eq!(classify(Status::Signal(9), &at(20.0), one), End::KernelOom);
        assert_eq!(classify(Status::Code(137), &at(20.0), one), End::KernelOom);
        assert_eq!(classify(Status::Signal(15), &at(20.0), one), End::Signal(15));
        assert_eq!(classify(Status::Signal(9), &at(20.0), NO_KILLS), End::Signal(9));
        let unknown = KernelKills { before: None, after: Some(4) };
        assert_eq!(classify(Status::Signal(9), &at(20.0), unknown), End::Signal(9));
    }
}
