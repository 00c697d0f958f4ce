//! Hazards before a run: of an environment, and in a program's source.

pub mod source;

/// Stack of a thread that looks at source, in bytes: parser and tree walks recurse to a bounded depth.
pub const STACK: usize = 256 << 20;
