//! One file per subcommand: wires inputs to outputs.

pub mod bisect;
pub mod capture;
pub mod check;
pub mod diff;
pub mod facts;
pub mod findings;
pub mod import;
pub mod init;
pub mod lint;
pub mod load;
pub mod nvml;
mod project;
pub mod rules;
pub mod run;
pub mod selftest;
pub mod show;
pub mod verify;
pub mod workload;

use std::io::{self, Write as _};

use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::exit::Exit;

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<Exit, Error> {
    match cli.command {
        Command::Capture(args) => capture::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Selftest(args) => selftest::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Bisect(args) => bisect::run(&args),
        Command::Explain(args) => rules::explain(&args),
        Command::Rules(args) => rules::list(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Facts(args) => facts::run(&args),
        Command::Nvml(args) => nvml::run(&args),
        Command::Workload(args) => workload::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "driftlock", &mut script);
            print(&script)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(Error::bug)?;
            print(&page)
        }
    }
}

/// Writes data to standard output, colours left out unless it is a terminal that shows them. A reader that has gone
/// away (`driftlock facts | head`) is no error.
fn print(bytes: &[u8]) -> Result<Exit, Error> {
    let mut out = anstream::AutoStream::auto(io::stdout());
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::machine(format!("cannot write to standard output: {e}")))
        }
        _ => Ok(Exit::Clean),
    }
}
