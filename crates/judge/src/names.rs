//! What a source is, told by its name: whose it is, what a rise of it proves, and whether it decides.

use heapsoak_rrd::SourceType;
use heapsoak_store::NewSource;
use heapsoak_verdict::{Kind, Unit};

/// What a source tells of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The heap in use: what decides.
    Heap,
    /// The heap reserved: it follows the heap in use, in steps.
    Reserved,
    /// What lives and dies with objects of the heap: a full collection frees it too.
    Held,
    /// Memory of processes.
    Process,
    /// How often the scenario was passed through.
    Progress,
    /// The size at which the heap gives up.
    Limit,
    /// Nothing that is judged: the collector's work, delays, the floor (the heap is judged by it), the recorder's own.
    Other,
    /// A name of somebody else's.
    Unknown,
}

/// The names that a recorder gives.
const ROLES: [(&str, Role); 28] = [
    ("heap_used", Role::Heap),
    ("heap_total", Role::Reserved),
    ("embedder_heap", Role::Held),
    ("backing_store", Role::Held),
    ("external", Role::Held),
    ("array_buffers", Role::Held),
    ("dom_nodes", Role::Held),
    ("listeners", Role::Held),
    ("documents", Role::Held),
    ("handles", Role::Held),
    ("tree_rss_anon", Role::Process),
    ("tree_rss", Role::Process),
    ("tree_pss", Role::Process),
    ("rss_anon", Role::Process),
    ("rss", Role::Process),
    ("pss", Role::Process),
    ("renderer_rss", Role::Process),
    ("browser_rss", Role::Process),
    ("iterations", Role::Progress),
    ("heap_limit", Role::Limit),
    ("heap_floor", Role::Other),
    ("loop_lag_ms", Role::Other),
    ("tick_lag_ms", Role::Other),
    ("gc_minor", Role::Other),
    ("gc_major", Role::Other),
    ("gc_pause_ms", Role::Other),
    ("recorder_heap", Role::Other),
    ("recorder_rss", Role::Other),
];

/// A source and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) name: String,
    /// The target's label; empty for the one target.
    pub(crate) label: String,
    pub(crate) role: Role,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    /// Its rows are changes per second.
    pub(crate) is_rate: bool,
}

impl Known {
    pub(crate) fn of(source: &NewSource) -> Self {
        let name = source.source.name.as_str();
        let (label, role) = split(name);
        let lower = name.to_ascii_lowercase();
        let is_heap = matches!(role, Role::Heap | Role::Reserved) || lower.contains("heap");
        let is_bytes = is_heap || counts_bytes(source);
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            role,
            kind: if is_heap { Kind::Heap } else { Kind::Plain },
            unit: if is_bytes { Unit::Bytes } else { Unit::Count },
            is_rate: source.source.kind != SourceType::Gauge,
        }
    }

    /// Sources that only a page has.
    pub(crate) fn is_of_page(&self) -> bool {
        ["documents", "dom_nodes", "embedder_heap"].iter().any(|name| self.name.ends_with(name))
    }
}

/// By its unit, or for want of one by its name; a counter's rows are rates.
fn counts_bytes(source: &NewSource) -> bool {
    let name = source.source.name.as_str();
    let by_unit = match source.unit.trim() {
        "bytes" | "B" => true,
        "" => ["heap", "rss", "memory", "bytes"].iter().any(|part| name.contains(part)),
        _ => false,
    };
    by_unit && source.source.kind == SourceType::Gauge
}

/// The label and the role that a name tells: that of the longest known name at its end.
fn split(name: &str) -> (&str, Role) {
    let of = |(known, role): &(&str, Role)| {
        let label = name.strip_suffix(known)?;
        let label = if label.is_empty() { label } else { label.strip_suffix('_')? };
        Some((label, *role))
    };
    ROLES.iter().filter_map(of).min_by_key(|(label, _)| label.len()).unwrap_or(("", Role::Unknown))
}

