//! A calm machine never drifts: 200 checks in a row, while everything moves that moves by itself.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{Project, outcome};
use crate::gpu::machine::library;

/// A GPU whose temperature, clocks, memory and processes are those of the moment.
fn gpu(i: usize) -> String {
    let used = 1_000_000 * (i % 97);
    let throttle = [1, 4, 32, 64][i % 4];
    let (clocks, processes) = (1200 + 15 * (i % 40), if i.is_multiple_of(3) { " 4242 1000000" } else { "" });
    format!(
        "driver 570.86.15\nnvml 12.570.86.15\ncuda 12080\ndevice\n name NVIDIA H100 80GB HBM3\n \
         uuid GPU-0932f937-d72c-4106-c12f-20bd9faed9f6\n brand 14\n architecture 9\n capability 9 0\n cores 16896\n \
         bus_width 5120\n memory 85520809984 {used}\n throttle {throttle}\n power_enforced {clocks}00\n pcie_gen {}\n \
         pcie_width {}\n processes{processes}\n",
        1 + i % 5,
        [4, 8, 16][i % 3]
    )
}

#[test]
fn two_hundred_checks() {
    let mut project = Project::empty();
    project.write("driftlock.toml", "[capture]\nno-python = true\n");
    let dir = project.path().canonicalize().unwrap();
    let script = |i: usize| dir.join(format!(".git/gpus-{i}"));
    for i in 0..200 {
        std::fs::write(script(i), gpu(i)).unwrap();
    }
    project.set("LD_LIBRARY_PATH", library().to_str().unwrap());
    project.set("DRIFTLOCK_NVML_SCRIPT", script(0).to_str().unwrap());
    project.set("LC_ALL", "C.UTF-8");
    project.init();
    project.commit();

    // Load that comes and goes: two threads that take the processor and memory while the checks run.
    let done = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    let folders = [".", "sub", "sub/deeper", ".git"];
    for folder in folders {
        std::fs::create_dir_all(dir.join(folder)).unwrap();
    }
    let one = |i: usize| {
        let mut command = project.command(&["check"]);
        command.current_dir(dir.join(folders[i % 3]));
        let languages = ["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.eucJP", ""];
        command.env("LC_ALL", languages[i % languages.len()]).env("LANG", languages[(i + 1) % 5]);
        command.env("LC_NUMERIC", languages[i % 5]);
        // A clock that runs, also backwards and over many years.
        let clock = 1_700_000_000_i64 + i64::try_from(i).unwrap() * 86_400 * [1, -20, 365][i % 3];
        command.env("DRIFTLOCK_NOW", clock.to_string()).env("DRIFTLOCK_NVML_SCRIPT", script(i));
        command.env("COLUMNS", (40 + i).to_string()).env("SHLVL", i.to_string()).env("TERM", "dumb");
        if i.is_multiple_of(2) {
            command.stdin(Stdio::null());
        }
        let (code, out, messages) = outcome(&command.output().unwrap());
        assert_eq!(code, 0, "{i}: {out}{messages}");
        assert!(!out.contains("denied") && !out.contains("warning"), "{i}: {out}");
        assert!(out.contains("passed"), "{i}: {out}");
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut held: Vec<Vec<u8>> = Vec::new();
            while !done.load(Ordering::Relaxed) {
                held.push(vec![1; 1 << 20]);
                if held.len() > 64 {
                    held.clear();
                }
                thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= 200 {
                            break;
                        }
                        one(i);
                    }
                })
            })
            .collect();
        let failed = workers.into_iter().map(|w| w.join()).filter(Result::is_err).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(failed, 0);
    });
    assert!(next.load(Ordering::Relaxed) >= 200);
    // The same machine with another GPU does drift: the checks above could have failed.
    let other = gpu(0).replace("H100 80GB HBM3", "A100-SXM4-80GB").replace("cores 16896", "cores 6912");
    std::fs::write(script(0), other).unwrap();
    project.set("DRIFTLOCK_NVML_SCRIPT", script(0).to_str().unwrap());
    assert_eq!(project.check(&[]).0, 1);
}
