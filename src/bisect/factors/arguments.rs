//! Words of the command line, where both sides recorded theirs (`run.command`) and the user's is one of them.

use super::{Maker, standing};
use crate::bisect::factor::{Factor, Kind, Setting, settable};
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// Factors of the words that differ.
pub(super) fn factors(maker: &mut Maker<'_>) {
    let path = FactPath::new(["run", "command"]);
    if !maker.changes().any(|c| c.path == path) {
        return;
    }
    let words = |s: &Snapshot| match s.look(&path) {
        Looked::Value(Value::List(items)) => Some(items.iter().map(Value::plain).collect::<Vec<_>>()),
        _ => None,
    };
    let (Some(a), Some(b)) = (words(maker.a), words(maker.b)) else {
        maker.uncontrolled(&path, "only one side recorded its command line");
        return;
    };
    let own: Vec<String> = maker.program.argv.iter().map(|w| w.to_string_lossy().into_owned()).collect();
    // Behind the program: how the interpreter is called is another matter, and so is where a script lies.
    let fits = |side: &[String]| {
        side.len() == own.len()
            && side.iter().zip(&own).skip(1).all(|(x, y)| x == y || x.contains('{') || x.contains('~'))
    };
    if !fits(&a) && !fits(&b) {
        maker.uncontrolled(&path, "the command given here is neither A's nor B's; give one of them");
        return;
    }
    let given = if fits(&a) { &a } else { &b };
    let (standing, finding) = standing(maker.explanation, std::slice::from_ref(&path));
    let mut add = |id: String, shown: [String; 2], at: usize, count: usize, words: [Vec<String>; 2]| {
        let whole = words.iter().flatten().all(|w| settable(&Value::from(w.as_str())).is_some());
        if !whole {
            maker.uncontrolled(
                &path,
                "a snapshot does not hold a word of the command line (a secret, or a name)",
            );
            return;
        }
        let settings = words.map(|words| vec![Setting::Words { at, count, words }]);
        maker.add(Factor {
            id,
            kind: Kind::Argument,
            facts: vec![path.clone()],
            shown,
            how: "on the command line".to_owned(),
            simulated: false,
            standing,
            finding,
            settings,
        });
    };
    if a.len() != b.len() {
        let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count().max(1);
        let (tail_a, tail_b) = (a[same.min(a.len())..].to_vec(), b[same.min(b.len())..].to_vec());
        let shown =
            [tail_a.join(" "), tail_b.join(" ")].map(|t| if t.is_empty() { "absent".to_owned() } else { t });
        let count = given.len().saturating_sub(same);
        add("arguments".to_owned(), shown, same, count, [tail_a, tail_b]);
        return;
    }
    for (at, (x, y)) in a.iter().zip(&b).enumerate().skip(1).filter(|(_, (x, y))| x != y) {
        let flag = a.get(at - 1).filter(|w| w.starts_with('-') && !w.contains('='));
        let name = match (x.split_once('='), flag) {
            (Some((name, _)), _) if name.starts_with('-') => name.trim_start_matches('-').to_owned(),
            (_, Some(flag)) => flag.trim_start_matches('-').to_owned(),
            _ => at.to_string(),
        };
        add(format!("arguments.{name}"), [x.clone(), y.clone()], at, 1, [vec![x.clone()], vec![y.clone()]]);
    }
}
