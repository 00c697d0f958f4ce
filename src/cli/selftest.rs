//! `driftlock selftest`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::capture::seconds;
use crate::selftest::arms::{Level, REPEAT};
use crate::selftest::catalogue::Library;

/// Arguments of `driftlock selftest`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 every repeat was equal, 1 an operation is unstable, a control is wrong, or the other machine differs, 2 could not run."
)]
pub struct SelfTest {
    /// `cpu`, `cuda`, `cuda:N`, `mps`; `auto` is the first GPU if there is one, else the CPU
    #[arg(long, default_value = "auto")]
    pub device: String,

    /// What computes: the worker that links libtorch, a program in your own interpreter, both and their digests
    /// compared; `auto` is the worker where it fits the installed torch
    #[arg(long, value_enum, default_value_t)]
    pub engine: Engine,

    /// The library to test
    #[arg(long, value_enum, default_value_t)]
    pub library: Library,

    /// The Python interpreter, or the environment's folder, whose library is tested
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,

    /// Fewer arms and operations: seconds
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,

    /// Also the arms that explain
    #[arg(long)]
    pub full: bool,

    /// The most runs of an operation that is prone to races
    #[arg(long, value_name = "N", default_value_t = REPEAT, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub repeat: u32,

    /// Fresh processes to compare with the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub processes: u32,

    /// Emulate other CPUs here until one gives the digests of this other self-test
    #[arg(long, value_name = "OTHER.json")]
    pub explain: Option<PathBuf>,

    /// Compare with this other self-test
    #[arg(long, value_name = "OTHER.json", conflicts_with = "explain")]
    pub against: Option<PathBuf>,

    /// How long one process may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub timeout: Duration,

    /// Where to write the whole result (`driftlock/selftest/1`)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The form on standard output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,

    /// Round the operands of products as another precision does
    #[arg(long, hide = true, value_parser = ["tf32", "tf32-truncated", "bf16"])]
    pub simulate: Option<String>,
}

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The worker where it fits, else Python
    #[default]
    Auto,
    /// The worker that links libtorch
    Tch,
    /// A program in the interpreter
    Python,
    /// Both, compared
    Both,
}

/// The forms of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// The result and what it shows
    Json,
}

impl SelfTest {
    /// How thorough.
    pub fn level(&self) -> Level {
        match (self.quick, self.full) {
            (true, _) => Level::Quick,
            (_, true) => Level::Full,
            _ => Level::Default,
        }
    }
}
