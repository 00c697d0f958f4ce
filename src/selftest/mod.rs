//! `driftlock selftest`: which operations differ on this machine, by digest.
//!
//! A fixed computation, the [`catalogue`], runs in a process of its own per [`arms::Arm`], on inputs that are the same
//! bits everywhere ([`inputs`]). Two engines compute it and speak one [`protocol`]: the worker `driftlock-selftest`,
//! which links libtorch through `tch`, and a Python program embedded here, which runs in the user's own interpreter.
//! [`spawn`] watches a process, [`collect`] puts the lines of all arms into a [`result::SelfTest`], [`judge`] says what
//! it shows, [`verdict`] compares two, [`emulate`] proves a cause by reproducing the other machine's digests.
//!
//! Nothing here links libtorch.

pub mod arms;
pub mod catalogue;
pub mod collect;
pub mod digest;
pub mod emulate;
#[expect(clippy::disallowed_methods, reason = "it finds the programs that it starts, not facts")]
pub mod engine;
pub mod facts;
pub mod fault;
pub mod golden;
pub mod inputs;
pub mod judge;
pub mod precision;
pub mod protocol;
pub mod result;
pub mod signature;
#[expect(clippy::disallowed_methods, reason = "it starts and watches the workers")]
pub mod spawn;
pub mod verdict;
