//! `capture` as a whole: what it writes and where, that it never harms the old file, and that one probe's failure
//! never loses the others.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;
use std::time::Duration;

use driftlock::capture::{quiet_probes, run_probes};
use driftlock::host::recorded::Recorded;
use driftlock::probes::{Context, Options, Probe, ProbeError, Sink};
use driftlock::snapshot::{FactPath, Looked, Snapshot, Value};

use crate::common::{capture, driftlock, fact, folder};

#[test]
fn writes_the_default_file_and_says_so() {
    let dir = folder();
    let out = driftlock().arg("capture").current_dir(&dir).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert!(out.stdout.is_empty(), "data goes to the file alone");
    let messages = String::from_utf8(out.stderr).unwrap();
    assert!(messages.starts_with("wrote driftlock.lock: "), "{messages}");
    assert!(messages.lines().all(|l| l.chars().count() <= 80), "{messages}");
    let snapshot: toml::Table =
        fs::read_to_string(dir.path().join("driftlock.lock")).unwrap().parse().unwrap();
    assert_eq!(fact(&snapshot, "os.family").and_then(toml::Value::as_str), Some("linux"));
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["driftlock.lock"], "nothing else is left behind");
}

#[test]
fn two_captures_differ_in_meta_and_volatile_alone() {
    let dir = folder();
    let stable = |text: &str| {
        let end = text.find("\n# Changes by itself").or_else(|| text.find("\n[meta]")).unwrap();
        text[..end].to_owned()
    };
    let one = driftlock().args(["capture", "-o", "-"]).current_dir(&dir).output().unwrap();
    let two = driftlock().args(["capture", "-o", "-"]).current_dir(&dir).output().unwrap();
    let (one, two) = (String::from_utf8(one.stdout).unwrap(), String::from_utf8(two.stdout).unwrap());
    assert!(stable(&one).len() > 1000);
    snapbox::assert_data_eq!(stable(&one), snapbox::Data::text(stable(&two)));
}

#[test]
fn a_section_of_its_own() {
    let dir = folder();
    let snapshot = capture(dir.path(), &["--section", "os", "--label", "here"]);
    let keys: Vec<&str> = snapshot.keys().map(String::as_str).collect();
    assert!(!keys.contains(&"cpu") && keys.contains(&"os"), "{keys:?}");
    assert_eq!(snapshot["digest"].as_table().unwrap().len(), 1);
    assert_eq!(fact(&snapshot, "meta.label").and_then(toml::Value::as_str), Some("here"));
    let bad = driftlock().args(["capture", "--section", "nonsense"]).current_dir(&dir).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
}

#[test]
fn json_is_the_same_tree() {
    let dir = folder();
    let out = driftlock()
        .args(["capture", "--section", "os", "-o", "-", "--format", "json"])
        .current_dir(&dir)
        .output();
    let json: serde_json::Value = serde_json::from_slice(&out.unwrap().stdout).unwrap();
    let toml = capture(dir.path(), &["--section", "os"]);
    assert_eq!(json["schema"], "driftlock/snapshot/1");
    assert_eq!(json["fingerprint"].as_str(), toml["fingerprint"].as_str());
    assert_eq!(json["os"], serde_json::to_value(&toml["os"]).unwrap());
}

#[test]
fn targets_that_cannot_be_written() {
    let dir = folder();
    fs::create_dir(dir.path().join("folder")).unwrap();
    symlink("nowhere/at/all", dir.path().join("dangling")).unwrap();
    for (target, words) in [
        ("no/such/folder/x.lock", "make it first"),
        ("folder", "name a file with -o"),
        ("dangling", "leads nowhere"),
        ("/proc/driftlock.lock", "cannot write"),
        ("/dev/full", "no space left"),
    ] {
        let out = driftlock()
            .args(["capture", "--section", "os", "-o", target])
            .current_dir(&dir)
            .output()
            .unwrap();
        let messages = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(2), "{target}: {messages}");
        assert!(messages.starts_with("error: cannot write `") && messages.contains(target), "{messages}");
        assert!(messages.contains(words), "{target}: {messages}");
    }
}

