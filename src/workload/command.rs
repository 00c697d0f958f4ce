//! From a command line to the program that Python runs.

use std::path::{Path, PathBuf};

/// What Python is asked to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// A file.
    Script(PathBuf),
    /// `-m NAME`.
    Module(String),
    /// `-c TEXT`.
    Text(String),
}

/// A Python command line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) program: Program,
    /// What follows it: `sys.argv[1:]`.
    pub(super) args: Vec<String>,
    /// How often `-O` is given.
    pub(super) optimize: u8,
    /// `-E` or `-I`: variables named `PYTHON*` are not read.
    pub(super) ignore_environment: bool,
    /// `-I`, `-P`: the script's folder is not on the path.
    pub(super) safe_path: bool,
    /// The launcher that starts the program, where there is one.
    pub(super) launcher: Option<&'static str>,
}

/// Launchers of a script: the command's or module's name, and the options that take no value. Everything else that
/// begins with a dash takes one, unless it holds `=`.
const LAUNCHERS: &[(&str, &str, &[&str])] = &[
    ("torchrun", "torchrun", TORCHRUN),
    ("torch.distributed.run", "torchrun", TORCHRUN),
    ("torch.distributed.launch", "torchrun", TORCHRUN),
    ("accelerate.commands.launch", "accelerate", ACCELERATE),
    ("deepspeed", "deepspeed", &["--no_local_rank", "--no_python", "--no_ssh", "--enable_each_rank_log"]),
    ("trace", "trace", &["-t", "--trace", "-c", "--count", "-l", "--listfuncs"]),
    ("cProfile", "profile", &[]),
    ("kernprof", "profile", &["-l", "-v"]),
    ("pdb", "pdb", &[]),
    ("coverage", "coverage", &["--branch", "-a"]),
];
const TORCHRUN: &[&str] = &[
    "--standalone",
    "--no-python",
    "--no_python",
    "--run-path",
    "--run_path",
    "--use-env",
    "--use_env",
    "-m",
    "--module",
];
const ACCELERATE: &[&str] = &[
    "--cpu",
    "--multi_gpu",
    "--tpu",
    "--quiet",
    "-q",
    "--use_deepspeed",
    "--use_fsdp",
    "--use_megatron_lm",
    "--no_python",
    "--debug",
    "-m",
    "--module",
    "--standalone",
    "--main_training_function",
];

/// Takes a command line apart; `None` where it does not start a Python program that can be found by its text.
pub(super) fn parse(argv: &[String]) -> Option<Launch> {
    let (first, mut rest) = argv.split_first()?;
    let name = Path::new(first).file_name()?.to_str()?;
    // Programs that only change the surroundings of the one that follows.
    match name {
        "env" => {
            while let Some((word, more)) = rest.split_first() {
                if word.contains('=') || word == "-i" || word == "-" {
                    rest = more;
                } else {
                    break;
                }
            }
            return parse(rest);
        }
        "nice" | "ionice" | "nohup" | "setsid" | "stdbuf" | "time" | "taskset" | "numactl" | "setarch"
        | "srun" | "chrt" | "timeout" | "uv" | "poetry" | "pipenv" | "pdm" | "conda" | "mpirun"
        | "mpiexec" => {
            // Their own arguments are skipped up to the first word that names Python or a launcher of it.
            let at = rest.iter().position(|w| {
                is_python(w)
                    || w.ends_with("/torchrun")
                    || w == "torchrun"
                    || w == "accelerate"
                    || w == "deepspeed"
                    || (matches!(name, "uv" | "poetry" | "pdm") && w.ends_with(".py"))
            })?;
            return parse(&rest[at..]);
        }
        "torchrun" | "deepspeed" | "kernprof" | "coverage" => return launched(name, rest, &Launch::bare()),
        "accelerate" => {
            return (rest.first()? == "launch")
                .then(|| launched("accelerate.commands.launch", &rest[1..], &Launch::bare()))?;
        }
        _ => {}
    }
    if !is_python(first) {
        return Path::new(first).extension().is_some_and(|e| e == "py").then(|| Launch {
            program: Program::Script(first.into()),
            args: rest.to_vec(),
            ..Launch::bare()
        });
    }
    python(rest)
}

/// Whether a command is a Python interpreter: `python`, `python3.11`, `/usr/bin/pypy3`.
fn is_python(command: &str) -> bool {
    let name = command.rsplit('/').next().unwrap_or(command);
    ["python", "pypy"].iter().any(|p| {
        name.strip_prefix(p)
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b't'))
    })
}

