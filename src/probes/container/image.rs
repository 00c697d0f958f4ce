//! What the container was made from, as far as it can be seen from inside.

use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use crate::host::Host;
use crate::probes::{Context, Sink};
use crate::redact::env_value;
use crate::snapshot::Value;

/// The most labels and settings recorded of one file.
const MOST: usize = 256;

/// Apptainer and Singularity: the image file's name, and the labels that the build wrote into it.
pub(super) fn apptainer(cx: &Context, out: &Sink) {
    let host = cx.host.as_ref();
    let image = ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"].iter().find_map(|name| host.env(name));
    let name = ["APPTAINER_NAME", "SINGULARITY_NAME"].iter().find_map(|name| host.env(name));
    let image = image.filter(|path| !path.is_empty()).map(|path| cx.labels.show(Path::new(&path))).or(name);
    out.set_opt("image", image);
    match host.text(Path::new("/.singularity.d/labels.json")) {
        Ok(text) => match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text) {
            Ok(labels) => {
                for (name, value) in labels.iter().take(MOST) {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    out.set_at(["label", name], env_value(name, &value).text());
                }
            }
            Err(e) => out.unknown("label", format!("/.singularity.d/labels.json: {e}")),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => out.unknown("label", format!("/.singularity.d/labels.json: {e}")),
    }
}

/// Podman and Buildah: `/run/.containerenv` (podman-run(1)), empty unless the container is privileged.
pub(super) fn podman(host: &dyn Host, out: &Sink) {
    let Some(text) = host.maybe("/run/.containerenv") else {
        return;
    };
    let get = |wanted: &str| text.lines().find_map(|line| parse_assignment(line, wanted));
    out.set_opt("engine", get("engine"));
    out.set_opt("image", get("image"));
    out.set_opt("image_id", get("imageid").map(|id| format!("sha256:{id}")));
    out.set_opt("name", get("name"));
    out.set_opt("id", get("id"));
}

/// `name="value"`.
fn parse_assignment(line: &str, wanted: &str) -> Option<String> {
    let (name, value) = line.split_once('=')?;
    let value = value.trim().trim_matches('"');
    (name == wanted && !value.is_empty()).then(|| value.to_owned())
}

/// What the images of NVIDIA's catalogue (NGC) say of their build in their environment.
pub(super) fn ngc(host: &dyn Host, out: &Sink) {
    for (name, value) in host.env_all() {
        let Some(name) = name.strip_prefix("NVIDIA_") else {
            continue;
        };
        let build = matches!(name, "BUILD_ID" | "BUILD_REF" | "PRODUCT_NAME") || name.ends_with("_VERSION");
        if build && !value.is_empty() {
            out.set_at(["ngc", &name.to_ascii_lowercase()], value);
        }
    }
}

/// MLCube (mlcommons/mlcube): the platform that `mlcube.yaml` asks for, and the images it names.
pub(super) fn mlcube(cx: &Context, out: &Sink) {
    let host = cx.host.as_ref();
    let Some((path, text)) = project_file(host, "mlcube.yaml") else {
        return;
    };
    let text = match text {
        Ok(text) => text,
        Err(e) => return out.unknown("mlcube", format!("mlcube.yaml: {e}")),
    };
    if !is_tame(&text) {
        return out.unknown("mlcube", "mlcube.yaml: too large, or nested too deeply");
    }
    let documents = match YamlLoader::load_from_str(&text) {
        Ok(documents) => documents,
        Err(e) => return out.unknown("mlcube", format!("mlcube.yaml: {e}")),
    };
    out.set("mlcube_file", cx.labels.show(&path));
    let Some(Yaml::Hash(root)) = documents.first() else {
        return;
    };
    for section in ["platform", "docker", "singularity"] {
        if let Some(part) = root.get(&Yaml::String(section.to_owned())) {
            let mut left = MOST;
            flatten(&mut vec!["mlcube".to_owned(), section.to_owned()], part, &mut left, out);
        }
    }
}

/// The file in the working directory or above it, up to the root of the repository.
fn project_file(host: &dyn Host, name: &str) -> Option<(PathBuf, std::io::Result<String>)> {
    let cwd = host.cwd();
    for dir in cwd.ancestors() {
        let path = dir.join(name);
        match host.text(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            other => return Some((path, other)),
        }
        if host.exists(&dir.join(".git")) {
            break;
        }
    }
    None
}

/// Whether the parser, which recurses and copies aliases out, comes through in bounded stack and memory: deep nesting
/// needs brackets, several marks of a list on a line, or a growing indentation, which is quadratic in its depth.
fn is_tame(text: &str) -> bool {
    let brackets = text.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
    let aliases = text.bytes().filter(|b| *b == b'*').count();
    let marks = |line: &str| line.split_ascii_whitespace().filter(|w| matches!(*w, "-" | "?")).count();
    text.len() <= 32 << 10 && brackets <= 256 && aliases <= 32 && text.lines().all(|line| marks(line) <= 32)
}

/// Writes every leaf below `yaml` under the keys that lead to it.
fn flatten(path: &mut Vec<String>, yaml: &Yaml, left: &mut usize, out: &Sink) {
    let key = path.last().cloned().unwrap_or_default();
    let value: Value = match yaml {
        Yaml::Hash(table) => {
            for (name, value) in table {
                path.push(scalar(name).unwrap_or_default());
                flatten(path, value, left, out);
                path.pop();
            }
            return;
        }
        Yaml::Array(items) => items
            .iter()
            .filter_map(scalar)
            .map(|text| env_value(&key, &text).text().to_owned())
            .collect::<Vec<_>>()
            .into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Boolean(truth) => (*truth).into(),
        other => match scalar(other) {
            Some(text) => env_value(&key, &text).text().into(),
            None => return,
        },
    };
    if *left > 0 {
        *left -= 1;
        out.set_at(path.iter().cloned(), value);
    }
}

