//! The integration tests: everything through the built binary or the public library, on real things.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests make and read the things that driftlock looks at, and say what they skip"
)]

mod common;

mod anonymous;
mod bisect;
mod capture;
mod check;
mod corpus;
mod cpu;
mod cuda;
mod data;
mod diff;
mod environment;
mod expect;
mod facts;
mod git;
mod gpu;
mod hosts;
mod import_env;
mod import_locks;
mod lint;
mod outputs;
mod pairs;
mod python;
mod rules;
mod run;
mod selftest;
mod show;
mod workload_facts;
