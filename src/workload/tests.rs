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
    // To set a variable is not to read it; to use what `setdefault` gives back is.
    let reads_of = |text: &str| of(text, &[]).reads.into_iter().collect::<Vec<_>>();
    assert!(
        reads_of(
            "import os\nos.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')\nos.environ.pop('A', None)\n"
        )
        .is_empty()
    );
    assert_eq!(reads_of("import os\nx = os.environ.setdefault('A', '2')\nprint(x)\n"), ["env.A"]);
    assert_eq!(
        reads_of("import os\nx = os.environ.get('A')\nos.environ.setdefault('A', '2')\nprint(x)\n"),
        ["env.A"]
    );
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

#[test]
fn python_programs() {
    assert_operations("for x in {'a', 'b'}: print(x)\n", "python.set.iteration");
    assert_operations(
        "for x in {1, 2}: print(x)\nprint(len({'a'}), sorted({'a', 'b'}), max({'a', 'b'}), 'a' in {'a', 'b'})\n",
        "",
    );
    assert_operations(
        "ix = {c: i for i, c in enumerate(set(input()))}\nprint(ix['a'])\n",
        "python.set.iteration",
    );
    assert_operations("class O: pass\nprint([o for o in {O(), O()}])\n", "python.id");
    assert_operations(
        "class O:\n    def __hash__(s): return hash('a')\nprint([o for o in {O(), O()}])\n",
        "python.set.iteration",
    );
    assert_operations("import os\nprint(os.listdir('.'))\n", "python.listing");
    assert_operations(
        "import os\nfor n in sorted(os.listdir('.')): print(n)\nprint(len(os.listdir('.')))\n",
        "",
    );
    assert_operations(
        "from pathlib import Path\nfor p in Path('d').glob('*.txt'): print(p.read_text())\n",
        "python.encoding python.listing",
    );
    assert_operations("import random\nrandom.seed(1)\nprint(random.random())\n", "python.random");
    assert_operations(
        "import random\nprint(random.Random().gauss(0, 1))\n",
        "python.entropy python.random python.random.gauss",
    );
    assert_operations("import time\nt = time.time()\nprint(time.time() - t, 'done at', time.ctime())\n", "");
    assert_operations(
        "import time, random\nr = random.Random(int(time.time()))\nprint(r.random())\n",
        "python.clock python.random",
    );
    assert_operations("import datetime\nprint(datetime.datetime.fromtimestamp(0))\n", "python.time.local");
    assert_operations("print(sum([0.1] * 10), sum(range(3)))\n", "python.float.sum");
    assert_operations("import math\nprint(math.sqrt(2), math.floor(2.5))\n", "");
    assert_operations("import math\nfor f in ('exp', 'sin'): print(getattr(math, f)(1.5))\n", "python.math");
    assert_operations(
        "import json, os, sys, logging, re, collections, itertools, functools\nfrom pathlib import Path\nlogging.basicConfig()\n\
         log = logging.getLogger('x')\nd = collections.defaultdict(list)\nfor a, b in itertools.product('ab', [1, 2]): d[a].append(b)\n\
         log.info('%s', d)\nPath('out').mkdir(exist_ok=True)\njson.dump(d, open('out/x.json', 'w'))\nprint(re.sub('a', 'b', 'ab'), file=sys.stderr)\n",
        "",
    );
}

#[test]
fn numpy_programs() {
    let with = |body: &str| format!("import numpy as np\n{body}\n");
    assert_operations(&with("np.random.rand(3)"), "numpy.rng.legacy.uniform numpy.rng.unseeded");
    assert_operations(&with("np.random.seed(0)\nnp.random.randn(3)"), "numpy.rng.legacy.distributions");
    assert_operations(&with("r = np.random.default_rng(42)\nr.integers(9)"), "numpy.rng.generator.uniform");
    assert_operations(&with("a = np.ones((3, 3))\nprint(a @ a)"), "numpy.matmul");
    assert_operations(&with("a = np.ones(3)\nprint(a @ a, np.dot(a, a))"), "numpy.dot");
    assert_operations(&with("a = np.ones((3, 3), dtype=int)\nprint(a @ a, a.sum())"), "");
    assert_operations(&with("a = np.empty(3)\nprint(a)"), "numpy.empty");
    assert_operations(
        &with("a = np.empty(3)\na[:] = 1\nb = np.empty((2, 2))\nb[0] = a[:2]\nprint(a, b)"),
        "",
    );
    assert_operations(&with("a = np.empty(3)\nnp.add(1, 2.5, out=a)\nprint(a)"), "numpy.ufunc.basic");
    assert_operations(&with("f = 'exp'\nprint(getattr(np, f)(np.ones(3)))"), "numpy.ufunc.math");
    assert_operations(&with("print(np.argsort(np.ones(3), kind='stable'))"), "");
}

