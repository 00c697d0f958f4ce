//! What driftlock and an engine say to each other: one request as JSON argument, JSON lines as answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::result::{Output, Raised};

/// What to compute, in which state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// `cpu`, `cuda:0`, `mps`.
    pub device: String,
    /// Threads on the CPU; as found without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u32>,
    /// Flags of the library to set and to read back.
    #[serde(default)]
    pub flags: BTreeMap<String, i64>,
    /// Busy side streams.
    #[serde(default)]
    pub load: u32,
    /// Whether error signatures are computed.
    #[serde(default)]
    pub signatures: bool,
    /// Whether to wait for a line on standard input once the libraries are loaded; the end of the input ends all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
    /// Rounds operands as if the machine did: for tests of the classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulate: Option<String>,
    /// The operations in order.
    pub operations: Vec<Asked>,
}

/// One operation, and how often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// At least so many runs.
    pub runs: u32,
    /// At most so many; the repeats end at the first different result.
    #[serde(default)]
    pub most_runs: u32,
    /// No further run begins after this many seconds.
    #[serde(default)]
    pub seconds: f64,
    /// See [`super::catalogue::Operation::reference`].
    #[serde(default)]
    pub reference: bool,
    /// See [`super::catalogue::Operation::hypotheses`].
    #[serde(default)]
    pub hypotheses: bool,
    /// Whether digests of the outputs' bytes alone are wanted, to compare outputs with each other.
    #[serde(default)]
    pub values: bool,
}

/// One line of the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "lowercase")]
pub enum Line {
    /// The first: what computes.
    Hello(Map<String, Json>),
    /// An operation begins: it is named where the process dies.
    Start {
        /// Its id.
        id: String,
    },
    /// An operation is done.
    Operation(Measured),
    /// The request can't be served.
    Failed {
        /// `no-device`, `flag`, `abi`, `request`.
        kind: String,
        /// In words.
        message: String,
    },
    /// The last.
    Done,
}

/// What an operation gave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The most frequent digest.
    pub digest: String,
    /// How often it ran.
    pub runs: u32,
    /// How many different results there were.
    #[serde(default)]
    pub distinct: u32,
    /// How often the most frequent one came.
    #[serde(default)]
    pub often: u32,
    /// The outputs of the most frequent result.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
    /// The error in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Raised>,
    /// Digests of the outputs' bytes alone, where asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bytes: BTreeMap<String, String>,
    /// Why there is no signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_signature: Option<String>,
    /// Milliseconds of one run.
    #[serde(default)]
    pub ms: f64,
}
