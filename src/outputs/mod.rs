//! What a run wrote: digests and sketches of its files and of the tensors inside them, and how two runs' outputs
//! compare.
//!
//! `read` takes files apart: whole-file digest, and per tensor or column a digest over canonical bytes with a
//! [`Sketch`](model::Sketch). Files come from strangers: pickles are read as trees and never executed, no length is
//! trusted, and memory does not grow with their size. [`record`] turns the result into facts of class `result` and
//! back; [`compare`] tells what differs between two of them, or exactly between two files.
//! `docs/reference/outputs.md` has the recipes.

pub mod compare;
pub mod dtype;
pub mod format;
pub mod hexfloat;
pub mod layout;
pub mod model;
pub(crate) mod read;
pub mod record;
pub mod sketch;
pub mod source;

pub use compare::command::command;
pub use model::Outputs;
pub use read::{Options, contents, file, read};
