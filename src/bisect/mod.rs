//! `bisect`: which difference did it, proved by running the command under mixtures of A and B.
//!
//! [`factors`] turns an explanation into factors that can be set, ranked, and what cannot; [`mixture`] says what a set of
//! them means for a probe; [`prober`] runs it in a [`place`] of its own, in an environment that [`venv`] makes;
//! [`engine`] searches; [`session`] leads from the ground to the answer; [`cache`] keeps what was found; [`report`] is the
//! public form of it all. `docs/reference/bisect.md` says what a user may rely on.

pub mod cache;
pub mod compare;
pub mod engine;
pub mod factor;
pub mod factors;
pub mod interpreters;
pub mod mixture;
pub mod place;
pub mod prober;
pub mod progress;
pub mod report;
pub mod session;
pub mod start;
pub mod stop;
pub mod venv;
