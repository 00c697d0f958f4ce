//! `capture --data`: digests that anyone can recompute, and honesty about what could not be read.
#![allow(clippy::unwrap_used, reason = "tests")]

mod config;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use toml::{Table, Value};

use super::common::{TempDir, driftlock, folder, root, sh};

/// A capture of the `data` section alone, as it is printed.
fn capture(dir: &Path, args: &[&str]) -> Table {
    super::common::capture(dir, &[&["--section", "data"], args].concat())
}

/// The facts of one `--data` path.
fn facts<'a>(snapshot: &'a Table, path: &str) -> &'a Table {
    snapshot["data"][path].as_table().unwrap()
}

fn digest<'a>(snapshot: &'a Table, path: &str) -> &'a str {
    facts(snapshot, path)["digest"].as_str().unwrap()
}

/// Why a fact is unknown; the path as the snapshot writes it.
fn unknown<'a>(snapshot: &'a Table, path: &str) -> &'a str {
    let table = snapshot.get("unknown").and_then(Value::as_table);
    let reason = table.and_then(|t| t.get(path)).and_then(Value::as_str);
    reason.unwrap_or_else(|| panic!("`{path}` is not unknown:\n{snapshot}"))
}

/// A capture that is refused: its messages.
fn refused(dir: &Path, args: &[&str]) -> String {
    let out =
        driftlock().arg("capture").args(args).args(["-o", "out.lock"]).current_dir(dir).output().unwrap();
    let messages = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{messages}");
    assert!(!dir.join("out.lock").exists(), "a refused capture writes nothing");
    messages
}

/// The shell recipe of docs/reference/data-digest.md on `dir/path`.
fn recipe(dir: &Path, path: &str) -> String {
    let page = fs::read_to_string(root().join("docs/reference/data-digest.md")).unwrap();
    let script = page.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let script = script.replace("tree_digest PATH", &format!("tree_digest {path}"));
    let out = sh(dir, "bash", &["-euo", "pipefail", "-c", &script]);
    format!("sha256:{}", out.split(' ').next().unwrap())
}

