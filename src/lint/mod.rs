//! Hazards before a run: of an environment, and in a program's source.
//!
//! [`files`] chooses the files, [`source`] finds hazards in them, [`project`] joins the two and honours the comments
//! that take findings back; [`environment`] applies the rules on snapshots.

pub mod environment;
pub mod files;
pub mod project;
pub mod source;

/// Stack of a thread that looks at source, in bytes: parser and tree walks recurse to a bounded depth.
pub const STACK: usize = 256 << 20;
