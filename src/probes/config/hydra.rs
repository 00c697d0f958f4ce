//! A Hydra run's folder: what the run was started with, as Hydra wrote it down.
//!
//! Hydra saves `config.yaml` (the composed configuration without the `hydra` node), `overrides.yaml` (the command
//! line's list) and `hydra.yaml` (the `hydra` node) into `.hydra` below the run's output folder
//! (hydra.cc/docs/tutorials/basic/running_your_app/working_directory). Of the last one only what tells two runs
//! apart is kept: the rest is log formats, help texts, and folders named after the time.

use std::path::{Path, PathBuf};

use super::node::Node;
use super::source::{Fault, LoadedFile, flat, load as read};
use crate::host::Host;
use crate::redact::env_value;
use crate::snapshot::Value;

/// What is kept of `hydra.yaml`, at and below these keys.
const KEPT: [&[&str]; 6] = [
    &["hydra", "runtime", "version"],
    &["hydra", "runtime", "version_base"],
    &["hydra", "runtime", "choices"],
    &["hydra", "job", "config_name"],
    &["hydra", "job", "chdir"],
    &["hydra", "job", "env_set"],
];

/// The values of the run whose output folder, or whose `.hydra` folder, `folder` is.
pub(super) fn load(
    host: &dyn Host,
    folder: &Path,
    files: &mut Vec<LoadedFile>,
) -> Result<Vec<(Vec<String>, Value)>, Fault> {
    let below: PathBuf = folder.join(".hydra");
    let folder = if host.exists(&below) { below } else { folder.to_path_buf() };
    let (config, hydra, overrides) =
        (folder.join("config.yaml"), folder.join("hydra.yaml"), folder.join("overrides.yaml"));
    if !host.exists(&config) || !(host.exists(&hydra) || host.exists(&overrides)) {
        return Err(Fault {
            path: folder,
            line: None,
            what: "a folder, and not one that Hydra wrote".to_owned(),
            hint: Some("give the configuration file itself; of a Hydra run, the output folder or its .hydra"),
        });
    }
    let mut values = flat(&config, &read(host, &config, files)?)?;
    if host.exists(&overrides) {
        let documents = read(host, &overrides, files)?;
        let key = ["hydra", "overrides", "task"].map(str::to_owned).to_vec();
        values.push((key, Value::List(documents.iter().flat_map(texts).map(|text| hidden(&text)).collect())));
    }
    if host.exists(&hydra) {
        // Its digest is left out: the file holds the time of the run.
        let all = flat(&hydra, &read(host, &hydra, &mut Vec::new())?)?;
        values.extend(all.into_iter().filter(|(key, _)| is_kept(key)));
    }
    Ok(values)
}

fn is_kept(key: &[String]) -> bool {
    // The choices for Hydra itself: its launcher, its logging, its help.
    let own = key.get(3).is_some_and(|choice| choice.starts_with("hydra/"));
    !own && KEPT.iter().any(|kept| key.iter().map(String::as_str).take(kept.len()).eq(kept.iter().copied()))
}

fn texts(list: &Node) -> Vec<String> {
    match list {
        Node::List(items) => items.iter().flat_map(|item| texts(item)).collect(),
        Node::Leaf(value) => vec![value.plain()],
        Node::Table(_) => Vec::new(),
    }
}

/// `KEY=VALUE` with a secret's value replaced.
fn hidden(text: &str) -> Value {
    let Some((key, value)) = text.split_once('=') else {
        return text.into();
    };
    let name = key.trim_start_matches(['+', '~']).rsplit('.').next().unwrap_or(key);
    format!("{key}={}", env_value(name, value).text()).into()
}
