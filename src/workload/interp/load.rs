//! Modules: the program itself, and the local ones it imports.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Flow, Frame, Interp, Reached};
use crate::workload::command::Program;
use crate::workload::heap::Obj;
use crate::workload::parse::{self, LONGEST};
use crate::workload::value::{DOC, Id, K, Val};

/// Most local modules of one program.
const MODULES: usize = 400;

impl<'a> Interp<'a> {
    /// Runs the program; the script's path where there is one.
    pub(in crate::workload) fn program(&mut self) -> Option<PathBuf> {
        let cwd = self.inputs.cwd.clone();
        let program = self.launch.program.clone();
        let (text, path, name) = match program {
            Program::Text(text) => {
                self.search.push(cwd.clone());
                (Ok(text), cwd.join("-c"), "-c".to_owned())
            }
            Program::Script(script) => {
                let mut path = cwd.join(&script);
                if path.is_dir() {
                    path.push("__main__.py");
                }
                if !self.launch.safe_path {
                    // Python resolves links of the script before it takes its folder (docs: sys.path).
                    let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
                    self.search.extend(real.parent().map(Path::to_path_buf));
                }
                (read(&path), path, script.to_string_lossy().into_owned())
            }
            Program::Module(module) => {
                if !self.launch.safe_path {
                    self.search.push(cwd.clone());
                }
                self.add_python_path();
                let found = self.find(&module).or_else(|| self.find(&format!("{module}.__main__")));
                let Some(path) = found else {
                    self.incomplete("all", &format!("the module `{module}` is not found"));
                    return None;
                };
                let path =
                    if path.ends_with("__init__.py") { path.with_file_name("__main__.py") } else { path };
                (read(&path), path.clone(), path.to_string_lossy().into_owned())
            }
        };
        self.add_python_path();
        let argv = std::iter::once(name).chain(self.launch.args.iter().cloned()).map(Val::str).collect();
        self.argv =
            Some(self.heap.new_object(Obj::List { items: argv, more: None, order: Default::default() }));
        match text {
            Ok(text) => {
                let globals = self.module_globals("__main__", &path);
                self.execute(text, &path, globals);
            }
            Err(why) => self.incomplete("all", &format!("{} cannot be read: {why}", path.display())),
        }
        Some(path)
    }

    fn add_python_path(&mut self) {
        if self.launch.ignore_environment {
            return;
        }
        if let Some(value) = self.inputs.environment.get("PYTHONPATH") {
            let cwd = &self.inputs.cwd;
            let folders = value.split(':').filter(|p| !p.is_empty()).map(|p| cwd.join(p));
            for folder in folders.collect::<Vec<_>>() {
                if !self.search.contains(&folder) {
                    self.search.push(folder);
                }
            }
        }
    }

    /// `sys.path.append` and `insert`.
    pub(in crate::workload) fn add_search(&mut self, folder: PathBuf, first: bool) {
        let at = if first { 0 } else { self.search.len() };
        self.search.insert(at, folder);
    }

    /// `sys.argv`.
    pub(in crate::workload) fn argv(&mut self) -> Val {
        match self.argv {
            Some(id) => id.into(),
            None => Val::any(),
        }
    }

    fn module_globals(&mut self, name: &str, path: &Path) -> Id {
        let text = path.to_string_lossy();
        let names =
            [("__name__", Val::str(name)), ("__file__", Val::str(&*text)), ("__doc__", Val::any().with(DOC))];
        self.heap.new_object(Obj::Names(names.into_iter().map(|(k, v)| (k.into(), v)).collect()))
    }

    /// Parses and runs a module's text in these globals.
    fn execute(&mut self, text: String, path: &Path, globals: Id) -> Flow {
        let source = match parse::parse(text) {
            Ok(source) => &*self.arena.alloc(source),
            Err(why) => {
                self.incomplete("all", &format!("{} {why}", path.display()));
                return Flow::Next;
            }
        };
        if let Some((line, error)) = &source.error {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            self.incomplete("all", &format!("a syntax error in {name}, line {line}: {error}"));
        }
        self.sources.push(Reached { path: path.to_path_buf(), source });
        let at = self.at;
        self.frames.push(Frame {
            scope: globals,
            globals,
            closure: Vec::new(),
            source: self.sources.len() - 1,
            outer: Default::default(),
            returned: Vec::new(),
            yielded: Vec::new(),
            class: None,
            me: None,
            func: None,
        });
        let flow = self.block(&source.tree.body);
        self.frames.pop();
        self.at = at;
        flow
    }

