//! The gate: what a policy makes of findings. [`finding`] is what `check` and `lint` report, whatever the format;
//! [`report`] is its public form.
//!
//! [`read`] reads a [`policy`] from a `driftlock.toml`, with errors that point at the line ([`wrong`]);
//! [`environments`] picks the lock of this machine; [`comparable`] leaves out what only one side was asked for; [`decide`] turns an explanation into findings by the policy
//! ([`requirement`], [`versions`], [`ignore`]); [`lines`] says where in the lock a fact stands; [`template`] is what
//! `driftlock init` writes.

pub mod comparable;
pub mod decide;
pub mod environments;
pub mod finding;
pub mod ignore;
pub mod lines;
pub mod policy;
pub mod read;
pub mod report;
pub mod requirement;
pub mod template;
pub mod versions;
pub mod wrong;
