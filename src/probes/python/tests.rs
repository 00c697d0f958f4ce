//! The probe on replayed machines: layouts that this machine does not have.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::host::recorded::{Recorded, RecordedCommand};
use crate::probes::sink::Collected;
use crate::snapshot::{FactPath, Value};

fn host(files: &[(&str, &str)], executables: &[&str]) -> Recorded {
    let mut host = Recorded { cwd: "/home/u/project".into(), ..Recorded::default() };
    host.env.insert("PATH".to_owned(), "/opt/bin:/usr/bin".to_owned());
    host.env.insert("HOME".to_owned(), "/home/u".to_owned());
    host.files = files.iter().map(|(path, text)| (path.into(), (*text).to_owned())).collect();
    host.executables = executables.iter().map(Into::into).collect();
    host
}

fn collect(host: Recorded, options: Options) -> Collected {
    let cx = Context::new(Arc::new(host), options);
    let out = Sink::new("python");
    let result = Python.collect(&cx, &out);
    out.snapshot(result.err().as_ref())
}

fn shown(collected: &Collected, path: &str) -> String {
    let path: FactPath = format!("python.{path}").parse().unwrap_or_else(|e| panic!("{e}"));
    match (collected.facts.get(&path), collected.unknown.get(&path)) {
        (Some(value), _) => value.plain(),
        (None, Some(reason)) => format!("unknown: {reason}"),
        (None, None) => "absent".to_owned(),
    }
}

#[test]
fn conda_packages_with_build_and_channel() {
    let torch = r#"{"name": "pytorch", "version": "2.3.1", "build": "cuda120_py311h1_300", "build_number": 300,
        "channel": "https://conda.anaconda.org/t/tk-secret/conda-forge/linux-64", "subdir": "linux-64",
        "md5": "m", "sha256": "s", "files": ["lib/a.so"], "depends": []}"#;
    let mut host = host(
        &[
            ("/opt/conda/lib/python3.11/os.py", ""),
            ("/opt/conda/conda-meta/python-3.11.9-hb806964_0_cpython.json", "{}"),
            ("/opt/conda/conda-meta/pytorch-2.3.1-cuda120_py311h1_300.json", torch),
            ("/opt/conda/conda-meta/history", ""),
            ("/opt/conda/lib/python3.11/site-packages/torch-2.3.1.dist-info/METADATA", "Version: 2.3.1"),
            ("/opt/conda/lib/python3.11/site-packages/torch-2.3.1.dist-info/INSTALLER", "conda\n"),
            (
                "/opt/conda/lib/python3.11/site-packages/torch-2.3.1.dist-info/direct_url.json",
                r#"{"url": "file:///home/conda/feedstock_root/work", "dir_info": {}}"#,
            ),
        ],
        &["/opt/conda/bin/python3.11"],
    );
    host.links.insert("/opt/conda/bin/python".into(), "python3.11".into());
    host.env.insert("CONDA_PREFIX".to_owned(), "/opt/conda".to_owned());
    let collected = collect(host, Options::default());
    for (path, value) in [
        ("kind", "conda"),
        ("found_by", "CONDA_PREFIX"),
        ("version", "3.11.9"),
        ("version_found_by", "conda-meta"),
        ("conda.pytorch.version", "2.3.1"),
        ("conda.pytorch.build", "cuda120_py311h1_300"),
        ("conda.pytorch.channel", "conda-forge"),
        ("conda.pytorch.subdir", "linux-64"),
        ("conda.pytorch.sha256", "s"),
        ("packages.torch.version", "2.3.1"),
        ("packages.torch.installer", "conda"),
        ("packages.torch.origin", "absent"),
    ] {
        assert_eq!(shown(&collected, path), value, "{path}");
    }
    assert!(
        shown(&collected, "conda.python")
            .starts_with("unknown: conda-meta/python-3.11.9-hb806964_0_cpython.json")
    );
}

