//! driftlock: why do these two runs not give the same numbers?
//!
//! The data flow: [`host`] is the machine; [`probes`] read it, each one section; [`capture`] runs them side by side
//! into a [`snapshot`], redacted by [`redact`] and classified by [`facts`]; [`render`] shows it. Every arrow but the
//! first and the last is a pure function over plain data, its order total, so that each stage can start from a file.

pub mod capture;
pub mod cli;
pub mod commands;
pub mod data;
pub mod error;
pub mod exit;
pub mod facts;
pub mod host;
pub mod probes;
pub mod redact;
pub mod render;
pub mod snapshot;
