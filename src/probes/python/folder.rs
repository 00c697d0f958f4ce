//! One folder of `sys.path`: the modules and distributions in it.

use std::cmp::Reverse;
use std::path::PathBuf;

use super::interpreter::{Distribution, Form};
use super::sites::Origin;
use super::{names, record};
use crate::host::Host;

/// A folder of `sys.path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// Why it is on the path.
    pub origin: Origin,
    /// The names in it, sorted.
    pub names: Vec<String>,
    /// Why it could not be listed, where it is there.
    pub unreadable: Option<String>,
}

impl Folder {
    /// Whether the folder holds an entry of this name.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.names.binary_search_by(|n| n.as_str().cmp(name)).is_ok()
    }

    /// The module file that `import NAME` would load here: extension modules come before sources, sources before
    /// byte code (`importlib.machinery.FileFinder`).
    pub(super) fn module(&self, name: &str) -> Option<&str> {
        let rank = |file: &str| match file.strip_prefix(name)?.strip_prefix('.')? {
            "abi3.so" => Some(1),
            "so" => Some(2),
            "py" => Some(3),
            "pyc" => Some(4),
            tagged if tagged.ends_with(".so") && !tagged.trim_end_matches(".so").contains('.') => Some(0),
            _ => None,
        };
        let ranked = self.names.iter().filter_map(|file| Some((rank(file)?, file.as_str())));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, file)| file)
    }

    /// Every distribution in this folder, by name; several of one name in the order in which they win.
    pub(crate) fn distributions(&self, host: &dyn Host) -> Vec<Distribution> {
        let named = self.names.iter().filter_map(|name| self.parse(name));
        in_order(host, named.chain(self.egg()).collect())
    }

    /// The distribution of this normalised name.
    pub(super) fn distribution(&self, host: &dyn Host, name: &str) -> Option<Distribution> {
        let named = self.names.iter().filter_map(|name| self.parse(name));
        let same = named.chain(self.egg()).filter(|dist| dist.name == name).collect();
        in_order(host, same).into_iter().next()
    }

    /// The distribution that an entry's name announces.
    fn parse(&self, entry: &str) -> Option<Distribution> {
        let (stem, form) = if let Some(stem) = entry.strip_suffix(".dist-info") {
            (stem, Form::DistInfo)
        } else {
            (entry.strip_suffix(".egg-info")?, Form::EggInfo)
        };
        let (name, version) =
            if form == Form::DistInfo { names::dist_info(stem) } else { names::egg_info(stem) };
        names::is_name(name).then(|| Distribution {
            name: names::normalise(name),
            version: version.to_owned(),
            dist_info: self.path.join(entry),
            site: self.path.clone(),
            form,
        })
    }

    /// The distribution that this folder itself is, where it is an unpacked egg.
    fn egg(&self) -> Option<Distribution> {
        let stem = self.path.file_name()?.to_str()?.strip_suffix(".egg")?;
        let (name, version) = names::egg_info(stem);
        (names::is_name(name) && self.holds("EGG-INFO")).then(|| Distribution {
            name: names::normalise(name),
            version: version.to_owned(),
            dist_info: self.path.join("EGG-INFO"),
            site: self.path.clone(),
            form: Form::Egg,
        })
    }
}

/// Distributions of one folder by name; of one name, first the one that counts. Versions that the name does not tell
/// are filled in.
fn in_order(host: &dyn Host, mut found: Vec<Distribution>) -> Vec<Distribution> {
    found.sort_by_cached_key(|dist| (dist.name.clone(), Reverse(names::numbers(&dist.version))));
    // `importlib.metadata` takes the first in the order of the directory, which means nothing. Two of one name are
    // what a broken upgrade leaves: the one whose files lie there is the one that runs.
    let several = |same: &&mut [Distribution]| same.len() > 1;
    for same in found.chunk_by_mut(|a, b| a.name == b.name).filter(several) {
        same.sort_by_cached_key(|dist| (!dist.is_whole(host), dist.misfits(host)));
    }
    for dist in found.iter_mut().filter(|dist| dist.version.is_empty()) {
        dist.version = dist.header(host, "Version").unwrap_or_default();
    }
    found
}

impl Distribution {
    /// The file that holds the core metadata.
    pub(super) fn metadata(&self, host: &dyn Host) -> PathBuf {
        match self.form {
            Form::DistInfo => self.dist_info.join("METADATA"),
            Form::EggInfo if host.list(&self.dist_info).is_err() => self.dist_info.clone(),
            Form::EggInfo | Form::Egg => self.dist_info.join("PKG-INFO"),
        }
    }

    /// Whether its core metadata is there.
    pub(super) fn is_whole(&self, host: &dyn Host) -> bool {
        host.exists(&self.metadata(host))
    }

    /// How many of its files are not as its RECORD says; the largest number where it has none.
    fn misfits(&self, host: &dyn Host) -> usize {
        let record = host.maybe(self.dist_info.join("RECORD"));
        record.map_or(usize::MAX, |text| record::misfits(host, &self.site, &text))
    }

    /// A header of its core metadata.
    pub(super) fn header(&self, host: &dyn Host, name: &str) -> Option<String> {
        let text = host.maybe(self.metadata(host))?;
        let headers = text.lines().take_while(|line| !line.is_empty());
        headers
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| *key == name)
            .map(|(_, v)| v.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_the_order_of_the_file_finder() {
        let names = ["a.cpython-311-x86_64-linux-gnu.so", "a.py", "b.py", "b.pyc", "bc.py"]
            .map(str::to_owned)
            .to_vec();
        let folder = Folder { path: PathBuf::new(), origin: Origin::Env, names, unreadable: None };
        assert_eq!(folder.module("a"), Some("a.cpython-311-x86_64-linux-gnu.so"));
        assert_eq!(folder.module("b"), Some("b.py"));
        assert_eq!(folder.module("c"), None);
    }
}
