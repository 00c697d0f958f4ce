//! The tables of calls, read once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// One library's table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    library: String,
    #[expect(dead_code, reason = "for the reader of the table")]
    framework: String,
    roots: Vec<String>,
    default: Vec<String>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    paths: BTreeMap<String, String>,
    #[serde(default)]
    modules: BTreeMap<String, String>,
    #[serde(default)]
    optimizers: BTreeMap<String, String>,
    #[serde(default)]
    backward: BTreeMap<String, String>,
    #[serde(default)]
    draws: BTreeMap<String, String>,
    #[serde(default)]
    quiet: BTreeMap<String, String>,
    #[serde(default)]
    pure: BTreeMap<String, String>,
}

/// A library's table, turned for looking up.
#[derive(Debug, Default)]
pub(super) struct Table {
    roots: Vec<String>,
    default: Vec<String>,
    aliases: BTreeMap<String, String>,
    names: BTreeMap<String, Vec<String>>,
    paths: BTreeMap<String, Vec<String>>,
    /// Modules' classes: the words of the table.
    pub(super) modules: BTreeMap<String, Vec<String>>,
    pub(super) optimizers: BTreeMap<String, String>,
    pub(super) backward: BTreeMap<String, String>,
    pub(super) draws: BTreeMap<String, BTreeSet<String>>,
    quiet: BTreeSet<String>,
    pure: BTreeSet<String>,
}

static TABLES: LazyLock<BTreeMap<String, Table>> = LazyLock::new(|| {
    let texts = [
        include_str!("../calls/torch.toml"),
        include_str!("../calls/numpy.toml"),
        include_str!("../calls/scipy.toml"),
        include_str!("../calls/sklearn.toml"),
        include_str!("../calls/jax.toml"),
        include_str!("../calls/tensorflow.toml"),
        include_str!("../calls/pandas.toml"),
        include_str!("../calls/python.toml"),
    ];
    texts
        .iter()
        .filter_map(|t| toml::from_str::<File>(t).ok())
        .map(|f| (f.library.clone(), turned(f)))
        .collect()
});

static EMPTY: LazyLock<Table> = LazyLock::new(Table::default);

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn turned(file: File) -> Table {
    let invert = |map: &BTreeMap<String, String>| -> BTreeMap<String, Vec<String>> {
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (families, names) in map {
            for name in words(names) {
                out.entry(name).or_default().extend(words(families));
            }
        }
        out
    };
    let flat = |map: &BTreeMap<String, String>| map.values().flat_map(|v| words(v)).collect();
    Table {
        names: invert(&file.names),
        paths: invert(&file.paths),
        modules: invert(&file.modules),
        optimizers: invert(&file.optimizers)
            .into_iter()
            .filter_map(|(k, mut v)| Some((k, v.pop()?)))
            .collect(),
        draws: file.draws.iter().map(|(k, v)| (k.clone(), words(v).into_iter().collect())).collect(),
        quiet: flat(&file.quiet),
        pure: flat(&file.pure),
        roots: file.roots,
        default: file.default,
        aliases: file.aliases,
        backward: file.backward,
    }
}

/// A library's table; an empty one where there is none.
pub(super) fn of(library: &str) -> &'static Table {
    TABLES.get(library).unwrap_or(&EMPTY)
}

/// Whether a set of paths holds one, itself or by `prefix.*`.
fn holds(set: &BTreeSet<String>, path: &str) -> bool {
    set.contains(path) || prefixes(path).any(|p| set.contains(&format!("{p}.*")))
}

/// `a.b.c` gives `a.b` and `a`.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('.').map(|(i, _)| &path[..i])
}

impl Table {
    /// The families of a call: by its whole path, by what its path begins with, by its last part; else all.
    pub(super) fn families(&self, path: &str) -> &[String] {
        self.listed(path).unwrap_or(&self.default)
    }

    /// The same where the call is listed.
    pub(super) fn listed(&self, path: &str) -> Option<&[String]> {
        if let Some(found) = self.paths.get(path) {
            return Some(found);
        }
        if let Some(found) = prefixes(path).find_map(|p| self.paths.get(&format!("{p}.*"))) {
            return Some(found);
        }
        self.named(path.rsplit('.').next().unwrap_or(path))
    }

    /// By the last part alone.
    pub(super) fn named(&self, name: &str) -> Option<&[String]> {
        self.names.get(name).or_else(|| self.names.get(name.strip_suffix('_')?)).map(Vec::as_slice)
    }

