//! The memory of processes, from `/proc`.
//!
//! A browser is a tree of processes that share much: summing their resident sets counts the shared pages once for each
//! process (916 MiB where 374 MiB are used, in a tree of 9). The proportional set size (PSS) shares them out, so sums of
//! it are right. But the kernel must walk every page table for it: 1 to 7 ms of CPU for each process of a browser, 20 to
//! 30 ms for the tree, where `statm` costs 30 µs for all of them. So [`ProcessTree`] reads `statm` at each tick and PSS in
//! turn, within a budget of 0.2 % of a core; between two readings of a process's PSS it follows the change of its
//! anonymous memory, which is nearly all that changes. Measured beside a full reading: 0.003 % off in an idle browser,
//! 0.7 % off right after a page had allocated 110 MiB. The price at one sample a second, with 190 processes on the
//! machine: 0.6 ms of CPU each, plus the budget.
//!
//! PSS may be read only of processes that we may trace; a browser's sandboxed renderers are not, unless we are root.
//! Then the resident set is summed for the whole tree, and the reading says so.
mod environment;
mod kind;
mod members;
mod memory;
mod tree;

pub use environment::any_environment_holds;
pub(crate) use environment::{environment, holds};
pub use kind::Kind;
pub use members::{ProcessInfo, tree};
pub use memory::{Memory, memory};
pub(crate) use memory::{open, present};
pub use tree::{Measure, ProcessTree, TreeReading};
