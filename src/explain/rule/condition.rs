//! The condition language: small and closed.

use serde::{Deserialize, Serialize};

use super::Scalar;

/// When a rule is raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A statement on a fact.
    Fact(Predicate),
}

/// A statement on a fact, or on any of the facts that a pattern names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicate {
    /// The path or pattern.
    pub fact: String,
    /// On which side.
    pub side: Side,
    /// What is said of it.
    pub operator: Operator,
}

/// On which side of a pair a predicate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// On either.
    Either,
    /// On both.
    Both,
    /// On the first.
    A,
    /// On the second.
    B,
}

/// What a predicate says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operator {
    /// Whether it was found at all.
    Is(Is),
    /// It is this value.
    Equals(Scalar),
    /// It is one of these values.
    OneOf(Vec<Scalar>),
    /// It is this or more.
    AtLeast(Scalar),
    /// It is less.
    Below(Scalar),
    /// Its text matches.
    Matches(String),
    /// It holds this.
    Contains(Scalar),
    /// The facts that the pattern names (or the items of a list) have more than one value.
    Several,
    /// It is a number above another fact's, which is counted in parts of this unit and rounded up.
    Above {
        /// The other fact.
        fact: String,
        /// How many of its units make one.
        unit: i64,
    },
    /// It differs, or does not.
    Changed(bool),
    /// A version differs in this part or in a more significant one.
    ChangedBy(Part),
    /// One side is below, the other at least this.
    Crosses(Scalar),
}

/// Whether a fact was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Is {
    /// Looked, and found.
    Present,
    /// Looked, and it is not there.
    Absent,
    /// Could not look.
    Unknown,
}

/// A part of a version, the most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The first number.
    Major,
    /// The second.
    Minor,
    /// The third.
    Patch,
    /// Anything behind it: a pre-release, a local tag.
    Build,
}