#[test]
fn fedora_keeps_extension_modules_under_lib64() {
    let host = host(
        &[
            ("/usr/lib64/python3.12/os.py", ""),
            ("/usr/lib64/python3.12/site-packages/numpy-2.0.0.dist-info/METADATA", "x"),
            ("/usr/lib/python3.12/site-packages/rich-13.0.0.dist-info/METADATA", "x"),
            ("/usr/lib/python3.12/site-packages/numpy-1.0.0.dist-info/METADATA", "x"),
            (
                "/usr/lib64/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py",
                "build_time_vars = {'CC': 'gcc'}",
            ),
        ],
        &["/usr/bin/python3.12", "/usr/bin/python3"],
    );
    let collected = collect(host, Options::default());
    assert_eq!(shown(&collected, "found_by"), "PATH");
    let path = shown(&collected, "sys_path");
    assert_eq!(path, "{env}/lib64/python3.12/site-packages {env}/lib/python3.12/site-packages");
    assert_eq!(shown(&collected, "packages.numpy.version"), "2.0.0");
    assert_eq!(shown(&collected, "packages.rich.version"), "13.0.0");
    assert_eq!(shown(&collected, "build.compiler"), "gcc");
    assert_eq!(shown(&collected, "version"), "3.12");
}

#[test]
fn debian_has_dist_packages_and_the_version_in_dpkg() {
    let host = host(
        &[
            ("/usr/lib/python3.11/os.py", ""),
            ("/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info/PKG-INFO", "Version: 6.0\n"),
            ("/usr/local/lib/python3.11/dist-packages/torch-2.4.0+cpu.dist-info/METADATA", "x"),
            ("/usr/local/lib/python3.11/site-packages/other-1.dist-info/METADATA", "x"),
            (
                "/var/lib/dpkg/status",
                "Package: libpython3.11-minimal\nStatus: install ok installed\nVersion: 3.11.2-6+deb12u6\n\n",
            ),
        ],
        &["/usr/bin/python3.11", "/usr/bin/python3"],
    );
    let collected = collect(host, Options::default());
    let path = shown(&collected, "sys_path");
    assert_eq!(path, "{env}/local/lib/python3.11/dist-packages {env}/lib/python3/dist-packages");
    assert_eq!(shown(&collected, "version"), "3.11.2");
    assert_eq!(shown(&collected, "version_found_by"), "dpkg");
    assert_eq!(shown(&collected, "packages.pyyaml.version"), "6.0");
    assert_eq!(shown(&collected, "packages.torch.version"), "2.4.0+cpu");
    assert_eq!(shown(&collected, "packages.other.version"), "absent");
}

#[test]
fn another_python_beside_debians_does_not_see_its_packages() {
    let mut host = host(
        &[
            ("/usr/lib/python3/dist-packages/a-1.dist-info/METADATA", "x"),
            ("/usr/local/lib/python3.11/os.py", ""),
            ("/usr/local/lib/python3.11/dist-packages/b-1.dist-info/METADATA", "x"),
            ("/usr/local/lib/python3.11/site-packages/c-1.dist-info/METADATA", "x"),
        ],
        &["/usr/local/bin/python3.11"],
    );
    host.env.insert("PATH".to_owned(), "/usr/local/bin:/usr/bin".to_owned());
    host.links.insert("/usr/local/bin/python".into(), "python3.11".into());
    let collected = collect(host, Options::default());
    assert_eq!(shown(&collected, "sys_path"), "{env}/lib/python3.11/site-packages");
    assert_eq!(shown(&collected, "packages.c.version"), "1");
    assert_eq!(shown(&collected, "packages.b.version"), "absent");
}

#[test]
fn a_copied_executable_belongs_to_the_version_that_its_environment_notes() {
    let mut host = host(
        &[
            ("/home/u/project/.venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n"),
            ("/usr/lib/python3.11/os.py", ""),
            ("/usr/lib/python3.12/os.py", ""),
            ("/home/u/project/.venv/lib/python3.11/site-packages/a-1.dist-info/METADATA", "x"),
        ],
        &["/home/u/project/.venv/bin/python3"],
    );
    host.links.insert("/home/u/project/.venv/bin/python".into(), "python3".into());
    let collected = collect(host, Options::default());
    assert_eq!(shown(&collected, "version"), "3.11.2");
    assert_eq!(shown(&collected, "packages.a.version"), "1");
}

