//! Which of the packages that a lock names is installed, as facts.

use std::collections::BTreeMap;

use super::pythons::{Pythons, When};
use super::{Draft, Package, normalise, put};

/// How many alternatives a reason lists.
const LISTED: usize = 6;

/// What a lock offers: by name, the packages and for which versions of Python each is chosen.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct Choices {
    by_name: BTreeMap<String, Vec<(Package, When)>>,
    aside: BTreeMap<String, String>,
}

impl Choices {
    /// One more.
    pub(in crate::import) fn add(&mut self, name: &str, package: Package, when: When) {
        let offers = self.by_name.entry(normalise(name)).or_default();
        match offers.iter_mut().find(|(other, _)| *other == package) {
            Some((_, before)) => *before = before.or(when),
            None => offers.push((package, when)),
        }
    }

    /// The lock names it, and it is not installed by default: `why` says when it is.
    pub(in crate::import) fn aside(&mut self, name: &str, why: impl Into<String>) {
        self.aside.entry(normalise(name)).or_insert_with(|| why.into());
    }

    /// Records them. What is chosen for every Python is found, what for some is unknown, the rest is left to what
    /// the draft says of the section.
    pub(in crate::import) fn put(self, draft: &mut Draft, pythons: &Pythons, silent: &str) {
        let all = pythons.all().sure;
        let mut unsure = self.aside;
        for (name, offers) in self.by_name {
            let mut chosen = offers.into_iter().filter(|(_, when)| when.maybe != 0);
            match (chosen.next(), chosen.next()) {
                (None, _) => continue,
                (Some((package, when)), None) if when.sure == all => put(draft, &name, &package, silent),
                (first, second) => {
                    let offers: Vec<(Package, When)> =
                        first.into_iter().chain(second).chain(chosen).collect();
                    let reason = reason(&offers, pythons);
                    draft.unknown_at(["python", "packages", &name], &reason);
                }
            }
            unsure.remove(&name);
        }
        for (name, why) in unsure {
            draft.unknown_at(["python", "packages", &name], &why);
        }
    }
}

/// `2.2.6 for Python 3.10, 2.3.5 for Python 3.11 and newer`.
fn reason(offers: &[(Package, When)], pythons: &Pythons) -> String {
    let mut parts: Vec<String> = offers
        .iter()
        .take(LISTED)
        .map(|(package, when)| {
            let what = package.version.as_deref().or(package.origin.as_deref()).unwrap_or("no version");
            match when.sure {
                0 => format!("perhaps `{what}`"),
                sure => format!("`{what}` for Python {}", pythons.words(sure)),
            }
        })
        .collect();
    if offers.len() > LISTED {
        parts.push(format!("{} more", offers.len() - LISTED));
    }
    format!("the lock leaves it open: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Looked;

    #[test]
    fn one_for_all_is_found_and_several_are_unknown() {
        let mut pythons = Pythons::new(Some(">=3.10"), ["python_version < '3.11'"]);
        let no = |_: &str| false;
        let (all, old) = (pythons.all(), pythons.when("python_version < '3.11'", &no));
        let new = pythons.when("python_version >= '3.11'", &no);
        let mut choices = Choices::default();
        choices.add("A_b", Package::of("1"), all);
        choices.add("numpy", Package::of("2.2"), old);
        choices.add("numpy", Package::of("2.3"), new);
        choices.add("same", Package::of("1"), old);
        choices.add("same", Package::of("1"), new);
        choices.add("never", Package::of("1"), When::default());
        choices.aside("extra", "only with the extra `x`");
        let mut draft = Draft::new("uv_lock");
        draft.absent("python.packages");
        choices.put(&mut draft, &pythons, "not said");
        let snapshot = draft.finish("");
        let look = |name: &str| {
            snapshot.look(&crate::snapshot::FactPath::new(["python", "packages", name, "version"]))
        };
        assert_eq!(look("a-b"), Looked::Value(&"1".into()));
        assert_eq!(look("same"), Looked::Value(&"1".into()));
        assert_eq!(look("never"), Looked::Absent);
        assert_eq!(look("extra"), Looked::Unknown("only with the extra `x`"));
        let reason = "the lock leaves it open: `2.2` for Python 3.10, `2.3` for Python 3.11 and newer";
        assert_eq!(look("numpy"), Looked::Unknown(reason));
    }
}
