//! Which release a shared library is of, without loading it.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::host::Host;
use crate::probes::python::interpreter::Interpreter;

/// A version and the road by which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version.
    pub text: String,
    /// `file name`, `wheel metadata` or `conda metadata`.
    pub found_by: &'static str,
}

/// The site folders and the conda prefix of an environment, listed once.
pub struct Owners<'a> {
    host: &'a dyn Host,
    sites: Vec<(PathBuf, Vec<String>)>,
    conda: Vec<String>,
}

impl<'a> Owners<'a> {
    /// The owners of files in this interpreter's environment; none where there is no interpreter.
    pub fn new(host: &'a dyn Host, interpreter: Option<&Interpreter>) -> Self {
        let sites = interpreter.map(|i| i.site_packages.as_slice()).unwrap_or_default();
        let sites = sites.iter().map(|site| {
            // Libraries are known by their resolved paths.
            let site = host.canonicalize(site).unwrap_or_else(|_| site.clone());
            let names = host.names(&site).into_iter().filter(|name| name.ends_with(".dist-info")).collect();
            (site, names)
        });
        let conda = interpreter.map(|i| host.names(i.prefix.join("conda-meta"))).unwrap_or_default();
        Self { host, sites: sites.collect(), conda }
    }

    /// The site folder that holds a file.
    pub fn site(&self, file: &Path) -> Option<&Path> {
        self.sites.iter().map(|(site, _)| site.as_path()).find(|site| file.starts_with(site))
    }

    /// The version of a library: by its file name (`libcublas.so.12.4.5.8`), else by the `wheels` (without
    /// `nvidia_` and `_cu12`) whose RECORD lists it, else by the conda packages of these names.
    ///
    /// # Errors
    ///
    /// Where several distributions claim the file and it cannot be told which one's it is.
    pub fn version(
        &self,
        file: &Path,
        soname: Option<&str>,
        wheels: &[&str],
        conda: &[&str],
    ) -> Result<Option<Version>, String> {
        if let Some(text) = by_name(file, soname) {
            return Ok(Some(Version { text, found_by: "file name" }));
        }
        if let Some((site, names)) = self.sites.iter().find(|(site, _)| file.starts_with(site)) {
            let claims: Vec<Claim> = names.iter().filter_map(|name| Claim::of(name, wheels)).collect();
            return self.wheel(site, file, claims);
        }
        let text = self.conda.iter().find_map(|name| conda_version(name, conda));
        Ok(text.map(|text| Version { text: text.to_owned(), found_by: "conda metadata" }))
    }

    /// The version of the distribution that a file in `site` belongs to.
    fn wheel(&self, site: &Path, file: &Path, claims: Vec<Claim<'_>>) -> Result<Option<Version>, String> {
        let found = |claim: &Claim<'_>| {
            Ok(Some(Version { text: claim.version.to_owned(), found_by: "wheel metadata" }))
        };
        let relative = file.strip_prefix(site).unwrap_or(file);
        let records = claims.into_iter().filter_map(|claim| {
            let record = self.host.maybe(site.join(claim.dist_info).join("RECORD"))?;
            record
                .lines()
                .any(|line| entry(line).is_some_and(|e| Path::new(e.path) == relative))
                .then_some((claim, record))
        });
        let mut records: Vec<(Claim<'_>, String)> = records.collect();
        // An interrupted or overlaid installation leaves the metadata of two versions over the files of one. The
        // record of that one fits the files.
        for fits in [sizes_fit, digests_fit] {
            if records.len() > 1 {
                records.retain(|(_, record)| fits(self.host, site, record));
            }
        }
        match records.as_slice() {
            [] => Ok(None),
            [(claim, _)] => found(claim),
            several => {
                let names: Vec<&str> =
                    several.iter().map(|(c, _)| c.dist_info.trim_end_matches(".dist-info")).collect();
                Err(format!("{} both list this file", names.join(" and ")))
            }
        }
    }
}

/// A distribution that may own a library.
struct Claim<'a> {
    dist_info: &'a str,
    version: &'a str,
}

