//! What the user sees meanwhile: a line on a terminal, nothing elsewhere.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::snapshot::value::shown;

/// The line.
pub struct Progress {
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Probes that ran, and how long they took together.
    ran: u32,
    took: Duration,
    /// Probes that are expected to come.
    left: u32,
}

impl Progress {
    /// On standard error where `wanted`, which the caller has found to be a terminal.
    pub fn new(wanted: bool) -> Self {
        let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        if wanted {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, state: Mutex::new(State::default()) }
    }

    /// So many probes are expected from here on.
    pub fn expect(&self, left: u32) {
        if let Ok(mut state) = self.state.lock() {
            state.left = left;
        }
    }

    /// A probe begins.
    pub fn begin(&self, slot: usize, name: &str) {
        let Ok(state) = self.state.lock() else { return };
        let left = match state.took.checked_div(state.ran) {
            Some(mean) if state.left > 0 => {
                let seconds = (mean * state.left).as_secs() + 1;
                let time = if seconds < 100 {
                    format!("{seconds} s")
                } else {
                    format!("{} min", seconds.div_ceil(60))
                };
                format!(", about {} more in {time}", state.left)
            }
            _ => String::new(),
        };
        let place = if slot == 0 { String::new() } else { format!(" [{slot}]") };
        self.bar.set_message(format!("probe {}{place}: {}{left}", state.ran + 1, shown(name)));
    }

    /// It is done.
    pub fn end(&self, _slot: usize, took: Duration) {
        if let Ok(mut state) = self.state.lock() {
            state.ran += 1;
            state.took += took;
            state.left = state.left.saturating_sub(1);
        }
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
