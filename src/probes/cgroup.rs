//! Which control groups act on this process, and where their files are: for the CPU quota and the memory limit.
//!
//! A limit acts on every group below the one that sets it, so that the limit of a process is the smallest on the way
//! from its own group up to the root of what is mounted (Linux, `admin-guide/cgroup-v2.rst`, "Resource Distribution
//! Models"). What lies above the mount (a container sees only its own branch) acts too, and cannot be seen.

use std::path::{Component, Path, PathBuf};

use crate::host::Host;

/// The two kernel interfaces, which differ in file names and units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy per controller: `memory.limit_in_bytes`, `cpu.cfs_quota_us`.
    V1,
    /// The unified hierarchy: `memory.max`, `cpu.max`.
    V2,
}

impl Version {
    /// `v1` or `v2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// A controller's groups that act on this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Which interface the files follow.
    pub version: Version,
    /// The folders, the process's own group first, the root of the mount last. Never empty.
    pub dirs: Vec<PathBuf>,
}

/// The control groups of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cgroup {
    groups: Vec<Group>,
    mounts: Vec<Mount>,
}

/// A line of `/proc/self/cgroup`; no controllers for the unified hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    controllers: Vec<String>,
    path: PathBuf,
}

/// A mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// What of the hierarchy is mounted.
    root: PathBuf,
    /// Where.
    point: PathBuf,
    /// Version 1: the controllers.
    options: Vec<String>,
}

impl Cgroup {
    /// The groups of this process. Empty where the system has none (not Linux, `/proc` not mounted).
    ///
    /// # Errors
    ///
    /// In words, where a file is there and cannot be read.
    pub fn of(host: &dyn Host) -> Result<Self, String> {
        let read = |path: &str| match host.text(Path::new(path)) {
            Ok(text) => Ok(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(e) => Err(format!("{path}: {e}")),
        };
        Ok(Self {
            groups: parse_groups(&read("/proc/self/cgroup")?),
            mounts: parse_mounts(&read("/proc/self/mountinfo")?),
        })
    }

    /// The folders of this controller's groups (`cpu`, `memory`, `cpuset`); `None` where it is not mounted. A
    /// controller is in one hierarchy only: on a hybrid system the version 1 one wins where it names it.
    pub fn controller(&self, host: &dyn Host, name: &str) -> Option<Branch> {
        let v1 = self.groups.iter().find(|g| g.controllers.iter().any(|c| c == name));
        let v1 = v1.and_then(|g| {
            self.branch(host, g, |m| m.version == Version::V1 && m.options.iter().any(|o| o == name))
        });
        v1.or_else(|| {
            let unified = self.groups.iter().find(|g| g.controllers.is_empty())?;
            self.branch(host, unified, |m| m.version == Version::V2)
        })
    }

    fn branch(&self, host: &dyn Host, group: &Group, wanted: impl Fn(&Mount) -> bool) -> Option<Branch> {
        let mounts = || self.mounts.iter().filter(|m| wanted(m));
        let inside = |rest: &&Path| rest.components().all(|c| matches!(c, Component::Normal(_)));
        let below = mounts().find_map(|m| Some((m, group.path.strip_prefix(&m.root).ok().filter(inside)?)));
        // A container in the host's cgroup namespace names a group that its own mount does not show: the root of
        // the mount is then the innermost one that can be seen.
        let (mount, below) = below.or_else(|| Some((mounts().next()?, Path::new(""))))?;
        let dirs = below.ancestors().map(|rest| mount.point.join(rest)).filter(|dir| host.exists(dir));
        let mut dirs: Vec<PathBuf> = dirs.map(|dir| dir.components().collect()).collect();
        if dirs.is_empty() {
            dirs.push(mount.point.clone());
        }
        Some(Branch { version: mount.version, dirs })
    }
}

impl Branch {
    /// The text of this file in every group that has it, the process's own first. The root of a whole version 2
    /// hierarchy has no limit files.
    ///
    /// # Errors
    ///
    /// In words, where a file is there and cannot be read.
    pub fn texts(&self, host: &dyn Host, file: &str) -> Result<Vec<String>, String> {
        let mut texts = Vec::new();
        for path in self.dirs.iter().map(|dir| dir.join(file)) {
            match host.text(&path) {
                Ok(text) => texts.push(text),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(format!("{file}: {e}")),
            }
        }
        Ok(texts)
    }
}

/// `/proc/self/cgroup` (cgroups(7)), for example
///
/// ```text
/// 4:cpu,cpuacct:/docker/1f2e
/// 1:name=systemd:/docker/1f2e
/// 0::/user.slice/user-1000.slice/session-2.scope
/// ```
fn parse_groups(text: &str) -> Vec<Group> {
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':');
        let (_id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let controllers = controllers.split(',').filter(|c| !c.is_empty()).map(str::to_owned).collect();
        Some(Group { controllers, path: path.into() })
    };
    text.lines().filter_map(line).collect()
}

