//! Our own allocator, counted: the recorder watches itself as it watches others.

use std::alloc::System;

use cap::Cap;

/// Counts; it sets no limit.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes of our own heap in use now.
pub(crate) fn heap_bytes() -> usize {
    ALLOCATOR.allocated()
}
