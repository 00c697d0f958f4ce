//! Ranges of versions: `torch = "==2.11.*"`, `driver = ">=550"`.
//!
//! A range is written as PEP 440 writes it ("Version specifiers", <https://packaging.python.org/en/latest/specifications/version-specifiers/>):
//! a local part of the version (`+cu130`) counts only where the range names one.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::explain::pattern::Pattern;
use crate::snapshot::{FactPath, Looked, Snapshot};

/// A range for one thing.
#[derive(Clone, Debug)]
pub struct Range {
    /// The thing, as the policy names it.
    pub name: String,
    /// The range as it is written.
    pub text: String,
    /// The range.
    pub specifiers: VersionSpecifiers,
    /// The facts that hold the version, the first that is there counts.
    pub read: Vec<FactPath>,
    /// The facts that say nothing but which version it is: within the range they are no drift.
    pub covers: Vec<Pattern>,
    /// The line of the policy.
    pub line: usize,
}

/// What a range makes of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The version is in the range.
    In,
    /// It is not.
    Out(FactPath, String),
    /// There is nothing of this name.
    Absent(FactPath),
    /// It could not be looked at, for this reason.
    Unknown(FactPath, String),
}

/// Libraries of CUDA that a range may name by themselves.
const CUDA: [&str; 12] = [
    "cublas",
    "cublasLt",
    "cudnn",
    "nccl",
    "cudart",
    "cufft",
    "cufile",
    "cusolver",
    "cusparse",
    "cusparseLt",
    "curand",
    "nvrtc",
];

/// Frameworks that have a section of their own.
pub const SECTIONS: [&str; 6] = ["torch", "tensorflow", "jax", "numpy", "scipy", "sklearn"];

impl Range {
    /// A range for what `name` names: a framework, `python`, `driver`, a library of CUDA, the dotted path of a fact,
    /// or else a package.
    ///
    /// # Errors
    ///
    /// What is wrong with the range.
    pub fn new(name: &str, text: &str, line: usize) -> Result<Self, String> {
        let specifiers = VersionSpecifiers::from_str(text).map_err(|e| {
            let said = e.to_string();
            said.lines().next().unwrap_or_default().trim_end_matches(':').to_owned()
        })?;
        if specifiers.is_empty() {
            return Err("an empty range".to_owned());
        }
        let (read, covers) = facts(name)?;
        let covers = covers.iter().map(|p| Pattern::new(p)).collect();
        Ok(Self { name: name.to_owned(), text: text.to_owned(), specifiers, read, covers, line })
    }

    /// Whether a version is in the range.
    pub fn holds(&self, version: &str) -> bool {
        parse(version).is_some_and(|version| self.specifiers.contains(&version))
    }

    /// What the range makes of a snapshot.
    pub fn fit(&self, snapshot: &Snapshot) -> Fit {
        let mut unknown = None;
        for path in &self.read {
            match snapshot.look(path) {
                Looked::Value(value) => {
                    let version = value.plain();
                    return if self.holds(&version) { Fit::In } else { Fit::Out(path.clone(), version) };
                }
                Looked::Unknown(why) if unknown.is_none() => unknown = Some((path.clone(), why.to_owned())),
                _ => {}
            }
        }
        match unknown {
            Some((path, why)) => Fit::Unknown(path, why),
            None => {
                Fit::Absent(self.read.first().cloned().unwrap_or_else(|| FactPath::new([self.name.as_str()])))
            }
        }
    }
}