#[test]
fn torch_programs() {
    let with = |body: &str| {
        format!("import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n{body}\n")
    };
    assert_operations(&with("nn.Linear(2, 2)"), "torch.init torch.rng.unseeded");
    assert_operations(&with("torch.manual_seed(0)\nnn.Linear(2, 2)"), "torch.init");
    assert_operations(&with("x = torch.ones(32768)\nx.sum()"), "torch.reduce.full.small");
    assert_operations(&with("x = torch.ones(32769)\nx.sum()"), "torch.reduce.full");
    assert_operations(&with("x = torch.ones(4, 5)\nx.sum(-1)"), "torch.reduce.row");
    assert_operations(&with("x = torch.ones(4, 5)\nx.mean(dim=0)"), "torch.reduce.column");
    assert_operations(
        &with("x = torch.ones(4, 4)\n(x.bfloat16() @ x.bfloat16()).float()"),
        "torch.matmul.bf16",
    );
    assert_operations(&with("x = torch.ones(4)\nx @ x"), "torch.dot");
    let net = "class N(nn.Module):\n    def __init__(s, cell):\n        super().__init__()\n        s.c = nn.Conv1d(1, 2, 3, bias=False)\n\
               \x20       s.r = getattr(nn, cell)(2, 3)\n    def forward(s, x): return s.r(s.c(x).permute(2, 0, 1))[0]\ntorch.manual_seed(1)\n\
               y = N('GRU')(torch.ones(1, 1, 9))\n";
    let forward = "torch.conv.forward torch.init torch.rnn.forward.plain";
    assert_operations(&with(net), forward);
    assert_operations(
        &with(&format!("{net}y.sum().backward()")),
        "torch.conv.backward torch.conv.forward torch.elementwise.basic torch.init torch.reduce.full torch.rnn.backward.plain torch.rnn.forward.plain",
    );
    assert_operations(
        &with(
            "ops = {'e': lambda: torch.exp(x), 's': lambda: F.softmax(x, 1)}\nx = torch.ones(2, 2)\nprint({k: ops[k]() for k in ['s']})",
        ),
        "torch.softmax",
    );
    assert_operations(
        &with("m = nn.Sequential(nn.Dropout(0.5), nn.ReLU()).eval()\nm(torch.ones(2))"),
        "torch.elementwise.basic",
    );
    assert_operations(&with("print(torch.empty(3))"), "torch.empty");
    assert_operations(&with("x = torch.empty(3)\nx.fill_(1)\ny = torch.empty(2).zero_()\nprint(x, y)"), "");
}

#[test]
fn a_configuration_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.json"), r#"{"layer": "GRU", "size": [2, 3], "seed": 5}"#).unwrap();
    let text = "import json, sys, torch\nwith open(sys.argv[1], encoding='utf-8') as f: c = json.load(f)\ntorch.manual_seed(c['seed'])\n\
                getattr(torch.nn, c['layer'])(*c['size'])(torch.ones(1, 1, 2))\n";
    std::fs::write(folder.path().join("train.py"), text).unwrap();
    let found = run(folder.path(), "train.py", &["c.json"], &[]).unwrap();
    assert_eq!(operations(&found), "torch.init torch.rnn.forward.plain");
    assert_eq!(found.seeds["torch"].iter().collect::<Vec<_>>(), ["5"]);
    assert_eq!(found.files.into_iter().collect::<Vec<_>>(), [folder.path().join("c.json")]);
}

#[test]
fn what_cannot_be_told_is_said() {
    let incomplete = |text: &str| of(text, &[]).incomplete.into_iter().collect::<Vec<_>>();
    assert_eq!(incomplete("x = 1\nexec(open('a').read())\n"), ["all: `exec` runs a text (train.py:2)"]);
    assert_eq!(
        incomplete("import subprocess\nsubprocess.run(['./other'])\n"),
        ["all: another program is started (train.py:2)"]
    );
    assert!(incomplete("import subprocess\nsubprocess.run(['git', 'rev-parse', 'HEAD'])\n").is_empty());
    assert_eq!(
        incomplete("import transformers\ntransformers.pipeline('x')\ntransformers.pipeline('y')\n").len(),
        2
    );
    assert!(incomplete("a = (\nprint(1)\n")[0].starts_with("all: a syntax error in train.py"));
    assert!(incomplete("while True:\n    pass\n").is_empty());
}

