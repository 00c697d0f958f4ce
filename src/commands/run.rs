//! `driftlock run`.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use super::capture::{Meta, captured};
use super::load;
use crate::capture::{Captured, add};
use crate::cli::run::Run;
use crate::error::{Error, without_number};
use crate::exit::Exit;
use crate::host::Host;
use crate::host::live::Live;
use crate::probes::python::interpreter;
use crate::probes::{Context, PythonChoice, config, data};
use crate::run::outputs::Before;
use crate::run::supervise::{self, Finished};
use crate::run::watch::Variables;
use crate::run::{Program, hooks, rank, report};
use crate::snapshot::value::shown;
use crate::snapshot::{FactPath, Snapshot, file, write};

/// Captures, starts the command, watches it to its end, and writes the snapshot before and after.
///
/// What goes wrong before the start is an error, and nothing is started. From then on the command's end decides, and
/// whatever goes wrong here is a warning.
pub fn run(args: &Run) -> Result<Exit, Error> {
    let host: Arc<dyn Host> = Arc::new(Live::new());
    if args.lock == Path::new("-") {
        return Err(Error::input("`-o -`: standard output is the command's").hint("name a file with -o"));
    }
    let lock = rank::file(&args.lock, rank::of(host.as_ref()));
    file::check_writable(&lock)?;
    let program = Program::of(host.as_ref(), &args.command);
    if let Err(code) = program.check(host.as_ref()) {
        return Ok(not_started(
            &program,
            code,
            if code == 127 { "command not found" } else { "not executable" },
        ));
    }

    let mut options = args.options(std::io::stderr().is_terminal());
    interpreter::check(host.as_ref(), &options.python)?;
    data::check(host.as_ref(), &options)?;
    config::check(host.as_ref(), &options)?;
    let by_command = choose_python(host.as_ref(), &program, &mut options.python);
    let meta = Meta { label: args.label.clone(), timings: args.timings, anonymous: args.anonymous };
    let mut cx = Context::new(Arc::clone(&host), options);
    let analysis = hooks::workload(&cx, &program);
    cx.options.env.extend(analysis.env);
    let cx = Arc::new(cx);
    let Captured { mut snapshot, attachments, .. } = captured(&cx, &meta);
    if by_command {
        let road = FactPath::new(["python", "found_by"]);
        if let Some(value) = snapshot.volatile.get_mut(&road) {
            *value = "command".into();
        }
    }
    let put = |snapshot: &mut Snapshot, section: &str, collected| {
        snapshot.sections.insert(section.to_owned());
        add(snapshot, collected, host.as_ref(), args.anonymous);
    };
    if let Some(facts) = analysis.facts {
        put(&mut snapshot, "workload", facts);
    }

    // First the files that the snapshot names, then the snapshot, so that a watcher that is killed leaves a whole one.
    for (suffix, content) in &attachments {
        file::write(&load::beside(&lock, suffix), content)?;
    }
    let mut partial = snapshot.clone();
    put(&mut partial, "run", report::before(&cx, &program));
    file::write(&lock, write::to_string(&partial).as_bytes())?;

    let before = Before::look(&program.cwd, &args.outputs);
    let variables = Variables { own: host.env_all(), asked: cx.options.env.clone(), all: args.env_all };
    let watching = supervise::Options { variables, no_ptrace: args.no_ptrace };
    let finished = match supervise::run(&program, &watching) {
        Ok(finished) => finished,
        Err(error) => {
            let code = if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 };
            return Ok(not_started(&program, code, &error.to_string()));
        }
    };
    let (written, missing) = before.compare();
    for pattern in &missing {
        warn(&format!("--output {pattern}: no such file after the run"));
    }
    put(&mut snapshot, "run", report::after(&cx, &program, &finished, &missing, &partial));
    if let Some(mut facts) = hooks::outputs(&program, &written, std::io::stderr().is_terminal()) {
        for (suffix, content) in std::mem::take(&mut facts.attachments) {
            if let Err(error) = file::write(&load::beside(&lock, &suffix), &content) {
                warn(&error.to_string());
            }
        }
        put(&mut snapshot, "outputs", facts);
    }
    finish(&lock, &snapshot);
    Ok(exit(&finished))
}

/// The interpreter that the command starts, where `--python` names none. Whether it was chosen so.
pub(super) fn choose_python(host: &dyn Host, program: &Program, choice: &mut PythonChoice) -> bool {
    if *choice != PythonChoice::Auto {
        return false;
    }
    let Some(path) = &program.interpreter else {
        return false;
    };
    let found = PythonChoice::Path(path.clone());
    // A program that is only called so.
    if interpreter::check(host, &found).is_err() {
        return false;
    }
    *choice = found;
    true
}

fn exit(finished: &Finished) -> Exit {
    Exit::Command(finished.end.exit_code())
}

fn finish(lock: &Path, snapshot: &Snapshot) {
    match file::write(lock, write::to_string(snapshot).as_bytes()) {
        Ok(()) if std::io::stderr().is_terminal() => {
            tell(&format!("wrote {}", lock.display()));
        }
        Ok(()) => {}
        Err(error) => warn(&error.to_string()),
    }
}

fn not_started(program: &Program, code: u8, why: &str) -> Exit {
    let name = program.argv.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    tell(&format!("{name}: {}", without_number(why)));
    Exit::Command(code)
}

fn warn(text: &str) {
    tell(&format!("warning: {text}"));
}

/// A line on standard error, which the command shares: apart from its own by the name in front. One that cannot be
/// written is dropped: the terminal may be gone.
fn tell(text: &str) {
    use std::io::Write as _;
    let mut line = String::from("driftlock: ");
    line.push_str(&shown(text));
    line.push('\n');
    let _gone = std::io::stderr().write_all(line.as_bytes());
}
