//! Installed distributions.

use std::fs;
use std::path::{Path, PathBuf};

use super::place::{Place, agrees, installed, list, packages, run, text, unknown};
use crate::common::{fact, root, sh};

#[test]
fn venv_with_a_wheel_an_editable_and_a_vcs_install() {
    let place = Place::new();
    sh(place.dir.path(), "python3", &["-m", "venv", "env"]);
    let wheel = place.wheel("demo", "1.2");
    let editable = place.project("libs/my lib", "edit", "0.1");
    let repo = place.project("repo", "vcs", "3.0");
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &["-c", "user.name=t", "-c", "user.email=t@host.example", "commit", "-qm", "x"],
    ] {
        sh(&repo, "git", args);
    }
    let commit = sh(&repo, "git", &["rev-parse", "HEAD"]).trim().to_owned();
    let url = format!("git+file://{}", repo.display());
    let pip =
        ["-m", "pip", "install", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "-q"];
    let what = [wheel.to_str().unwrap(), &url, "-e", editable.to_str().unwrap()];
    sh(place.dir.path(), place.path("env/bin/python").to_str().unwrap(), &[&pip[..], &what].concat());

    let snapshot = agrees(&place, &place.path("env/bin/python"), &[]);
    assert_eq!(text(&snapshot, "python.kind"), Some("venv"));
    assert_eq!(text(&snapshot, "python.packages.demo.installer"), Some("pip"));
    assert_eq!(text(&snapshot, "python.packages.demo.tag"), Some("py3-none-any"));
    let origin = text(&snapshot, "python.packages.demo.origin").unwrap();
    assert!(origin.starts_with("{project}/demo-1.2-py3-none-any.whl#sha256="), "{origin}");
    assert_eq!(text(&snapshot, "python.packages.edit.origin"), Some("{project}/libs/my lib"));
    assert_eq!(fact(&snapshot, "python.packages.edit.editable"), Some(&true.into()));
    assert_eq!(fact(&snapshot, "python.packages.edit.record"), None);
    let expected = format!("git+{{project}}/repo@{commit}");
    assert_eq!(text(&snapshot, "python.packages.vcs.origin"), Some(&*expected));
    assert_eq!(fact(&snapshot, "python.packages.pip.origin"), None);

    // Anyone can recompute the digest: with the program in the documentation.
    let page = fs::read_to_string(root().join("docs/concepts/python-environments.md")).unwrap();
    let program = page.split_once("<<'END'\n").and_then(|(_, rest)| rest.split_once("\nEND\n")).unwrap().0;
    let record = place.site("env").join("demo-1.2.dist-info/RECORD");
    let recomputed = sh(place.dir.path(), "python3", &["-c", program, record.to_str().unwrap()]);
    assert_eq!(text(&snapshot, "python.packages.demo.record"), Some(recomputed.trim()));

    // One line each, and the same bytes twice.
    let args = ["--python", "env"];
    let [first, second] = [(); 2].map(|()| String::from_utf8(run(place.command(&args)).stdout).unwrap());
    assert!(
        first
            .lines()
            .any(|line| line.starts_with("demo = { version = \"1.2\", installer = \"pip\", origin = ")),
        "{first}"
    );
    let facts = |text: &str| text.split("[volatile").next().unwrap().to_owned();
    assert_eq!(facts(&first), facts(&second));

    if installed("uv") {
        sh(place.dir.path(), "uv", &["venv", "-q", "--offline", "--python", "env/bin/python", "uv"]);
        let args =
            ["pip", "install", "-q", "--offline", "--no-index", "--python", "uv", wheel.to_str().unwrap()];
        sh(place.dir.path(), "uv", &args);
        let by_uv = agrees(&place, &place.path("uv/bin/python"), &[]);
        assert_eq!(text(&by_uv, "python.packages.demo.installer"), Some("uv"));
        let record = text(&snapshot, "python.packages.demo.record").unwrap();
        assert!(record.starts_with("sha256:"));
        assert_eq!(text(&by_uv, "python.packages.demo.record"), Some(record));
    }
}

