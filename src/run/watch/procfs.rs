//! What `/proc/PID` says (proc_pid_status(5), proc_pid_stat(5), proc_pid_maps(5)): pure functions over its texts.

use std::collections::BTreeMap;

/// The lines of `status` that are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// The process that this task belongs to.
    pub(super) tgid: i32,
    /// Its parent.
    pub(super) ppid: i32,
    /// Whether it has ended and waits for its parent.
    pub(super) zombie: bool,
    /// The process that traces it; 0 for none.
    pub(super) tracer: i32,
    /// kB of executable mappings other than the program's own. It changes with every library that comes or goes.
    pub(super) lib: u64,
    /// kB resident now.
    pub(super) rss: u64,
    /// kB resident at the peak.
    pub(super) peak: u64,
    /// Threads.
    pub(super) threads: u64,
    /// The CPUs it may run on, `0-3,8`.
    pub(super) cpus: String,
}

impl Status {
    pub(super) fn parse(text: &str) -> Self {
        let mut status = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            let number = || value.split(' ').next().and_then(|v| v.parse().ok()).unwrap_or(0);
            match key {
                "Tgid" => status.tgid = value.parse().unwrap_or(0),
                "PPid" => status.ppid = value.parse().unwrap_or(0),
                "TracerPid" => status.tracer = value.parse().unwrap_or(0),
                "State" => status.zombie = value.starts_with(['Z', 'X']),
                "VmLib" => status.lib = number(),
                "VmRSS" => status.rss = number(),
                "VmHWM" => status.peak = number(),
                "Threads" => status.threads = number(),
                "Cpus_allowed_list" => status.cpus = value.to_owned(),
                _ => {}
            }
        }
        status
    }
}

/// The fields of `stat` that are used, by their numbers in proc_pid_stat(5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// 5: its process group.
    pub(super) pgrp: i32,
    /// 6: its session.
    pub(super) session: i32,
    /// 9: whether it was forked and has not become a program of its own by `execve` yet (`PF_FORKNOEXEC`).
    pub(super) forked: bool,
    /// 22: clock ticks from the boot to its start.
    pub(super) start: u64,
    /// 39: the CPU it ran on last.
    pub(super) cpu: u32,
    /// 50: where its environment begins; another place after an `execve`.
    pub(super) env_start: u64,
}

impl Stat {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // The name is in parentheses and may hold any character, a parenthesis too.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            pgrp: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            forked: field(9)?.parse::<u64>().ok()? & 0x40 != 0,
            start: field(22)?.parse().ok()?,
            cpu: field(39).and_then(|f| f.parse().ok()).unwrap_or(0),
            env_start: field(50).and_then(|f| f.parse().ok()).unwrap_or(0),
        })
    }
}

/// A file that is mapped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mapped {
    /// Its path as the kernel knows it, links resolved.
    pub(super) path: String,
    /// Its inode.
    pub(super) inode: u64,
    /// Whether it was deleted or replaced while it was mapped.
    pub(super) deleted: bool,
}

/// What is mapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Maps {
    /// Files with code, and files called like shared libraries.
    pub(super) files: Vec<Mapped>,
    /// Devices, such as `/dev/nvidia0`.
    pub(super) devices: Vec<String>,
}

impl Maps {
    pub(super) fn parse(text: &str) -> Self {
        let mut files: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
        let mut devices: Vec<String> = Vec::new();
        for line in text.lines() {
            let Some(at) = line.find('/') else {
                continue;
            };
            let path = &line[at..];
            let mut fields = line[..at].split_ascii_whitespace();
            let executable = fields.nth(1).is_some_and(|perms| perms.as_bytes().get(2) == Some(&b'x'));
            if let Some(device) = path.strip_prefix("/dev/")
                && !device.starts_with("shm/")
            {
                if !devices.iter().any(|known| known == path) {
                    devices.push(path.to_owned());
                }
            } else if executable || is_library_name(path) {
                let inode = fields.nth(2).and_then(|inode| inode.parse().ok()).unwrap_or(0);
                files.entry(path).or_insert((inode, executable)).1 |= executable;
            }
        }
        let files = files.into_iter().map(|(path, (inode, _))| {
            let (path, deleted) = path.strip_suffix(" (deleted)").map_or((path, false), |path| (path, true));
            // A line break in a name is written as `\012`.
            Mapped { path: path.replace("\\012", "\n"), inode, deleted }
        });
        Self { files: files.collect(), devices }
    }
}

/// Whether a file is called like a shared library: `libz.so.1.2`, `_C.cpython-311-x86_64-linux-gnu.so`.
fn is_library_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.find(".so")
        .is_some_and(|at| name[at + 3..].bytes().all(|b| b.is_ascii_digit() || b == b'.') && at > 0)
}

/// The variables of `environ`. A process that wrote over its own (to set its title) leaves what is no environment:
/// then there are none.
pub(super) fn environ(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for entry in bytes.split(|b| *b == 0) {
        let text = String::from_utf8_lossy(entry);
        if let Some((name, value)) = text.split_once('=')
            && !name.is_empty()
        {
            // getenv(3) finds the first of two.
            variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    (!variables.is_empty() || bytes.is_empty()).then_some(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_hold_libraries_and_devices() {
        let text = "\
55d0-55d1 r-xp 00001000 fe:00 7 /usr/bin/python3.11
7f00-7f01 r--p 00000000 fe:00 9 /a b/libx.so.1.2
7f01-7f02 r-xp 00001000 fe:00 9 /a b/libx.so.1.2
7f02-7f03 r--p 00000000 fe:00 11 /lib/locale-archive
7f03-7f04 r--p 00000000 fe:00 12 /lib/nocode.so
7f04-7f05 r-xp 00000000 fe:00 13 /tmp/gone.so (deleted)
7f05-7f06 rw-s 00000000 00:06 14 /dev/nvidia-uvm
7f06-7f07 rw-s 00000000 00:06 15 /dev/shm/sem.x
7f07-7f08 r-xp 00000000 00:00 0 [vdso]
7f08-7f09 rwxp 00000000 00:00 0
";
        let maps = Maps::parse(text);
        let names: Vec<&str> = maps.files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(names, ["/a b/libx.so.1.2", "/lib/nocode.so", "/tmp/gone.so", "/usr/bin/python3.11"]);
        assert_eq!(maps.files[0], Mapped { path: "/a b/libx.so.1.2".into(), inode: 9, deleted: false });
        assert!(maps.files[2].deleted);
        assert_eq!(maps.devices, ["/dev/nvidia-uvm"]);
    }

    #[test]
    fn stat_survives_any_name() {
        let mut fields = vec!["0"; 50];
        (fields[0], fields[3], fields[6], fields[19], fields[36], fields[47]) =
            ("S", "42", "4194368", "99", "3", "777");
        let stat = Stat::parse(&format!("7 (a) b (c) {}", fields.join(" ")));
        assert_eq!(
            stat,
            Some(Stat { pgrp: 0, session: 42, forked: true, start: 99, cpu: 3, env_start: 777 })
        );
        assert_eq!(Stat::parse("7 (x"), None);
        assert_eq!(Stat::parse("7 (x) S 1"), None);
    }

    #[test]
    fn an_environment_and_what_is_none() {
        let read = environ(b"A=1\0B=x=y\0A=2\0\0");
        assert_eq!(read, Some([("A".into(), "1".into()), ("B".into(), "x=y".into())].into()));
        assert_eq!(environ(b"ray::worker\0\0\0"), None);
        assert_eq!(environ(b"\0\0\0"), None);
        assert_eq!(environ(b""), Some(BTreeMap::new()));
    }
}
