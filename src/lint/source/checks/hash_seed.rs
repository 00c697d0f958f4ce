//! PYTHONHASHSEED, set when Python has started.

use super::super::environ::settings;
use super::super::file::{File, Hit};

pub(super) const RULE: &str = "hash-seed-set-late";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    let settings = settings(file, "PYTHONHASHSEED");
    if settings.is_empty() || starts_processes(file) {
        return;
    }
    for setting in settings {
        let what = "os.environ[\"PYTHONHASHSEED\"]".to_owned();
        out.push(Hit { rule: RULE, range: setting.range, what });
    }
}

/// Whether the module starts programs, or itself anew: the variable is for them.
fn starts_processes(file: &File<'_>) -> bool {
    file.calls.iter().any(|call| {
        let path = call.path.as_str();
        path.starts_with("subprocess.")
            || path.starts_with("os.exec")
            || path.starts_with("os.spawn")
            || path.starts_with("os.posix_spawn")
            || path == "os.system"
            || path == "os.popen"
            || path.starts_with("asyncio.create_subprocess")
    })
}
