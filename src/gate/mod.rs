//! The gate: what a policy makes of findings. [`finding`] is what `check` and `lint` report, whatever the format.

pub mod finding;
