//! How paths are shown: relative to what they belong to, so that equal environments in other places compare equal.

use std::path::{Path, PathBuf};

use crate::host::Host;

/// Roots and the names that stand for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    roots: Vec<(PathBuf, String)>,
}

impl Labels {
    /// The roots that the host itself knows: the project (`{project}`: the working directory's repository, else
    /// the working directory) and the home folder (`~`).
    pub fn new(host: &dyn Host) -> Self {
        let cwd = host.cwd();
        let project =
            cwd.ancestors().find(|dir| host.exists(&dir.join(".git"))).unwrap_or(&cwd).to_path_buf();
        let mut roots = vec![(project, "{project}".to_owned())];
        roots.extend(
            host.system()
                .home
                .or_else(|| host.env("HOME").map(PathBuf::from))
                .map(|home| (home, "~".to_owned())),
        );
        Self { roots }
    }

    /// The same with one more root, for example an environment's prefix as `{env}`.
    #[must_use]
    pub fn with(&self, root: &Path, label: impl Into<String>) -> Self {
        let mut roots = self.roots.clone();
        roots.insert(0, (root.to_path_buf(), label.into()));
        Self { roots }
    }

    /// The path with the innermost root that holds it replaced by its label.
    pub fn show(&self, path: &Path) -> String {
        let innermost = self
            .roots
            .iter()
            .filter(|(root, _)| root.parent().is_some() && path.starts_with(root))
            .max_by_key(|(root, _)| root.components().count());
        match innermost.map(|(root, label)| (path.strip_prefix(root).unwrap_or(path), label)) {
            Some((rest, label)) if rest.as_os_str().is_empty() => label.clone(),
            Some((rest, label)) => format!("{label}/{}", rest.display()),
            None => path.display().to_string(),
        }
    }
}
