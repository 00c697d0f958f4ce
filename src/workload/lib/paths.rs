//! Paths, listings and files.

use rustpython_ruff_python_ast::Operator;

use crate::workload::heap::Obj;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, CWD, HOME, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// A `pathlib.Path`; with its text where that is known.
    pub(super) fn path(&mut self, text: Option<String>) -> Val {
        let value = self.lib_object("pathlib.Path", Args::default(), None);
        if let (Some(text), Some(lib)) = (text, self.lib_mut(&value)) {
            lib.attrs.insert("$path".into(), Val::str(text));
        }
        value
    }

    /// The text of a `pathlib.Path`.
    pub(in crate::workload) fn path_text(&self, value: &Val) -> Option<String> {
        let lib = self.lib(value).filter(|l| &*l.path == "pathlib.Path")?;
        lib.attrs.get("$path")?.as_str().map(str::to_owned)
    }

    fn is_path(&self, value: &Val) -> bool {
        self.lib(value).is_some_and(|l| &*l.path == "pathlib.Path")
    }

    fn as_path_text(&self, value: &Val) -> Option<String> {
        self.path_text(value).or_else(|| value.as_str().map(str::to_owned))
    }

    /// `path / name`.
    pub(super) fn join_path(&mut self, op: Operator, a: &Val, b: &Val) -> Option<Val> {
        if op != Operator::Div || !(self.is_path(a) || self.is_path(b)) {
            return None;
        }
        let text = self.as_path_text(a).zip(self.as_path_text(b)).map(|(a, b)| joined(&a, &b));
        Some(self.path(text).with(a.t | b.t))
    }

    pub(super) fn path_attr(&mut self, object: &Val, name: &str) -> Option<Val> {
        let text = self.path_text(object);
        let last = |t: &str| t.trim_end_matches('/').rsplit('/').next().unwrap_or(t).to_owned();
        let stem = |t: &str| {
            let last = last(t);
            match last.rfind('.') {
                Some(at) if at > 0 => (last[..at].to_owned(), last[at..].to_owned()),
                _ => (last, String::new()),
            }
        };
        let known = |s: Option<String>| s.map_or_else(|| Val::of(Hint::Str), Val::str);
        Some(match name {
            "name" => known(text.map(|t| last(&t))),
            "stem" => known(text.map(|t| stem(&t).0)),
            "suffix" => known(text.map(|t| stem(&t).1)),
            "parent" => {
                let up = text.map(|t| parent(&t));
                self.path(up)
            }
            "parts" | "parents" | "suffixes" => {
                let item = if name == "parents" { self.path(None) } else { Val::of(Hint::Str) };
                self.list(Vec::new(), Some(item))
            }
            _ => return None,
        })
    }

    /// A method of a `pathlib.Path`.
    pub(super) fn path_method(&mut self, object: &Val, name: &str, args: &Args) -> Val {
        let text = self.path_text(object);
        match name {
            "joinpath" => {
                let mut text = text;
                for arg in &args.pos {
                    text = text.zip(self.as_path_text(arg)).map(|(a, b)| joined(&a, &b));
                }
                self.path(text)
            }
            "with_suffix" | "with_name" | "with_stem" => self.path(None),
            "relative_to" => self.path(None),
            "resolve" | "absolute" => {
                let absolute = text.map(|t| joined(&self.inputs.cwd.to_string_lossy(), &t));
                self.path(absolute)
            }
            "expanduser" => {
                let text = object.clone();
                self.expand_user(&text)
            }
            "exists" | "is_file" | "is_dir" | "is_symlink" => Val::of(Hint::Bool),
            "iterdir" | "glob" | "rglob" => {
                let item = self.path(None);
                self.listing(text.as_deref(), item)
            }
            "read_text" => {
                self.reads_file(object);
                self.default_encoding(args, 0);
                Val::of(Hint::Str)
            }
            "read_bytes" => {
                self.reads_file(object);
                Val::of(Hint::Bytes)
            }
            "write_text" | "write_bytes" => {
                self.writes(args, usize::MAX);
                Val::of(Hint::Int)
            }
            "open" => self.open(&args.behind(object.clone())),
            "as_posix" | "__str__" | "__fspath__" => text.map_or_else(|| Val::of(Hint::Str), Val::str),
            "stat" => Val::any(),
            _ => Val::NONE,
        }
    }

    /// A folder's entries in the order of the file system.
    fn listing(&mut self, folder: Option<&str>, item: Val) -> Val {
        let order = crate::workload::heap::Order::Listing(folder.map(Into::into));
        self.heap.new_object(Obj::List { items: Vec::new(), more: Some(item), order }).into()
    }

    /// `~`, and what is made of it.
    fn expand_user(&mut self, path: &Val) -> Val {
        let text = self.as_path_text(path);
        let is_path = self.is_path(path);
        if text.as_deref().is_some_and(|t| !t.starts_with('~')) {
            return path.clone();
        }
        self.rec.read("env.HOME");
        let home = self.inputs.environment.get("HOME").cloned();
        let full = text.zip(home).and_then(|(t, home)| Some(format!("{home}{}", t.strip_prefix('~')?)));
        if is_path {
            return self.path(full).with(HOME);
        }
        full.map_or_else(|| Val::of(Hint::Str), Val::str).with(HOME | path.t)
    }

    /// Functions of `os.path`, and those of `os`, `glob` and `pathlib` about folders. `None` for others.
    pub(super) fn path_function(&mut self, path: &str, args: &Args) -> Option<Val> {
        let first = args.pos.first().cloned();
        let text = first.as_ref().and_then(|f| self.as_path_text(f));
        let taint = args.taint();
        let known = |s: Option<String>| s.map_or_else(|| Val::of(Hint::Str), Val::str).with(taint);
        Some(match path {
            "os.path.join" => {
                let mut all = text;
                for arg in args.pos.iter().skip(1) {
                    all = all.zip(self.as_path_text(arg)).map(|(a, b)| joined(&a, &b));
                }
                known(all.filter(|_| !args.more))
            }
            "os.path.basename" => known(text.map(|t| t.rsplit('/').next().unwrap_or(&t).to_owned())),
            "os.path.dirname" => known(text.map(|t| match t.rfind('/') {
                Some(0) => "/".to_owned(),
                Some(at) => t[..at].trim_end_matches('/').to_owned(),
                None => String::new(),
            })),
            "os.path.abspath" | "os.path.realpath" => {
                let text = text.map(|t| {
                    if t == "." {
                        self.inputs.cwd.to_string_lossy().into_owned()
                    } else {
                        joined(&self.inputs.cwd.to_string_lossy(), &t)
                    }
                });
                known(text)
            }
            "os.path.normpath" | "os.path.normcase" | "os.fspath" => known(text),
            "os.path.relpath" => Val::of(Hint::Str).with(taint),
            "os.path.splitext" => match text {
                Some(t) => {
                    let base = t.rfind('/').map_or(0, |i| i + 1);
                    let at = t[base..].rfind('.').filter(|i| *i > 0).map_or(t.len(), |i| base + i);
                    Val::tuple(vec![Val::str(&t[..at]), Val::str(&t[at..])]).with(taint)
                }
                None => Val::tuple(vec![Val::of(Hint::Str); 2]).with(taint),
            },
            "os.path.split" => match text {
                Some(t) => {
                    let (head, tail) = t.rsplit_once('/').unwrap_or(("", &t));
                    Val::tuple(vec![Val::str(head), Val::str(tail)]).with(taint)
                }
                None => Val::tuple(vec![Val::of(Hint::Str); 2]).with(taint),
            },
            "os.path.expanduser" => self.expand_user(&first?),
            "os.path.expandvars" => {
                self.rec.read("env.**");
                known(None)
            }
            "os.path.exists" | "os.path.isfile" | "os.path.isdir" | "os.path.islink" | "os.path.lexists"
            | "os.access" => Val::of(Hint::Bool),
            "os.path.getmtime" | "os.path.getsize" => Val::any(),
            "os.listdir" | "os.scandir" => {
                let folder = text.or_else(|| first.is_none().then(|| ".".to_owned()));
                let item = if path == "os.listdir" { Val::of(Hint::Str) } else { self.path(None) };
                self.rec.used(taint);
                self.listing(folder.as_deref(), item)
            }
            "os.walk" => {
                let inner = self.listing(text.as_deref(), Val::of(Hint::Str));
                let row = Val::tuple(vec![Val::of(Hint::Str), inner.clone(), inner]);
                self.listing(text.as_deref(), row)
            }
            "glob.glob" | "glob.iglob" => {
                self.rec.used(taint);
                let folder = text.map(|t| {
                    let wild = t.find(['*', '?', '[']).unwrap_or(t.len());
                    t[..wild].rsplit_once('/').map_or(".", |(f, _)| f).to_owned()
                });
                self.listing(folder.as_deref(), Val::of(Hint::Str))
            }
            "os.getcwd" | "os.getcwdb" => {
                self.rec.read("run.cwd");
                Val::str(&*self.inputs.cwd.to_string_lossy()).with(CWD)
            }
            "pathlib.Path.cwd" => {
                self.rec.read("run.cwd");
                let cwd = self.inputs.cwd.to_string_lossy().into_owned();
                self.path(Some(cwd)).with(CWD)
            }
            "pathlib.Path.home" => {
                self.rec.read("env.HOME");
                let home = self.inputs.environment.get("HOME").cloned();
                self.path(home).with(HOME)
            }
            "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath" => {
                let mut all = text.or_else(|| first.is_none().then(|| ".".to_owned()));
                for arg in args.pos.iter().skip(1) {
                    all = all.zip(self.as_path_text(arg)).map(|(a, b)| joined(&a, &b));
                }
                self.path(all).with(taint)
            }
            _ => return None,
        })
    }

    /// `open`, and what opens like it.
    pub(in crate::workload) fn open(&mut self, args: &Args) -> Val {
        let mode = args.get(1, "mode").map_or(Some("r".to_owned()), |m| m.as_str().map(str::to_owned));
        let reads = mode.as_deref().is_none_or(|m| !m.contains(['w', 'a', 'x']));
        if reads && let Some(file) = args.get(0, "file").cloned() {
            self.reads_file(&file);
            if mode.as_deref().is_none_or(|m| !m.contains('b')) {
                self.default_encoding(args, 3);
            }
        }
        let file = self.lib_object("$file", args.clone(), None);
        if let Some(lib) = self.lib_mut(&file) {
            lib.attrs.insert("$binary".into(), mode.is_some_and(|m| m.contains('b')).into());
        }
        file
    }

    /// A text is read without naming its encoding.
    fn default_encoding(&mut self, args: &Args, at: usize) {
        if args.get(at, "encoding").is_none_or(Val::is_none) {
            self.rec.operation("python.encoding");
        }
    }

    pub(super) fn file_method(&mut self, id: Id, name: &str, args: &Args) -> Val {
        let binary =
            self.lib(&id.into()).and_then(|l| l.attrs.get("$binary")).is_some_and(|b| b.k == K::Bool(true));
        let text = Val::of(if binary { Hint::Bytes } else { Hint::Str });
        match name {
            "write" | "writelines" => {
                self.writes(args, usize::MAX);
                Val::of(Hint::Int)
            }
            "read" | "readline" | "readall" => text,
            "readlines" | "splitlines" => self.list(Vec::new(), Some(text)),
            "__enter__" => id.into(),
            _ => Val::NONE,
        }
    }
}

/// `os.path.join` of two.
fn joined(a: &str, b: &str) -> String {
    if b.starts_with('/') || a.is_empty() { b.to_owned() } else { format!("{}/{b}", a.trim_end_matches('/')) }
}

fn parent(text: &str) -> String {
    match text.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((head, _)) => head.to_owned(),
        None => ".".to_owned(),
    }
}