    /// The file of a local module, by its dotted name.
    fn find(&self, module: &str) -> Option<PathBuf> {
        let relative: PathBuf = module.split('.').collect();
        self.search.iter().find_map(|folder| locate(&folder.join(&relative)))
    }

    /// Whether a package without `__init__.py` has this name.
    fn find_namespace(&self, module: &str) -> Option<PathBuf> {
        let relative: PathBuf = module.split('.').collect();
        self.search.iter().map(|folder| folder.join(&relative)).find(|path| path.is_dir())
    }

    /// The local module of this dotted name, run at its first import; `None` where it is not local.
    pub(in crate::workload) fn local_module(&mut self, module: &str) -> Option<Id> {
        if let Some(known) = self.modules.get(module) {
            return *known;
        }
        if super::super::lib::is_known(module.split('.').next().unwrap_or(module))
            && self.find(module).is_none()
        {
            return None;
        }
        if let Some((package, _)) = module.rsplit_once('.') {
            self.local_module(package)?;
        }
        let path = self.find(module).or_else(|| {
            // A folder counts as a package where Python files of the program are in it; not where a library is meant.
            self.find_namespace(module)
                .filter(|_| !super::super::lib::is_known(module) && !self.is_installed(module))
        });
        let Some(path) = path.filter(|_| self.modules.len() < MODULES) else {
            self.modules.insert(module.to_owned(), None);
            return None;
        };
        let globals = self.module_globals(module, &path);
        let name: Rc<str> = module.into();
        let object = Obj::Module { name, globals };
        let id = self.heap.new_object(object);
        self.modules.insert(module.to_owned(), Some(id));
        if path.is_file() {
            match read(&path) {
                Ok(text) => {
                    if self.execute(text, &path, globals) == Flow::Stop {
                        self.stopping = true;
                    }
                }
                Err(why) => self.incomplete("all", &format!("{} cannot be read: {why}", path.display())),
            }
        }
        if let Some((package, last)) = module.rsplit_once('.')
            && let Some(Some(parent)) = self.modules.get(package).copied()
            && let Obj::Module { globals, .. } = *self.heap.get(parent)
            && let Some(names) = self.heap.names_mut(globals)
        {
            names.insert(last.into(), id.into());
        }
        Some(id)
    }

    /// Whether a module of this name is in one of the interpreter's site folders; true where these are not known.
    pub(in crate::workload) fn is_installed(&self, module: &str) -> bool {
        let top = module.split('.').next().unwrap_or(module);
        self.inputs.site.is_empty()
            || self.inputs.site.iter().any(|site| {
                let path = site.join(top);
                path.is_dir()
                    || path.with_extension("py").is_file()
                    || fs::read_dir(site).is_ok_and(|mut entries| {
                        entries.any(|e| {
                            e.is_ok_and(|e| {
                                let name = e.file_name();
                                let name = name.to_string_lossy();
                                name.ends_with(".so") && name.split('.').next() == Some(top)
                            })
                        })
                    })
            })
    }

    /// The package that relative imports of the running module count from.
    fn package(&self) -> Option<String> {
        let frame = self.frames.last()?;
        let names = self.heap.names(frame.globals)?;
        let name = names.get("__name__")?.as_str()?;
        if name == "__main__" {
            return match &self.launch.program {
                Program::Module(module) => {
                    let path = &self.sources.get(frame.source)?.path;
                    if path.ends_with("__main__.py") {
                        Some(module.clone())
                    } else {
                        Some(module.rsplit_once('.').map_or("", |(p, _)| p).to_owned())
                    }
                }
                _ => None,
            };
        }
        let path = &self.sources.get(frame.source)?.path;
        if path.ends_with("__init__.py") {
            return Some(name.to_owned());
        }
        Some(name.rsplit_once('.').map_or("", |(p, _)| p).to_owned())
    }