fn put(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn bytes_name(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

/// A file of `len` zero bytes that takes no room, `tail` in its place at the end.
fn sparse(path: &Path, len: u64, tail: &[u8]) {
    let file = File::create(path).unwrap();
    file.set_len(len).unwrap();
    file.write_all_at(tail, len - tail.len() as u64).unwrap();
}

#[test]
fn a_file_has_the_digest_that_sha256sum_prints() {
    let dir = folder();
    put(dir.path().join("train/x.csv"), "a,b\n1,2\n");
    put(dir.path().join("empty"), "");
    let snapshot =
        capture(dir.path(), &["--data", "train/x.csv", "--data", "./empty", "--data", "train//x.csv"]);
    for (path, bytes) in [("train/x.csv", 8), ("empty", 0)] {
        let sum = sh(dir.path(), "sha256sum", &[path]);
        assert_eq!(digest(&snapshot, path), format!("sha256:{}", sum.split(' ').next().unwrap()));
        assert_eq!(facts(&snapshot, path)["kind"].as_str(), Some("file"));
        assert_eq!(facts(&snapshot, path)["bytes"].as_integer(), Some(bytes));
    }
    assert_eq!(snapshot["data"].as_table().unwrap().len(), 2, "a path given twice is one path");
}

/// A tree with every kind of name and entry that the recipe has to cope with.
fn awkward_tree(dir: &Path) -> UnixListener {
    let tree = dir.join("tree");
    for name in [
        "a",
        "a-b",
        "a/b",
        "aa",
        "Z",
        "é",
        "e\u{301}",
        "-",
        "-x",
        ".hidden",
        "sp ace",
        "new\nline",
        "back\\slash",
        " -> ",
        "*",
    ] {
        let name = if name == "a" { "a.0" } else { name };
        put(tree.join(name), name);
    }
    put(tree.join(bytes_name(b"\xff\xfe not utf-8")), "x");
    put(tree.join("n".repeat(255)), "a long name");
    let deep = (0..14).fold(tree.clone(), |path, _| path.join("d".repeat(200)));
    put(deep.join("deep"), "deep");
    put(tree.join("empty"), "");
    fs::hard_link(tree.join("Z"), tree.join("hard")).unwrap();
    fs::create_dir_all(tree.join("empty dir/inside")).unwrap();
    fs::create_dir_all(tree.join("last empty")).unwrap();
    sparse(&tree.join("sparse"), 3 << 20, b"end");
    symlink("a.0", tree.join("link")).unwrap();
    symlink("nowhere -> else", tree.join("dangling")).unwrap();
    symlink("..", tree.join("loop")).unwrap();
    symlink(bytes_name(b"\xfe"), tree.join("link to bytes")).unwrap();
    sh(dir, "mkfifo", &["tree/pipe"]);
    UnixListener::bind(tree.join("socket")).unwrap()
}

#[test]
fn the_digest_of_a_tree_is_what_the_documented_recipe_gives() {
    let dir = folder();
    let _socket = awkward_tree(dir.path());
    let snapshot = capture(dir.path(), &["--data", "tree"]);
    assert_eq!(digest(&snapshot, "tree"), recipe(dir.path(), "tree"));
    let facts = facts(&snapshot, "tree");
    let found = |what: &str| {
        let out = sh(dir.path(), "sh", &["-c", &format!("find tree -mindepth 1 {what} -printf '%s\\n'")]);
        out.lines().map(|n| n.parse::<i64>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(facts["files"].as_integer(), Some(found("-type f").len() as i64));
    assert_eq!(facts["bytes"].as_integer(), Some(found("-type f").iter().sum()));
    assert_eq!(facts["links"].as_integer(), Some(4));
    assert_eq!(facts["special"].as_integer(), Some(2));
    assert_eq!(facts["empty_dirs"].as_integer(), Some(found("-type d -empty").len() as i64));
    assert_eq!(facts["link"]["dangling"].as_str(), Some("nowhere -> else"));
    assert_eq!(facts["link"]["link to bytes"].as_str(), Some("\\xfe"));
    assert_eq!(facts["special_file"]["pipe"].as_str(), Some("pipe"));
    assert_eq!(facts["special_file"]["socket"].as_str(), Some("socket"));
    // The recipe is no copy of ours only if it notices what we notice.
    for (name, content) in [("a.0", "other"), ("sparse", "short"), (" -> ", "")] {
        put(dir.path().join("tree").join(name), content);
        let changed = capture(dir.path(), &["--data", "tree"]);
        assert_ne!(digest(&changed, "tree"), digest(&snapshot, "tree"), "{name}");
        assert_eq!(digest(&changed, "tree"), recipe(dir.path(), "tree"), "{name}");
    }
}

#[test]
fn an_empty_folder_has_the_digest_of_nothing() {
    let dir = folder();
    fs::create_dir(dir.path().join("tree")).unwrap();
    let snapshot = capture(dir.path(), &["--data", "tree/"]);
    assert_eq!(digest(&snapshot, "tree"), recipe(dir.path(), "tree"));
    assert_eq!(facts(&snapshot, "tree")["files"].as_integer(), Some(0));
    assert_eq!(facts(&snapshot, "tree")["empty_dirs"].as_integer(), Some(0));
}

#[test]
fn a_tree_is_its_names_contents_and_links_and_nothing_else() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    for tree in ["one", "two"] {
        let mut names = ["a", "b/c", "b/d", "e"];
        if tree == "two" {
            names.reverse();
        }
        names.iter().for_each(|name| put(at(tree).join(name), name));
        symlink("a", at(tree).join("link")).unwrap();
    }
    let two = || digest(&capture(dir.path(), &["--data", "two"]), "two").to_owned();
    let one = digest(&capture(dir.path(), &["--data", "one"]), "one").to_owned();
    let threads = driftlock()
        .args(["capture", "--section", "data", "--data", "one", "-o", "-"])
        .env("RAYON_NUM_THREADS", "1")
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&threads.stdout).contains(&one));
    assert_eq!(two(), one, "place and order of making are not part of it");
    fs::set_permissions(at("two/a"), fs::Permissions::from_mode(0o600)).unwrap();
    File::open(at("two/a")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    fs::create_dir(at("two/empty")).unwrap();
    assert_eq!(two(), one, "neither are permissions, times and empty folders");
    let changes: [(&str, &dyn Fn()); 4] = [
        ("content", &|| put(at("two/b/c"), "C")),
        ("name", &|| fs::rename(at("two/e"), at("two/E")).unwrap()),
        ("target", &|| {
            fs::remove_file(at("two/link")).unwrap();
            symlink("b", at("two/link")).unwrap();
        }),
        ("new", &|| put(at("two/b/new"), "")),
    ];
    let mut seen = vec![one];
    for (what, change) in changes {
        change();
        let now = two();
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    }
}

#[test]
fn a_link_given_as_the_path_is_followed_and_others_are_not() {
    let dir = folder();
    put(dir.path().join("real/x"), "x");
    put(dir.path().join("outside"), "not read");
    symlink("../outside", dir.path().join("real/out")).unwrap();
    symlink("real", dir.path().join("to dir")).unwrap();
    symlink("real/x", dir.path().join("to file")).unwrap();
    let snapshot = capture(dir.path(), &["--data", "to dir", "--data", "to file", "--data", "real"]);
    assert_eq!(digest(&snapshot, "to dir"), digest(&snapshot, "real"));
    assert_eq!(facts(&snapshot, "to file")["kind"].as_str(), Some("file"));
    put(dir.path().join("outside"), "changed");
    assert_eq!(digest(&capture(dir.path(), &["--data", "real"]), "real"), digest(&snapshot, "real"));
}

#[test]
fn ten_thousand_files_are_listed_beside_the_snapshot() {
    let dir = folder();
    for i in 0..10_000 {
        put(dir.path().join(format!("tree/{}/{i}", i % 7)), i.to_string());
    }
    put(dir.path().join("tree").join(bytes_name(b"new\nline \xff \\")), "x");
    symlink("0", dir.path().join("tree/link")).unwrap();
    let args = ["capture", "--section", "data", "--data", "tree", "-o", "out.lock"];
    let out = driftlock().args(args).current_dir(dir.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let snapshot: Table = fs::read_to_string(dir.path().join("out.lock")).unwrap().parse().unwrap();
    assert_eq!(digest(&snapshot, "tree"), recipe(dir.path(), "tree"));
    assert_eq!(facts(&snapshot, "tree")["files"].as_integer(), Some(10_001));
    assert!(facts(&snapshot, "tree").get("file").is_none(), "too many for facts");
    let listing = snapshot["volatile"]["data"]["tree"]["listing"].as_str().unwrap();
    let listing = format!("out.lock.{listing}");
    let check = || {
        let args = ["-c", "--strict", "--quiet", &format!("../{listing}")];
        Command::new("sha256sum").args(args).current_dir(dir.path().join("tree")).output().unwrap()
    };
    assert!(check().status.success(), "{}", String::from_utf8_lossy(&check().stderr));
    let lines = fs::read(dir.path().join(&listing)).unwrap();
    let lines: Vec<&[u8]> = lines.split(|b| *b == b'\n').collect();
    assert_eq!(lines.iter().filter(|l| !l.is_empty() && !l.starts_with(b"#")).count(), 10_001);
    assert!(lines.contains(&b"# link ./link -> 0".as_slice()));
    put(dir.path().join("tree/3/3"), "changed");
    assert!(!check().status.success(), "the listing finds the file that changed");
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 3, "the tree, the snapshot and the listing");
}

#[test]
fn few_files_are_facts_and_leave_nothing_beside_the_snapshot() {
    let dir = folder();
    (0..20).for_each(|i| put(dir.path().join(format!("tree/d/{i}")), "x"));
    let args = ["capture", "--section", "data", "--data", "tree", "-o", "out.lock"];
    assert!(driftlock().args(args).current_dir(dir.path()).output().unwrap().status.success());
    let snapshot: Table = fs::read_to_string(dir.path().join("out.lock")).unwrap().parse().unwrap();
    let files = facts(&snapshot, "tree")["file"].as_table().unwrap();
    assert_eq!(files.len(), 20);
    let sum = sh(dir.path(), "sha256sum", &["tree/d/7"]);
    assert_eq!(files["d/7"].as_str(), Some(format!("sha256:{}", sum.split(' ').next().unwrap()).as_str()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_path_that_cannot_be_data_is_refused_before_any_work() {
    let dir = folder();
    symlink("gone", dir.path().join("dangling")).unwrap();
    sh(dir.path(), "mkfifo", &["pipe"]);
    for (path, words) in [
        ("missing/x", "no such file or folder"),
        ("dangling", "the link points nowhere"),
        ("pipe", "not a file or a folder"),
        ("/dev/null", "not a file or a folder"),
    ] {
        let messages = refused(dir.path(), &["--data", path]);
        assert!(
            messages.contains(words) && messages.contains(path) && messages.contains("hint:"),
            "{messages}"
        );
    }
}

#[test]
fn a_read_error_makes_the_digest_unknown_and_names_the_file() {
    // The address space of a process begins with a hole: reading it fails for every user.
    let dir = folder();
    let snapshot = capture(dir.path(), &["--data", "/proc/self/mem"]);
    assert_eq!(unknown(&snapshot, r#"data."/proc/self/mem".digest"#), "`mem`: input/output error");
}

/// The binary, and the arguments before it, as a user for whom permissions count.
fn unprivileged(dir: &TempDir) -> Command {
    let mut id = sh(dir.path(), "id", &["-u"]);
    id.truncate(id.trim_end().len());
    if id != "0" {
        return driftlock();
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // The build folder may lie below a home that others cannot enter.
    let binary = dir.path().join("driftlock");
    fs::copy(env!("CARGO_BIN_EXE_driftlock"), &binary).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(binary);
    command
}

#[test]
fn unreadable_files_and_folders_are_named() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    for name in ["t/ok", "t/secret", "t/locked/x", "s/ok", "s/secret"] {
        put(at(name), name);
    }
    for name in ["t/secret", "t/locked", "s/secret"] {
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let args = ["capture", "--section", "data", "--data", "t", "--data", "s", "-o", "-"];
    let out = unprivileged(&dir).args(args).current_dir(dir.path()).output().unwrap();
    fs::set_permissions(at("t/locked"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let snapshot: Table = String::from_utf8(out.stdout).unwrap().parse().unwrap();
    assert_eq!(unknown(&snapshot, "data.s.digest"), "`secret`: permission denied");
    assert_eq!(unknown(&snapshot, "data.s.file.secret"), "permission denied");
    assert_eq!(unknown(&snapshot, "data.t.digest"), "`locked`: permission denied, and 1 more");
    assert_eq!(unknown(&snapshot, "data.t.file.locked"), "permission denied");
    assert_eq!(unknown(&snapshot, "data.t.file.secret"), "permission denied");
    assert_eq!(unknown(&snapshot, "data.t.files"), unknown(&snapshot, "data.t.digest"));
    let facts = facts(&snapshot, "t");
    assert!(facts["file"].get("ok").is_some(), "what could be read is kept");
    assert!(facts.get("digest").is_none() && facts.get("files").is_none());
}

/// A capture of `tree` with one worker that is stopped while it has `tree/big` open, and so has listed the tree and
/// read nothing else of it.
fn while_big_is_read(dir: &Path, then: impl FnOnce()) -> Table {
    let child = driftlock()
        .args(["capture", "--section", "data", "--data", "tree", "-o", "-"])
        .env("RAYON_NUM_THREADS", "1")
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let big = fs::canonicalize(dir.join("tree/big")).unwrap();
    let fds = PathBuf::from(format!("/proc/{}/fd", child.id()));
    let open =
        || fs::read_dir(&fds).unwrap().flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to == big));
    while !open() {}
    let process = Pid::from_raw(child.id().cast_signed());
    signal::kill(process, Signal::SIGSTOP).unwrap();
    assert!(open(), "stopped too late");
    then();
    signal::kill(process, Signal::SIGCONT).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().parse().unwrap()
}

#[test]
fn what_changes_while_it_is_read_is_told() {
    let dir = folder();
    let at = |name: &str| dir.path().join("tree").join(name);
    let make = || {
        let _fresh = fs::remove_dir_all(dir.path().join("tree"));
        put(at("sub/small"), "small");
        put(at("other/x"), "x");
        sparse(&at("big"), 256 << 20, b"end");
    };
    make();
    let still = while_big_is_read(dir.path(), || {});
    assert_eq!(digest(&still, "tree"), recipe(dir.path(), "tree"));

    let snapshot = while_big_is_read(dir.path(), || fs::remove_file(at("sub/small")).unwrap());
    assert_eq!(unknown(&snapshot, "data.tree.file.\"sub/small\""), "vanished while the tree was read");
    unknown(&snapshot, "data.tree.digest");

    make();
    let snapshot = while_big_is_read(dir.path(), || put(at("other/new"), "new"));
    assert!(
        unknown(&snapshot, "data.tree.digest").starts_with("`other`: a name came, went or changed"),
        "{snapshot}"
    );

    make();
    let snapshot = while_big_is_read(dir.path(), || {
        fs::remove_file(at("sub/small")).unwrap();
        sh(dir.path(), "mkfifo", &["tree/sub/small"]);
    });
    assert_eq!(unknown(&snapshot, "data.tree.file.\"sub/small\""), "was replaced while the tree was read");

    // One write: the second reading is whole, and has the new content.
    make();
    let snapshot = while_big_is_read(dir.path(), || {
        let mut file = OpenOptions::new().write(true).open(at("big")).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(b"start").unwrap();
    });
    assert_eq!(digest(&snapshot, "tree"), recipe(dir.path(), "tree"));
}

#[test]
fn a_file_that_grows_without_end_is_told_and_not_waited_for() {
    let dir = folder();
    let log = dir.path().join("tree/log");
    fs::create_dir(dir.path().join("tree")).unwrap();
    sparse(&log, 64 << 20, b"end");
    let mut writer = Writer::start(&log);
    let snapshot = capture(dir.path(), &["--data", "tree", "--data", "tree/log"]);
    writer.stop();
    assert_eq!(unknown(&snapshot, "data.tree.digest"), "`log`: changed while it was read");
    assert_eq!(unknown(&snapshot, "data.\"tree/log\".digest"), "`log`: changed while it was read");
    let snapshot = capture(dir.path(), &["--data", "tree"]);
    assert_eq!(digest(&snapshot, "tree"), recipe(dir.path(), "tree"));
}

/// A process that appends to a file until it is stopped.
struct Writer(Child);

impl Writer {
    fn start(path: &Path) -> Self {
        let script = "while :; do printf x >> \"$1\"; done";
        Self(Command::new("sh").args(["-c", script, "sh"]).arg(path).spawn().unwrap())
    }

    fn stop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _gone = (self.0.kill(), self.0.wait());
    }
}

#[test]
fn a_path_longer_than_the_system_takes_is_named() {
    let dir = folder();
    let script = "mkdir tree; cd tree; for i in $(seq 25); do mkdir $0 && cd $0 || exit 1; done; echo x > x";
    sh(dir.path(), "bash", &["-c", script, &"d".repeat(200)]);
    let snapshot = capture(dir.path(), &["--data", "tree"]);
    assert!(unknown(&snapshot, "data.tree.digest").contains("name too long"), "{snapshot}");
    sh(dir.path(), "rm", &["-r", "tree"]);
}

#[test]
fn four_gigabytes_are_read_in_constant_memory() {
    let dir = folder();
    let length = (4 << 30) + 5;
    sparse(&dir.path().join("big"), length, b"tail!");
    let openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-r", "big"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn();
    let child = driftlock()
        .args(["capture", "--section", "data", "--data", "big", "-o", "-"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while let Some(kib) = peak_kib(&status) {
        peak = peak.max(kib);
        std::thread::sleep(Duration::from_millis(20));
    }
    let Output { stdout, .. } = child.wait_with_output().unwrap();
    let snapshot: Table = String::from_utf8(stdout).unwrap().parse().unwrap();
    let sum = match openssl {
        Ok(child) => String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(),
        Err(_) => sh(dir.path(), "sha256sum", &["big"]),
    };
    assert_eq!(digest(&snapshot, "big"), format!("sha256:{}", sum.split(' ').next().unwrap()));
    assert_eq!(facts(&snapshot, "big")["bytes"].as_integer(), Some(length as i64));
    assert!(peak > 0 && peak < 64 << 10, "{peak} KiB");
}

/// The largest resident set of a process so far (proc_pid_status(5), VmHWM); `None` once it has ended.
fn peak_kib(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    text.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[test]
fn two_captures_of_the_same_tree_agree_byte_for_byte() {
    let dir = folder();
    let _socket = awkward_tree(dir.path());
    let args = ["capture", "--section", "data", "--data", "tree", "-o", "-"];
    let run = || {
        let out = driftlock().args(args).current_dir(dir.path()).output().unwrap();
        assert!(out.stderr.is_empty(), "no progress where there is no terminal");
        let text = String::from_utf8(out.stdout).unwrap();
        text.lines().filter(|l| !l.starts_with("duration_us")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn an_absolute_path_is_shown_relative_to_the_project() {
    let dir = folder();
    put(dir.path().join(".git/HEAD"), "");
    put(dir.path().join("train/x"), "x");
    let absolute = fs::canonicalize(dir.path()).unwrap().join("train");
    let snapshot = capture(dir.path(), &["--data", absolute.to_str().unwrap()]);
    digest(&snapshot, "{project}/train");
}
