//! What the probes of libraries with native code share: what the dynamic loader would load, which release a library
//! is of, and values out of Python files that are not run.

pub mod blas;
pub mod ldcache;
pub mod loader;
pub mod native;
pub mod owner;
pub mod text;
