//! TensorFlow's `tools/tf_env_collect.sh`.

use std::collections::BTreeMap;

use super::{Draft, Format, Input, env, jax_info, nvidia_smi, packages, platform, text};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub struct TfEnvCollect;

impl Format for TfEnvCollect {
    fn name(&self) -> &'static str {
        "tf_env_collect"
    }

    fn title(&self) -> &'static str {
        "tools/tf_env_collect.sh (TensorFlow)"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let marks = [
            "== check python",
            "== check os platform",
            "== check pips",
            "== tensorflow import",
            "== cuda libs",
            "== cat /etc/issue",
        ];
        match marks.iter().filter(|mark| input.text.contains(**mark)).count() {
            0 => 0,
            1 => 60,
            _ => 92,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let text = text::clean(input.text);
        let parts = sections(&text);
        if parts.is_empty() {
            return Err(Error::input(format!(
                "`{}`: no heading of tf_env_collect.sh is here",
                input.path.display()
            ))
            .hint("looked for `== check python ====`"));
        }
        let lines = |name: &str| parts.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut draft = Draft::new(self.name());
        let field = |section: &str, key: &str| {
            lines(section)
                .iter()
                .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':'))
                .map(str::trim)
        };
        if let Some(version) = field("check python", "python version") {
            platform::python(&mut draft, version);
        }
        draft.set_opt(
            "python.implementation",
            field("check python", "python implementation")
                .map(str::to_ascii_lowercase)
                .filter(|n| matches!(n.as_str(), "cpython" | "pypy" | "graalpy")),
        );
        if let Some(uname) = field("check os platform", "uname") {
            jax_info::uname(&mut draft, uname);
        }
        if let Some(platform) = field("check os platform", "os platform") {
            platform::platform(&mut draft, platform);
        }
        // `('debian', 'stretch/sid', '')`: the distribution's own release is behind this one's aliases.
        if let Some(distribution) = field("check os platform", "linux distribution") {
            let id = distribution
                .trim_start_matches(['(', '\'', '"'])
                .split(['\'', '"'])
                .next()
                .unwrap_or_default();
            draft.set_opt(
                "os.distribution",
                Some(id.to_ascii_lowercase()).filter(|id| !id.is_empty() && !id.contains(' ')),
            );
        }
        if lines("are we in docker").iter().any(|line| line.trim() == "Yes") {
            draft.set("container.runtime", "docker");
        }
        for row in lines("check pips") {
            let mut words = row.split_whitespace();
            if let (Some(name), Some(version)) = (words.next(), words.next()) {
                packages::distribution(&mut draft, name, version);
            }
        }
        for line in lines("tensorflow import") {
            let Some((key, value)) = line.split_once('=') else { continue };
            if matches!(key.trim(), "tf.version.VERSION" | "tf.VERSION" | "tf.__version__") {
                draft.set_opt("tensorflow.version", Some(value.trim()).filter(|v| packages::is_version(v)));
            }
        }
        for line in lines("env") {
            // `NAME VALUE`, or `NAME is unset`, which is absent.
            if let Some((name, value)) =
                line.split_once(' ').filter(|(name, rest)| env::is_name(name) && *rest != "is unset")
            {
                env::variable(&mut draft, name, value.trim());
            }
        }
        nvidia_smi::table::read(&mut draft, &text);
        packages::sections(&mut draft);
        draft.rest_unknown("tf_env_collect.sh");
        Ok(draft.finish(&text))
    }
}

/// The lines below each heading, `== check python ==========`.
fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        match line.strip_prefix("== ").and_then(|rest| rest.strip_suffix("==")) {
            Some(name) => current = Some(name.trim_matches(['=', ' '])),
            None => {
                if let Some(name) = current {
                    parts.entry(name).or_default().push(line);
                }
            }
        }
    }
    parts
}