fn scalar(yaml: &Yaml) -> Option<String> {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::host::recorded::Recorded;
    use crate::probes::container::Container;
    use crate::probes::{Options, Probe as _};

    fn facts(files: &[(&str, &str)], env: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut host = Recorded { cwd: "/home/ada/p/src".into(), ..Recorded::default() };
        host.dirs.insert("/home/ada/p/.git".into());
        host.system.home = Some("/home/ada".into());
        host.files.extend(files.iter().map(|(path, text)| (path.into(), (*text).to_owned())));
        host.env.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let out = Sink::new("container");
        Container.collect(&Context::new(Arc::new(host), Options::default()), &out).unwrap();
        let collected = out.snapshot(None);
        let unknown = collected
            .unknown
            .into_iter()
            .map(|(path, reason)| (path, Value::from(format!("unknown: {reason}"))));
        collected
            .facts
            .into_iter()
            .chain(unknown)
            .map(|(path, value)| (path.to_string(), value.plain()))
            .collect()
    }

    fn get<'a>(facts: &'a BTreeMap<String, String>, path: &str) -> &'a str {
        facts.get(&format!("container.{path}")).map_or("", String::as_str)
    }

    #[test]
    fn apptainer_image_and_labels() {
        let labels = r#"{"org.label-schema.usage.singularity.deffile.from": "pytorch:2.4", "n": 3, "API_KEY": "hunter2"}"#;
        let facts =
            facts(&[("/.singularity.d/labels.json", labels)], &[("APPTAINER_CONTAINER", "/home/ada/x.sif")]);
        assert_eq!(get(&facts, "runtime"), "apptainer");
        assert_eq!(get(&facts, "image"), "~/x.sif");
        assert_eq!(get(&facts, "label.\"org.label-schema.usage.singularity.deffile.from\""), "pytorch:2.4");
        assert_eq!((get(&facts, "label.n"), get(&facts, "label.API_KEY")), ("3", "secret:redacted"));
    }

    #[test]
    fn podman_says_what_it_runs() {
        let text = "engine=\"podman-4.9.4\"\nname=\"t\"\nid=\"ab\"\nimage=\"docker.io/library/debian:12\"\nimageid=\"cd\"\nrootless=1\n";
        let facts = facts(&[("/run/.containerenv", text)], &[]);
        assert_eq!(get(&facts, "image"), "docker.io/library/debian:12");
        assert_eq!((get(&facts, "image_id"), get(&facts, "engine")), ("sha256:cd", "podman-4.9.4"));
    }

    #[test]
    fn ngc_build() {
        let facts = facts(
            &[],
            &[
                ("NVIDIA_BUILD_ID", "114410972"),
                ("NVIDIA_PYTORCH_VERSION", "24.10"),
                ("NVIDIA_VISIBLE_DEVICES", "all"),
            ],
        );
        assert_eq!((get(&facts, "ngc.build_id"), get(&facts, "ngc.pytorch_version")), ("114410972", "24.10"));
        assert!(!facts.keys().any(|k| k.contains("visible")));
    }

    #[test]
    fn mlcube_platform() {
        let text = "name: mnist\nplatform:\n  accelerator_count: 2\n  tags: [a, b]\ndocker:\n  image: mlcommons/mnist:0.0.1\n  env: {TOKEN: hunter2}\n";
        let found = facts(&[("/home/ada/p/mlcube.yaml", text)], &[]);
        assert_eq!(
            (get(&found, "mlcube_file"), get(&found, "mlcube.platform.accelerator_count")),
            ("{project}/mlcube.yaml", "2")
        );
        assert_eq!(
            (get(&found, "mlcube.platform.tags"), get(&found, "mlcube.docker.image")),
            ("a b", "mlcommons/mnist:0.0.1")
        );
        assert_eq!(get(&found, "mlcube.docker.env.TOKEN"), "secret:redacted");
        assert!(!found.values().any(|v| v.contains("hunter2")));
        let above = facts(&[("/home/ada/mlcube.yaml", text)], &[]);
        assert_eq!(get(&above, "mlcube_file"), "", "not above the repository");
        let broken = facts(&[("/home/ada/p/mlcube.yaml", "a: [")], &[]);
        assert!(get(&broken, "mlcube").starts_with("unknown"));
        for hostile in [
            "[".repeat(30_000),
            "- ".repeat(15_000),
            "{a: ".repeat(8_000),
            format!("a: &a x\nb: [{}]", "*a,".repeat(99)),
        ] {
            assert!(
                get(&super::tests::facts(&[("/home/ada/p/mlcube.yaml", &hostile)], &[]), "mlcube")
                    .starts_with("unknown")
            );
        }
        let steps: String = (0..250).map(|depth| " ".repeat(depth) + "a:\n").collect();
        assert!(
            is_tame(&steps)
                && !get(&super::tests::facts(&[("/home/ada/p/mlcube.yaml", &steps)], &[]), "mlcube_file")
                    .is_empty()
        );
    }
}
