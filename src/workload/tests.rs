//! The analysis of whole programs: small ones written here, and the benchmark's, where these are present.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Found, Inputs, find};

/// The families and more of a program in a folder of its own.
fn of(text: &str, args: &[&str]) -> Found {
    with_env(text, args, &[])
}

fn with_env(text: &str, args: &[&str], env: &[(&str, &str)]) -> Found {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    run(folder.path(), "train.py", args, env).unwrap()
}

fn run(folder: &Path, script: &str, args: &[&str], env: &[(&str, &str)]) -> Option<Found> {
    let argv = ["python", script].iter().chain(args).map(|a| (*a).to_owned()).collect();
    let environment: BTreeMap<String, String> =
        env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    find(&Inputs { argv, cwd: folder.to_path_buf(), environment, site: Vec::new() })
}

/// The families, in one line.
fn operations(found: &Found) -> String {
    found.operations.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn complete(found: &Found) {
    assert!(found.incomplete.is_empty(), "{:?}", found.incomplete);
}

/// The families of a program that is followed to its end.
#[track_caller]
fn assert_operations(text: &str, expected: &str) {
    let found = of(text, &[]);
    assert_eq!(operations(&found), expected, "{text}\n{:?}", found.incomplete);
    complete(&found);
}

fn bench() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/bench/workloads");
    let found = folder.is_dir().then_some(folder);
    if found.is_none() {
        eprintln!("skipped: ../shared/bench/workloads is not here");
    }
    found
}