    /// All families that the library has.
    pub(super) fn all(&self) -> &[String] {
        &self.default
    }
}

/// The one path of what can be reached by several.
pub(in crate::workload) fn canonical(path: &str) -> Cow<'_, str> {
    let root = path.split('.').next().unwrap_or(path);
    let Some(table) = TABLES.values().find(|t| t.roots.iter().any(|r| r == root)) else {
        return match path.strip_prefix("posixpath.") {
            Some(rest) => format!("os.path.{rest}").into(),
            None => path.into(),
        };
    };
    let mut path = Cow::Borrowed(path);
    for _ in 0..3 {
        let whole = table.aliases.get(&*path).cloned();
        let part =
            || prefixes(&path).find_map(|p| Some(format!("{}{}", table.aliases.get(p)?, &path[p.len()..])));
        match whole.or_else(part) {
            Some(to) => path = to.into(),
            None => break,
        }
    }
    path
}

/// Whether a top-level module is of the standard library or of a library that has a table.
pub(in crate::workload) fn is_known(top: &str) -> bool {
    is_stdlib(top) || TABLES.values().any(|t| t.roots.iter().any(|r| r == top))
}

/// Whether a library is said to have a member of this name.
pub(in crate::workload) fn is_member(library: &str, name: &str) -> bool {
    let path = format!("{library}.{name}");
    is_listed(&canonical(&path))
}

/// Whether a dotted path is in a table.
pub(in crate::workload) fn is_listed(path: &str) -> bool {
    let root = path.split('.').next().unwrap_or(path);
    let table = TABLES.values().find(|t| t.roots.iter().any(|r| r == root));
    match table {
        Some(table) => {
            table.listed(path).is_some()
                || table.modules.contains_key(path.rsplit('.').next().unwrap_or(path))
        }
        None => of("python").paths.contains_key(path) || (root == "math" && path != "math"),
    }
}

/// Whether a value of this path is a function, class or module of a library, and so counts as true; constants and
/// what is computed at run time (`torch.version.cuda`) do not.
pub(in crate::workload) fn is_callable(path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    !matches!(
        parts[..],
        ["torch", "version" | "backends", ..] | ["sys", ..] | ["os", _] | ["tensorflow", "version", ..]
    ) && !path.contains("__")
        && (is_known(parts[0]) || parts.len() > 1)
}

/// Whether objects of this path are always true: modules, optimisers.
pub(in crate::workload) fn is_module_path(path: &str) -> bool {
    (path.starts_with("torch.nn.")
        && !matches!(path, "torch.nn.ModuleList" | "torch.nn.Sequential" | "torch.nn.ModuleDict"))
        || path.starts_with("torch.optim.")
        || path.starts_with("sklearn.")
        || matches!(path, "torch.Generator" | "pathlib.Path")
}

/// Whether what is given to a function counts for nothing.
pub(super) fn is_quiet(path: &str) -> bool {
    holds(&of("python").quiet, path)
}

/// Whether a function's result is made of its arguments alone.
pub(super) fn is_pure(path: &str) -> bool {
    holds(&of("python").pure, path)
}

/// Whether a library outside the standard one has no numbers of its own.
pub(super) fn is_harmless(path: &str) -> bool {
    is_quiet(path) || is_pure(path)
}

/// Whether a top-level module is of the standard library.
pub(in crate::workload) fn is_stdlib(top: &str) -> bool {
    STDLIB.binary_search(&top).is_ok()
}