#[test]
fn an_unknown_library_is_what_its_distribution_needs() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    for (name, needs) in
        [("my_lib", "Requires-Dist: torch>=2\nRequires-Dist: numpy; extra == \"x\"\n"), ("other", "")]
    {
        std::fs::create_dir_all(site.join(name)).unwrap();
        let info = site.join(format!("{name}-1.0.dist-info"));
        std::fs::create_dir_all(&info).unwrap();
        std::fs::write(info.join("METADATA"), format!("Name: {name}\n{needs}\nRequires-Dist: jax\n"))
            .unwrap();
    }
    std::fs::write(folder.path().join("t.py"), "import my_lib, other\nmy_lib.f()\nother.f()\ntry:\n    import missing\nexcept ImportError:\n    import random\n    random.random()\n").unwrap();
    let argv = ["python", "t.py"].map(str::to_owned).to_vec();
    let found =
        find(&Inputs { argv, cwd: folder.path().to_path_buf(), site: vec![site], ..Inputs::default() })
            .unwrap();
    let expected = [
        "python: what `my_lib` does is not known (t.py:2)",
        "python: what `other` does is not known (t.py:3)",
        "torch: what `my_lib` does is not known (t.py:2)",
    ];
    assert_eq!(found.incomplete.iter().collect::<Vec<_>>(), expected);
    assert!(
        found.operations.contains("python.entropy"),
        "the missing module is imported: {:?}",
        found.operations
    );
}

/// Programs that use much of the language, to be mutated.
const SEEDS: &[&str] = &[
    "import argparse, torch, torch.nn as nn\np = argparse.ArgumentParser()\np.add_argument('--n', type=int, default=3)\na = p.parse_args()\n\
     class M(nn.Module):\n    def __init__(self, k=2):\n        super().__init__()\n        self.l = nn.ModuleList([nn.Linear(k, k) for _ in range(a.n)])\n\
     \x20   def forward(self, x):\n        for l in self.l:\n            x = torch.relu(l(x)).view(-1, 2)\n        return x.sum(dim=(0, 1)), x[:, -1:]\n\
     m = M()\nfor i in range(a.n):\n    y, z = m(torch.randn(4, 2))\n    y.backward()\nprint({k: v.shape for k, v in m.state_dict().items()})\n",
    "import numpy as np\nfrom functools import partial, reduce\nfrom dataclasses import dataclass\n@dataclass\nclass C:\n    n: int = 3\n    s: str = 'a,b'\n\
     def g(*args, k=2, **kw):\n    yield from args\n    yield k\nc = C(n=4)\nxs = [x ** 2 for x in g(1, 2.5, *range(3)) if x]\nwhile c.n > 0:\n    c.n -= 1\n\
     try:\n    d = {**{'a': 1}, 'b': lambda q: q @ q}\n    r = d['b'](np.empty((3, 3)).reshape(-1, 1, 9)[..., None])\nexcept (KeyError, ValueError) as e:\n    raise\n\
     else:\n    print(f'{r!r:>{c.n}}', '%d %s' % (1, 'x'), '{0} {a}'.format(1, a=2))\nfinally:\n    s = {1, 'a', None} | set('abc') - {'b'}\n\
     match xs:\n    case [1, *rest]: print(rest)\n    case {'a': b}: pass\n    case _: assert not np.random.rand(3).argsort()[::-1].any()\n\
     print(sorted(s, key=str), reduce(lambda a, b: a + b, [[1], [2]]), partial(g, 1)(2), list(zip('ab', [1]))[0], 'a,b'.split(',')[1:], -(~5) << 70, 7 // 0)\n",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn mutated_programs_neither_panic_nor_change_their_answer(
        which in 0..SEEDS.len(),
        edits in proptest::collection::vec((0usize..2000, 0usize..2000, 0u8..4), 1..6),
    ) {
        let words: Vec<&str> = SEEDS[which].split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        for (a, b, how) in edits {
            let (a, b) = (a % words.len(), b % words.len());
            match how {
                0 => words.swap(a, b),
                1 => words[a] = words[b].clone(),
                2 => words.insert(a, words[b].clone()),
                _ => { words.remove(a); if words.is_empty() { words.push(String::new()); } }
            }
        }
        let text = words.concat();
        let argv = ["python".to_owned(), "-c".to_owned(), text].to_vec();
        let inputs = Inputs { argv, cwd: "/nonexistent".into(), ..Inputs::default() };
        let (one, two) = (find(&inputs).unwrap(), find(&inputs).unwrap());
        proptest::prop_assert!(!one.incomplete.contains("all: the program could not be followed"));
        proptest::prop_assert_eq!(format!("{one:?}"), format!("{two:?}"));
    }
}

#[test]
fn a_checkpoint_of_tensorflow() {
    let program = |more: &str| {
        let text = format!(
            "import tensorflow as tf\nmodel = tf.keras.Sequential([tf.keras.layers.Dense(2)])\n\
             checkpoint = tf.train.Checkpoint(model=model)\n{more}\n"
        );
        let found = of(&text, &[]);
        found.operations.contains("tensorflow.checkpoint")
    };
    assert!(program("checkpoint.restore(tf.train.latest_checkpoint('ckpt'))"));
    assert!(program("checkpoint.restore('ckpt-1').expect_partial()"));
    assert!(program(
        "manager = tf.train.CheckpointManager(checkpoint, 'd', 3)\nmanager.restore_or_initialize()"
    ));
    assert!(program("model.fit(x, y, callbacks=[tf.keras.callbacks.BackupAndRestore('d')])"));
    assert!(!program("checkpoint.save('ckpt')"));
}
