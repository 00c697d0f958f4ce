//! The integration tests: everything through the built binary or the public library, on real things.

mod common;

mod anonymous;
mod capture;
mod cpu;
mod cuda;
mod data;
mod environment;
mod facts;
mod git;
mod gpu;
mod hosts;
mod python;
mod show;