/// `sys.stdlib_module_names` of Python 3.8 to 3.14, the private ones apart, sorted.
const STDLIB: &[&str] = &[
    "__future__",
    "abc",
    "aifc",
    "annotationlib",
    "argparse",
    "array",
    "ast",
    "asynchat",
    "asyncio",
    "asyncore",
    "atexit",
    "audioop",
    "base64",
    "bdb",
    "binascii",
    "binhex",
    "bisect",
    "builtins",
    "bz2",
    "cProfile",
    "calendar",
    "cgi",
    "cgitb",
    "chunk",
    "cmath",
    "cmd",
    "code",
    "codecs",
    "codeop",
    "collections",
    "colorsys",
    "compileall",
    "compression",
    "concurrent",
    "configparser",
    "contextlib",
    "contextvars",
    "copy",
    "copyreg",
    "crypt",
    "csv",
    "ctypes",
    "curses",
    "dataclasses",
    "datetime",
    "dbm",
    "decimal",
    "difflib",
    "dis",
    "distutils",
    "doctest",
    "email",
    "encodings",
    "ensurepip",
    "enum",
    "errno",
    "faulthandler",
    "fcntl",
    "filecmp",
    "fileinput",
    "fnmatch",
    "formatter",
    "fractions",
    "ftplib",
    "functools",
    "gc",
    "genericpath",
    "getopt",
    "getpass",
    "gettext",
    "glob",
    "graphlib",
    "grp",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "idlelib",
    "imaplib",
    "imghdr",
    "imp",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "lib2to3",
    "linecache",
    "locale",
    "logging",
    "lzma",
    "mailbox",
    "mailcap",
    "marshal",
    "math",
    "mimetypes",
    "mmap",
    "modulefinder",
    "msilib",
    "multiprocessing",
    "netrc",
    "nis",
    "nntplib",
    "ntpath",
    "nturl2path",
    "numbers",
    "opcode",
    "operator",
    "optparse",
    "os",
    "ossaudiodev",
    "parser",
    "pathlib",
    "pdb",
    "pickle",
    "pickletools",
    "pipes",
    "pkgutil",
    "platform",
    "plistlib",
    "poplib",
    "posix",
    "posixpath",
    "pprint",
    "profile",
    "pstats",
    "pty",
    "pwd",
    "py_compile",
    "pyclbr",
    "pydoc",
    "pydoc_data",
    "pyexpat",
    "queue",
    "quopri",
    "random",
    "re",
    "readline",
    "reprlib",
    "resource",
    "rlcompleter",
    "runpy",
    "sched",
    "secrets",
    "select",
    "selectors",
    "shelve",
    "shlex",
    "shutil",
    "signal",
    "site",
    "smtpd",
    "smtplib",
    "sndhdr",
    "socket",
    "socketserver",
    "spwd",
    "sqlite3",
    "sre_compile",
    "sre_constants",
    "sre_parse",
    "ssl",
    "stat",
    "statistics",
    "string",
    "stringprep",
    "struct",
    "subprocess",
    "sunau",
    "symbol",
    "symtable",
    "sys",
    "sysconfig",
    "syslog",
    "tabnanny",
    "tarfile",
    "telnetlib",
    "tempfile",
    "termios",
    "test",
    "textwrap",
    "this",
    "threading",
    "time",
    "timeit",
    "tkinter",
    "token",
    "tokenize",
    "tomllib",
    "trace",
    "traceback",
    "tracemalloc",
    "tty",
    "turtle",
    "turtledemo",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uu",
    "uuid",
    "venv",
    "warnings",
    "wave",
    "weakref",
    "webbrowser",
    "winreg",
    "wsgiref",
    "xdrlib",
    "xml",
    "xmlrpc",
    "zipapp",
    "zipfile",
    "zipimport",
    "zlib",
    "zoneinfo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read_and_name_known_families() {
        assert_eq!(TABLES.len(), 8, "a table does not parse");
        let text = include_str!("../families.toml");
        let vocabulary: toml::Table = text.parse().unwrap();
        let known: Vec<&str> = vocabulary
            .values()
            .filter_map(toml::Value::as_table)
            .flat_map(|t| t.keys().map(String::as_str))
            .collect();
        let pseudo = ["torch.matmul", "torch.reduce", "sklearn.mlp", "init", "bias"];
        for (library, table) in &*TABLES {
            let lists =
                table.names.values().chain(table.paths.values()).chain(table.modules.values()).flatten();
            for family in
                lists.chain(&table.default).chain(table.optimizers.values()).chain(table.backward.values())
            {
                assert!(
                    known.contains(&family.as_str()) || pseudo.contains(&family.as_str()),
                    "{library}: {family}"
                );
            }
        }
    }

    #[test]
    fn the_standard_library_is_sorted() {
        assert!(STDLIB.is_sorted());
    }

    #[test]
    fn paths() {
        assert_eq!(canonical("torch.nn.modules.conv.Conv2d"), "torch.nn.conv.Conv2d");
        assert_eq!(canonical("torch.utils.data.dataloader.DataLoader"), "torch.utils.data.DataLoader");
        assert_eq!(canonical("keras.layers.Dense"), "tensorflow.keras.layers.Dense");
        assert_eq!(of("torch").families("torch.exp_"), ["torch.elementwise.math"]);
        assert!(of("torch").families("torch.never_heard_of").len() > 10);
    }
}