/// The facts that hold the version of `name`, and the patterns of those that follow from it.
fn facts(name: &str) -> Result<(Vec<FactPath>, Vec<String>), String> {
    let path = |text: &str| text.parse::<FactPath>().map_err(|e| e.to_string());
    let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    if name.contains('.') {
        return Ok((vec![path(name)?], vec![name.to_owned()]));
    }
    let package = normalised(name);
    let of_packages =
        |name: &str| vec![format!("python.packages.{name}.**"), format!("python.conda.{name}.**")];
    Ok(match name {
        "driver" => (
            vec![path("gpu.driver.version")?],
            strings(&[
                "gpu.driver.version",
                "gpu.driver.kernel_module",
                "gpu.driver.nvml_version",
                "gpu.driver.cuda_max",
                "gpu.driver.libcuda",
                "cuda.libraries.driver.**",
            ]),
        ),
        "python" => (vec![path("python.version")?], strings(&["python.version", "python.*build_id"])),
        "kernel" => (vec![path("os.kernel")?], strings(&["os.kernel", "os.kernel_build"])),
        "glibc" | "libc" => (vec![path("os.libc_version")?], strings(&["os.libc_version"])),
        _ if CUDA.contains(&name) => {
            let mut covers = vec![format!("cuda.libraries.{name}.**"), format!("python.conda.lib{name}.**")];
            for wheel in [format!("nvidia-{package}"), format!("nvidia-{package}-cu*")] {
                covers.push(format!("python.packages.{wheel}.**"));
            }
            // One release ships both, and each has a file of its own.
            if name == "cublas" {
                covers.push("cuda.libraries.cublasLt.**".to_owned());
            }
            if name == "cudnn" {
                covers.push("cuda.libraries.cudnn*.**".to_owned());
            }
            (vec![path(&format!("cuda.libraries.{name}.version"))?], covers)
        }
        _ => {
            let mut read = Vec::new();
            let mut covers = of_packages(&package);
            if SECTIONS.contains(&name) {
                read.push(path(&format!("{name}.version"))?);
                // Not what the build is for (`torch.cuda`), nor what is bundled with it.
                let own = ["version", "metadata_version", "local_tag", "git_commit", "libraries.**"];
                covers.extend(own.iter().map(|fact| format!("{name}.{fact}")));
                if name == "sklearn" {
                    covers.extend(of_packages("scikit-learn"));
                }
            }
            read.push(FactPath::new(["python", "packages", &package, "version"]));
            read.push(FactPath::new(["python", "conda", &package, "version"]));
            (read, covers)
        }
    })
}

/// A package's name as indexes compare it (PEP 503, "Normalized names").
fn normalised(name: &str) -> String {
    let mut out = String::new();
    for part in name.split(['-', '_', '.']).filter(|p| !p.is_empty()) {
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(&part.to_ascii_lowercase());
    }
    out
}

/// A version as PEP 440 reads it, or its numbers in front where it is none (`6.10.6-200.fc40.x86_64`).
fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    Version::from_str(text).ok().or_else(|| {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        Version::from_str(text[..end].trim_end_matches('.')).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (range, version, holds) in [
            ("==2.11.*", "2.11.0+cu130", true),
            ("==2.11.0", "2.11.0+cu130", true),
            ("==2.11.*", "2.12.0", false),
            (">=550", "550.54.15", true),
            (">=550", "535.104.05", false),
            (">=6,<7", "6.10.6-200.fc40.x86_64", true),
            ("~=9.1.0", "9.1.0.70", true),
            (">=1", "not a version", false),
        ] {
            let range = Range::new("x", range, 1).unwrap();
            assert_eq!(range.holds(version), holds, "{} {version}", range.text);
        }
        assert!(Range::new("torch", "2.11", 1).is_err());
        assert!(Range::new("torch", "", 1).is_err());
    }

    #[test]
    fn names() {
        let of = |name: &str| Range::new(name, ">=1", 1).unwrap().read[0].to_string();
        assert_eq!(of("torch"), "torch.version");
        assert_eq!(of("driver"), "gpu.driver.version");
        assert_eq!(of("cudnn"), "cuda.libraries.cudnn.version");
        assert_eq!(of("Transformer_Engine"), "python.packages.transformer-engine.version");
        assert_eq!(of("os.libc_version"), "os.libc_version");
    }
}