/// The sources to judge when none is named, those that decide first, each with whether it does.
///
/// A target's heap decides, or where it has none the best account of its memory. Names of somebody else's are judged
/// where no other is known: then heaps decide, or else all of them.
pub(crate) fn usual(all: &[Known]) -> Vec<(&Known, bool)> {
    let of_role = |roles: &'static [Role]| all.iter().filter(move |known| roles.contains(&known.role));
    let deciding: Vec<&Known> = labels(all).iter().filter_map(|label| deciding(all, label)).collect();
    let decides = |known: &Known| deciding.iter().any(|other| other.name == known.name);
    let mut found: Vec<(&Known, bool)> = of_role(&[Role::Heap, Role::Reserved, Role::Held, Role::Process])
        .map(|known| (known, decides(known)))
        .collect();
    if found.is_empty() {
        let unknown: Vec<&Known> = of_role(&[Role::Unknown]).filter(|known| !known.is_rate).collect();
        let has_heap = unknown.iter().any(|known| known.kind == Kind::Heap);
        found = unknown.into_iter().map(|known| (known, known.kind == Kind::Heap || !has_heap)).collect();
    }
    found.sort_by_key(|(_, decides)| !decides);
    found
}

/// Every label once, in the order of the sources.
fn labels(all: &[Known]) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for known in all {
        if !labels.contains(&known.label.as_str()) {
            labels.push(&known.label);
        }
    }
    labels
}

/// The source of a target that decides.
fn deciding<'a>(all: &'a [Known], label: &str) -> Option<&'a Known> {
    let of_target = || all.iter().filter(|known| known.label == label);
    let memory = || {
        let order = |known: &Known| ROLES.iter().position(|(name, _)| known.name.ends_with(name));
        of_target().filter(|known| known.role == Role::Process).min_by_key(|known| order(known))
    };
    of_target().find(|known| known.role == Role::Heap).or_else(memory)
}

#[cfg(test)]
mod tests {
    use heapsoak_rrd::Source;

    use super::*;

    fn known(names: &[&str]) -> Vec<Known> {
        let source = |name: &&str| format!("DS:{name}:GAUGE:2:U:U").parse::<Source>().unwrap();
        names.iter().map(|name| Known::of(&source(name).into())).collect()
    }

    fn judged(names: &[&str]) -> Vec<(String, bool)> {
        usual(&known(names)).into_iter().map(|(known, decides)| (known.name.clone(), decides)).collect()
    }

    #[test]
    fn a_label_is_told_from_a_name_that_ends_like_another() {
        for (name, label, role) in [
            ("heap_used", "", Role::Heap),
            ("api_heap_used", "api", Role::Heap),
            ("recorder_rss", "", Role::Other),
            ("browser_rss", "", Role::Process),
            ("api_browser_rss", "api", Role::Process),
            ("tree_rss_anon", "", Role::Process),
            ("xrss", "", Role::Unknown),
            ("a_b_iterations", "a_b", Role::Progress),
        ] {
            assert_eq!(split(name), (label, role), "{name}");
        }
    }

    #[test]
    fn heaps_decide_and_the_recorders_own_memory_is_never_asked() {
        let names = ["rss", "iterations", "heap_used", "dom_nodes", "recorder_heap", "tick_lag_ms", "api_heap_used"];
        let expected = [("heap_used", true), ("api_heap_used", true), ("rss", false), ("dom_nodes", false)];
        assert_eq!(judged(&names), expected.map(|(name, decides)| (name.to_owned(), decides)));
    }

    #[test]
    fn a_process_without_a_heap_is_judged_by_its_own_pages_and_those_of_its_children() {
        let decides: Vec<_> = judged(&["rss", "rss_anon", "pss", "tree_rss", "tree_rss_anon"]);
        let deciding: Vec<_> = decides.iter().filter(|(_, decides)| *decides).map(|(name, _)| name.as_str()).collect();
        assert_eq!(deciding, ["tree_rss_anon"]);
        assert_eq!(judged(&["rss"]), [("rss".to_owned(), true)]);
    }

    #[test]
    fn foreign_names_are_judged_when_there_is_nothing_else_and_a_counter_never() {
        assert_eq!(judged(&["heapUsed", "cpu"]), [("heapUsed".to_owned(), true), ("cpu".to_owned(), false)]);
        assert_eq!(judged(&["mem"]), [("mem".to_owned(), true)]);
        assert_eq!(judged(&["heap_used", "ops"]), [("heap_used".to_owned(), true)]);
        let heap = &known(&["usedJSHeapSize"])[0];
        assert_eq!((heap.kind, heap.unit), (Kind::Heap, Unit::Bytes));
    }
}
