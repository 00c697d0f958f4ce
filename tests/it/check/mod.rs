//! The gate: `driftlock check` and `driftlock init` through the built binary, and the forms of findings.

mod formats;
