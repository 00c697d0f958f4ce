//! `driftlock diff` through the built binary.
