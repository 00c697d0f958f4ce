//! The gate: what a policy makes of findings. [`finding`] is what `check` and `lint` report, whatever the format;
//! [`report`] is its public form.

pub mod finding;
pub mod report;
