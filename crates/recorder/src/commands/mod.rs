//! The subcommands beside the soak itself, one file each.

pub(crate) mod create;
pub(crate) mod update;