#[test]
fn path_order_with_system_user_and_pythonpath_packages() {
    let place = Place::new();
    place.venv("env", &["--system-site-packages"]);
    let site = place.site("env");
    let folder = site.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let dist = |folder: &str, version: &str| {
        let text = format!("Metadata-Version: 2.1\nName: Twice.Here\nVersion: {version}\n");
        place.write(&format!("{folder}/twice_here-{version}.dist-info/METADATA"), &text);
    };
    let site_name = format!("env/lib/{folder}/site-packages");
    let user_name = format!("userbase/lib/{folder}/site-packages");
    for (at, version) in [("first", "3"), (&*site_name, "1"), (&*user_name, "2")] {
        dist(at, version);
    }
    place.write("added/late.egg-info/PKG-INFO", "Metadata-Version: 1.1\nName: late\nVersion: 0.5\n");
    place.write(
        &format!("{user_name}/b.pth"),
        &format!("{}\nimport sys\n/nowhere\n", place.path("added").display()),
    );
    place.write(
        &format!("{user_name}/flat-1.0-py3.egg-info"),
        "Metadata-Version: 1.1\nName: flat\nVersion: 1.0\n",
    );
    place.write(&format!("{user_name}/ignored.txt"), "");

    let path = PathBuf::from(format!("{}:/nowhere", place.path("first").display()));
    let base = place.path("userbase");
    let env = [("PYTHONPATH", path.as_path()), ("PYTHONUSERBASE", base.as_path())];
    let snapshot = agrees(&place, &place.path("env/bin/python"), &env);
    assert_eq!(text(&snapshot, "python.packages.twice-here.version"), Some("3"));
    assert_eq!(text(&snapshot, "python.packages.twice-here.site"), Some("PYTHONPATH"));
    assert_eq!(text(&snapshot, "python.packages.flat.site"), Some("user"));
    assert_eq!(text(&snapshot, "python.packages.late.site"), Some("pth"));
    assert_eq!(text(&snapshot, "python.packages.late.origin"), Some("{project}/added"));
    assert_eq!(fact(&snapshot, "python.user_site"), Some(&true.into()));
    let shadowed = list(&snapshot, "python.shadowed");
    let ours: Vec<&String> = shadowed.iter().filter(|line| line.starts_with("twice-here")).collect();
    assert_eq!(ours.len(), 2, "{shadowed:?}");
    assert_eq!(*ours[0], format!("twice-here 1: {{env}}/lib/{folder}/site-packages/twice_here-1.dist-info"));
    let code = list(&snapshot, "python.pth_code");
    assert!(code.iter().any(|line| line.starts_with("b.pth sha256:")), "{code:?}");

    // Switched off, the user's folder is gone from both.
    let env = [env[0], env[1], ("PYTHONNOUSERSITE", Path::new("1"))];
    let snapshot = agrees(&place, &place.path("env/bin/python"), &env);
    assert_eq!(fact(&snapshot, "python.user_site"), Some(&false.into()));
    assert_eq!(fact(&snapshot, "python.packages.late"), None);

    // Without the system's packages, the user's are off too.
    place.venv("alone", &[]);
    let snapshot = agrees(&place, &place.path("alone/bin/python"), &env[..2]);
    assert_eq!(fact(&snapshot, "python.system_site"), Some(&false.into()));
    assert_eq!(packages(&snapshot).keys().collect::<Vec<_>>(), ["twice-here"]);
}

