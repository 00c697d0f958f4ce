//! `--deep`.

use super::place::{Place, list, parse, text, unknown};
use crate::common::fact;

#[test]
fn deep_asks_the_interpreter_and_keeps_each_librarys_failure_to_itself() {
    let place = Place::new();
    place.venv("env", &[]);
    let site = place.site("env");
    let site = site.strip_prefix(place.path("")).unwrap().to_str().unwrap();
    let fake = |dist: &str, module: &str, code: &str| {
        place.write(
            &format!("{site}/{dist}-1.0.dist-info/METADATA"),
            &format!("Name: {dist}\nVersion: 1.0\n"),
        );
        place.write(&format!("{site}/{module}.py"), code);
    };
    fake("torch", "torch", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n");
    fake(
        "scipy",
        "scipy",
        "import os\nprint('noise')\nos.write(1, b'driftlock/deep/1 {}\\n')\nraise OSError('no libfoo\\nx')\n",
    );
    fake("jax", "jax", "import os\nos.write(1, b'\\xff\\x00 rubbish')\nos._exit(3)\n");
    let good = "print('noise')\n__version__ = '9.9'\ndef geterr():\n    return {'over': 'warn'}\n";
    fake("numpy", "numpy", good);
    place.write(&format!("{site}/noisy.pth"), "import sys; sys.stdout.write('noise from start-up\\n')\n");
    // A file of the working directory must not stand in for the standard library.
    place.write("json.py", "raise SystemExit('the wrong json')\n");
    let user = place.write("extra/marker.py", "");

    let mut command = place.command(&["--python", "env", "--deep"]);
    command.env("PYTHONPATH", user.parent().unwrap()).env("PYTHONHASHSEED", "0").env("PYTHONINSPECT", "1");
    let snapshot = parse(command);
    assert_eq!(text(&snapshot, "python.deep.numpy.version"), Some("9.9"));
    assert_eq!(text(&snapshot, "python.deep.numpy.errstate.over"), Some("warn"));
    assert_eq!(unknown(&snapshot, "python.deep.torch"), Some("the interpreter died of signal 11"));
    assert_eq!(unknown(&snapshot, "python.deep.scipy"), Some("import: OSError: no libfoo"));
    let reason = unknown(&snapshot, "python.deep.jax").unwrap();
    assert!(reason.starts_with("the interpreter gave no answer (exit code 3)"), "{reason}");
    assert_eq!(fact(&snapshot, "python.deep.tensorflow"), None);
    // The variables of the user's run are in effect.
    assert_eq!(fact(&snapshot, "python.flags.hash_randomization"), Some(&false.into()));
    assert_eq!(fact(&snapshot, "python.deep.interpreter.flags.hash_randomization"), Some(&0.into()));
    let path = list(&snapshot, "python.deep.interpreter.sys_path");
    assert_eq!(path.first().map(String::as_str), Some("{project}/extra"));
    // The interpreter's own words and those of its files agree.
    let version = text(&snapshot, "python.version").unwrap();
    assert!(text(&snapshot, "python.deep.interpreter.version").unwrap().starts_with(&format!("{version} ")));
    // Nothing was left behind.
    for folder in [site, "", "extra"] {
        assert!(!place.path(folder).join("__pycache__").exists(), "{folder}");
    }
}
