//! The tests of this part.
