//! What the process was given: variables, locale, time zone, limits, launcher; through the built binary.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use crate::common::{driftlock, fact, folder, sh};

/// A capture of these sections with these arguments and nothing in the environment but `env`, as printed.
fn printed(sections: &[&str], args: &[&str], env: &[(&str, &str)]) -> String {
    let dir = folder();
    let mut command = driftlock();
    command.env_clear().env("DRIFTLOCK_NOW", "1700000000").envs(env.iter().copied());
    let command = command.arg("capture").args(sections.iter().flat_map(|s| ["--section", s]));
    text_of(command.args(args).args(["-o", "-"]).current_dir(dir.path()))
}

fn text_of(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn captured(sections: &[&str], args: &[&str], env: &[(&str, &str)]) -> toml::Table {
    printed(sections, args, env).parse().unwrap()
}

fn text<'a>(snapshot: &'a toml::Table, path: &str) -> Option<&'a str> {
    fact(snapshot, path).map(|value| value.as_str().unwrap_or_else(|| panic!("{path} is no text: {value}")))
}

fn names(snapshot: &toml::Table) -> Vec<&str> {
    snapshot
        .get("env")
        .and_then(toml::Value::as_table)
        .map(|t| t.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

#[test]
fn the_allowlist_and_what_is_asked_for() {
    let env = [
        ("OMP_NUM_THREADS", "4"),
        ("MY_SEED", "1"),
        ("EDITOR", "vi"),
        ("FOO_A", "1"),
        ("FOO_B", "2"),
        ("BAR", "3"),
    ];
    assert_eq!(names(&captured(&["env"], &[], &env)), ["MY_SEED", "OMP_NUM_THREADS"]);
    let some = captured(&["env"], &["--env", "FOO_[A]", "--env", "BAR"], &env);
    assert_eq!(names(&some), ["BAR", "FOO_A", "MY_SEED", "OMP_NUM_THREADS"]);
    let all = captured(&["env"], &["--env-all"], &env);
    assert_eq!(names(&all), ["BAR", "EDITOR", "FOO_A", "FOO_B", "MY_SEED", "OMP_NUM_THREADS"]);
}

#[test]
fn set_and_empty_is_not_unset() {
    let empty = captured(&["env"], &[], &[("CUDA_VISIBLE_DEVICES", ""), ("LD_LIBRARY_PATH", "")]);
    assert_eq!(text(&empty, "env.CUDA_VISIBLE_DEVICES"), Some(""));
    assert_eq!(fact(&empty, "env.LD_LIBRARY_PATH"), Some(&toml::Value::Array(Vec::new())));
    let unset = captured(&["env"], &[], &[]);
    assert_eq!(names(&unset), Vec::<&str>::new());
    assert_ne!(text(&empty, "fingerprint"), text(&unset, "fingerprint"));
}

#[test]
fn paths_are_lists_of_labelled_entries() {
    let env =
        [("HOME", "/home/ada"), ("VIRTUAL_ENV", "/srv/v"), ("PATH", "/srv/v/bin:/home/ada/bin::/usr/bin")];
    let snapshot = captured(&["env"], &[], &env);
    let expected = ["{env}/bin", "~/bin", "", "/usr/bin"].map(toml::Value::from).to_vec();
    assert_eq!(fact(&snapshot, "env.PATH"), Some(&toml::Value::Array(expected)));
    assert_eq!(text(&snapshot, "env.VIRTUAL_ENV"), Some("/srv/v"));
}

#[test]
fn secrets_never_reach_the_file() {
    let body = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6";
    let values = [
        ("NVIDIA_API_KEY", body.to_owned()),
        ("DB_PASSWORD", "hunter2hunter2".to_owned()),
        ("PLAIN", format!("ghp_{body}")),
        ("XLA_FLAGS", format!("--xla_x=1 --auth-token={body}")),
        (
            "PIP_INDEX_URL",
            "https://ada:hunter2hunter2@pypi.example.org/simple?token=hunter2hunter2".to_owned(),
        ),
        (
            "KEY_FILE_TEXT",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2hunter2\n-----END OPENSSH PRIVATE KEY-----"
                .to_owned(),
        ),
        ("HEADER", "Authorization: Basic aHVudGVyMjpodW50ZXIy".to_owned()),
        ("AWS", "AKIAIOSFODNN7EXAMPLE".to_owned()),
    ];
    let env: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for args in [&["--env-all"][..], &["--env-all", "--anonymous"], &["--env", "*"]] {
        let written = printed(&["env"], args, &env);
        for secret in [body, "hunter2", "aHVudGVyMjpodW50ZXIy", "AKIAIOSFODNN7EXAMPLE"] {
            assert!(!written.contains(secret), "{secret} in\n{written}");
        }
        let snapshot: toml::Table = written.parse().unwrap();
        assert_eq!(names(&snapshot).len(), values.len(), "each variable is there:\n{written}");
        assert_eq!(
            text(&snapshot, "env.DB_PASSWORD"),
            Some("secret:redacted"),
            "a guessable secret has no digest"
        );
        let digest = text(&snapshot, "env.NVIDIA_API_KEY").unwrap();
        assert_eq!(digest.strip_prefix("secret:").map(str::len), Some(16), "{digest}");
        assert_eq!(text(&snapshot, "env.PIP_INDEX_URL"), Some("https://pypi.example.org/simple"));
    }
    // Without being asked for, a key under an allowed prefix is not even named.
    assert_eq!(names(&captured(&["env"], &[], &env)), ["XLA_FLAGS"]);
}

#[test]
fn the_locale_that_acts() {
    let collate = |env: &[(&str, &str)]| {
        let snapshot = captured(&["os"], &[], env);
        let road = text(&snapshot, "volatile.os.locale.collate_found_by").unwrap().to_owned();
        (text(&snapshot, "os.locale.collate").unwrap().to_owned(), road)
    };
    let of = |value: &str, road: &str| (value.to_owned(), road.to_owned());
    assert_eq!(collate(&[]), of("C", "default"));
    assert_eq!(collate(&[("LANG", "C.UTF-8")]), of("C.utf8", "LANG"));
    assert_eq!(collate(&[("LANG", "C.UTF-8"), ("LC_COLLATE", "POSIX")]), of("C", "LC_COLLATE"));
    assert_eq!(collate(&[("LC_ALL", ""), ("LC_COLLATE", "C.UTF-8")]), of("C.utf8", "LC_COLLATE"));
    assert_eq!(
        collate(&[("LC_ALL", "C"), ("LC_COLLATE", "C.UTF-8"), ("LANG", "C.UTF-8")]),
        of("C", "LC_ALL")
    );
}

#[test]
fn the_time_zone_that_acts() {
    let zone = |tz: &str| {
        let snapshot = captured(&["os"], &[], &[("TZ", tz)]);
        [text(&snapshot, "os.timezone"), text(&snapshot, "os.timezone_missing")].map(|v| v.map(str::to_owned))
    };
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(zone(""), [some("UTC"), None]);
    assert_eq!(zone("Etc/UTC"), [some("UTC"), None]);
    assert_eq!(zone("EST5EDT,M3.2.0,M11.1.0"), [some("EST5EDT,M3.2.0,M11.1.0"), None]);
    if cfg!(target_os = "linux") {
        assert_eq!(zone("Nowhere/Atlantis"), [some("UTC"), some("Nowhere/Atlantis")]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_system_as_its_own_tools_tell_it() {
    let snapshot = captured(&["os", "memory", "container", "scheduler"], &[], &[]);
    let dir = folder();
    let tool = |program: &str, args: &[&str]| sh(dir.path(), program, args).trim().to_owned();
    assert_eq!(text(&snapshot, "os.family"), Some("linux"));
    assert_eq!(text(&snapshot, "os.kernel"), Some(tool("uname", &["-r"]).as_str()));
    assert_eq!(text(&snapshot, "os.arch"), Some(tool("uname", &["-m"]).as_str()));
    let page: i64 = tool("getconf", &["PAGESIZE"]).parse().unwrap();
    assert_eq!(fact(&snapshot, "os.page_size"), Some(&toml::Value::Integer(page)));
    if text(&snapshot, "os.libc") == Some("glibc") {
        let version = tool("getconf", &["GNU_LIBC_VERSION"]);
        assert_eq!(text(&snapshot, "os.libc_version"), version.strip_prefix("glibc "));
    }
    let pages: i64 = tool("getconf", &["_PHYS_PAGES"]).parse().unwrap();
    let total = fact(&snapshot, "memory.total").and_then(toml::Value::as_integer).unwrap();
    assert!((total - pages * page).abs() <= 32 << 20, "{total} is {} rounded to 64 MiB", pages * page);
    assert!(text(&snapshot, "container.runtime").is_some());
    assert!(snapshot.get("digest").and_then(toml::Value::as_table).unwrap().contains_key("scheduler"));
}

#[test]
#[cfg(target_os = "linux")]
fn limits_and_personality_of_this_process() {
    let dir = folder();
    let shell = |script: &str| -> toml::Table {
        let mut command = driftlock();
        let binary = command.get_program().to_owned();
        command = Command::new("sh");
        let line = format!("{script} \"$0\" capture --section os --section memory -o -");
        text_of(command.args(["-c", &line]).arg(binary).current_dir(dir.path())).parse().unwrap()
    };
    let limited = shell("ulimit -v 16000000; exec");
    let limit = fact(&limited, "memory.address_space_limit").and_then(toml::Value::as_integer);
    assert_eq!(limit, Some(16_000_000 * 1024));
    if Command::new("setarch").args(["-R", "true"]).status().is_ok_and(|s| s.success()) {
        let fixed = shell("exec setarch -R");
        assert_eq!(text(&fixed, "os.aslr"), Some("off"));
        assert_eq!(text(&fixed, "volatile.os.aslr_found_by"), Some("personality"));
    }
}

#[test]
fn ranks_of_a_job_agree_and_jobs_of_two_sizes_do_not() {
    let rank = |rank: &'static str, size: &'static str| {
        let job = [
            ("TORCHELASTIC_RUN_ID", rank),
            ("RANK", rank),
            ("LOCAL_RANK", rank),
            ("WORLD_SIZE", size),
            ("MASTER_ADDR", "n1"),
        ];
        captured(&["scheduler", "env"], &["--env-all"], &job)
    };
    let (first, second, bigger) = (rank("0", "2"), rank("1", "2"), rank("0", "4"));
    let fingerprint = |snapshot: &toml::Table| text(snapshot, "fingerprint").unwrap().to_owned();
    assert_eq!(fact(&second, "volatile.scheduler.rank"), Some(&toml::Value::Integer(1)));
    assert_eq!(fact(&first, "scheduler.world_size"), Some(&toml::Value::Integer(2)));
    assert!(text(&first, "private.scheduler.master").unwrap().starts_with("private:"));
    assert_eq!(fingerprint(&first), fingerprint(&second));
    assert_ne!(fingerprint(&first), fingerprint(&bigger));
}

#[test]
fn two_captures_agree() {
    let sections = ["os", "memory", "container", "scheduler", "env"];
    let stable = || {
        let text = printed(&sections, &["--env-all"], &[("PATH", "/usr/bin"), ("LANG", "C.UTF-8")]);
        text.split("# Changes by itself").next().unwrap().to_owned()
    };
    let first = stable();
    assert!(first.contains("[os]") && first.contains("[memory]"));
    assert_eq!(first, stable());
}