    /// The dotted name that a `from` import means.
    pub(in crate::workload) fn absolute(&self, module: Option<&str>, level: u32) -> Option<String> {
        if level == 0 {
            return module.map(str::to_owned);
        }
        let mut package = self.package()?;
        for _ in 1..level {
            package = package.rsplit_once('.').map_or_else(String::new, |(p, _)| p.to_owned());
        }
        Some(match module {
            Some(module) if package.is_empty() => module.to_owned(),
            Some(module) => format!("{package}.{module}"),
            None => package,
        })
    }

    /// Imports a module by its dotted name: a local one, or the symbol of a library.
    pub(in crate::workload) fn import(&mut self, module: &str) -> Val {
        if let Some(id) = self.local_module(module) {
            return id.into();
        }
        let top = module.split('.').next().unwrap_or(module);
        if super::super::lib::is_stdlib(top) {
            return Val::sym(module);
        }
        if !self.is_installed(top) {
            self.stopping = true;
            self.import_failed = true;
            return Val::any();
        }
        self.rec.imports.insert(top.to_owned());
        Val::sym(super::super::lib::canonical(module))
    }

    /// A module's attribute, or its submodule.
    pub(in crate::workload) fn module_attr(&mut self, id: Id, name: &str) -> Option<Val> {
        let Obj::Module { name: module, globals, .. } = self.heap.get(id) else { return None };
        let (module, globals) = (Rc::clone(module), *globals);
        if let Some(value) = self.heap.names(globals).and_then(|n| n.get(name)) {
            return Some(value.clone());
        }
        if let Some(sub) = self.local_module(&format!("{module}.{name}")) {
            return Some(sub.into());
        }
        self.star_name(globals, name)
    }

    /// A name that came with `from library import *`.
    pub(in crate::workload) fn star_name(&self, globals: Id, name: &str) -> Option<Val> {
        let libraries = self.stars.get(&globals)?;
        let known = libraries.iter().rev().find(|l| super::super::lib::is_member(l, name));
        known
            .or_else(|| libraries.last())
            .map(|l| Val::sym(super::super::lib::canonical(&format!("{l}.{name}"))))
    }

    /// `from module import *`.
    pub(in crate::workload) fn import_star(&mut self, module: &Val) {
        let Some(globals) = self.frames.last().map(|f| f.globals) else { return };
        match &module.k {
            K::Sym(path) => self.stars.entry(globals).or_default().push(Rc::clone(path)),
            K::Ref(id) => {
                let Obj::Module { globals: theirs, .. } = *self.heap.get(*id) else { return };
                let names = self.heap.names(theirs).cloned().unwrap_or_default();
                let all = names.get("__all__").cloned();
                let all = all.map(|a| self.known_items(&a).0);
                for (name, value) in names {
                    let exported = match &all {
                        Some(all) => all.iter().any(|v| v.as_str() == Some(&name)),
                        None => !name.starts_with('_'),
                    };
                    if exported && let Some(mine) = self.heap.names_mut(globals) {
                        mine.insert(name, value);
                    }
                }
                if let Some(more) = self.stars.get(&theirs).cloned() {
                    self.stars.entry(globals).or_default().extend(more);
                }
            }
            _ => {}
        }
    }
}

/// The file that a module of this path is read from.
fn locate(path: &Path) -> Option<PathBuf> {
    let package = path.join("__init__.py");
    if package.is_file() {
        return Some(package);
    }
    // Not `with_extension`: the last part of the name may hold a dot.
    let mut file = path.as_os_str().to_owned();
    file.push(".py");
    Some(PathBuf::from(file)).filter(|f| f.is_file())
}

/// A source file's text; bytes that are not UTF-8 are replaced.
pub(in crate::workload) fn read(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|e| e.to_string())?.len();
    if length > LONGEST as u64 {
        return Err(parse::Refused::Long.to_string());
    }
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    let text =
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