impl<'a> Claim<'a> {
    /// `nvidia_cublas_cu12-12.4.5.8.dist-info` or `nvidia_cublas-13.1.0.3.dist-info` for the wheel `cublas`.
    fn of(dist_info: &'a str, wheels: &[&str]) -> Option<Self> {
        let (name, version) = dist_info.strip_suffix(".dist-info")?.split_once('-')?;
        let name = name.to_ascii_lowercase();
        let is = |wheel: &&str| {
            let rest = name.strip_prefix("nvidia_").unwrap_or(&name).strip_prefix(*wheel);
            rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix("_cu").is_some_and(all_digits))
        };
        wheels.iter().any(is).then_some(Self { dist_info, version })
    }
}

/// `12.4.5.8` of `libcublas.so.12.4.5.8`: where the file's name says more than its soname.
fn by_name(file: &Path, soname: Option<&str>) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let (_, version) = name.split_once(".so.")?;
    let dotted = version.split('.').all(all_digits) && version.contains('.');
    (dotted && soname != Some(name)).then(|| version.to_owned())
}

/// `12.4.5.8` of `libcublas-12.4.5.8-he02047a_0.json` (conda-meta; a build string holds no hyphen).
fn conda_version<'a>(file: &'a str, packages: &[&str]) -> Option<&'a str> {
    let mut parts = file.strip_suffix(".json")?.rsplitn(3, '-');
    let (_build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    packages.contains(&name).then_some(version)
}

/// Whether a text is one or more decimal digits.
pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A line of RECORD: `path,sha256=…,size` (PEP 376); the path is quoted where it holds a comma.
struct Entry<'a> {
    path: &'a str,
    sha256: &'a str,
    size: u64,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let (rest, size) = line.rsplit_once(',')?;
    let (path, digest) = rest.rsplit_once(',')?;
    Some(Entry {
        path: path.trim_matches('"'),
        sha256: digest.strip_prefix("sha256=").unwrap_or_default(),
        size: size.trim().parse().unwrap_or_default(),
    })
}

/// Whether the files that a RECORD lists have the sizes that it gives. Byte code has none.
fn sizes_fit(host: &dyn Host, site: &Path, record: &str) -> bool {
    record
        .lines()
        .filter_map(entry)
        .filter(|e| !e.sha256.is_empty())
        .all(|entry| host.stat(&site.join(entry.path)).is_ok_and(|stat| stat.len == entry.size))
}

/// Whether its small files have the digests that it gives.
fn digests_fit(host: &dyn Host, site: &Path, record: &str) -> bool {
    const SMALL: u64 = 1 << 20;
    record.lines().filter_map(entry).filter(|e| !e.sha256.is_empty() && e.size <= SMALL).all(|entry| {
        host.read(&site.join(entry.path)).is_ok_and(|bytes| base64(&Sha256::digest(bytes)) == entry.sha256)
    })
}

/// URL-safe base64 without padding, as RECORD has it (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * i)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_names() {
        let name = |file: &str, soname| by_name(Path::new(file), Some(soname));
        assert_eq!(name("/l/libcublas.so.12.4.5.8", "libcublas.so.12"), Some("12.4.5.8".to_owned()));
        assert_eq!(name("/l/libnvrtc-builtins.so.13.0", "libnvrtc-builtins.so.13.0"), None);
        assert_eq!(name("/l/libcublas.so.12", "libcublas.so.12"), None);
        assert_eq!(conda_version("cuda-cudart-12.4.127-he02047a_0.json", &["cuda-cudart"]), Some("12.4.127"));
        assert_eq!(conda_version("history", &["history"]), None);
    }

    #[test]
    fn wheels_by_name() {
        let version = |name| Claim::of(name, &["cublas"]).map(|c| c.version);
        assert_eq!(version("nvidia_cublas-13.1.0.3.dist-info"), Some("13.1.0.3"));
        assert_eq!(version("nvidia_cublas_cu12-12.4.5.8.dist-info"), Some("12.4.5.8"));
        assert_eq!(version("nvidia_cublaslt_cu12-1.dist-info"), None);
    }

    #[test]
    fn digests_as_in_record() {
        // `printf '' | openssl dgst -sha256 -binary | base64`, made URL-safe.
        assert_eq!(base64(&Sha256::digest(b"")), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    }
}
