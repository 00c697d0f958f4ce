//! The standard library.

use super::table;
use crate::workload::heap::{Class, Names, Obj, Order};
use crate::workload::interp::Interp;
use crate::workload::value::{Args, CLOCK, CPUS, ENTROPY, HOST, Hint, K, LOCAL_TIME, PID, USER, Val};

/// Programs that a program may start without its own results being another's.
const HARMLESS: &[&str] = &[
    "git",
    "nvidia-smi",
    "hostname",
    "uname",
    "date",
    "ls",
    "mkdir",
    "cp",
    "mv",
    "rm",
    "clear",
    "lscpu",
    "free",
    "df",
    "which",
    "stty",
    "tput",
];

impl<'a> Interp<'a> {
    /// A function, class or method (`me` is the object) of the standard library, or of a library without numbers.
    pub(super) fn stdlib(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let (root, name) = (path.split('.').next().unwrap_or(path), path.rsplit('.').next().unwrap_or(path));
        let first = args.pos.first().cloned();
        let taint = args.taint() | me.map_or(0, |m| m.t);
        if let Some(value) = self.path_function(path, args) {
            return value;
        }
        let surroundings = match root {
            "time" | "datetime" => self.time(path, name, me, args),
            "os" | "socket" | "platform" | "getpass" | "pwd" | "multiprocessing" | "uuid" | "sys" => {
                self.surroundings(path, args)
            }
            _ => None,
        };
        if let Some(value) = surroundings {
            return value;
        }
        if let Some(value) = self.plain_function(path, args) {
            return value;
        }
        if self.set_by_call(path, args) {
            return Val::any();
        }
        match root {
            "random" if me.is_none() => {
                if matches!(name, "Random" | "SystemRandom") {
                    if name == "SystemRandom" {
                        self.rec.operation("python.entropy");
                    }
                    return self.new_generator("random.Random", first.as_ref().filter(|_| name == "Random"));
                }
                return self.random_draw(None, name, args);
            }
            "subprocess" => return self.other_program(name, first.as_ref()),
            "hashlib" | "zlib" if me.is_none() => {
                let data = first.as_ref().map_or(0, |f| self.reach(f, true).0);
                if name == "crc32" || name == "adler32" {
                    return Val::of(Hint::Int).with(taint | data);
                }
                let hash = self.lib_object("hashlib.$hash", Args::default(), None);
                return hash.with(taint | data);
            }
            "argparse" => match name {
                "ArgumentParser" => return self.new_parser(args),
                "Namespace" => return self.bag(args),
                "add_parser" if me.is_some() => {
                    return self.add_command(&me.cloned().unwrap_or_else(Val::any), args);
                }
                _ => {}
            },
            "json" | "pickle" | "yaml" | "csv" | "joblib" | "toml" | "marshal" | "cloudpickle" | "dill" => {
                return self.storage(path, name, args);
            }
            "math" | "cmath" => return self.math(path, name, args),
            "itertools" => return self.itertools(name, args),
            "functools" | "operator" | "contextlib" | "dataclasses" | "typing" | "abc" | "types"
            | "collections" | "copy" | "enum" | "typing_extensions" => {
                if let Some(value) = self.helpers(path, me, args) {
                    return value;
                }
            }
            "importlib" if name == "import_module" => {
                return match first.as_ref().and_then(Val::as_str).map(str::to_owned) {
                    Some(module) if !module.starts_with('.') => self.import(&module),
                    _ => {
                        self.incomplete("all", "an import by a name that is not known");
                        Val::any()
                    }
                };
            }
            "importlib" | "runpy" if matches!(name, "run_path" | "run_module" | "exec_module") => {
                self.incomplete("all", "another program is run within this one");
                return Val::any();
            }
            "ctypes" if matches!(name, "CDLL" | "LoadLibrary" | "cdll") => {
                self.rec.used(taint);
                // Which function of it is called is not followed; loading alone computes nothing.
                return Val::any();
            }
            "locale" if name == "setlocale" => {
                return Val::any();
            }
            "threading" | "multiprocessing" | "concurrent" | "asyncio" => {
                return self.parallel(path, name, me, args);
            }
            _ => {}
        }
        if table::is_quiet(path) {
            if me.is_none() && matches!(root, "tqdm") || name == "track" {
                return first.unwrap_or_else(Val::any);
            }
            self.printed(args);
            return self.lib_object(path, Args::default(), None);
        }
        let families = table::of("python").listed(path).unwrap_or_default();
        families.iter().for_each(|f| self.rec.operation(f));
        for arg in args.all().cloned().collect::<Vec<_>>() {
            self.call_back(&arg, &[]);
        }
        let reached =
            args.all().cloned().collect::<Vec<_>>().iter().fold(taint, |t, a| t | self.reach(a, true).0);
        if !table::is_pure(path) || !families.is_empty() {
            self.rec.used(reached);
        }
        match path {
            "re.match" | "re.search" | "re.fullmatch" => Val::any().with(reached),
            "re.sub" | "locale.strxfrm" | "locale.format_string" | "textwrap.dedent" | "os.fspath" => {
                Val::of(Hint::Str).with(reached)
            }
            "re.findall" | "re.split" | "shlex.split" => {
                self.list(Vec::new(), Some(Val::of(Hint::Str))).with(reached)
            }
            "base64.b64encode" | "struct.pack" | "os.urandom" => Val::of(Hint::Bytes).with(reached),
            _ if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                self.lib_object(path, Args::default(), None).with(reached)
            }
            _ => Val::any().with(reached),
        }
    }

    /// What of the surroundings a function gives.
    fn surroundings(&mut self, path: &str, args: &Args) -> Option<Val> {
        let first = args.pos.first().cloned();
        Some(match path {
            "os.getenv" => {
                let default = args.get(1, "default").cloned().unwrap_or(Val::NONE);
                self.environment(&first.unwrap_or_else(Val::any), Some(&default))
            }
            "os.putenv" | "os.unsetenv" => {
                if let Some(key) = first {
                    self.set_environment(&key, args.pos.get(1));
                }
                Val::NONE
            }
            "socket.gethostname" | "socket.getfqdn" | "platform.node" | "os.uname" | "platform.uname" => {
                self.rec.read("meta.host");
                Val::of(if path.ends_with("uname") { Hint::Whatever } else { Hint::Str }).with(HOST)
            }
            "getpass.getuser" | "os.getlogin" | "pwd.getpwuid" => {
                let order = ["LOGNAME", "USER", "LNAME", "USERNAME"];
                let set =
                    order.iter().find(|n| self.inputs.environment.get(**n).is_some_and(|v| !v.is_empty()));
                let value = match set.filter(|_| path == "getpass.getuser") {
                    Some(name) => {
                        let name = (*name).to_owned();
                        self.read_environment(&name);
                        self.inputs.environment.get(&name).map(|v| Val::str(v.as_str()))
                    }
                    None => None,
                };
                value
                    .unwrap_or_else(|| {
                        Val::of(if path == "pwd.getpwuid" { Hint::Whatever } else { Hint::Str })
                    })
                    .with(USER)
            }
            "os.getpid" | "os.getppid" => Val::of(Hint::Int).with(PID),
            "os.getuid" | "os.getgid" => Val::of(Hint::Int).with(USER),
            "os.cpu_count" | "multiprocessing.cpu_count" | "os.process_cpu_count" => {
                Val::of(Hint::Int).with(CPUS)
            }
            "os.sched_getaffinity" => {
                let set = Obj::Set { items: Vec::new(), more: Some(Val::of(Hint::Int)) };
                Val::from(self.heap.new_object(set)).with(CPUS)
            }
            "uuid.uuid4" | "uuid.uuid1" => Val::of(Hint::Str).with(ENTROPY),
            "platform.python_version"
            | "platform.machine"
            | "platform.platform"
            | "platform.processor"
            | "platform.release"
            | "platform.python_implementation" => Val::of(Hint::Str).with(crate::workload::value::VERSION),
            "platform.system" => Val::str("Linux"),
            "os.system" | "os.popen" => self.other_program("run", first.as_ref()),
            "os.fork" | "os.execv" | "os.execvp" | "os.execve" | "os.spawnv" | "os.posix_spawn" => {
                self.incomplete("all", "another process is started");
                Val::any()
            }
            "sys.exit" | "os._exit" | "os.abort" => {
                self.stop();
                Val::any()
            }
            "sys.path.append" | "sys.path.insert" | "sys.path.extend" => {
                let folder =
                    args.pos.last().and_then(|v| self.path_text(v).or_else(|| v.as_str().map(str::to_owned)));
                if let Some(folder) = folder {
                    let folder = self.inputs.cwd.join(folder);
                    self.add_search(folder, path == "sys.path.insert");
                }
                Val::NONE
            }
            "sys.getrecursionlimit" | "sys.getrefcount" | "sys.getsizeof" => Val::of(Hint::Int),
            "sys.getdefaultencoding" | "sys.getfilesystemencoding" => Val::str("utf-8"),
            "os.chdir" => {
                if first.as_ref().is_some_and(|f| f.as_str() != Some(".")) {
                    self.incomplete("python", "the working directory is changed");
                }
                Val::NONE
            }
            _ => return None,
        })
    }

    /// Clocks and calendars.
    fn time(&mut self, path: &str, name: &str, me: Option<&Val>, args: &Args) -> Option<Val> {
        let taint = args.taint() | me.map_or(0, |m| m.t);
        let zoned = |at: usize, word: &str| args.get(at, word).is_some_and(|z| !z.is_none());
        let date = |s: &mut Self, taint| s.lib_object("datetime.datetime", Args::default(), None).with(taint);
        Some(match (path, name) {
            (_, "time_ns" | "perf_counter_ns" | "monotonic_ns" | "process_time_ns") => {
                Val::of(Hint::Int).with(CLOCK)
            }
            (
                "time.time" | "time.perf_counter" | "time.monotonic" | "time.process_time"
                | "time.thread_time" | "time.clock",
                _,
            ) => Val::of(Hint::Float).with(CLOCK),
            ("time.sleep", _) => Val::NONE,
            ("time.localtime" | "time.ctime" | "time.mktime", _) => {
                let clock = if args.pos.is_empty() { CLOCK } else { 0 };
                Val::any().with(taint | clock | LOCAL_TIME)
            }
            ("time.gmtime", _) => Val::any().with(taint | if args.pos.is_empty() { CLOCK } else { 0 }),
            ("time.strftime", _) => {
                let clock = if args.pos.len() < 2 { CLOCK | LOCAL_TIME } else { 0 };
                Val::of(Hint::Str).with(taint | clock)
            }
            ("time.tzset", _) => Val::NONE,
            ("datetime.datetime.now", _) => date(self, CLOCK | if zoned(0, "tz") { 0 } else { LOCAL_TIME }),
            ("datetime.datetime.today" | "datetime.date.today", _) => date(self, CLOCK | LOCAL_TIME),
            ("datetime.datetime.utcnow", _) => date(self, CLOCK),
            ("datetime.datetime.fromtimestamp" | "datetime.date.fromtimestamp", _) => {
                date(self, taint | if zoned(1, "tz") { 0 } else { LOCAL_TIME })
            }
            ("datetime.datetime.utcfromtimestamp", _) => date(self, taint),
            (
                "datetime.datetime"
                | "datetime.date"
                | "datetime.datetime.strptime"
                | "datetime.datetime.fromisoformat"
                | "datetime.datetime.combine",
                _,
            ) => date(self, taint),
            (_, "strftime" | "isoformat" | "ctime") if me.is_some() => Val::of(Hint::Str).with(taint),
            // A date without a zone is local time.
            (_, "timestamp" | "astimezone") if me.is_some() => {
                if name == "timestamp" {
                    Val::of(Hint::Float).with(taint | LOCAL_TIME)
                } else {
                    date(self, taint | LOCAL_TIME)
                }
            }
            (_, "replace" | "date") if me.is_some() => me.cloned()?,
            _ => Val::any().with(taint),
        })
    }

    /// Another program is started.
    fn other_program(&mut self, name: &str, command: Option<&Val>) -> Val {
        if matches!(name, "PIPE" | "DEVNULL" | "CalledProcessError" | "TimeoutExpired") {
            return Val::any();
        }
        let first = command.map(|c| match &c.k {
            K::Str(text) => text.split_whitespace().next().map(str::to_owned),
            _ => self.iterate(c).known.first().and_then(Val::as_str).map(str::to_owned),
        });
        let word = first.flatten();
        let word = word.as_deref().map(|w| w.rsplit('/').next().unwrap_or(w));
        if !word.is_some_and(|w| HARMLESS.contains(&w)) {
            self.incomplete("all", "another program is started");
        }
        Val::any()
    }

    /// A hash: what goes into it is compared by whoever reads it.
    pub(super) fn hash_method(&mut self, object: &Val, name: &str, args: &Args) -> Val {
        match name {
            "update" => {
                for value in args.pos.clone() {
                    self.output(&value);
                }
                Val::NONE
            }
            "hexdigest" => Val::of(Hint::Str).with(object.t),
            "digest" => Val::of(Hint::Bytes).with(object.t),
            "copy" => object.clone(),
            _ => Val::any(),
        }
    }

    /// `json`, `pickle` and their like.
    fn storage(&mut self, path: &str, name: &str, args: &Args) -> Val {
        for family in table::of("python").listed(path).unwrap_or_default() {
            self.rec.operation(family);
        }
        match name {
            "dump" | "safe_dump" | "dump_all" | "writerow" | "writerows" => {
                let content = if path.starts_with("csv.") {
                    args.clone()
                } else {
                    Args::of(args.pos.iter().take(1).cloned().collect())
                };
                self.writes(&content, usize::MAX);
                Val::NONE
            }
            "dumps" => {
                let taint = args.pos.first().map_or(0, |v| self.reach(v, true).0);
                Val::of(if path.starts_with("json") || path.starts_with("toml") {
                    Hint::Str
                } else {
                    Hint::Bytes
                })
                .with(taint)
            }
            "load" | "safe_load" if path.starts_with("joblib.") => {
                self.data_files(path, args);
                Val::any()
            }
            "Parallel" => {
                self.rec.operation("python.multiprocessing");
                self.lib_object("joblib.Parallel", Args::default(), None)
            }
            "delayed" => args.pos.first().cloned().unwrap_or_else(Val::any),
            "__call__" if path.starts_with("joblib.") => args.pos.first().cloned().unwrap_or_else(Val::any),
            "load" if path.starts_with("json.") => {
                let file =
                    args.pos.first().and_then(|f| self.lib(f)).and_then(|l| l.args.get(0, "file")).cloned();
                let text = file.and_then(|f| self.path_text(&f).or_else(|| f.as_str().map(str::to_owned)));
                match text.map(|t| crate::workload::interp::read(&self.inputs.cwd.join(t))) {
                    Some(Ok(text)) if text.len() < 1 << 18 => self.json(&text),
                    _ => Val::any(),
                }
            }
            "loads" if path.starts_with("json.") => {
                match args.pos.first().and_then(Val::as_str).map(str::to_owned) {
                    Some(text) => self.json(&text).with(args.taint()),
                    None => Val::any().with(args.taint()),
                }
            }
            _ if name.starts_with("loads") => Val::any().with(args.taint()),
            "reader" | "DictReader" => {
                let item = if name == "reader" {
                    self.list(Vec::new(), Some(Val::of(Hint::Str)))
                } else {
                    Val::any()
                };
                self.list(Vec::new(), Some(item))
            }
            _ if name.starts_with(|c: char| c.is_ascii_uppercase()) || name == "writer" => {
                self.lib_object(path, Args::default(), None)
            }
            _ => Val::any(),
        }
    }

    /// What JSON's text holds; anything where it does not parse.
    fn json(&mut self, text: &str) -> Val {
        match serde_json::from_str(text) {
            Ok(value) => self.json_value(&value),
            Err(_) => Val::any(),
        }
    }

    fn json_value(&mut self, value: &serde_json::Value) -> Val {
        use serde_json::Value;
        match value {
            Value::Null => Val::NONE,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(n), _) => n.into(),
                (None, Some(f)) => K::Float(f).into(),
                _ => Val::of(Hint::Float),
            },
            Value::String(s) => Val::str(s.as_str()),
            Value::Array(items) => {
                let items = items.iter().map(|i| self.json_value(i)).collect();
                self.list(items, None)
            }
            Value::Object(map) => {
                let items = map.iter().map(|(k, v)| (Val::str(k.as_str()), self.json_value(v))).collect();
                self.heap.new_object(Obj::Dict { items, more: None, factory: None, order: Order::Own }).into()
            }
        }
    }

    /// `math`: the functions of the C library, and those that are exact.
    fn math(&mut self, path: &str, name: &str, args: &Args) -> Val {
        let taint = args.taint();
        let families = table::of("python").listed(path).unwrap_or_default();
        let unknown = name.starts_with('$');
        if unknown {
            self.rec.operation("python.math");
        }
        families.iter().for_each(|f| self.rec.operation(f));
        let numbers: Vec<Option<f64>> = args
            .pos
            .iter()
            .map(|v| match v.k {
                K::Float(f) => Some(f),
                #[expect(clippy::cast_precision_loss, reason = "as Python converts")]
                K::Int(n) => Some(n as f64),
                _ => None,
            })
            .collect();
        if let Some(list) = args.pos.first().filter(|_| matches!(name, "fsum" | "prod" | "sumprod")).cloned()
        {
            self.iterate(&list);
        }
        for arg in args.pos.clone() {
            self.use_scalar(&arg);
        }
        let whole = |f: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "bounded")]
            (f.abs() < 9e15).then_some(f as i64)
        };
        match (name, &numbers[..]) {
            ("ceil", [Some(f)]) => whole(f.ceil()).map_or_else(|| Val::of(Hint::Int), Val::from),
            ("floor" | "trunc", [Some(f)]) => whole(if name == "floor" { f.floor() } else { f.trunc() })
                .map_or_else(|| Val::of(Hint::Int), Val::from),
            ("sqrt", [Some(f)]) if *f >= 0.0 => K::Float(f.sqrt()).into(),
            ("fabs", [Some(f)]) => K::Float(f.abs()).into(),
            ("ceil" | "floor" | "trunc" | "gcd" | "lcm" | "comb" | "perm" | "factorial" | "isqrt", _) => {
                Val::of(Hint::Int)
            }
            ("isnan" | "isinf" | "isfinite" | "isclose", _) => Val::of(Hint::Bool),
            ("prod", _) => Val::any(),
            _ => Val::of(if path.starts_with("cmath") { Hint::Whatever } else { Hint::Float }),
        }
        .with(taint)
    }

    fn itertools(&mut self, name: &str, args: &Args) -> Val {
        let taint = args.taint();
        let first = args.pos.first().cloned().unwrap_or_else(Val::any);
        match name {
            "chain" => {
                let mut all = self.list(Vec::new(), None);
                for arg in &args.pos {
                    all = self.binary(rustpython_ruff_python_ast::Operator::Add, &all, arg);
                }
                all
            }
            "product"
            | "zip_longest"
            | "combinations"
            | "permutations"
            | "combinations_with_replacement"
            | "pairwise"
            | "batched" => {
                let mut columns = Vec::new();
                for arg in &args.pos {
                    if arg.as_int().is_none() {
                        columns.push(self.iterate(arg));
                    }
                }
                if name == "product" && args.kw.is_empty() && columns.iter().all(|c| c.more.is_none()) {
                    let count = columns.iter().try_fold(1usize, |n, c| n.checked_mul(c.known.len()));
                    if count.is_some_and(|n| n <= 1024) {
                        let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
                        for column in &columns {
                            rows = rows
                                .iter()
                                .flat_map(|r| {
                                    column
                                        .known
                                        .iter()
                                        .map(move |v| r.iter().cloned().chain([v.clone()]).collect())
                                })
                                .collect();
                        }
                        return self.list(rows.into_iter().map(Val::tuple).collect(), None).with(taint);
                    }
                }
                let any =
                    |c: &crate::workload::interp::Items| Val::one_of(c.known.iter().chain(&c.more).cloned());
                let width = match (name, args.pos.get(1).and_then(Val::as_int)) {
                    ("combinations" | "permutations" | "combinations_with_replacement", Some(n)) => {
                        usize::try_from(n).unwrap_or(1).min(16)
                    }
                    ("pairwise", _) => 2,
                    _ => 1,
                };
                let row: Vec<Val> = if columns.len() == 1 {
                    vec![any(&columns[0]); width]
                } else {
                    columns.iter().map(any).collect()
                };
                self.list(Vec::new(), Some(Val::tuple(row))).with(taint)
            }
            "repeat" | "cycle" => {
                let item = if name == "repeat" { first } else { Val::one_of(self.iterate(&first).known) };
                self.list(Vec::new(), Some(item)).with(taint)
            }
            "count" => self.list(Vec::new(), Some(Val::of(Hint::Int))).with(taint),
            "islice" => {
                let mut order = Order::Own;
                let items = self.iterate_keeping_order(&first, &mut order);
                self.use_order(&order);
                match (args.pos.get(1).and_then(Val::as_int), args.pos.len()) {
                    (Some(n), 2) if items.known.len() >= usize::try_from(n).unwrap_or(0) => {
                        let known = items.known.into_iter().take(usize::try_from(n).unwrap_or(0)).collect();
                        self.list(known, None).with(taint)
                    }
                    _ => self.list(items.known, items.more).with(taint),
                }
            }
            "starmap" => {
                let rows = args.pos.get(1).cloned().unwrap_or_else(Val::any);
                self.mapped(&rows, &mut |s, row| {
                    let items = s.iterate(row).known;
                    s.call(&first, &Args::of(items))
                })
            }
            "accumulate" => {
                let items = self.iterate(&first);
                let one = Val::one_of(items.known.into_iter().chain(items.more));
                if let Some(f) = args.pos.get(1).cloned() {
                    self.call(&f, &Args::of(vec![one.clone(), one.clone()]));
                }
                self.list(Vec::new(), Some(Val::of(one.hint()))).with(taint)
            }
            "groupby" => {
                let items = self.iterate(&first);
                let one = Val::one_of(items.known.into_iter().chain(items.more));
                let key = match args.get(1, "key").cloned() {
                    Some(f) => self.call(&f, &Args::of(vec![one.clone()])),
                    None => one.clone(),
                };
                let group = self.list(Vec::new(), Some(one));
                self.list(Vec::new(), Some(Val::tuple(vec![key, group])))
            }
            _ => {
                let items: Vec<Val> = args.pos.iter().filter(|a| !self.is_function(a)).cloned().collect();
                let mut all = Vec::new();
                for item in &items {
                    let i = self.iterate(item);
                    all.extend(i.known.into_iter().chain(i.more));
                }
                self.hand_over(args);
                self.list(Vec::new(), Some(Val::one_of(all))).with(taint)
            }
        }
    }

    /// Functions that shape programs rather than compute.
    fn helpers(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Option<Val> {
        let first = args.pos.first().cloned();
        Some(match path {
            "functools.partial" => self.lib_object(path, args.clone(), None),
            "functools.wraps" | "functools.lru_cache"
                if first.as_ref().is_none_or(|f| !self.is_function(f)) || path == "functools.wraps" =>
            {
                self.lib_object(path, args.clone(), None)
            }
            "functools.lru_cache"
            | "functools.cache"
            | "functools.total_ordering"
            | "functools.singledispatch"
            | "functools.cmp_to_key" => first?,
            "functools.cached_property" => self.lib_object(path, args.clone(), None),
            "functools.reduce" => {
                let items = args.pos.get(1).cloned().map(|v| self.iterate(&v)).unwrap_or_default();
                let mut all = args.pos.get(2).cloned().into_iter().chain(items.known);
                let mut total = all.next().or(items.more.clone()).unwrap_or_else(Val::any);
                for item in all.take(64).chain(items.more).collect::<Vec<_>>() {
                    total = self.call(&first.clone()?, &Args::of(vec![total, item]));
                }
                total
            }
            "operator.itemgetter" | "operator.attrgetter" => self.lib_object(path, args.clone(), None),
            "operator.add" | "operator.mul" | "operator.sub" | "operator.matmul" | "operator.truediv" => {
                use rustpython_ruff_python_ast::Operator;
                let op = match path {
                    "operator.add" => Operator::Add,
                    "operator.mul" => Operator::Mult,
                    "operator.sub" => Operator::Sub,
                    "operator.matmul" => Operator::MatMult,
                    _ => Operator::Div,
                };
                let other = args.pos.get(1).cloned().unwrap_or_else(Val::any);
                self.binary(op, &first?, &other)
            }
            "contextlib.contextmanager"
            | "contextlib.closing"
            | "contextlib.nullcontext"
            | "abc.abstractmethod"
            | "typing.no_type_check"
            | "typing.overload"
            | "typing.final"
            | "enum.unique"
            | "types.coroutine"
            | "typing.runtime_checkable"
            | "typing_extensions.override"
            | "typing.override" => first.unwrap_or(Val::NONE),
            "typing.cast" => args.pos.get(1).cloned()?,
            "contextlib.suppress" | "contextlib.redirect_stdout" | "contextlib.ExitStack" => Val::any(),
            "dataclasses.field" => self.lib_object(path, args.clone(), None),
            "dataclasses.dataclass" => first.unwrap_or_else(|| Val::sym("builtins.$identity")),
            "dataclasses.asdict" => self.attr(&first?, "__dict__"),
            "dataclasses.replace" => {
                let copy = self.shallow(&first?);
                for (name, value) in &args.kw {
                    self.set_attr(&copy, name.as_str(), value.clone());
                }
                copy
            }
            "types.SimpleNamespace" => self.bag(args),
            "copy.copy" | "copy.deepcopy" => self.shallow(&first?),
            "collections.OrderedDict" => self.builtin("dict", args),
            "collections.defaultdict" => {
                let dict = match args.pos.get(1) {
                    Some(items) => self.make_dict(items),
                    None => self.builtin("dict", &Args::default()),
                };
                if let K::Ref(id) = dict.k
                    && let Obj::Dict { factory, .. } = self.heap.get_mut(id)
                {
                    *factory = first.filter(|f| !f.is_none());
                }
                dict
            }
            "collections.Counter" => {
                let mut order = Order::Own;
                let items = first.map(|f| self.iterate_keeping_order(&f, &mut order)).unwrap_or_default();
                let all: Vec<Val> = items.known.into_iter().chain(items.more).collect();
                let more = (!all.is_empty()).then(|| (Val::one_of(all), Val::of(Hint::Int)));
                let zero = Val::sym("builtins.int");
                self.heap.new_object(Obj::Dict { items: Vec::new(), more, factory: Some(zero), order }).into()
            }
            "collections.deque" => match first {
                Some(items) => self.make_list(&items),
                None => self.list(Vec::new(), None),
            },
            "collections.namedtuple" | "typing.NamedTuple" => self.named_tuple(args),
            "collections.ChainMap" => self.make_dict(&first?),
            "typing.TypeVar" | "typing.NewType" | "typing.ParamSpec" => Val::sym("builtins.$identity"),
            _ => {
                if me.is_some() && path.starts_with("contextlib.") {
                    return Some(first.unwrap_or_else(Val::any));
                }
                return None;
            }
        })
    }

    /// A bag of attributes.
    fn bag(&mut self, args: &Args) -> Val {
        let attrs: Names = args.kw.iter().cloned().collect();
        self.heap.new_object(Obj::Instance { class: None, attrs }).into()
    }

    fn named_tuple(&mut self, args: &Args) -> Val {
        let name = args.pos.first().and_then(Val::as_str).unwrap_or("tuple").to_owned();
        let fields = match args.pos.get(1) {
            Some(v) => match v.as_str() {
                Some(text) => text.replace(',', " ").split_whitespace().map(Val::str).collect(),
                None => self.iterate(&v.clone()).known,
            },
            None => Vec::new(),
        };
        let fields = fields.into_iter().map(|f| match f.k {
            K::Tuple(parts) => Val::tuple(parts.iter().take(1).cloned().collect()),
            _ => Val::tuple(vec![f]),
        });
        let names: Names = [("$fields".into(), Val::tuple(fields.collect()))].into();
        let names = self.heap.new_object(Obj::Names(names));
        let class = Class { name: name.as_str().into(), bases: Vec::new(), names, fields: Some(Vec::new()) };
        self.heap.new_object(Obj::Class(std::rc::Rc::new(class))).into()
    }

    /// A copy that shares what is in it.
    fn shallow(&mut self, value: &Val) -> Val {
        match value.k {
            K::Ref(id) if id != self.environ => {
                let copy = (*self.heap.take(id)).clone();
                match copy {
                    Obj::Module { .. } | Obj::Func(_) | Obj::Class(_) => value.clone(),
                    copy => Val::from(self.heap.new_object(copy)).with(value.t),
                }
            }
            _ => value.clone(),
        }
    }

    /// Threads and processes.
    fn parallel(&mut self, path: &str, name: &str, me: Option<&Val>, args: &Args) -> Val {
        if let Some(families) = table::of("python").listed(path) {
            families.iter().for_each(|f| self.rec.operation(f));
        }
        let first = args.pos.first().cloned();
        if let Some(target) = args.named("target").cloned() {
            let with = args.named("args").cloned().map(|a| self.iterate(&a).known).unwrap_or_default();
            self.call_back(&target, &with);
        }
        match (name, first) {
            ("map" | "imap" | "imap_unordered" | "starmap", Some(f)) => {
                let mut columns = vec![f];
                columns.extend(
                    args.pos
                        .iter()
                        .skip(1)
                        .take(if name == "map" { 4 } else { 1 })
                        .filter(|a| a.as_int().is_none())
                        .cloned(),
                );
                let mapping = Args::of(columns);
                let out = if name == "starmap" {
                    self.itertools("starmap", &mapping)
                } else {
                    self.builtin("map", &mapping)
                };
                if name == "imap_unordered" {
                    self.rec.operation("python.multiprocessing");
                }
                out
            }
            ("submit" | "apply" | "apply_async" | "run_in_executor" | "to_thread", Some(f)) => {
                let rest = if name.starts_with("apply") {
                    args.pos.get(1).cloned().map(|a| self.iterate(&a).known).unwrap_or_default()
                } else {
                    args.pos.get(1..).unwrap_or_default().to_vec()
                };
                let out = self.call_back(&f, &rest);
                if name == "apply" {
                    return out;
                }
                let future = self.lib_object("concurrent.futures.Future", Args::default(), None);
                if let Some(lib) = self.lib_mut(&future) {
                    lib.attrs.insert("$result".into(), out);
                }
                future
            }
            ("as_completed" | "wait", Some(list)) => {
                self.rec.operation("python.multiprocessing");
                list
            }
            ("result" | "get", _) if me.is_some() => {
                let found = me.and_then(|m| self.lib(m)).and_then(|l| l.attrs.get("$result")).cloned();
                found.unwrap_or_else(Val::any)
            }
            ("run" | "run_until_complete" | "gather", Some(out)) => out,
            ("Lock" | "RLock" | "Event" | "Condition" | "Semaphore" | "local", _) => Val::any(),
            _ => match me {
                Some(me) if matches!(name, "__enter__" | "__call__") => me.clone(),
                Some(_) => Val::NONE,
                None => self.lib_object(path, Args::default(), None),
            },
        }
    }

    /// Small functions with a known result.
    fn plain_function(&mut self, path: &str, args: &Args) -> Option<Val> {
        let one = args.pos.first();
        Some(match path {
            "gc.collect" | "warnings.filterwarnings" | "warnings.simplefilter" | "random.getstate" => {
                Val::NONE
            }
            "string.Template" => Val::any(),
            "os.makedirs" | "os.mkdir" | "os.remove" | "os.unlink" | "os.rmdir" | "shutil.rmtree"
            | "os.replace" | "os.rename" => Val::NONE,
            "shutil.copy" | "shutil.copyfile" | "shutil.move" => Val::of(Hint::Str),
            "enum.auto" => Val::of(Hint::Int),
            "gzip.open" | "bz2.open" | "lzma.open" | "codecs.open" | "io.open" => {
                let mut args = args.clone();
                if args.pos.len() < 2 && args.named("mode").is_none() {
                    args.kw.push(("mode".into(), Val::str("rb")));
                }
                self.open(&args)
            }
            "io.StringIO" | "io.BytesIO" => self.lib_object("$file", Args::default(), None),
            "inspect.isfunction" | "inspect.isclass" => one.map(|v| Val::from(self.is_function(v)))?,
            _ => return None,
        })
    }
}