impl Launch {
    fn bare() -> Self {
        Self {
            program: Program::Text(String::new()),
            args: Vec::new(),
            optimize: 0,
            ignore_environment: false,
            safe_path: false,
            launcher: None,
        }
    }
}

/// The interpreter's own options. Source: docs.python.org/3/using/cmdline.html.
fn python(words: &[String]) -> Option<Launch> {
    let mut launch = Launch::bare();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let rest = || words.clone().cloned().collect::<Vec<_>>();
        let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) else {
            (word != "-").then_some(())?;
            launch.program = Program::Script(word.into());
            launch.args = rest();
            return Some(launch);
        };
        if letters.starts_with('-') {
            if letters == "-check-hash-based-pycs" {
                words.next();
            }
            continue;
        }
        for (i, letter) in letters.char_indices() {
            let attached = &letters[i + 1..];
            match letter {
                'c' | 'm' => {
                    let value = if attached.is_empty() { words.next()?.clone() } else { attached.to_owned() };
                    let rest: Vec<String> = words.cloned().collect();
                    if letter == 'c' {
                        launch.program = Program::Text(value);
                    } else {
                        if LAUNCHERS.iter().any(|(name, ..)| *name == value) {
                            return launched(&value, &rest, &launch);
                        }
                        launch.program = Program::Module(value);
                    }
                    launch.args = rest;
                    return Some(launch);
                }
                'X' | 'W' => {
                    if attached.is_empty() {
                        words.next();
                    }
                    break;
                }
                'O' => launch.optimize += 1,
                'E' => launch.ignore_environment = true,
                'I' => (launch.ignore_environment, launch.safe_path) = (true, true),
                'P' => launch.safe_path = true,
                _ => {}
            }
        }
    }
    None
}

/// The program that a launcher starts.
fn launched(name: &str, words: &[String], outer: &Launch) -> Option<Launch> {
    let (_, label, flags) = LAUNCHERS.iter().find(|(n, ..)| *n == name)?;
    let mut launch = Launch { launcher: Some(label), ..outer.clone() };
    let mut module = false;
    let mut words = words.iter().peekable();
    if name == "coverage" {
        (words.next()? == "run").then_some(())?;
    }
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix('-') {
            module |= option == "m" || option == "-module";
            if !word.contains('=') && !flags.contains(&word.as_str()) && !flags.is_empty() {
                words.next();
            }
            continue;
        }
        launch.program = if module { Program::Module(word.clone()) } else { Program::Script(word.into()) };
        launch.args = words.cloned().collect();
        return Some(launch);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<(Program, Vec<String>)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words).map(|l| (l.program, l.args))
    }

    #[test]
    fn the_program_behind_a_command_line() {
        let script = |name: &str, args: &[&str]| {
            Some((Program::Script(name.into()), args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()))
        };
        assert_eq!(of("python train.py --n 3"), script("train.py", &["--n", "3"]));
        assert_eq!(
            of("/opt/bin/python3.11 -OO -Xdev -W ignore -uB train.py -x"),
            script("train.py", &["-x"])
        );
        assert_eq!(of("torchrun --nproc_per_node 2 --standalone train.py -a"), script("train.py", &["-a"]));
        assert_eq!(of("python -m torch.distributed.run --nproc_per_node=2 t.py"), script("t.py", &[]));
        assert_eq!(of("accelerate launch --cpu t.py --lr 1"), script("t.py", &["--lr", "1"]));
        assert_eq!(of("taskset -c 0 python t.py"), script("t.py", &[]));
        assert_eq!(of("env A=1 B=2 python t.py"), script("t.py", &[]));
        assert_eq!(of("./t.py x"), script("./t.py", &["x"]));
        assert_eq!(
            of("python -m pkg.train a"),
            Some((Program::Module("pkg.train".into()), vec!["a".into()]))
        );
        assert_eq!(of("python -Ic pass a"), Some((Program::Text("pass".into()), vec!["a".into()])));
        assert_eq!(of("make all"), None);
        assert_eq!(of("python"), None);
        assert_eq!(of("python -"), None);
    }

    #[test]
    fn optimisation_counts() {
        let words: Vec<String> = ["python", "-O", "-O", "a.py"].map(str::to_owned).to_vec();
        assert_eq!(parse(&words).map(|l| l.optimize), Some(2));
    }
}
