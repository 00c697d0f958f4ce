//! The parent's side: starts the process that asks NVML, and outlives it.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::child::Answer;
use super::{LIBRARY, LIBRARY_DIRS, NvmlFault, NvmlReport};
use crate::host::live::Live;
use crate::host::{Command, Host as _, Output, RunError};

/// Files that only an NVIDIA driver makes: its device node, its folder in `/proc`, and WSL's paravirtual GPU.
const DRIVER: [&str; 3] = ["/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg"];

/// Asks NVML in a process of its own, so that neither a crash nor a hang of the driver's library harms us.
///
/// The process is this program itself (`driftlock __nvml`), is started only where a driver or the library seems to
/// be here, and is killed past `limit`.
pub fn ask(limit: Duration) -> Result<NvmlReport, NvmlFault> {
    let driver = DRIVER.iter().any(|path| Path::new(path).exists());
    if !driver && !library_here() {
        return Err(NvmlFault::Absent);
    }
    let command = Command::new(program(), ["__nvml".to_owned(), std::process::id().to_string()]).limit(limit);
    match Live::new().run(&command) {
        Ok(output) => read(&output),
        Err(RunError::TimedOut { limit_ms, .. }) => Err(NvmlFault::TimedOut(limit_ms)),
        Err(error) => Err(NvmlFault::Failed(format!("could not ask: {error}"))),
    }
    .map_err(|fault| match fault {
        // A library that goes unfound where there is no driver either is nothing to report.
        NvmlFault::NoLibrary(_) if !driver => NvmlFault::Absent,
        fault => fault,
    })
}

/// This program: by `/proc`, so that it is the same file even if a new one was installed over it meanwhile.
fn program() -> String {
    let proc = Path::new("/proc/self/exe");
    let path = if proc.exists() { proc.to_path_buf() } else { std::env::current_exe().unwrap_or_default() };
    path.to_string_lossy().into_owned()
}

/// Whether the library is where the dynamic loader would look first, or usually finds it.
fn library_here() -> bool {
    let path = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).filter(|dir| !dir.as_os_str().is_empty());
    dirs.chain(LIBRARY_DIRS.iter().map(Into::into)).any(|dir| dir.join(LIBRARY).exists())
}

/// The answer in what the process printed, or why there is none.
fn read(output: &Output) -> Result<NvmlReport, NvmlFault> {
    // The driver's library may print things of its own, even without ending the line, and may crash when it is
    // unloaded, after the answer.
    let parse = |line: &str| serde_json::from_str(line.get(line.find("{\"result\":")?..)?).ok();
    let answer = output.stdout.lines().find_map(parse);
    match (answer, output.status) {
        (Some(Answer::Success { report }), _) => Ok(report),
        (Some(Answer::Error { error }), _) => Err(error),
        (None, status @ 129..) => Err(NvmlFault::Crashed(match Signal::try_from(status - 128) {
            Ok(signal) => format!("{} (signal {})", signal.as_str(), status - 128),
            Err(_) => format!("signal {}", status - 128),
        })),
        (None, status) => Err(NvmlFault::Failed(format!("the process that asks ended with status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(status: i32, stdout: &str) -> Output {
        Output { status, stdout: stdout.to_owned(), stderr: String::new() }
    }

    #[test]
    fn the_answer_is_found_among_lines_of_the_library_and_before_a_late_crash() {
        let text =
            "NVRM: hello\nNVRM: {\"result\":\"success\",\"report\":{\"driver_version\":\"570.1\"}}\nbye\n";
        let version = |o| read(&o).map(|r| r.driver_version.unwrap_or_default());
        assert_eq!(version(output(0, text)), Ok("570.1".to_owned()));
        assert_eq!(version(output(139, text)), Ok("570.1".to_owned()));
    }

    #[test]
    fn a_death_without_an_answer_is_named() {
        let fault = |o| read(&o).expect_err("no answer");
        assert_eq!(fault(output(139, "")), NvmlFault::Crashed("SIGSEGV (signal 11)".to_owned()));
        let cut = "{\"result\":\"success\",\"report\":{\"driver_ver";
        assert_eq!(fault(output(134, cut)), NvmlFault::Crashed("SIGABRT (signal 6)".to_owned()));
        assert!(matches!(fault(output(0, "")), NvmlFault::Failed(_)));
        let tagged = "{\"result\":\"error\",\"error\":{\"fault\":\"no_permission\"}}";
        assert_eq!(fault(output(0, tagged)), NvmlFault::NoPermission);
    }
}
