//! What a command line starts: the executable, the Python interpreter behind it, and the user's program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::host::{FileKind, Host};

/// What the command line starts, as far as it can be told without starting it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The command line.
    pub argv: Vec<OsString>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The file that the first word names, links not resolved.
    pub executable: Option<PathBuf>,
    /// The Python interpreter that will run, links not resolved (that is what makes it an environment's).
    pub interpreter: Option<PathBuf>,
    /// The user's program.
    pub code: Code,
    /// Where its arguments begin in `argv`.
    pub args_at: usize,
}

/// What a Python interpreter is told to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// Nothing that the command line tells.
    #[default]
    Unknown,
    /// This file, absolute.
    Script(PathBuf),
    /// `-m NAME`.
    Module(String),
    /// `-c TEXT`.
    Text(String),
    /// Standard input: no argument, or `-`.
    Stdin,
}

/// Tools that choose an interpreter by rules of their own; the usual search stands for them.
const CHOOSERS: [&str; 9] = ["uv", "uvx", "poetry", "pipenv", "pdm", "hatch", "conda", "mamba", "micromamba"];

impl Program {
    /// Reads a command line.
    pub fn of(host: &dyn Host, argv: &[OsString]) -> Self {
        let mut program = Self { argv: argv.to_vec(), cwd: host.cwd(), ..Self::default() };
        let Some(first) = argv.first() else {
            return program;
        };
        program.executable = resolve(host, &program.cwd, first);
        if CHOOSERS.iter().any(|name| Path::new(first).file_name().is_some_and(|n| n == *name)) {
            program.code = program.first_script(host, 1);
            return program;
        }
        // Behind `env`, `taskset`, `mpirun`, … stands the program; the first word that is an interpreter, or a
        // script that one runs, is it.
        for (at, word) in argv.iter().enumerate() {
            let Some(file) = resolve(host, &program.cwd, word) else {
                continue;
            };
            if is_interpreter(&file) {
                program.interpreter = Some(file);
                program.read_arguments(host, at + 1);
                return program;
            }
            if let Some(interpreter) = shebang(host, &program.cwd, &file) {
                program.interpreter = Some(interpreter);
                program.args_at = at + 1;
                program.code = match program.first_script(host, at + 1) {
                    Code::Unknown => Code::Script(file),
                    launched => launched,
                };
                return program;
            }
        }
        program
    }

    /// What the interpreter's own arguments, from `at` on, tell it to run (Python's manual, "Command line and
    /// environment").
    fn read_arguments(&mut self, host: &dyn Host, mut at: usize) {
        loop {
            let Some(word) = self.argv.get(at).map(|word| word.to_string_lossy().into_owned()) else {
                self.code = Code::Stdin;
                self.args_at = at;
                return;
            };
            at += 1;
            if word == "-" || !word.starts_with('-') {
                self.args_at = at;
                self.code =
                    if word == "-" { Code::Stdin } else { Code::Script(self.cwd.join(&self.argv[at - 1])) };
                return;
            }
            if word.starts_with("--") {
                at += usize::from(word == "--check-hash-based-pycs");
                continue;
            }
            // A cluster of letters: `-Bum module`; the first letter with an argument takes the rest.
            let Some(letter) = word.find(['c', 'm', 'W', 'X']) else {
                continue;
            };
            let attached = &word[letter + 1..];
            let argument = if attached.is_empty() {
                at += 1;
                self.argv.get(at - 1).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default()
            } else {
                attached.to_owned()
            };
            match word.as_bytes()[letter] {
                b'c' => self.code = Code::Text(argument),
                b'm' => {
                    // `-m torch.distributed.run train.py` starts train.py.
                    self.code = match self.first_script(host, at) {
                        Code::Unknown => Code::Module(argument),
                        launched => launched,
                    };
                }
                _ => continue,
            }
            if !matches!(self.code, Code::Script(_)) {
                self.args_at = at;
            }
            return;
        }
    }

    /// The first word from `at` on that names a Python file: what a launcher is given to launch.
    fn first_script(&mut self, host: &dyn Host, at: usize) -> Code {
        for (index, word) in self.argv.iter().enumerate().skip(at) {
            let path = self.cwd.join(word);
            let is_script = path.extension().is_some_and(|e| e == "py");
            if is_script && host.stat(&path).is_ok_and(|stat| stat.kind == FileKind::File) {
                self.args_at = index + 1;
                return Code::Script(path);
            }
        }
        Code::Unknown
    }

    /// The file that the first word names, looked up as `execvp(3)` does; `Err(126)` where it is there but not a
    /// program, `Err(127)` where there is none.
    pub fn check(&self, host: &dyn Host) -> Result<(), u8> {
        if self.executable.is_some() {
            return Ok(());
        }
        let first = self.argv.first().map(PathBuf::from).unwrap_or_default();
        let there = first.components().count() > 1 && host.exists(&self.cwd.join(first));
        Err(if there { 126 } else { 127 })
    }
}

/// The executable file that a word names.
fn resolve(host: &dyn Host, cwd: &Path, word: &OsString) -> Option<PathBuf> {
    let text = word.to_string_lossy();
    if text.contains('/') {
        let path = cwd.join(word);
        return host
            .stat(&path)
            .is_ok_and(|stat| stat.kind == FileKind::File && stat.executable)
            .then_some(path);
    }
    if text.is_empty() || text.starts_with('-') {
        return None;
    }
    host.which(&text)
}

/// Whether a program is called as interpreters are: `python3.11`, `pypy3`, `python3.13t`.
pub fn is_interpreter(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    ["python", "pypy", "graalpy"].iter().any(|stem| {
        name.strip_prefix(stem)
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b't' | b'd')))
    })
}

/// The interpreter that runs a script, by its first line; also in the form that pip and uv write where the path is
/// too long or relocatable: `#!/bin/sh` and `'''exec' "/long/path/python" "$0" "$@"`.
fn shebang(host: &dyn Host, cwd: &Path, file: &Path) -> Option<PathBuf> {
    if host.stat(file).ok()?.len > 1 << 20 {
        return None;
    }
    let bytes = host.read(file).ok()?;
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(4096))?).into_owned();
    let mut lines = head.lines();
    let first = lines.next()?.strip_prefix("#!")?.trim();
    let mut words = first.split_ascii_whitespace();
    let program = Path::new(words.next()?);
    if is_interpreter(program) {
        return resolve(host, cwd, &program.as_os_str().to_owned());
    }
    let base = program.file_name()?.to_str()?;
    if base == "env" {
        let name = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
        return is_interpreter(Path::new(name)).then(|| resolve(host, cwd, &name.into()))?;
    }
    let second = lines.next()?;
    let exec = ["'''exec'", "\"exec\"", "'exec'"].iter().find_map(|exec| second.strip_prefix(exec))?;
    if exec.contains("dirname") {
        let name = exec.split(['/', '"', '\'']).find(|word| is_interpreter(Path::new(word)))?;
        return resolve(host, cwd, &file.parent()?.join(name).into_os_string());
    }
    let path = exec.split('"').find(|part| is_interpreter(Path::new(part)))?;
    resolve(host, cwd, &path.into())
}
