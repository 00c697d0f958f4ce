//! Ranks of a distributed job, and files that `--output` names.

use super::{command, list, read, run, snapshot, text};
use crate::common::{fact, folder};

#[test]
fn each_rank_writes_its_own_file() {
    let dir = folder();
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("RANK", "2"), ("WORLD_SIZE", "4")], "run.lock.2"),
        (&[("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2")], "run.lock.1"),
        (&[("SLURM_PROCID", "3"), ("SLURM_STEP_NUM_TASKS", "8")], "run.lock.3"),
        (&[("PMI_RANK", "0"), ("PMI_SIZE", "2")], "run.lock.0"),
        // A batch script of Slurm, a lone process, and what is no number.
        (&[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")], "run.lock"),
        (&[("RANK", "0"), ("WORLD_SIZE", "1"), ("PMI_RANK", "x"), ("PMI_SIZE", "2")], "run.lock"),
    ];
    for (variables, file) in cases {
        let out = command(dir.path(), &[], &["true"]).envs(variables.iter().copied()).output().unwrap();
        assert!(out.status.success(), "{}", text(&out.stderr));
        let path = dir.path().join(file);
        assert_eq!(fact(&read(&path), "run.exit_code"), Some(&0.into()), "{file}");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "{file} alone");
    }
}

#[test]
fn ranks_side_by_side_do_not_meet() {
    let dir = folder();
    let ranks: Vec<_> = (0..6)
        .map(|rank: u32| {
            let mut command = command(dir.path(), &[], &["sh", "-c", "exit $RANK"]);
            command.env("RANK", rank.to_string()).env("WORLD_SIZE", "6").spawn().unwrap()
        })
        .collect();
    for (rank, mut child) in ranks.into_iter().enumerate() {
        assert_eq!(child.wait().unwrap().code(), Some(rank as i32));
        let snapshot = read(&dir.path().join(format!("run.lock.{rank}")));
        assert_eq!(fact(&snapshot, "run.exit_code"), Some(&(rank as i64).into()));
    }
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 6, "no temporary file is left");
}

#[test]
fn a_missing_output_is_said_and_harms_nothing() {
    let dir = folder();
    let args = ["--output", "ckpt/*.pt", "--output", "gone.txt", "--output", "out"];
    let out = run(dir.path(), &args, &["sh", "-c", "mkdir ckpt out; touch ckpt/a.pt out/b; exit 4"]);
    assert_eq!(out.status.code(), Some(4));
    assert_eq!(text(&out.stderr), "driftlock: warning: --output gone.txt: no such file after the run\n");
    assert_eq!(list(&snapshot(dir.path()), "run.missing_outputs"), ["gone.txt"]);
}

#[test]
fn patterns_mean_files() {
    use driftlock::run::outputs::{Before, expand};
    let dir = folder();
    let at = dir.path();
    for file in ["a.pt", "b[1].pt", ".hidden.pt", "sub/c.pt", "sub/deep/d.pt", "sub/e.txt", ".git/f.pt"] {
        std::fs::create_dir_all(at.join(file).parent().unwrap()).unwrap();
        std::fs::write(at.join(file), file).unwrap();
    }
    std::os::unix::fs::symlink("sub", at.join("link")).unwrap();
    let names = |pattern: &str| -> Vec<String> {
        let paths = expand(at, pattern);
        paths.iter().map(|p| p.strip_prefix(at).unwrap().display().to_string()).collect()
    };
    assert_eq!(names("*.pt"), ["a.pt", "b[1].pt"]);
    assert_eq!(names("b[1].pt"), ["b[1].pt"], "a name as it is counts before the pattern");
    assert_eq!(names("sub"), ["sub/c.pt", "sub/deep/d.pt", "sub/e.txt"]);
    assert_eq!(names("**/*.pt"), ["a.pt", "b[1].pt", "sub/c.pt", "sub/deep/d.pt"]);
    assert_eq!(names("s?b/[ce].*"), ["sub/c.pt", "sub/e.txt"]);
    assert_eq!(names("link"), ["link/c.pt", "link/deep/d.pt", "link/e.txt"]);
    assert_eq!(names(".h*"), [".hidden.pt"]);
    assert_eq!(names("nothing*"), Vec::<String>::new());

    let before = Before::look(at, &["*.pt".to_owned(), "a.pt".to_owned(), "x*".to_owned()]);
    std::fs::write(at.join("a.pt"), "longer than it was").unwrap();
    std::fs::write(at.join("new.pt"), "").unwrap();
    let (written, missing) = before.compare();
    let changed: Vec<_> =
        written.iter().map(|w| (w.path.file_name().unwrap().to_str().unwrap(), w.changed)).collect();
    assert_eq!(changed, [("a.pt", true), ("b[1].pt", false), ("new.pt", true)]);
    assert_eq!(missing, ["x*"]);
}
