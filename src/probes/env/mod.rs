//! The `env` section.

pub(crate) mod allow;
pub mod glob;

use std::path::Path;

use super::{Context, Probe, ProbeError, Sink};
use crate::facts::{self, Class, Type};
use crate::redact::{Labels, env_value, secret};
use crate::snapshot::{FactPath, Value};

/// See the module.
pub struct Env;

impl Probe for Env {
    fn section(&self) -> &'static str {
        "env"
    }

    fn collect(&self, cx: &Context, out: &Sink) -> Result<(), ProbeError> {
        let asked =
            |name: &str| cx.options.env_all || cx.options.env.iter().any(|glob| glob::matches(glob, name));
        // Paths below the environment compare whatever its place. Its own place is shown by the other roots.
        let prefix = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().find_map(|name| cx.host.env(name));
        let labels =
            prefix.as_deref().filter(|p| !p.is_empty()).map(|p| cx.labels.with(Path::new(p), "{env}"));
        let labels = labels.as_ref().unwrap_or(&cx.labels);
        for (name, value) in cx.host.env_all() {
            // A key that the allowlist's prefixes take in by accident moves no result.
            let allowed = allow::allows(&name) && !secret::is_secret_name(&name);
            if !allowed && !asked(&name) {
                continue;
            }
            let labels = if is_prefix(&name) { &cx.labels } else { labels };
            out.set_at([name.as_str()], recorded(&name, &value, labels));
        }
        Ok(())
    }
}

/// A variable of an environment that is known by a dump as it is written; `None` where the probe would not record it.
pub(crate) fn of_dump(name: &str, value: &str) -> Option<Value> {
    let allowed = allow::allows(name) && !secret::is_secret_name(name);
    allowed.then(|| recorded(name, value, &Labels::default()))
}

fn is_prefix(name: &str) -> bool {
    matches!(name, "VIRTUAL_ENV" | "CONDA_PREFIX")
}

/// The value as it is written: without secrets, paths by their labels, lists (by the declaration of the fact) entry
/// by entry. The empty value is an empty list or text, and not the same as no variable.
pub(crate) fn recorded(name: &str, value: &str, labels: &Labels) -> Value {
    // Kept as a digest, so that nothing has to be hidden by a label; and the home folder's own label is the same for
    // every home.
    let path = FactPath::new(["env", name]);
    if facts::find(&path).is_some_and(|f| f.class == Class::Private) {
        return value.into();
    }
    let declared = facts::find(&FactPath::new(["env", name])).map(|fact| fact.kind);
    if declared != Some(Type::List) || secret::is_secret_name(name) {
        return shown(name, value, labels).into();
    }
    if value.is_empty() {
        return Value::List(Vec::new());
    }
    // ld.so(8): LD_PRELOAD is parted by colons or spaces.
    let is_sign = |c: char| c == ':' || (c == ' ' && name == "LD_PRELOAD");
    value.split(is_sign).map(|entry| shown(name, entry, labels)).collect::<Vec<_>>().into()
}

fn shown(name: &str, value: &str, labels: &Labels) -> String {
    let value = env_value(name, value).text().to_owned();
    if value.starts_with('/') { labels.show(Path::new(&value)) } else { value }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::host::recorded::Recorded;
    use crate::probes::Options;

    fn facts(env: &[(&str, &str)], options: Options) -> BTreeMap<String, String> {
        let mut host = Recorded { cwd: "/home/ada/p".into(), ..Recorded::default() };
        host.system.home = Some("/home/ada".into());
        host.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let out = Sink::new("env");
        Env.collect(&Context::new(Arc::new(host), options), &out).unwrap();
        out.snapshot(None)
            .facts
            .into_iter()
            .map(|(path, value)| (path.to_string(), value.to_string()))
            .collect()
    }

    #[test]
    fn lists_and_paths_go_by_labels() {
        let facts = facts(
            &[
                ("PATH", "/home/ada/p/.venv/bin::/home/ada/bin:/usr/bin"),
                ("LD_LIBRARY_PATH", ""),
                ("LD_PRELOAD", "/home/ada/a.so /b.so:/c.so"),
                ("VIRTUAL_ENV", "/home/ada/p/.venv"),
                ("TRITON_CACHE_DIR", "/home/ada/.triton"),
                ("OMP_NUM_THREADS", ""),
            ],
            Options::default(),
        );
        let expected = [
            ("env.LD_LIBRARY_PATH", "[]"),
            ("env.LD_PRELOAD", r#"["~/a.so", "/b.so", "/c.so"]"#),
            ("env.OMP_NUM_THREADS", r#""""#),
            ("env.PATH", r#"["{env}/bin", "", "~/bin", "/usr/bin"]"#),
            ("env.TRITON_CACHE_DIR", r#""~/.triton""#),
            ("env.VIRTUAL_ENV", r#""{project}/.venv""#),
        ];
        assert_eq!(facts, expected.map(|(path, value)| (path.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn secrets_are_left_out_or_replaced() {
        let env =
            [("NVIDIA_API_KEY", "hunter2"), ("XLA_FLAGS", "--x --api-key=hunter2"), ("HF_TOKEN", "hunter2")];
        let some = facts(&env, Options::default());
        assert_eq!(some.keys().collect::<Vec<_>>(), ["env.XLA_FLAGS"]);
        let all = facts(&env, Options { env_all: true, ..Options::default() });
        assert_eq!(all.len(), 3);
        assert!(all.values().all(|v| v.contains("secret:") && !v.contains("hunter2")), "{all:?}");
        let asked = facts(&env, Options { env: vec!["HF_*".to_owned()], ..Options::default() });
        assert_eq!(asked.keys().collect::<Vec<_>>(), ["env.HF_TOKEN", "env.XLA_FLAGS"]);
    }
}
