//! The project that a policy is for: its folder, its policy, and how its machine is looked at.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{capture, import, load};
use crate::capture::Captured;
use crate::error::Error;
use crate::explain::Catalogue;
use crate::gate::policy::{self, Policy};
use crate::gate::read;
use crate::host::Host;
use crate::host::live::Live;
use crate::probes::python::interpreter;
use crate::probes::{Context, Options, PythonChoice, config, data};

/// A policy, the folder that its paths are relative to, and the rules in force.
#[derive(Debug)]
pub(super) struct Project {
    /// The folder, as the user would name it; empty for the working directory.
    pub folder: PathBuf,
    /// The policy; the defaults where there is no file.
    pub policy: Policy,
    /// The rules, the policy's own among them.
    pub rules: Catalogue,
}

impl Project {
    /// The project of the policy `named`, or of the nearest `driftlock.toml`, or else of the folder `or`, or, where that
    /// is not given, of the nearest lock.
    ///
    /// # Errors
    ///
    /// A policy that cannot be read or is wrong.
    pub(super) fn of(named: Option<&Path>, or: Option<&Path>) -> Result<Self, Error> {
        let path = named.map(Path::to_path_buf).or_else(|| load::nearest(policy::FILE));
        let Some(path) = path else {
            let nearest = || load::nearest(policy::LOCK).map(|lock| folder_of(&lock)).unwrap_or_default();
            let folder = or.map_or_else(nearest, Path::to_path_buf);
            return Ok(Self { folder, policy: Policy::default(), rules: Catalogue::built_in() });
        };
        if path.is_dir() {
            return Err(Error::input(format!("cannot read `{}`: it is a folder", path.display())));
        }
        let text = import::text(&path)?;
        read::syntax(&path, &text)?;
        let rules = load::rules_of(&path, &text)?.catalogue;
        let policy = read::policy(&path, &text, &rules)?;
        Ok(Self { folder: folder_of(&path), policy, rules })
    }

    /// A path of the policy, from where the user is.
    pub(super) fn path(&self, below: &Path) -> PathBuf {
        if self.folder.as_os_str().is_empty() { below.to_path_buf() } else { self.folder.join(below) }
    }

    /// The policy's lock.
    pub(super) fn lock(&self) -> PathBuf {
        self.path(self.policy.lock.as_deref().unwrap_or(Path::new(policy::LOCK)))
    }

    /// Looks at this machine as the policy says, from the project's folder, so that it does not matter where in the
    /// project the user is.
    ///
    /// # Errors
    ///
    /// What the policy names and is not there.
    pub(super) fn capture(&self, sections: Vec<String>, meta: &capture::Meta) -> Result<Captured, Error> {
        let _there = Inside::enter(&self.folder)?;
        let host: Arc<dyn Host> = Arc::new(Live::new());
        let how = &self.policy.capture;
        let mut options = Options {
            python: match &how.python {
                _ if how.no_python => PythonChoice::None,
                Some(path) => PythonChoice::Path(path.clone()),
                None => PythonChoice::Auto,
            },
            env: how.env.clone(),
            data: how.data.clone(),
            config: how.config.clone(),
            sections,
            ..Options::default()
        };
        if let Some(timeout) = how.timeout {
            options.timeout = timeout;
        }
        let from_policy = |e: Error| match &self.policy.path {
            Some(path) => Error { what: format!("`{}`, [capture]: {}", path.display(), e.what), ..e },
            None => e,
        };
        interpreter::check(host.as_ref(), &options.python).map_err(from_policy)?;
        data::check(host.as_ref(), &options).map_err(from_policy)?;
        config::check(host.as_ref(), &options).map_err(from_policy)?;
        Ok(capture::captured(&Arc::new(Context::new(host, options)), meta))
    }
}

/// The folder of a file; empty for the working directory.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// While it lives, the working directory is another.
struct Inside {
    back: Option<PathBuf>,
}

impl Inside {
    fn enter(folder: &Path) -> Result<Self, Error> {
        if folder.as_os_str().is_empty() || folder == Path::new(".") {
            return Ok(Self { back: None });
        }
        let back = std::env::current_dir().ok();
        std::env::set_current_dir(folder)
            .map_err(|e| Error::machine(format!("cannot enter `{}`: {e}", folder.display())))?;
        Ok(Self { back })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(back) = &self.back {
            let _stays = std::env::set_current_dir(back);
        }
    }
}
