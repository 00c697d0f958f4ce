//! The environment that a program reads and changes.

use crate::workload::heap::Obj;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, K, Val};

impl<'a> Interp<'a> {
    /// Whether a value is `os.environ`.
    pub(in crate::workload) fn is_environ(&self, value: &Val) -> bool {
        matches!(value.k, K::Ref(id) if id == self.environ)
    }

    /// A variable is looked at: a fact of this run, where the program has not set it before.
    pub(in crate::workload) fn read_environment(&mut self, name: &str) {
        if !self.rec.sets_env.contains_key(name) {
            self.rec.read(format!("env.{name}"));
        }
    }

    /// The value of a variable, or the default where it is not set.
    pub(in crate::workload) fn environment(&mut self, key: &Val, default: Option<&Val>) -> Val {
        let Some(name) = key.as_str().map(str::to_owned) else {
            self.rec.read("env.**");
            return Val::of(Hint::Str).join(default.unwrap_or(&Val::NONE));
        };
        self.read_environment(&name);
        let Obj::Dict { items, .. } = self.heap.get(self.environ) else { return Val::any() };
        let found = items.iter().find(|(k, _)| k.as_str() == Some(&name)).map(|(_, v)| v.clone());
        match (found, default) {
            (Some(value), _) => value,
            (None, Some(default)) => default.clone(),
            // A KeyError: what follows is not reached, but the analysis goes on as if it were set.
            (None, None) => Val::of(Hint::Str),
        }
    }

    /// A variable is set, or with `None` removed.
    pub(in crate::workload) fn set_environment(&mut self, key: &Val, value: Option<&Val>) {
        let Some(name) = key.as_str().map(str::to_owned) else { return };
        self.rec.effects += 1;
        let text = value.and_then(|v| v.as_str().map(str::to_owned));
        self.rec.sets_env.insert(name, text);
    }

    /// Methods of `os.environ`; `None` for those of any dict.
    pub(in crate::workload) fn environ_method(&mut self, name: &str, args: &Args) -> Option<Val> {
        let key = args.pos.first().cloned();
        let environ = Val::from(self.environ);
        Some(match (name, key) {
            ("get", Some(key)) => {
                let default = args.get(1, "default").cloned().unwrap_or(Val::NONE);
                self.environment(&key, Some(&default))
            }
            ("setdefault", Some(key)) => {
                let value = args.get(1, "default").cloned().unwrap_or(Val::NONE);
                let known = self.has_variable(&key);
                self.environment(&key, Some(&value));
                if !known {
                    self.set_item(&environ, &key, value.clone());
                }
                self.variable(&key).unwrap_or(value)
            }
            ("pop", Some(key)) => {
                let default = args.get(1, "default").cloned().unwrap_or(Val::NONE);
                let value = self.environment(&key, Some(&default));
                self.set_environment(&key, None);
                if let Obj::Dict { items, .. } = self.heap.get_mut(self.environ) {
                    items.retain(|(k, _)| k.k != key.k);
                }
                value
            }
            ("__contains__", Some(key)) => {
                self.environment(&key, None);
                self.has_variable(&key).into()
            }
            ("items" | "values" | "keys" | "copy", _) => {
                self.rec.read("env.**");
                return None;
            }
            _ => return None,
        })
    }

    fn variable(&self, key: &Val) -> Option<Val> {
        match self.heap.get(self.environ) {
            Obj::Dict { items, .. } => items.iter().find(|(k, _)| k.k == key.k).map(|(_, v)| v.clone()),
            _ => None,
        }
    }

    fn has_variable(&self, key: &Val) -> bool {
        self.variable(key).is_some()
    }
}
