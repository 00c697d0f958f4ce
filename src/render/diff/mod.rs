//! An explanation in each output format.

pub mod fix;
pub mod html;
pub mod human;
pub mod markdown;
pub mod unified;

use crate::explain::report::{Change, Report};
use crate::explain::settle::Standing;
use crate::snapshot::FactPath;
use crate::snapshot::value::shown;

/// So many causes are shown with all that is known of them; of the others, a line each.
pub const OPEN: usize = 5;

/// How the user named the two sides.
#[derive(Clone, Debug)]
pub struct Names {
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
}

/// The two values of a change as text; lists that are sets by what only one side has.
pub fn values(change: &Change) -> (String, String) {
    let path: FactPath = change.fact.parse().unwrap_or_else(|_| FactPath::new(change.fact.split('.')));
    let lists = (change.a.as_ref().and_then(|v| v.as_array()), change.b.as_ref().and_then(|v| v.as_array()));
    if let (Some(a), Some(b)) = lists {
        let only = |x: &[serde_json::Value], y: &[serde_json::Value]| {
            let items: Vec<String> = x.iter().filter(|i| !y.contains(i)).map(plain).collect();
            if items.is_empty() { "nothing more".to_owned() } else { items.join(" ") }
        };
        if a.len() + b.len() > 6 && (only(a, b), only(b, a)) != (only(a, a), only(b, b)) {
            return (shown(&only(a, b)).into_owned(), shown(&only(b, a)).into_owned());
        }
    }
    let text = |value: &Option<serde_json::Value>| match value {
        None => "absent".to_owned(),
        Some(json) => match of_json(json) {
            Some(value) => super::value(&path, &value),
            None => shown(&json.to_string()).into_owned(),
        },
    };
    (text(&change.a), text(&change.b))
}

fn plain(json: &serde_json::Value) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn of_json(json: &serde_json::Value) -> Option<crate::snapshot::Value> {
    use crate::snapshot::Value;
    Some(match json {
        serde_json::Value::String(text) => Value::Str(text.clone()),
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(n) => {
            n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Float))?
        }
        serde_json::Value::Array(items) => Value::List(items.iter().map(of_json).collect::<Option<_>>()?),
        _ => return None,
    })
}

/// How many changes are of each standing, in words: `12 cannot matter, 3 concern what the runs do not use`.
pub fn rest(report: &Report) -> Vec<(Standing, usize, &'static str)> {
    let words = [
        (Standing::Benign, "cannot matter"),
        (Standing::OutOfScope, "concern what these runs do not use"),
        (Standing::Unclassified, "no rule knows"),
        (Standing::Unknown, "cannot be judged"),
    ];
    words
        .into_iter()
        .map(|(standing, word)| {
            (standing, report.changes.iter().filter(|c| c.standing == standing).count(), word)
        })
        .filter(|(_, n, _)| *n > 0)
        .collect()
}

/// The changes that a finding is about, in the order of its facts.
pub fn changes_of<'r>(report: &'r Report, facts: &[String]) -> Vec<&'r Change> {
    facts.iter().filter_map(|f| report.changes.iter().find(|c| c.fact == *f)).collect()
}

/// The runs' scope in words: `torch and numpy on cpu`.
pub fn scope(report: &Report) -> String {
    let join = |list: &Option<Vec<String>>| list.as_ref().map(|l| l.join(", ")).filter(|l| !l.is_empty());
    let frameworks = join(&report.scope.frameworks).unwrap_or_else(|| "any framework".to_owned());
    let devices = join(&report.scope.devices).unwrap_or_else(|| "any device".to_owned());
    let from = match report.scope.from {
        crate::explain::scope::From::Run => "seen in the runs",
        crate::explain::scope::From::Flag => "as --scope says",
        crate::explain::scope::From::Inferred => "by what is installed",
    };
    shown(&format!("{frameworks} on {devices} ({from})")).into_owned()
}
