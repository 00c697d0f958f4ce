//! The `python` section on real environments: what driftlock reads from files against what the interpreter says.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod deep;
mod discovery;
mod packages;
mod place;
