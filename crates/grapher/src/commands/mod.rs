//! One file for each subcommand: its plain settings, and what it does with them.

pub(crate) mod export;
pub(crate) mod fetch;
pub(crate) mod first;
pub(crate) mod graph;
pub(crate) mod info;
pub(crate) mod last;
pub(crate) mod lastupdate;
pub(crate) mod serve;
pub(crate) mod verdict;
pub(crate) mod watch;
