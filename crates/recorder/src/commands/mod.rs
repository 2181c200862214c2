//! The subcommands beside the soak itself, one file each.

pub(crate) mod create;
pub(crate) mod import;
pub(crate) mod selftest;
pub(crate) mod update;
