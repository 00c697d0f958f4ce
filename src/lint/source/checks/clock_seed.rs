//! Seeds made of the time, the process id or the system's entropy.

use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{File, Hit};
use super::super::seeding::{Fate, fate};

pub(super) const RULE: &str = "seed-from-clock";

const CLOCKS: [&str; 26] = [
    "time.time",
    "time.time_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.process_time",
    "time.process_time_ns",
    "time.clock",
    "time.ctime",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "os.getpid",
    "os.getppid",
    "os.urandom",
    "os.getrandom",
    "os.times",
    "uuid.uuid1",
    "uuid.uuid4",
    "secrets.randbits",
    "secrets.randbelow",
    "secrets.token_bytes",
    "threading.get_ident",
    "random.SystemRandom",
];

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for call in file.calls.iter().filter(|call| CLOCKS.contains(&call.path.as_str())) {
        if fate(file, call.id, 2) == Fate::Seed {
            out.push(Hit { rule: RULE, range: call.of.range(), what: format!("{}()", call.path) });
        }
    }
}