#[test]
fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
    let dir = folder();
    let lock = dir.path().join("driftlock.lock");
    fs::write(&lock, "the old one").unwrap();
    // A file-size limit of one block stands for a full disk: the kernel refuses the write in the middle.
    let script =
        format!("trap '' XFSZ; ulimit -f 1; exec {} capture --env-all", env!("CARGO_BIN_EXE_driftlock"));
    let filler = "x".repeat(4096);
    let out = std::process::Command::new("bash")
        .args(["-c", &script])
        .current_dir(&dir)
        .env("FILLER", filler)
        .output();
    let out = out.unwrap();
    let messages = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{messages}");
    assert!(messages.contains("file too large"), "{messages}");
    assert_eq!(fs::read_to_string(&lock).unwrap(), "the old one");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn killed_in_the_middle_the_old_file_is_whole() {
    let dir = folder();
    let lock = dir.path().join("driftlock.lock");
    fs::write(&lock, "the old one").unwrap();
    let big = fs::File::create(dir.path().join("big")).unwrap();
    big.set_len(64 << 30).unwrap();
    let mut child = driftlock().args(["capture", "--data", "big"]).current_dir(&dir).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "64 GiB are not digested in 0.3 s");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(&lock).unwrap(), "the old one");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "no temporary file is left");
}

#[test]
fn a_link_is_followed_and_permissions_are_kept() {
    let dir = folder();
    let real = dir.path().join("real.lock");
    fs::write(&real, "old").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("real.lock", dir.path().join("link.lock")).unwrap();
    let ok = driftlock()
        .args(["capture", "--section", "os", "-o", "link.lock"])
        .current_dir(&dir)
        .status()
        .unwrap();
    assert!(ok.success());
    assert!(fs::symlink_metadata(dir.path().join("link.lock")).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("fingerprint"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    let ok = driftlock()
        .args(["capture", "--section", "os", "-o", "new.lock"])
        .current_dir(&dir)
        .status()
        .unwrap();
    assert!(ok.success());
    fs::write(dir.path().join("plain"), "").unwrap();
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
    assert_eq!(mode("new.lock"), mode("plain"), "a new file gets what the umask gives");
}

/// Says one fact of `os` and then does as told.
struct Probed(fn(&Sink) -> Result<(), ProbeError>);

impl Probe for Probed {
    fn section(&self) -> &'static str {
        "os"
    }

    fn collect(&self, _: &Context, out: &Sink) -> Result<(), ProbeError> {
        out.set("family", "linux");
        (self.0)(out)
    }
}

/// A probe of another section, which must come through unharmed.
struct Other;

impl Probe for Other {
    fn section(&self) -> &'static str {
        "env"
    }

    fn collect(&self, _: &Context, out: &Sink) -> Result<(), ProbeError> {
        out.set("OMP_NUM_THREADS", "4");
        Ok(())
    }
}

fn captured_with(probe: &'static Probed) -> Snapshot {
    quiet_probes();
    let options = Options { timeout: Duration::from_millis(200), ..Options::default() };
    let cx = Arc::new(Context::new(Arc::new(Recorded::default()), options));
    let snapshot = run_probes(&[probe, &Other], &cx, false).snapshot;
    let other: FactPath = "env.OMP_NUM_THREADS".parse().unwrap();
    assert_eq!(snapshot.look(&other), Looked::Value(&Value::from("4")), "the other section is whole");
    let said: FactPath = "os.family".parse().unwrap();
    assert_eq!(snapshot.look(&said), Looked::Value(&Value::from("linux")), "what was said before is kept");
    snapshot
}

#[test]
fn a_probe_that_fails_panics_or_hangs_leaves_the_rest_unknown() {
    static FAILS: Probed = Probed(|_| Err(ProbeError::new("no luck")));
    static PANICS: Probed = Probed(|_| panic!("out of range"));
    static HANGS: Probed = Probed(|_| {
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    });
    for (probe, words) in [
        (&FAILS, "no luck"),
        (&PANICS, "bug in driftlock: out of range"),
        (&HANGS, "took longer than 200 ms"),
    ] {
        let snapshot = captured_with(probe);
        let rest: FactPath = "os.kernel".parse().unwrap();
        match snapshot.look(&rest) {
            Looked::Unknown(reason) => assert!(reason.contains(words), "{reason}"),
            other => panic!("{words}: {other:?}"),
        }
    }
}

#[test]
fn what_a_probe_does_not_say_is_absent() {
    static ENDS: Probed = Probed(|_| Ok(()));
    let snapshot = captured_with(&ENDS);
    assert_eq!(snapshot.look(&"os.kernel".parse().unwrap()), Looked::Absent);
    assert!(
        matches!(snapshot.look(&"gpu.count".parse().unwrap()), Looked::Unknown(_)),
        "not captured at all"
    );
}
