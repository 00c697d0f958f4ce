//! The machine we run on. The only files that read it are in this folder and the narrow modules beside it.

mod process;
mod system;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::{
    Command, Entry, FileKind, Host, Output, READ_LIMIT, RunError, Stat, System, elf, git, nvml, tree,
};

/// Bytes read at a time to be hashed: small enough for the second-level cache.
const HASH_BUFFER: usize = 256 << 10;

/// The machine we run on.
#[derive(Debug, Default)]
pub struct Live {
    system: OnceLock<System>,
}

impl Live {
    /// This machine.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Host for Live {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        // The size of a pseudo-file is 0, so the limit is on what is read; elsewhere it saves reading in small steps.
        let size = file.metadata().map_or(0, |meta| meta.len()).min(READ_LIMIT);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
        file.take(READ_LIMIT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > READ_LIMIT {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("larger than {READ_LIMIT} bytes"),
            ));
        }
        Ok(bytes)
    }

    fn sha256(&self, path: &Path) -> io::Result<[u8; 32]> {
        // A pipe in the file's place must not block: opening one for reading waits for a writer.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let mut file = File::open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; HASH_BUFFER];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hash.finalize().into()),
                Ok(read) => hash.update(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let kind = entry.file_type()?;
            let kind = match () {
                () if kind.is_symlink() => FileKind::Link,
                () if kind.is_dir() => FileKind::Dir,
                () if kind.is_file() => FileKind::File,
                () => FileKind::Other,
            };
            entries.push(Entry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let meta = fs::metadata(path)?;
        let kind = match () {
            () if meta.is_dir() => FileKind::Dir,
            () if meta.is_file() => FileKind::File,
            () => FileKind::Other,
        };
        Ok(Stat { kind, len: meta.len(), executable: executable(&meta) })
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|v| v.to_string_lossy().into_owned())
    }

    fn env_all(&self) -> BTreeMap<String, String> {
        std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect()
    }

    fn cwd(&self) -> PathBuf {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    }

    fn system(&self) -> System {
        self.system.get_or_init(system::read).clone()
    }

    fn run(&self, command: &Command) -> Result<Output, RunError> {
        process::run(command)
    }

    fn elf(&self, path: &Path) -> Result<elf::ElfInfo, elf::ElfError> {
        elf::inspect(path)
    }

    fn nvml(&self, limit: Duration) -> Result<nvml::NvmlReport, nvml::NvmlFault> {
        nvml::ask(limit)
    }

    fn git(&self, start: &Path, options: &git::GitOptions) -> Result<git::GitReport, git::GitFault> {
        git::inspect(start, options)
    }

    fn tree(&self, path: &Path, options: &tree::TreeOptions) -> Result<tree::TreeReport, tree::TreeFault> {
        tree::inspect(path, options)
    }

    fn now(&self) -> i128 {
        if let Some(seconds) = self.env("DRIFTLOCK_NOW").and_then(|text| text.parse::<i128>().ok()) {
            return seconds.saturating_mul(1_000_000_000);
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i128::try_from(since.as_nanos()).unwrap_or(i128::MAX)
    }
}

#[cfg(unix)]
fn executable(meta: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(meta: &fs::Metadata) -> bool {
    meta.is_file()
}
