//! Names of machine and user never reach a file that may be handed on.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use driftlock::host::recorded::Recorded;

use crate::common::{driftlock, fact, folder, sh};

/// Identities of a machine that does not exist, in every form in which they are seeded below.
const IDENTITIES: [&str; 19] = [
    "quarktal",
    "fichtelberg.example",
    "zwiebelfisch",
    "/home/",
    "3d1219c7c4c5404aaa1f6d2a48adfda4",
    "140c4a4b-bf5d-4847-9c3f-b4dda55c3888",
    "4c4c4544-0042-3510-8052-b4c04f4e5133",
    "CZ3217XKQ9",
    "MB7781QQ22",
    "02:fc:00:1a:2b:3c",
    "02-fc-00-1a-2b-3c",
    "192.0.2.77",
    "2001:db8::77",
    "8932f937-d72c-4106-c12f-20bd9faed9f6",
    "8932f937",
    "c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
    "3f2a1b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708",
    "quarktal-pod-7",
    "team-zwiebel",
];

/// That machine, its names in every place that is recorded.
fn host() -> Recorded {
    let mut host =
        Recorded { cwd: "/home/zwiebelfisch/project".into(), now: 1_700_000_000, ..Recorded::default() };
    host.system.sysname = "Linux".to_owned();
    host.system.release = "6.1.0".to_owned();
    host.system.machine = "x86_64".to_owned();
    host.system.hostname = "quarktal.fichtelberg.example".to_owned();
    host.system.user = Some("zwiebelfisch".to_owned());
    host.system.home = Some("/home/zwiebelfisch".into());
    host.system.addresses = vec!["192.0.2.77".to_owned(), "2001:db8::77".to_owned()];
    let env = [
        ("HOME", "/home/zwiebelfisch"),
        ("USER", "zwiebelfisch"),
        ("HOSTNAME", "quarktal"),
        ("PATH", "/home/zwiebelfisch/miniconda3/bin:/scratch/zwiebelfisch/bin:/opt/quarktal/bin:/usr/bin"),
        ("CONDA_PREFIX", "/home/zwiebelfisch/miniconda3"),
        ("TORCHINDUCTOR_CACHE_DIR", "/tmp/torchinductor_zwiebelfisch"),
        ("TRITON_CACHE_DIR", "/scratch/zwiebelfisch/.triton"),
        ("XLA_FLAGS", "--xla_dump_to=/home/zwiebelfisch/dump --xla_host=quarktal"),
        (
            "CUDA_VISIBLE_DEVICES",
            "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6,MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
        ),
        ("NVIDIA_VISIBLE_DEVICES", "GPU-8932f937"),
        ("NCCL_SOCKET_NTHREADS", "QUARKTAL.fichtelberg.example,store.fichtelberg.example"),
        ("MASTER_ADDR", "192.0.2.77"),
        ("RANK", "0"),
        ("WORLD_SIZE", "2"),
        ("SLURM_JOB_ID", "7"),
        ("SLURM_JOB_NODELIST", "quarktal,other"),
        ("APPTAINER_CONTAINER", "/data/zwiebelfisch/image-of-quarktal.sif"),
        ("GIT_REMOTE", "ssh://git@quarktal.fichtelberg.example/zwiebelfisch/r.git"),
        ("MACHINE_ID", "3d1219c7c4c5404aaa1f6d2a48adfda4 140c4a4b-bf5d-4847-9c3f-b4dda55c3888"),
        ("SYSTEM", "4C4C4544-0042-3510-8052-B4C04F4E5133 4c4c4544-0042-3510-8052-b4c04f4e5133"),
        ("SERIALS", "CZ3217XKQ9,MB7781QQ22"),
        ("LINKS", "02:fc:00:1a:2b:3c 02-FC-00-1A-2B-3C"),
        ("SERVICE", "tcp://192.0.2.77:29500 http://[2001:db8::77]:80/"),
    ];
    host.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let id = IDENTITIES[16];
    let files = [
        ("/etc/hostname", "quarktal\n".to_owned()),
        ("/etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n".to_owned()),
        ("/proc/sys/kernel/random/boot_id", "140c4a4b-bf5d-4847-9c3f-b4dda55c3888\n".to_owned()),
        ("/sys/class/dmi/id/product_uuid", "4C4C4544-0042-3510-8052-B4C04F4E5133\n".to_owned()),
        ("/sys/class/dmi/id/product_serial", "CZ3217XKQ9\n".to_owned()),
        ("/sys/class/dmi/id/board_serial", "MB7781QQ22\n".to_owned()),
        ("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n".to_owned()),
        ("/sys/class/dmi/id/product_name", "PowerEdge CZ3217XKQ9\n".to_owned()),
        ("/sys/class/net/eth0/address", "02:fc:00:1a:2b:3c\n".to_owned()),
        (
            "/proc/cpuinfo",
            "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nflags\t\t: fpu\n".to_owned(),
        ),
        ("/proc/meminfo", "MemTotal:       24684092 kB\n".to_owned()),
        (
            "/proc/cmdline",
            "root=UUID=4c4c4544-0042-3510-8052-b4c04f4e5133 isolcpus=2 mitigations=off\n".to_owned(),
        ),
        ("/proc/self/cgroup", format!("0::/system.slice/docker-{id}.scope\n")),
        (
            "/run/.containerenv",
            format!("name=\"quarktal-pod-7\"\nid=\"{id}\"\nimage=\"quarktal:5000/zwiebelfisch/train:1\"\n"),
        ),
        ("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "team-zwiebel\n".to_owned()),
        ("/.singularity.d/labels.json", "{\"built by zwiebelfisch\": \"zwiebelfisch@quarktal\"}".to_owned()),
        (
            "/home/zwiebelfisch/project/mlcube.yaml",
            "platform:\n  host: quarktal\n  owner: zwiebelfisch\n".to_owned(),
        ),
        ("/home/zwiebelfisch/project/train.py", String::new()),
    ];
    host.files = files.map(|(path, text)| (path.into(), text)).into();
    host.denied.insert("/etc/os-release".into());
    host.dirs.insert("/home/zwiebelfisch/project/.git".into());
    host
}

fn replayed(host: &Recorded, args: &[&str]) -> String {
    let dir = folder();
    let file = dir.path().join("host.toml");
    fs::write(&file, toml::to_string(host).unwrap()).unwrap();
    let mut command = driftlock();
    let out =
        command.args(["capture", "--env-all", "-o", "-", "--replay"]).arg(&file).args(args).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The identities that stand in a text, in whatever case.
fn leaks<'a>(text: &str, identities: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let text = text.to_lowercase();
    identities.into_iter().filter(|name| text.contains(&name.to_lowercase())).collect()
}

#[test]
fn an_anonymous_snapshot_names_nobody() {
    let written = replayed(&host(), &["--anonymous"]);
    assert_eq!(leaks(&written, IDENTITIES), Vec::<&str>::new(), "\n{written}");
    assert!(!written.contains("[private"), "{written}");
    // They were there to be found: each left its placeholder.
    for placeholder in [
        "{host}",
        "{domain}",
        "{user}",
        "~/",
        "{uuid}",
        "{serial}",
        "{mac}",
        "{ip}",
        "GPU-{uuid}",
        "MIG-{uuid}",
    ] {
        assert!(written.contains(placeholder), "{placeholder} is missing in\n{written}");
    }
}

#[test]
fn a_snapshot_holds_private_facts_as_digests() {
    let written = replayed(&host(), &[]);
    assert_eq!(leaks(&written, IDENTITIES), Vec::<&str>::new(), "\n{written}");
    let snapshot: toml::Table = written.parse().unwrap();
    for path in [
        "env.HOSTNAME",
        "env.USER",
        "env.MASTER_ADDR",
        "scheduler.master",
        "scheduler.node_list",
        "container.id",
        "container.namespace",
    ] {
        let digest = fact(&snapshot, &format!("private.{path}")).and_then(toml::Value::as_str);
        assert!(digest.is_some_and(|d| d.starts_with("private:") && d.len() == 8 + 16), "{path}: {digest:?}");
    }
    // The same name gives the same digest, another name another one.
    let digest = |host: &Recorded| -> BTreeMap<String, String> {
        let snapshot: toml::Table = replayed(host, &["--section", "env"]).parse().unwrap();
        let table = snapshot["private"]["env"].as_table().unwrap();
        table.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
    };
    let mut other = host();
    other.env.insert("HOSTNAME".to_owned(), "elsewhere".to_owned());
    let (a, b, c) = (digest(&host()), digest(&host()), digest(&other));
    assert_eq!(a, b);
    assert!(a["HOSTNAME"] != c["HOSTNAME"] && a["USER"] == c["USER"]);
}

#[test]
fn facts_are_not_damaged_by_generic_names() {
    let mut host = host();
    host.system.user = Some("torch".to_owned());
    host.system.hostname = "debian".to_owned();
    host.system.home = Some("/home/torch".into());
    host.env = [
        ("TORCH_LOGS", "torch on debian"),
        ("HOME", "/home/torch"),
        ("PATH", "/home/torch/bin:/site-packages/torch/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    host.files.remove(Path::new("/etc/hostname"));
    let snapshot: toml::Table = replayed(&host, &["--anonymous"]).parse().unwrap();
    assert_eq!(fact(&snapshot, "env.TORCH_LOGS").and_then(toml::Value::as_str), Some("torch on debian"));
    assert_eq!(fact(&snapshot, "env.PATH").unwrap().to_string(), r#"["~/bin", "/site-packages/torch/bin"]"#);
}

/// A real repository, a conda-like environment and a home below folders named after a user that does not exist.
#[test]
fn a_repository_and_an_environment_of_a_named_user() {
    let dir = folder();
    let home = dir.path().join("zwiebelfisch");
    let (project, conda) = (home.join("project"), home.join("conda"));
    fs::create_dir_all(&project).unwrap();
    fs::create_dir_all(conda.join("conda-meta")).unwrap();
    fs::create_dir_all(conda.join("bin")).unwrap();
    fs::write(conda.join("conda-meta/history"), "# cmd: /home/zwiebelfisch/conda/bin/conda create\n")
        .unwrap();
    fs::write(conda.join("conda-meta/zlib-1.3-0.json"),
        r#"{"name": "zlib", "version": "1.3", "build": "0", "channel": "https://zwiebelfisch:hunter2@conda.example.org/zwiebelfisch"}"#).unwrap();
    fs::write(project.join("train.py"), "").unwrap();
    for args in [
        &["init", "-q"][..],
        &["remote", "add", "origin", "https://zwiebelfisch:hunter2@git.example.org/zwiebelfisch/project.git"],
        &["add", "."],
        &["-c", "user.name=Z", "-c", "user.email=z@example.org", "commit", "-qm", "x"],
    ] {
        sh(&project, "git", args);
    }
    let mut command = driftlock();
    command
        .env("HOME", &home)
        .env("USER", "zwiebelfisch")
        .env("LOGNAME", "zwiebelfisch")
        .env("CONDA_PREFIX", &conda)
        .env("TRITON_CACHE_DIR", "/scratch/zwiebelfisch/triton");
    command.env("PATH", format!("{}:/usr/bin:/bin", conda.join("bin").display()));
    let command = command.args(["capture", "--env-all", "--anonymous", "--data", "train.py", "-o", "-"]);
    let out = command.current_dir(&project).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let written = String::from_utf8(out.stdout).unwrap();
    assert_eq!(leaks(&written, ["zwiebelfisch", "hunter2"]), Vec::<&str>::new(), "\n{written}");
    assert!(written.contains("{env}/bin") && written.contains("/scratch/{user}/triton"), "{written}");
}

/// The real identities of the machine that runs the test, gathered without driftlock.
#[cfg(target_os = "linux")]
fn own_identities() -> Vec<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let run = |program: &str, args: &[&str]| sh(Path::new("/"), program, args).trim().to_owned();
    let mut found = vec![run("uname", &["-n"]), run("id", &["-un"])];
    for path in [
        "/etc/machine-id",
        "/proc/sys/kernel/random/boot_id",
        "/sys/class/dmi/id/product_uuid",
        "/sys/class/dmi/id/product_serial",
    ] {
        found.push(read(path));
    }
    for interface in fs::read_dir("/sys/class/net").into_iter().flatten().flatten() {
        found
            .push(fs::read_to_string(interface.path().join("address")).unwrap_or_default().trim().to_owned());
    }
    // `/proc/net/fib_trie`: an address on one line, `host LOCAL` on the next where it is this machine's.
    let trie = read("/proc/net/fib_trie");
    let lines: Vec<&str> = trie.lines().map(str::trim).collect();
    for pair in lines.windows(2).filter(|pair| pair[1].ends_with("host LOCAL")) {
        found.extend(pair[0].strip_prefix("|-- ").map(str::to_owned));
    }
    found.sort();
    found.dedup();
    // Names that everyone's machine has identify nobody, and are words of the facts.
    let generic = |name: &str| {
        let names = ["", "root", "vm", "localhost", "ubuntu", "debian", "runner", "00:00:00:00:00:00"];
        let reason = names.contains(&name) || name.len() < 3 || name.starts_with("127.");
        if reason {
            println!("not looked for: {name:?} is given to many machines");
        }
        reason
    };
    found.retain(|name| !generic(name));
    found
}

#[test]
#[cfg(target_os = "linux")]
fn a_snapshot_of_this_machine_names_nobody() {
    let identities = own_identities();
    assert!(!identities.is_empty(), "a machine has at least a boot id");
    let home = std::env::var("HOME").unwrap_or_default();
    for args in [&["--anonymous"][..], &[]] {
        let mut command = driftlock();
        for (i, name) in identities.iter().enumerate() {
            command.env(format!("SEEDED_{i}"), format!("/a/{name}/b, {name}"));
        }
        command.env("SEEDED_HOME", format!("--dir={home}/x"));
        let out = command.args(["capture", "--env-all", "-o", "-"]).args(args).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let written = String::from_utf8(out.stdout).unwrap();
        assert_eq!(leaks(&written, identities.iter().map(String::as_str)), Vec::<&str>::new(), "\n{written}");
        assert!(written.contains("SEEDED_0 = "), "{written}");
        if home.len() > 1 {
            assert!(
                !written.contains(&format!("{home}/")) && written.contains("--dir=~/x"),
                "{home} in\n{written}"
            );
        }
    }
}
