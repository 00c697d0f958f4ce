//! The workload: what the user's own program is and does, read from its source without running it.
