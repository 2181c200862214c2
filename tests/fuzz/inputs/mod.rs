//! What is done with an input: a file for each parser of what comes from outside, and what must hold whatever comes.
//!
//! `scripts/fuzz` makes inputs, the test `corpus` feeds those that were kept.

pub mod arguments;
pub mod csv;
pub mod definitions;
pub mod devtools;
pub mod node;
pub mod rpn;
pub mod sizes;
pub mod store;
pub mod times;
pub mod update;
pub mod xml;
