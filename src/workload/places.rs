//! How the program's files are named in facts: the same program in two places has the same names.

use std::path::{Path, PathBuf};

use crate::host::{Host, lexical};
use crate::redact::Labels;

/// Below this many components under the root, a folder that two paths share says nothing: `/data`, `/tmp`, `/home`.
const SHARED: usize = 2;

/// Names for paths.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// `{project}`: the repository that holds the script, else the working directory where that holds it, else the
    /// script's folder. Not what the working directory alone tells, from which the same script may be run anywhere.
    project: PathBuf,
    cwd: PathBuf,
    home: Option<PathBuf>,
    labels: Labels,
}

impl Places {
    /// The names for a program. `environment`: the labels of its Python environment, over others.
    pub(super) fn of(
        host: &dyn Host,
        cwd: &Path,
        script: Option<&Path>,
        environment: &dyn Fn(&Labels) -> Labels,
    ) -> Self {
        let folder = script.and_then(Path::parent).unwrap_or(cwd);
        let repository = folder.ancestors().find(|dir| host.exists(&dir.join(".git")));
        let holds = folder.starts_with(cwd) && cwd.parent().is_some();
        let project = repository.unwrap_or(if holds { cwd } else { folder }).to_path_buf();
        let home = host.system().home.or_else(|| host.env("HOME").map(PathBuf::from));
        let mut labels = Labels::default();
        if let Some(home) = &home {
            labels = labels.with(home, "~");
        }
        let labels = environment(&labels.with(&project, "{project}"));
        Self { project, cwd: cwd.to_path_buf(), home, labels }
    }

    /// A path as it is shown. `path` is absolute.
    pub(super) fn show(&self, path: &Path) -> String {
        let label = self.labels.show(path);
        if !label.starts_with(['~', '/']) {
            return label;
        }
        // A file beside the project moves with it.
        if let Some(relative) = self.beside(path) {
            return relative;
        }
        let apart = !self.project.starts_with(&self.cwd) && !self.cwd.starts_with(&self.project);
        match path.strip_prefix(&self.cwd) {
            Ok(below) if apart && below.as_os_str().is_empty() => ".".to_owned(),
            Ok(below) if apart => below.display().to_string(),
            _ => label,
        }
    }

    /// The path relative to the project, where both lie in a folder that could be somebody's own.
    fn beside(&self, path: &Path) -> Option<String> {
        let shared = self.project.ancestors().find(|dir| path.starts_with(dir))?;
        let deep = shared.components().count() > SHARED;
        let own = self.home.as_ref().is_none_or(|home| !home.starts_with(shared));
        if !deep || !own {
            return None;
        }
        let up = self.project.strip_prefix(shared).ok()?.components().count();
        let mut relative: PathBuf = std::iter::repeat_n("..", up).collect();
        relative.push(path.strip_prefix(shared).ok()?);
        Some(relative.display().to_string())
    }
}

/// The path with the links of its folder resolved, its own kept: data is often linked to where it is stored.
pub(super) fn located(host: &dyn Host, path: &Path) -> PathBuf {
    let path = lexical::normalize(path);
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => {
            host.canonicalize(folder).map_or_else(|_| path.clone(), |folder| folder.join(name))
        }
        _ => path,
    }
}

/// The path with every link resolved, as Python does before it takes a script's folder.
pub(super) fn resolved(host: &dyn Host, path: &Path) -> PathBuf {
    host.canonicalize(path).unwrap_or_else(|_| lexical::normalize(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::recorded::Recorded;

    fn places(cwd: &str, script: &str) -> Places {
        let mut host = Recorded { cwd: cwd.into(), ..Recorded::default() };
        host.system.home = Some("/home/ada".into());
        Places::of(&host, Path::new(cwd), Some(Path::new(script)), &|labels| {
            labels.with(Path::new("/home/ada/env"), "{env}")
        })
    }

    #[test]
    fn the_same_program_elsewhere_has_the_same_names() {
        let a = places("/home/ada/a/p", "/home/ada/a/p/train.py");
        let b = places("/tmp", "/home/ada/b/p/train.py");
        for (file, name) in [
            ("train.py", "{project}/train.py"),
            ("lib/x.py", "{project}/lib/x.py"),
            ("../common.py", "../common.py"),
        ] {
            assert_eq!(a.show(&lexical::normalize(&Path::new("/home/ada/a/p").join(file))), name);
            assert_eq!(b.show(&lexical::normalize(&Path::new("/home/ada/b/p").join(file))), name);
        }
        assert_eq!(a.show(Path::new("/home/ada/words.txt")), "~/words.txt");
        assert_eq!(a.show(Path::new("/opt/lib/x.py")), "/opt/lib/x.py");
        assert_eq!(a.show(Path::new("/home/ada/env/lib/x.py")), "{env}/lib/x.py");
        assert_eq!(b.show(Path::new("/tmp/data/x.txt")), "data/x.txt");
    }
}
