//! The folders in which imports are looked for behind the standard library, in the order of `sys.path`.
//!
//! `Lib/site.py` builds this order: PYTHONPATH, then in a virtual environment its own site folders, the user's site
//! folder, and the site folders of the other prefixes; each site folder is followed by what its `.pth` files add.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::layout::Layout;
use crate::host::Host;
use crate::snapshot::digest;

/// Why a folder is on `sys.path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `PYTHONPATH`.
    PythonPath,
    /// The environment's own site folder.
    Env,
    /// The user's site folder (PEP 370).
    User,
    /// The base interpreter's, by `include-system-site-packages`.
    System,
    /// A line of a `.pth` file.
    Pth,
}

impl Origin {
    /// The word that the snapshot uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PythonPath => "PYTHONPATH",
            Self::Env => "env",
            Self::User => "user",
            Self::System => "system",
            Self::Pth => "pth",
        }
    }
}

/// What an import searches behind the standard library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The folders, in the order of `sys.path`, existing ones only, each once.
    pub folders: Vec<Folder>,
    /// `.pth` files that run code at start-up: name and digest of their `import` lines.
    pub pth_code: Vec<String>,
    /// `.pth` files that are there and could not be read: path and reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// Whether the user's site folder counts, be it there or not.
    pub user_site: bool,
}

impl Search {
    /// The site folders proper: neither PYTHONPATH nor what `.pth` files add.
    pub fn sites(&self) -> impl Iterator<Item = &Path> {
        let proper = |folder: &&Folder| !matches!(folder.origin, Origin::PythonPath | Origin::Pth);
        self.folders.iter().filter(proper).map(|folder| folder.path.as_path())
    }
}

/// The folders that the interpreter of this layout searches.
pub(super) fn search(host: &dyn Host, layout: &Layout) -> Search {
    let user_site = user_site_counts(host, layout);
    let mut builder =
        Builder { host, search: Search { user_site, ..Search::default() }, known: BTreeSet::new() };
    // An empty PYTHONPATH is as none (getpath.py), but an empty entry of one means the working directory.
    if let Some(path) = host.env("PYTHONPATH").filter(|path| !path.is_empty()) {
        for entry in path.split(':') {
            builder.add(&host.cwd().join(entry), Origin::PythonPath);
        }
    }
    let Some(folder) = layout.folder.as_deref() else {
        return builder.search;
    };
    let user = user_site
        .then(|| user_base(host))
        .flatten()
        .map(|base| base.join("lib").join(folder).join("site-packages"));
    let in_venv = layout.venv.is_some();
    if in_venv {
        builder.add_sites(&site_folders(host, layout, &layout.prefix), Origin::Env);
    }
    builder.add_sites(user.as_slice(), Origin::User);
    if !in_venv || layout.venv.as_ref().is_some_and(|config| config.system_site) {
        let origin = if in_venv { Origin::System } else { Origin::Env };
        builder.add_sites(&site_folders(host, layout, &layout.base_prefix), origin);
    }
    builder.search
}

/// The site folders of a prefix, whether they exist or not (`site.getsitepackages`).
fn site_folders(host: &dyn Host, layout: &Layout, prefix: &Path) -> Vec<PathBuf> {
    let folder = layout.folder.as_deref().unwrap_or_default();
    if folder == "lib-python" {
        return vec![prefix.join("site-packages")];
    }
    let mut sites = Vec::new();
    // Debian patches `getsitepackages`; only its own Python, and environments made from it, look there.
    let debian =
        layout.base_prefix == Path::new("/usr") && host.exists(Path::new("/usr/lib/python3/dist-packages"));
    if !debian || layout.venv.is_some() {
        sites.extend(
            layout.lib_folders().iter().map(|lib| prefix.join(lib).join(folder).join("site-packages")),
        );
    }
    if debian {
        sites.push(prefix.join("local/lib").join(folder).join("dist-packages"));
        sites.push(prefix.join("lib/python3/dist-packages"));
        sites.push(prefix.join("lib").join(folder).join("dist-packages"));
    }
    sites
}

/// Whether the user's site folder counts (`site.check_enableusersite`, and `site.venv` for virtual environments).
fn user_site_counts(host: &dyn Host, layout: &Layout) -> bool {
    let isolated = layout.venv.as_ref().is_some_and(|config| !config.system_site);
    !isolated && host.env("PYTHONNOUSERSITE").is_none_or(|value| value.is_empty())
}

/// `site.getuserbase()`.
fn user_base(host: &dyn Host) -> Option<PathBuf> {
    let base = host.env("PYTHONUSERBASE").filter(|base| !base.is_empty()).map(PathBuf::from);
    let home = || host.env("HOME").map(PathBuf::from).or_else(|| host.system().home);
    base.or_else(|| home().map(|home| home.join(".local")))
}

struct Builder<'a> {
    host: &'a dyn Host,
    search: Search,
    /// Resolved paths: a venv's `lib64` is often a link to its `lib`.
    known: BTreeSet<PathBuf>,
}

impl Builder<'_> {
    fn add_sites(&mut self, sites: &[PathBuf], origin: Origin) {
        for site in sites {
            if self.add(site, origin) {
                self.read_pth_files(site);
            }
        }
    }

    /// Appends a folder that is there and not yet known; says whether it was new.
    fn add(&mut self, path: &Path, origin: Origin) -> bool {
        let Ok(real) = self.host.canonicalize(path) else {
            return false;
        };
        if !self.known.insert(real) {
            return false;
        }
        let (names, unreadable) = match self.host.list(path) {
            Ok(entries) => (entries.into_iter().map(|entry| entry.name).collect(), None),
            // A zipped egg or archive: importable, but not a folder.
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => (Vec::new(), None),
            Err(e) => (Vec::new(), Some(e.to_string())),
        };
        self.search.folders.push(Folder { path: path.to_path_buf(), origin, names, unreadable });
        true
    }

    /// Adds what the `.pth` files of a site folder name, files in alphabetical order (`site.addsitedir`).
    fn read_pth_files(&mut self, site: &Path) {
        let names = self.search.folders.last().map(|folder| folder.names.clone()).unwrap_or_default();
        for name in names.iter().filter(|name| name.ends_with(".pth") && !name.starts_with('.')) {
            let path = site.join(name);
            let text = match self.host.text(&path) {
                Ok(text) => text,
                Err(e) => {
                    self.search.unreadable.push((path, e.to_string()));
                    continue;
                }
            };
            let Pth { folders, code } = parse_pth(&text);
            for folder in folders {
                self.add(&site.join(folder), Origin::Pth);
            }
            if !code.is_empty() {
                self.search.pth_code.push(format!("{name} {}", digest::sha256(code.join("\n").as_bytes())));
            }
        }
    }
}

/// A `.pth` file: folders to add, and lines that are run.
struct Pth<'a> {
    folders: Vec<&'a str>,
    code: Vec<&'a str>,
}

/// Parses a `.pth` file as `site.addpackage` does.
///
/// ```text
/// # comment
/// /home/u/project/src
/// import _virtualenv
/// ```
fn parse_pth(text: &str) -> Pth<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines =
        text.lines().map(str::trim_end).filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let (code, folders) = lines.partition(|line| line.starts_with("import ") || line.starts_with("import\t"));
    Pth { folders, code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pth_files_hold_folders_and_code() {
        let pth = parse_pth("\u{feff}# note\n\n/a/b \r\nimport x; x.y()\nimportant\nimport\tz\n");
        assert_eq!(pth.folders, ["/a/b", "important"]);
        assert_eq!(pth.code, ["import x; x.y()", "import\tz"]);
    }
}
