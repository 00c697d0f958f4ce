//! driftlock: why do these two runs not give the same numbers?
//!
//! The data flow: [`host`] is the machine; [`probes`] read it, each one section; [`capture`] runs them side by side
//! into a [`snapshot`], redacted by [`redact`] and classified by [`facts`]; [`import`] makes one of a foreign dump. [`diff`]
//! compares two, [`explain`] judges the changes by rules, [`gate`] by a policy; [`render`] shows it. Every arrow but the
//! first and the last is a pure function over plain data, its order total, so that each stage can start from a file.
//!
//! Around it: [`run`] watches a command ([`workload`] reads its program, [`outputs`] digests what it wrote), [`lint`]
//! finds hazards in source, [`selftest`] measures operations, [`bisect`] proves causes by running the command again.

#[expect(
    clippy::disallowed_methods,
    reason = "it makes the places that probes run in, and looks at what they wrote"
)]
pub mod bisect;
pub mod capture;
pub mod cli;
#[expect(clippy::disallowed_methods, reason = "`--replay` reads a recording")]
pub mod commands;
#[expect(clippy::disallowed_methods, reason = "the engine that digests data reads it")]
pub mod data;
pub mod diff;
pub mod error;
pub mod exit;
pub mod explain;
pub mod facts;
pub mod gate;
#[expect(clippy::disallowed_methods, reason = "this is the door to the machine")]
pub mod host;
pub mod import;
#[expect(clippy::disallowed_methods, reason = "it reads the sources that it judges")]
pub mod lint;
#[expect(clippy::disallowed_methods, reason = "the engine that digests outputs reads them")]
pub mod outputs;
pub mod probes;
pub mod redact;
pub mod render;
#[expect(clippy::disallowed_methods, reason = "it watches the user's command, not the machine")]
pub mod run;
pub mod selftest;
pub mod snapshot;
#[expect(clippy::disallowed_methods, reason = "the engine that follows the program reads its source files")]
pub mod workload;