#[test]
fn an_editable_package_is_found_by_its_finders_mapping() {
    let site = "/usr/lib/python3.12/site-packages";
    let mut host = host(
        &[
            ("/usr/lib/python3.12/os.py", ""),
            (
                &format!("{site}/__editable___torch_2_5_finder.py"),
                "MAPPING = {'torch': '/home/u/pytorch/torch'}\n",
            ),
            (&format!("{site}/plain/__init__.py"), ""),
            (&format!("{site}/single.cpython-312-x86_64-linux-gnu.so"), ""),
            (&format!("{site}/nspkg/part/__init__.py"), ""),
        ],
        &["/usr/bin/python3.12"],
    );
    host.links.insert("/usr/bin/python".into(), "python3.12".into());
    let found = interpreter::find(&host, &PythonChoice::Auto);
    let Ok(Some(found)) = found else { panic!("{found:?}") };
    let dir = |name: &str| {
        found.package_dir(&host, name).map(|path| path.display().to_string()).unwrap_or_default()
    };
    assert_eq!(dir("torch"), "/home/u/pytorch/torch");
    assert_eq!(dir("plain"), format!("{site}/plain"));
    assert_eq!(dir("single"), format!("{site}/single.cpython-312-x86_64-linux-gnu.so"));
    assert_eq!(dir("nspkg"), format!("{site}/nspkg"));
    assert_eq!(dir("absent"), "");
}

#[test]
fn python_2_on_path_gives_way_to_python3() {
    let files = [("/usr/lib/python2.7/os.py", ""), ("/usr/lib/python3.8/os.py", "")];
    let both = ["/usr/bin/python2.7", "/usr/bin/python3.8", "/usr/bin/python3"];
    let mut host = host(&files, &both);
    host.links.insert("/usr/bin/python".into(), "python2.7".into());
    assert_eq!(shown(&collect(host.clone(), Options::default()), "executable"), "/usr/bin/python3");
    host.executables.remove(std::path::Path::new("/usr/bin/python3"));
    assert_eq!(shown(&collect(host, Options::default()), "version"), "2.7");
}

#[test]
fn what_may_not_be_read_is_unknown() {
    let mut host = host(
        &[("/usr/lib/python3.11/os.py", ""), ("/usr/lib/python3/dist-packages/a-1.dist-info/METADATA", "x")],
        &["/usr/bin/python3.11", "/usr/bin/python3"],
    );
    host.denied.insert("/usr/lib/python3/dist-packages/a-1.dist-info/RECORD".into());
    host.denied.insert("/usr/lib/python3/dist-packages/a-1.dist-info/WHEEL".into());
    let collected = collect(host, Options::default());
    assert_eq!(shown(&collected, "packages.a.version"), "1");
    assert_eq!(shown(&collected, "packages.a.record"), "unknown: permission denied");
    assert_eq!(shown(&collected, "packages.a.tag"), "unknown: permission denied");
}

#[test]
fn an_executable_without_a_library_is_told() {
    let collected = collect(host(&[], &["/opt/bin/python"]), Options::default());
    assert_eq!(shown(&collected, "executable"), "/opt/bin/python");
    assert!(shown(&collected, "packages").starts_with("unknown: no standard library"));
}

#[test]
fn a_library_that_hangs_is_unknown_after_its_limit() {
    let mut host = host(
        &[
            ("/usr/lib/python3.11/os.py", ""),
            ("/usr/lib/python3/dist-packages/torch-2.0.dist-info/METADATA", "x"),
        ],
        &["/usr/bin/python3.11", "/usr/bin/python3"],
    );
    let command = |part: &str, hangs: bool| {
        let mut command =
            RecordedCommand { program: "/usr/bin/python3".to_owned(), hangs, ..Default::default() };
        command.args = ["-B", "-c", deep::PROGRAM, part].map(str::to_owned).to_vec();
        command.output.stdout =
            "driftlock/deep/1 {\"result\":\"success\",\"facts\":{\"version\":\"v\"}}\n".to_owned();
        command
    };
    host.command = vec![command("torch", true), command("interpreter", false)];
    let options = Options { deep: true, timeout: Duration::from_secs(90), ..Options::default() };
    assert_eq!(Python.limit(&options), Some(Duration::from_secs(180)));
    let collected = collect(host, options);
    assert_eq!(shown(&collected, "deep.interpreter.version"), "v");
    assert_eq!(shown(&collected, "deep.torch"), "unknown: no answer within 90 s");
    assert!(collected.facts.values().all(|value| *value != Value::Str(String::new())));
}

#[test]
fn flags_from_variables() {
    assert!(hashes_are_random(None) && hashes_are_random(Some("")) && hashes_are_random(Some("random")));
    assert!(!hashes_are_random(Some("0")) && !hashes_are_random(Some("42")));
    assert_eq!([None, Some(""), Some("0"), Some("2"), Some("x")].map(optimize), [0, 0, 0, 2, 1]);
}
