//! `jax.print_environment_info()`.

use super::{Draft, Format, Input, env, nvidia_smi, packages, platform, text};
use crate::error::Error;
use crate::snapshot::{FactPath, Snapshot};

/// See the module.
pub struct JaxInfo;

impl Format for JaxInfo {
    fn name(&self) -> &'static str {
        "jax_info"
    }

    fn title(&self) -> &'static str {
        "jax.print_environment_info()"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        let start = |mark: &str| input.text.lines().any(|line| text::unmarked(line).starts_with(mark));
        let marks = ["jax:", "jaxlib:", "jax.devices (", "process_count:", "device info:"];
        match marks.iter().filter(|mark| start(mark)).count() {
            n if n >= 3 => 92,
            2 if start("jaxlib:") => 80,
            _ => 0,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        let text = text::clean(input.text);
        let mut draft = Draft::new(self.name());
        let pairs: Vec<(&str, &str)> = text.lines().filter_map(text::pair).collect();
        let get = |key: &str| pairs.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
        if get("jax").is_none() && get("jaxlib").is_none() {
            return Err(Error::input(format!(
                "`{}`: neither `jax:` nor `jaxlib:` is here",
                input.path.display()
            ))
            .hint("these are the first two lines of jax.print_environment_info()"));
        }
        for name in ["jax", "jaxlib", "numpy"] {
            packages::distribution(&mut draft, name, get(name).unwrap_or_default());
        }
        if let Some(version) = get("python") {
            platform::python(&mut draft, version);
        }
        if let Some(uname) = get("platform") {
            self::uname(&mut draft, uname);
        }
        for (key, value) in &pairs {
            if key.starts_with("jax.devices") || matches!(*key, "device info" | "process_count") {
                draft.meta.insert(FactPath::new(["meta", "dump", key]), (*value).into());
            }
        }
        for (name, value) in text.lines().filter_map(env::assignment) {
            env::variable(&mut draft, name, value);
        }
        nvidia_smi::table::read(&mut draft, &text);
        packages::sections(&mut draft);
        draft.rest_unknown("print_environment_info");
        Ok(draft.finish(&text))
    }
}

/// `uname_result(system='Linux', node='…', release='6.5.0', version='#1 SMP …', machine='x86_64')`: what
/// `platform.uname()` prints.
pub fn uname(draft: &mut Draft, text: &str) {
    let field = |name: &str| {
        let (_, rest) = text.split_once(&format!("{name}='"))?;
        rest.split_once('\'').map(|(value, _)| value).filter(|value| !value.is_empty())
    };
    let Some(system) = field("system") else { return };
    draft.set("os.family", system.to_ascii_lowercase());
    draft.set_opt("os.kernel", field("release"));
    draft.set_opt("os.kernel_build", field("version"));
    draft.set_opt("os.arch", field("machine"));
    if let Some(kind) = field("release").and_then(crate::probes::os::wsl) {
        draft.set("os.emulation", kind);
    }
    if let Some(node) = field("node") {
        draft.meta("host", node);
    }
}
