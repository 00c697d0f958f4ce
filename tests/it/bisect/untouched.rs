//! The user's tree, environment and repository are as they were, whatever the command does.

use super::{Bench, causes, digest, join, noise};
use crate::common::sh;

#[test]
fn the_users_tree_is_untouched() {
    let bench = Bench::new();
    bench.put(
        "prog.sh",
        "echo $V1_SEED > out.txt; echo more >> kept.txt; rm -f gone.txt; mkdir -p sub/new; echo x > sub/new/x; echo y > sub/file\n\
         cat link.txt; chmod 000 sub/new; echo $V1_SEED\n",
    );
    for name in ["kept.txt", "gone.txt", "out.txt"] {
        bench.put(name, "as it was\n");
    }
    std::fs::create_dir(bench.project().join("sub")).unwrap();
    bench.put("sub/file", "as it was\n");
    std::os::unix::fs::symlink("kept.txt", bench.project().join("link.txt")).unwrap();
    let dir = bench.project();
    sh(&dir, "git", &["init", "-q"]);
    sh(&dir, "git", &["add", "prog.sh", "kept.txt", "sub"]);
    let who = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "x"];
    sh(&dir, "git", &who);
    bench.pair(&noise(3, "a"), &noise(3, "b"));
    let before = digest(&dir);
    let report = bench.json(&["--output", "out.txt"], &["sh", "prog.sh"]);
    assert_eq!(causes(&report), [["env.V1_SEED"]], "{report:#}");
    assert_eq!(report["touched"], serde_json::json!([]));
    assert!(digest(&dir) == before, "the project is byte by byte as it was");
}

/// A command that reaches out of its copy is not stopped, and it is said.
#[test]
fn reaching_out_is_said() {
    let bench = Bench::new();
    let target = bench.project().join("mine.txt");
    bench.put("mine.txt", "1\n");
    bench.put("prog.sh", &format!("echo $V1_SEED >> '{}'; echo $V1_SEED\n", target.display()));
    bench.pair(&noise(2, "a"), &noise(2, "b"));
    let report = bench.program(&[]);
    assert_eq!(report["touched"], serde_json::json!(["{project}/mine.txt"]));
    let text = bench.run(&[], &["sh", "prog.sh"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("proved"));
}

/// A probe sees the variables of its mixture, and besides these what the user has.
#[test]
fn the_environment_is_the_mixtures() {
    let bench = Bench::with("env | grep -c '^MINE=' ; echo \"$V0_SEED,$V1_SEED,$COMMON_SEED,$STRAY_SEED\"\n");
    bench
        .pair(&join(&noise(2, "a"), &[("COMMON_SEED", "7")]), &join(&noise(2, "b"), &[("COMMON_SEED", "7")]));
    let mut command = bench.command(&["--format", "json"], &["sh", "prog.sh"]);
    // Set here and on neither side: taken away. Set on both sides and not here: set.
    command.env("STRAY_SEED", "stray").env("MINE", "1");
    let out = command.output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["outcome"], "proved");
    let kept = walkdir::WalkDir::new(bench.cache()).into_iter().flatten();
    let mut texts: Vec<String> = kept
        .filter(|e| e.file_name() == "standard-output")
        .map(|e| std::fs::read_to_string(e.path()).unwrap())
        .collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts, ["1\na,a,7,\n", "1\nb,b,7,\n"]);
}