#[test]
fn the_benchmark_s_programs() {
    let Some(folder) = bench() else { return };
    let data = "numpy.rng.legacy.uniform numpy.ufunc.basic";
    let sk = "numpy.reduce numpy.rng.legacy.uniform numpy.ufunc.basic";
    let net = format!(
        "{data} torch.conv.backward torch.conv.forward torch.dropout torch.elementwise.basic torch.init torch.loss torch.matmul.f32 \
         torch.optim.sgd torch.pool torch.reduce.column torch.softmax"
    );
    let cases: &[(&str, &str, String)] = &[
        ("w1_cnn.py", "", net.clone()),
        ("w1_cnn.py", "--opt adam", net.replace("optim.sgd", "optim.adam")),
        ("w1_cnn.py", "--compile", net.replace("torch.conv.b", "torch.compile torch.conv.b")),
        (
            "w2_rnn.py",
            "--cell LSTM",
            format!("{data} torch.init torch.loss torch.matmul.f32 torch.optim.adam torch.reduce.column torch.rnn.backward torch.rnn.forward"),
        ),
        ("w3_numpy.py", "--parts gemm", format!("numpy.einsum numpy.matmul {data}")),
        (
            "w3_numpy.py",
            "--parts reduce",
            "numpy.cumulative numpy.dot numpy.reduce numpy.rng.legacy.uniform numpy.sort numpy.ufunc.basic".to_owned(),
        ),
        ("w3_numpy.py", "--parts ufunc", format!("{data} numpy.ufunc.math")),
        ("w4_sklearn.py", "--parts mlp", format!("{sk} sklearn.mlp.lbfgs")),
        ("w4_sklearn.py", "--parts mlpadam", format!("{sk} sklearn.mlp.sgd")),
        ("w4_sklearn.py", "--parts kmeans,rf", format!("{sk} sklearn.forest sklearn.kmeans")),
        ("w5_jax.py", "", format!("jax.conv jax.elementwise jax.matmul jax.reduce jax.rng {data}")),
        ("w5_jax.py", "--parts rng", format!("jax.rng {data}")),
        (
            "w6_tf.py",
            "",
            format!("{data} tensorflow.conv tensorflow.elementwise tensorflow.fit tensorflow.matmul tensorflow.reduce tensorflow.rng"),
        ),
        ("w7_python.py", "", "python.random".to_owned()),
        ("w7_python.py", "--parts set", "python.set.iteration".to_owned()),
        ("w7_python.py", "--parts trainset", "python.random python.set.iteration".to_owned()),
        ("w7_python.py", "--parts sortedset,plainsort,utc,sortedlistdir", String::new()),
        ("w7_python.py", "--parts hash,tz,doc,encoding", "python.docstring python.encoding python.hash python.time.local".to_owned()),
        ("w7_python.py", "--parts idset", "python.id".to_owned()),
        ("w7_python.py", "--parts listdir", "python.listing".to_owned()),
        ("w7_python.py", "--parts assert", "python.assert python.random".to_owned()),
        ("w7_python.py", "--parts cpucount", "python.cpu-count python.random".to_owned()),
        ("w7_python.py", "--parts time", "python.clock python.random".to_owned()),
        ("w7_python.py", "--parts unseeded", "python.entropy python.random".to_owned()),
        ("w7_python.py", "--parts math", "python.math python.random".to_owned()),
        ("w7_python.py", "--parts gauss", "python.random python.random.gauss".to_owned()),
        ("w7_python.py", "--parts locale", "python.locale.collate".to_owned()),
        ("w7_python.py", "--parts floatsum,fsum", "python.float.sum python.random".to_owned()),
        (
            "w8_elementwise.py",
            "--n 20000 --parts sum,mean,std,norm",
            format!("{data} torch.elementwise.basic torch.reduce.full.small"),
        ),
        ("w8_elementwise.py", "--parts sum", format!("{data} torch.elementwise.basic torch.reduce.full")),
        (
            "w8_elementwise.py",
            "--parts sumrow,sumcol,randn",
            format!("{data} torch.elementwise.basic torch.reduce.column torch.reduce.row torch.rng.normal"),
        ),
        ("w9_matmul.py", "--parts mmbf16", format!("{data} torch.elementwise.basic torch.matmul.bf16")),
        ("w9_matmul.py", "--parts mm64,dot", format!("{data} torch.dot torch.elementwise.basic torch.matmul.f64")),
        (
            "w10_loader.py",
            "--workers 2 --noise torch",
            "torch.dataloader torch.dataloader.workers torch.rng.permutation torch.rng.uniform".to_owned(),
        ),
        (
            "w10_loader.py",
            "--workers 0 --noise npglobal",
            "numpy.rng.legacy.uniform numpy.rng.unseeded torch.dataloader torch.rng.permutation".to_owned(),
        ),
        (
            "w11_unseeded.py",
            "",
            "numpy.rng.generator.uniform numpy.rng.legacy.uniform numpy.rng.unseeded torch.init torch.rng.unseeded".to_owned(),
        ),
        ("w15_uninit.py", "", "numpy.empty".to_owned()),
        ("w15_uninit.py", "--use torch", "torch.empty".to_owned()),
    ];
    let mut wrong = Vec::new();
    for (script, args, expected) in cases {
        let args: Vec<&str> = args.split_whitespace().collect();
        let found = run(&folder, script, &args, &[]).unwrap();
        if operations(&found) != *expected || !found.incomplete.is_empty() {
            wrong.push(format!(
                "{script} {args:?}\n   got  {}\n   want {expected}\n   {:?}",
                operations(&found),
                found.incomplete
            ));
        }
        assert!(found.sources.len() == 2, "{script}: _common.py is not reached");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_benchmark_s_programs_read_and_set() {
    let Some(folder) = bench() else { return };
    let env = [("LOGNAME", ""), ("USER", "u"), ("USERNAME", "w"), ("HOME", "/h")];
    let reads = |part: &str| {
        let found = run(&folder, "w7_python.py", &["--parts", part], &env).unwrap();
        found.reads.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(reads("user"), ["env.USER"]);
    assert_eq!(reads("host"), ["meta.host"]);
    assert_eq!(reads("home"), ["env.HOME"]);
    assert_eq!(reads("cwd"), ["run.cwd"]);
    assert_eq!(reads("rank"), ["env.RANK"]);
    assert!(reads("plain").is_empty());
    let found = run(&folder, "w1_cnn.py", &["--opt", "adam", "--det", "--threads", "2", "--dump", "x"], &env)
        .unwrap();
    let counts = |name: &str| found.arguments.iter().find(|a| a.name == name).unwrap().counts;
    for name in ["opt", "det", "threads", "steps", "batch", "seed"] {
        assert!(counts(name), "{name} counts");
    }
    assert!(!counts("dump"), "an output's name counts");
    assert_eq!(found.settings.get("torch.num_threads").map(|v| v.to_string()), Some("2".to_owned()));
    assert_eq!(
        found.settings.get("torch.deterministic_algorithms").map(|v| v.to_string()),
        Some("true".to_owned())
    );
    let found = run(&folder, "w6_tf.py", &[], &env).unwrap();
    assert_eq!(found.sets_env.get("TF_CPP_MIN_LOG_LEVEL"), Some(&Some("2".to_owned())));
    let found = run(&folder, "w7_python.py", &["--parts", "listdir", "--dir", "/d"], &env).unwrap();
    assert!(found.listings.contains(Path::new("/d")));
    let found = run(&folder, "w10_loader.py", &["--workers", "3"], &env).unwrap();
    assert_eq!(found.workers.iter().collect::<Vec<_>>(), [&3]);
}
