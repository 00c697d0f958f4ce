//! The packages of a conda environment, from `conda-meta` (one JSON file per package, written when it is linked).

use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use crate::host::Host;
use crate::probes::Sink;
use crate::redact::DisplayUrl;

/// What is read of `conda-meta/NAME-VERSION-BUILD.json`; the list of files in it is skipped.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    #[serde(alias = "build_string")]
    build: Option<String>,
    channel: Option<String>,
    subdir: Option<String>,
    md5: Option<String>,
    sha256: Option<String>,
}

/// Records every conda package of the environment at `prefix`.
pub(super) fn collect(host: &dyn Host, prefix: &Path, out: &Sink) {
    let folder = prefix.join("conda-meta");
    let entries = match host.list(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => return out.unknown("conda", format!("could not list conda-meta: {e}")),
    };
    let files: Vec<&str> =
        entries.iter().map(|entry| entry.name.as_str()).filter(|name| name.ends_with(".json")).collect();
    files.par_iter().for_each(|file| match host.read(&folder.join(file)) {
        Ok(bytes) => match serde_json::from_slice::<Package>(&bytes) {
            Ok(package) => put(&package, out),
            Err(e) => out.unknown_at(["conda", name_of(file)], format!("conda-meta/{file}: {e}")),
        },
        Err(e) => out.unknown_at(["conda", name_of(file)], format!("conda-meta/{file}: {e}")),
    });
}

fn put(package: &Package, out: &Sink) {
    let fields = [
        ("version", Some(package.version.clone())),
        ("build", package.build.clone()),
        (
            "channel",
            package.channel.as_deref().map(|channel| short_channel(channel, package.subdir.as_deref())),
        ),
        ("subdir", package.subdir.clone()),
        ("md5", package.md5.clone()),
        ("sha256", package.sha256.clone()),
    ];
    for (field, value) in fields {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.set_at(["conda", &package.name, field], value);
        }
    }
}

/// The package's name in `NAME-VERSION-BUILD.json`; only the name may hold a hyphen.
fn name_of(file: &str) -> &str {
    file.rsplitn(3, '-').nth(2).unwrap_or(file)
}

/// A channel as conda's users name it: without its host where that is one of the public ones, without the platform's
/// folder, and without a token (`/t/TOKEN/`) or other credentials.
pub(crate) fn short_channel(channel: &str, subdir: Option<&str>) -> String {
    let shown = DisplayUrl::new(channel).to_string();
    let mut url = shown.trim_end_matches('/');
    url = subdir.and_then(|subdir| url.strip_suffix(subdir)).map_or(url, |rest| rest.trim_end_matches('/'));
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = match path.split_once('/') {
        Some(("t", behind)) => behind.split_once('/').map_or("", |(_token, path)| path),
        _ => path,
    };
    match host.rsplit_once('@').map_or(host, |(_credentials, host)| host) {
        "conda.anaconda.org" | "repo.anaconda.com" | "repo.prefix.dev" | "prefix.dev" => path.to_owned(),
        host => format!("{scheme}://{host}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_short_and_without_tokens() {
        for (channel, expected) in [
            ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge"),
            ("https://conda.anaconda.org/pytorch", "pytorch"),
            ("https://repo.anaconda.com/pkgs/main/linux-64/", "pkgs/main"),
            ("conda-forge", "conda-forge"),
            ("https://conda.anaconda.org/t/tk-secret/mine/linux-64", "mine"),
            ("https://u:p@conda.host.example/t/tk-secret/mine/linux-64", "https://conda.host.example/mine"),
        ] {
            assert_eq!(short_channel(channel, Some("linux-64")), expected);
        }
    }

    #[test]
    fn names_of_files() {
        assert_eq!(name_of("_libgcc_mutex-0.1-conda_forge.json"), "_libgcc_mutex");
        assert_eq!(name_of("ca-certificates-2024.2.2-hbcca054_0.json"), "ca-certificates");
        assert_eq!(name_of("history"), "history");
    }
}