/// The control group lines of `/proc/self/mountinfo` (proc_pid_mountinfo(5)), for example
///
/// ```text
/// 31 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
/// 40 33 0:34 /docker/1f2e /sys/fs/cgroup/memory ro,nosuid master:16 - cgroup cgroup rw,memory
/// ```
fn parse_mounts(text: &str) -> Vec<Mount> {
    let line = |line: &str| {
        let (mount, source) = line.split_once(" - ")?;
        let (mut mount, mut source) = (mount.split(' ').skip(3), source.split(' '));
        let version = match source.next()? {
            "cgroup" => Version::V1,
            "cgroup2" => Version::V2,
            _ => return None,
        };
        let options = source.nth(1).unwrap_or_default().split(',').map(str::to_owned).collect();
        Some(Mount {
            version,
            root: unescape(mount.next()?).into(),
            point: unescape(mount.next()?).into(),
            options,
        })
    };
    text.lines().filter_map(line).collect()
}

/// Undoes the octal escapes of the kernel's `mangle_path`: space, tab, line feed and backslash.
pub fn unescape(text: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::host::recorded::Recorded;

    fn host(group: &str, mounts: &str, files: &[&str]) -> Recorded {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.files.insert("/proc/self/cgroup".into(), group.to_owned());
        host.files.insert("/proc/self/mountinfo".into(), mounts.to_owned());
        host.files.extend(files.iter().map(|f| (PathBuf::from(f), "max".to_owned())));
        host
    }

    fn dirs(host: &Recorded, controller: &str) -> Vec<String> {
        let branch = Cgroup::of(host).unwrap().controller(host, controller).unwrap();
        branch.dirs.iter().map(|d| d.display().to_string()).collect()
    }

    #[test]
    fn unified_hierarchy_from_own_group_to_root() {
        let host = host(
            "0::/a.slice/b.scope\n",
            "31 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
            &["/sys/fs/cgroup/a.slice/b.scope/cpu.max", "/sys/fs/cgroup/a.slice/cpu.max"],
        );
        assert_eq!(
            dirs(&host, "cpu"),
            ["/sys/fs/cgroup/a.slice/b.scope", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup"]
        );
        let branch = Cgroup::of(&host).unwrap().controller(&host, "cpu").unwrap();
        assert_eq!(
            (branch.version, branch.texts(&host, "cpu.max")),
            (Version::V2, Ok(vec!["max".to_owned(); 2]))
        );
    }

    #[test]
    fn a_container_in_a_version_1_hierarchy_sees_its_own_branch_only() {
        let host = host(
            "5:memory:/docker/1f2e/inner\n4:cpu,cpuacct:/docker/1f2e\n0::/docker/1f2e\n",
            "40 33 0:34 /docker/1f2e /sys/fs/cgroup/memory ro master:16 - cgroup cgroup rw,memory\n\
             41 33 0:35 /docker/1f2e /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n",
            &["/sys/fs/cgroup/memory/inner/x", "/sys/fs/cgroup/memory/x", "/sys/fs/cgroup/cpu,cpuacct/x"],
        );
        assert_eq!(dirs(&host, "memory"), ["/sys/fs/cgroup/memory/inner", "/sys/fs/cgroup/memory"]);
        assert_eq!(dirs(&host, "cpu"), ["/sys/fs/cgroup/cpu,cpuacct"]);
        assert_eq!(Cgroup::of(&host).unwrap().controller(&host, "cpuset"), None);
    }

    #[test]
    fn a_group_that_the_mount_does_not_show_falls_back_to_its_root() {
        let mounts = "31 23 0:26 / /sys/fs/cgroup\\040x rw - cgroup2 cgroup rw\n";
        for group in ["0::/kubepods/pod1\n", "0::/../../x\n", "0::/\n"] {
            let host = host(group, mounts, &["/sys/fs/cgroup x/memory.max"]);
            assert_eq!(dirs(&host, "memory"), ["/sys/fs/cgroup x"], "{group}");
        }
    }

    #[test]
    fn no_proc_is_none_and_an_unreadable_one_is_an_error() {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        assert_eq!(Cgroup::of(&host), Ok(Cgroup::default()));
        assert_eq!(Cgroup::default().controller(&host, "cpu"), None);
        host.denied.insert("/proc/self/cgroup".into());
        assert!(Cgroup::of(&host).is_err());
    }
}
