//! Digests and sketches of what a run wrote.
