//! Installed packages, as lists of programs write them.

use super::Draft;
use crate::probes::python::names::{is_name, normalise};

/// The sections of the snapshot that stand for one distribution: name of the section, of the distribution.
const SECTIONS: [(&str, &[&str]); 6] = [
    ("torch", &["torch"]),
    (
        "tensorflow",
        &["tensorflow", "tensorflow-gpu", "tensorflow-cpu", "tensorflow-intel", "tensorflow-macos"],
    ),
    ("jax", &["jax"]),
    ("numpy", &["numpy"]),
    ("scipy", &["scipy"]),
    ("sklearn", &["scikit-learn"]),
];

/// Records an installed distribution. What is no name or no version is passed over.
pub fn distribution(draft: &mut Draft, name: &str, version: &str) {
    let version = version.trim();
    if is_name(name) && is_version(version) {
        draft.set_at(["python", "packages", &normalise(name), "version"], version);
    }
}

/// Records what `module.__version__` is: the version that an import gives, of the distribution that holds the module.
pub fn module(draft: &mut Draft, module: &str, version: &str) {
    let name = match module {
        "sklearn" => "scikit-learn",
        "PIL" => "pillow",
        "cv2" => "opencv-python",
        "yaml" => "pyyaml",
        "zmq" => "pyzmq",
        "multipart" => "python-multipart",
        "skimage" => "scikit-image",
        other => other,
    };
    distribution(draft, name, version);
}

/// Fills the version of torch, NumPy and the other packages that have a section of their own where only the list of
/// packages tells it, as a capture does where a package's files tell nothing.
pub fn sections(draft: &mut Draft) {
    for (section, names) in SECTIONS {
        let listed =
            names.iter().find_map(|name| draft.get(&format!("python.packages.{name}.version")).cloned());
        if let Some(version) = listed {
            draft.set(&format!("{section}.version"), version);
        }
    }
    if let Some(version) = draft.get("python.packages.jaxlib.version").cloned() {
        draft.set("jax.jaxlib", version);
    }
}

/// Whether this can be a version: it begins with a digit (or `v` and a digit) and has no white space.
pub fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    text.len() <= 128
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && !text.contains(char::is_whitespace)
}

/// One row of `conda list`: name, version, build and channel, parted by white space. What pip installed (`<pip>`,
/// channel `pypi`) is a distribution; it counts only where the list of pip itself does not have it.
pub fn conda_row(draft: &mut Draft, row: &str) {
    let mut words = row.split_whitespace();
    let (Some(name), Some(version)) = (words.next(), words.next()) else { return };
    let (build, channel) = (words.next(), words.next());
    if name.starts_with('#') || !is_version(version) {
        return;
    }
    if build == Some("<pip>") || channel == Some("pypi") || build.is_some_and(|b| b.starts_with("pypi_")) {
        return distribution(draft, name, version);
    }
    draft.set_at(["python", "conda", name, "version"], version);
    if let Some(build) = build {
        draft.set_at(["python", "conda", name, "build"], build);
    }
    // Conda leaves the column empty for its default channels, which are several.
    if let Some(channel) = channel {
        draft.set_at(["python", "conda", name, "channel"], channel);
    }
}
