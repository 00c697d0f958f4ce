//! `match`.

use rustpython_ruff_python_ast::{MatchCase, Pattern, Singleton, StmtMatch};

use super::{Flow, Interp};
use crate::workload::value::{K, Val};

impl<'a> Interp<'a> {
    pub(in crate::workload) fn match_(&mut self, s: &'a StmtMatch) -> Flow {
        let subject = self.eval(&s.subject);
        self.rec.used(subject.t);
        self.cases(&subject, &s.cases)
    }

    fn cases(&mut self, subject: &Val, cases: &'a [MatchCase]) -> Flow {
        let Some((case, rest)) = cases.split_first() else { return Flow::Next };
        let mut hit = self.matches(subject, &case.pattern);
        if hit != Some(false)
            && let Some(guard) = &case.guard
        {
            let value = self.eval(guard);
            hit = match (hit, self.truth(&value)) {
                (_, Some(false)) => Some(false),
                (hit, Some(true)) => hit,
                _ => None,
            };
        }
        match hit {
            Some(true) => self.block(&case.body),
            Some(false) => self.cases(subject, rest),
            None => self.either(|s| s.block(&case.body), |s| s.cases(subject, rest), false),
        }
    }

    /// Whether a pattern fits, binding its names on the way.
    fn matches(&mut self, subject: &Val, pattern: &'a Pattern) -> Option<bool> {
        match pattern {
            Pattern::MatchValue(p) => {
                let value = self.eval(&p.value);
                let equal = self.compare(rustpython_ruff_python_ast::CmpOp::Eq, subject, &value);
                self.truth(&equal)
            }
            Pattern::MatchSingleton(p) => {
                let value = match p.value {
                    Singleton::None => Val::NONE,
                    Singleton::True => true.into(),
                    Singleton::False => false.into(),
                };
                (!matches!(subject.k, K::Any(_) | K::Union(_))).then(|| subject.k == value.k)
            }
            Pattern::MatchAs(p) => {
                let hit = p.pattern.as_ref().map_or(Some(true), |p| self.matches(subject, p));
                if let Some(name) = &p.name {
                    self.bind(&name.id, subject.clone());
                }
                hit
            }
            Pattern::MatchOr(p) => {
                let all: Vec<Option<bool>> = p.patterns.iter().map(|p| self.matches(subject, p)).collect();
                if all.contains(&Some(true)) {
                    Some(true)
                } else {
                    all.iter().all(|h| *h == Some(false)).then_some(false)
                }
            }
            Pattern::MatchSequence(p) => {
                let items = self.iterate(subject);
                for (i, pattern) in p.patterns.iter().enumerate() {
                    let item =
                        items.known.get(i).cloned().or_else(|| items.more.clone()).unwrap_or_else(Val::any);
                    self.matches(&item, pattern);
                }
                None
            }
            Pattern::MatchMapping(p) => {
                for pattern in &p.patterns {
                    self.matches(&Val::any(), pattern);
                }
                if let Some(rest) = &p.rest {
                    self.bind(&rest.id, Val::any());
                }
                None
            }
            Pattern::MatchClass(p) => {
                let patterns =
                    p.arguments.patterns.iter().chain(p.arguments.keywords.iter().map(|k| &k.pattern));
                for pattern in patterns {
                    self.matches(&Val::any(), pattern);
                }
                None
            }
            Pattern::MatchStar(p) => {
                if let Some(name) = &p.name {
                    self.bind(&name.id, Val::any());
                }
                Some(true)
            }
        }
    }
}
