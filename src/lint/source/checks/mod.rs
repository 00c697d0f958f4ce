//! The checks, one per file. A check of a file looks at that file alone; what is said of a whole program is in
//! `program`.

mod autotune;
mod clock_seed;
mod cublas_late;
mod generator;
mod hash_seed;
mod hash_value;
mod listing;
mod loader;
mod set_order;
mod tf32;
mod warn_only;

pub(super) use set_order::{annotates_numbers, is_set};

use super::file::{File, Hit};

/// A check: the id of its rule, and what finds it.
type Check = (&'static str, fn(&File<'_>, &mut Vec<Hit>));

/// What tests may do: the order in which they do things, and what they draw, is no result.
pub(super) const NOT_OF_TESTS: [&str; 5] =
    [clock_seed::RULE, generator::RULE, hash_value::RULE, listing::RULE, set_order::RULE];

/// Every check of one file, in the order of the rules' ids.
pub(super) const ALL: [Check; 11] = [
    (autotune::RULE, autotune::check),
    (clock_seed::RULE, clock_seed::check),
    (cublas_late::RULE, cublas_late::check),
    (generator::RULE, generator::check),
    (hash_seed::RULE, hash_seed::check),
    (hash_value::RULE, hash_value::check),
    (listing::RULE, listing::check),
    (loader::RULE, loader::check),
    (set_order::RULE, set_order::check),
    (tf32::RULE, tf32::check),
    (warn_only::RULE, warn_only::check),
];