#[test]
fn a_broken_distribution_is_unknown_and_the_others_are_not() {
    let place = Place::new();
    place.venv("env", &[]);
    let site = place.site("env");
    let site = site.strip_prefix(place.path("")).unwrap().to_str().unwrap();
    let whole =
        |name: &str| place.write(&format!("{site}/{name}-1.0.dist-info/METADATA"), "Metadata-Version: 2.1\n");
    place.write(&format!("{site}/gone-1.0.dist-info/RECORD"), "gone/__init__.py,,\n");
    place.write(&format!("{site}/empty-1.0.dist-info/METADATA"), "");
    place.write(&format!("{site}/nameless.egg-info/PKG-INFO"), "Metadata-Version: 1.0\n");
    place.write(&format!("{site}/~orn-1.0.dist-info/METADATA"), "Metadata-Version: 2.1\n");
    whole("sound");
    whole("badurl");
    place.write(&format!("{site}/badurl-1.0.dist-info/direct_url.json"), "{\"url\":");
    let snapshot = place.capture(&["--python", "env"]);
    assert_eq!(unknown(&snapshot, "python.packages.gone"), Some("gone-1.0.dist-info: no METADATA"));
    assert_eq!(unknown(&snapshot, "python.packages.empty"), Some("empty-1.0.dist-info: METADATA is empty"));
    assert_eq!(
        unknown(&snapshot, "python.packages.nameless"),
        Some("nameless.egg-info: no version in PKG-INFO")
    );
    let reason = unknown(&snapshot, "python.packages.badurl.origin").unwrap();
    assert!(reason.starts_with("direct_url.json: "), "{reason}");
    let names: Vec<String> = packages(&snapshot).into_keys().collect();
    assert_eq!(names, ["badurl", "sound"]);
}

#[test]
fn of_two_versions_in_one_folder_the_one_whose_files_are_there_counts() {
    let place = Place::new();
    place.venv("env", &[]);
    let site = place.site("env");
    let site = site.strip_prefix(place.path("")).unwrap().to_str().unwrap();
    for (version, length) in [("1.0", 4), ("2.0", 400)] {
        let dist = format!("{site}/half-{version}.dist-info");
        place.write(&format!("{dist}/METADATA"), &format!("Name: half\nVersion: {version}\n"));
        place.write(&format!("{dist}/RECORD"), &format!("half/__init__.py,sha256=x,{length}\n"));
    }
    for (content, version, behind) in [("1234".to_owned(), "1.0", "2.0"), ("x".repeat(400), "2.0", "1.0")] {
        place.write(&format!("{site}/half/__init__.py"), &content);
        let snapshot = place.capture(&["--python", "env"]);
        assert_eq!(text(&snapshot, "python.packages.half.version"), Some(version));
        let shadowed = list(&snapshot, "python.shadowed");
        assert!(shadowed[0].starts_with(&format!("half {behind}: {{env}}/")), "{shadowed:?}");
    }
}

#[test]
fn edited_and_missing_files_are_named() {
    let place = Place::new();
    place.venv("env", &[]);
    let wheel = place.wheel("demo", "1.0");
    let site = place.site("env");
    sh(&site, "python3", &["-m", "zipfile", "-e", wheel.to_str().unwrap(), "."]);
    let clean = place.capture(&["--python", "env", "--verify-packages"]);
    assert_eq!(fact(&clean, "python.edited").and_then(toml::Value::as_array).map(Vec::len), Some(0));
    assert_eq!(fact(&clean, "volatile.python.verified_files"), Some(&5.into()));

    fs::write(site.join("demo/__init__.py"), "print('edited')\n").unwrap();
    fs::remove_file(site.join("demo/with,comma.py")).unwrap();
    fs::create_dir(site.join("plain-1.0.dist-info")).unwrap();
    fs::write(site.join("plain-1.0.dist-info/METADATA"), "Name: plain\nVersion: 1.0\n").unwrap();
    let snapshot = place.capture(&["--python", "env", "--verify-packages"]);
    let edited = list(&snapshot, "python.edited");
    assert_eq!(edited, ["demo: demo/__init__.py (modified)", "demo: demo/with,comma.py (missing)"]);
    assert_eq!(list(&snapshot, "python.unverified"), ["plain"]);
    // Without the option nothing is hashed, and nothing is claimed.
    assert_eq!(fact(&place.capture(&["--python", "env"]), "python.edited"), None);
}
