//! A factor: one difference of A and B that driftlock can set to either side's value, and what setting it means.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::explain::Standing;
use crate::snapshot::{FactPath, Value};

/// One difference that a mixture can have either way.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    /// Its name: `env.OMP_NUM_THREADS`, `packages.torch`, `git.commit`.
    pub id: String,
    /// What is set.
    pub kind: Kind,
    /// The facts that it stands for.
    pub facts: Vec<FactPath>,
    /// The values, for people.
    pub shown: [String; 2],
    /// How it is set, in a sentence.
    pub how: String,
    /// Whether another thing is set in the place of the real difference: a CPU's code path by a library's switch.
    pub simulated: bool,
    /// What the explanation says of its facts: the most severe.
    pub standing: Standing,
    /// The first finding among the causes that speaks for one of its facts, from 0.
    pub finding: Option<usize>,
    /// What to set for A and for B.
    pub settings: [Vec<Setting>; 2],
}

/// What a factor sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An environment variable.
    Variable,
    /// The CPUs that the process may use, or the number of threads.
    Threads,
    /// The code path that a library takes on the CPU.
    CodePath,
    /// Python packages that move together.
    Package,
    /// The interpreter, with the packages that belong to it.
    Python,
    /// The commit.
    Commit,
    /// What was not committed.
    Patch,
    /// A value of a configuration file.
    Config,
    /// A word of the command line.
    Argument,
}

/// One thing to set.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// An environment variable; `None` takes it away. A `soft` one yields to one that is set otherwise.
    Variable {
        /// Its name.
        name: String,
        /// Its value, with the labels that snapshots write for paths.
        value: Option<String>,
        /// Whether it yields.
        soft: bool,
    },
    /// The CPUs.
    Cpus(Vec<u32>),
    /// A package's version; `None` leaves it out.
    Package {
        /// Its normalised name.
        name: String,
        /// The version.
        version: Option<String>,
    },
    /// The interpreter of A (0) or of B (1).
    Python(usize),
    /// A commit.
    Commit(String),
    /// A patch on top of the commit; `None` is no patch.
    Patch(Option<String>),
    /// A value in every one of these files that has the key.
    Config {
        /// The files, relative to the project.
        files: Vec<PathBuf>,
        /// The key, segment by segment.
        key: Vec<String>,
        /// The value; `None` takes the key away.
        value: Option<Value>,
    },
    /// The words of the command line from this one on, `count` of them, are these.
    Words {
        /// The first.
        at: usize,
        /// How many are replaced.
        count: usize,
        /// By what, with labels.
        words: Vec<String>,
    },
}

/// A difference that no mixture can set.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncontrolled {
    /// The fact.
    pub fact: FactPath,
    /// The values, for people.
    pub shown: [String; 2],
    /// Why it cannot be set.
    pub why: String,
    /// What the explanation says of it.
    pub standing: Standing,
    /// The first finding among the causes that speaks for it, from 0.
    pub finding: Option<usize>,
}

/// A value for people.
pub fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::plain)
}

/// Marks of what a snapshot replaced and nobody can put back.
const HIDDEN: [&str; 9] =
    ["secret:", "private:", "{user}", "{host}", "{domain}", "{uuid}", "{serial}", "{mac}", "{ip}"];

/// The text that a fact's value stands for, labels of paths still in it; `None` where the snapshot does not hold all
/// of it. A list is one of paths, joined with colons.
pub fn settable(value: &Value) -> Option<String> {
    let text = match value {
        Value::List(items) => items.iter().map(Value::plain).collect::<Vec<_>>().join(":"),
        other => other.plain(),
    };
    let whole = !text.contains('\0') && !HIDDEN.iter().any(|mark| text.contains(mark));
    whole.then_some(text)
}

/// Where the labels of snapshots lead.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `~`
    pub home: Option<PathBuf>,
    /// `{project}`
    pub project: Option<PathBuf>,
    /// `{env}`
    pub env: Option<PathBuf>,
    /// `{base}`
    pub base: Option<PathBuf>,
}

impl Places {
    /// The text with its labels replaced; `None` where one leads nowhere. `~` counts at the start of an entry only.
    pub fn expand(&self, text: &str) -> Option<String> {
        let entries: Option<Vec<String>> = text.split(':').map(|entry| self.entry(entry)).collect();
        entries.map(|entries| entries.join(":"))
    }

    fn entry(&self, entry: &str) -> Option<String> {
        let path = |place: &Option<PathBuf>| place.as_ref().and_then(|p| p.to_str()).map(str::to_owned);
        let mut out = match entry.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => path(&self.home)? + rest,
            _ => entry.to_owned(),
        };
        for (label, place) in [("{project}", &self.project), ("{env}", &self.env), ("{base}", &self.base)] {
            if out.contains(label) {
                out = out.replace(label, &path(place)?);
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_lead_where_they_say() {
        let places = Places {
            home: Some("/home/ada".into()),
            project: Some("/srv/p".into()),
            env: Some("/venv".into()),
            base: None,
        };
        for (text, path) in [
            ("4", Some("4")),
            ("~/bin:/usr/bin:", Some("/home/ada/bin:/usr/bin:")),
            ("{env}/lib:{project}", Some("/venv/lib:/srv/p")),
            ("~ada", Some("~ada")),
            ("a~/b", Some("a~/b")),
            ("{base}/x", None),
        ] {
            assert_eq!(places.expand(text).as_deref(), path, "{text}");
        }
    }

    #[test]
    fn what_a_snapshot_does_not_hold_cannot_be_set() {
        assert_eq!(settable(&Value::from("4")).as_deref(), Some("4"));
        assert_eq!(settable(&Value::from(vec!["~/a", "/b"])).as_deref(), Some("~/a:/b"));
        assert_eq!(settable(&Value::from("secret:0123456789abcdef")), None);
        assert_eq!(settable(&Value::from("http://{host}/x")), None);
    }
}
