//! Ctrl-C and a full disk: what was found is kept.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Bench, causes, noise};
use crate::common::driftlock;

#[test]
fn a_stopped_bisection_goes_on() {
    let marker = format!("3{}", std::process::id());
    let bench = Bench::with(&format!("echo x >> {{LOG}}; echo $V6_SEED; sleep 0.{marker}\n"));
    let log = bench.beside("log");
    let text = std::fs::read_to_string(bench.project().join("prog.sh")).unwrap();
    bench.put("prog.sh", &text.replace("{LOG}", &log.display().to_string()));
    bench.pair(&noise(8, "a"), &noise(8, "b"));
    let runs = || std::fs::read_to_string(&log).map_or(0, |text| text.lines().count());
    let mut child =
        bench.command(&[], &["sh", "prog.sh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while runs() < 6 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let left = Command::new("pgrep").args(["-f", &format!("sleep 0.{marker}")]).output();
    if let Ok(left) = left {
        assert_eq!(String::from_utf8_lossy(&left.stdout), "", "nothing is left running");
    }
    let before = runs();
    assert!(before >= 6);
    let report = bench.program(&[]);
    assert_eq!(causes(&report), [["env.V6_SEED"]]);
    let probes = report["probes"].as_array().unwrap();
    let known = probes.iter().filter(|p| p["cached"] == true).count();
    assert!(known >= 5, "{report:#}");
    assert_eq!(runs() - before, probes.len() - known, "what was known did not run again");
    // And a third time nothing runs at all.
    let all = runs();
    assert_eq!(causes(&bench.program(&[])), [["env.V6_SEED"]]);
    assert_eq!(runs(), all);
    // Another text of the program is another bisection.
    bench.put("lib.sh", "");
    bench.program(&[]);
    assert!(runs() > all);
}

#[test]
fn a_full_disk_is_an_error_with_its_remedy() {
    let bench = Bench::with("head -c 100000 /dev/zero > filler; echo $V1_SEED\n");
    bench.pair(&noise(3, "a"), &noise(3, "b"));
    let disk = bench.beside("disk");
    std::fs::create_dir(&disk).unwrap();
    let bisect = bench.command(&[], &["sh", "prog.sh"]);
    let words: Vec<String> = std::iter::once(bisect.get_program())
        .chain(bisect.get_args())
        .map(|w| {
            w.to_string_lossy()
                .replace(&bench.cache().display().to_string(), &disk.join("cache").display().to_string())
        })
        .collect();
    let script = format!("mount -t tmpfs -o size=40k tmpfs '{}' || exit 99; exec \"$@\"", disk.display());
    let mut command = Command::new("unshare");
    command.args(["-m", "--", "sh", "-c", &script, "sh"]).args(&words).current_dir(bench.project());
    for (name, value) in driftlock().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let out = match command.output() {
        Ok(out) if out.status.code() != Some(99) && out.status.code() != Some(1) => out,
        other => {
            eprintln!("skipped: mounting a small disk needs root: {other:?}");
            return;
        }
    };
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}{}", String::from_utf8_lossy(&out.stdout));
    assert!(said.contains("no space left") && said.contains("--cache"), "{said}");
}
