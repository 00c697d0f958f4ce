//! The command line: one clap struct per subcommand.

pub mod bisect;
pub mod capture;
pub mod check;
pub mod diff;
pub mod facts;
pub mod import;
pub mod init;
pub mod lint;
pub mod nvml;
pub mod rules;
pub mod run;
pub mod selftest;
pub mod show;
pub mod verify;
pub mod workload;

use clap::{Parser, Subcommand};

/// Why do two runs not give the same numbers?
///
/// driftlock records everything on a machine that can move the results of a training or inference run.
#[derive(Debug, Parser)]
#[command(name = "driftlock", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing to report, 1 something found, 2 could not do the job; `run` ends with its command's.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a snapshot of everything on this machine that can move a result
    Capture(Box<capture::Capture>),
    /// Run a command, and write a snapshot of what it ran on and what it really loaded
    Run(Box<run::Run>),
    /// Show a snapshot, or this machine
    Show(show::Show),
    /// Find out which operations give other results here, from run to run and from machine to machine
    Selftest(Box<selftest::SelfTest>),
    /// Compare two snapshots and explain what differs
    Diff(diff::Diff),
    /// Write a policy (`driftlock.toml`) and the first lock (`driftlock.lock`) of a project
    Init(init::Init),
    /// Compare this machine with the lock, and fail where the policy says so
    Check(Box<check::Check>),
    /// Look for hazards of this machine and in the project's source, before a run
    Lint(lint::Lint),
    /// Prove which difference did it: run a command under mixtures of two snapshots
    Bisect(Box<bisect::Bisect>),
    /// Show one rule: why, what to do, and where it is known from
    Explain(rules::Explain),
    /// List every rule
    Rules(rules::Rules),
    /// Recompute every digest of a snapshot and name what does not fit
    Verify(verify::Verify),
    /// Turn the dump of another program (collect_env, nvidia-smi -q, pip freeze, …) into a snapshot
    Import(import::Import),
    /// List every fact that a snapshot can hold, with its meaning
    Facts(facts::FactsArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (troff; `driftlock man | man -l -`)
    Man,
    /// Ask the NVIDIA driver, in a process of its own
    #[command(name = "__nvml", hide = true)]
    Nvml(nvml::Nvml),
    /// Show what the source of a command's program says, without running it
    #[command(name = "__workload", hide = true)]
    Workload(workload::Workload),
}
