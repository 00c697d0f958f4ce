//! What the dynamic loader of glibc would load, worked out from files.
//!
//! The rules are those of `_dl_map_object` and `_dl_map_object_deps` (glibc, `elf/dl-load.c`, `elf/dl-deps.c`;
//! ld.so(8)). A name without a slash is, in this order: an object that is loaded already under this name or with
//! this `DT_SONAME`; in `DT_RPATH` of the object that wants it, of the one that wanted that one, and so on up to the
//! program (all of this only where the object has no `DT_RUNPATH`); in `LD_LIBRARY_PATH`; in the object's own
//! `DT_RUNPATH`; in `/etc/ld.so.cache`; in the default folders. Dependencies are loaded breadth first.
//!
//! Not followed: `glibc-hwcaps` folders, `LD_AUDIT`, filters, and what a program does by itself with `dlopen`.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};

use super::ldcache::LdCache;
use crate::host::Host;
use crate::host::elf::{ElfError, ElfInfo};

/// The default folders of the distributions' loaders: Debian's (`{}` is the machine), Fedora's, and what both share.
const DEFAULTS: [&str; 6] =
    ["/lib/{}-linux-gnu", "/usr/lib/{}-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// The most objects in one process; an interpreter with torch and every CUDA library has about 80.
const OBJECTS: usize = 2_000;

/// By which rule an object was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Road {
    /// It is the program.
    Program,
    /// By its full path.
    Path,
    /// `LD_PRELOAD` or `/etc/ld.so.preload`.
    Preload,
    /// `DT_RPATH` of the object of this name.
    Rpath(String),
    /// `LD_LIBRARY_PATH`.
    LibraryPath,
    /// `DT_RUNPATH` of the object of this name.
    Runpath(String),
    /// `/etc/ld.so.cache`.
    Cache,
    /// A default folder.
    Default,
}

impl fmt::Display for Road {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("program"),
            Self::Path => f.write_str("full path"),
            Self::Preload => f.write_str("LD_PRELOAD"),
            Self::Rpath(of) => write!(f, "RPATH of {of}"),
            Self::LibraryPath => f.write_str("LD_LIBRARY_PATH"),
            Self::Runpath(of) => write!(f, "RUNPATH of {of}"),
            Self::Cache => f.write_str("ld.so.cache"),
            Self::Default => f.write_str("default folder"),
        }
    }
}

/// A loaded object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The path by which it was opened, links not resolved: `$ORIGIN` counts from here.
    pub path: PathBuf,
    /// The file, links resolved but for one that leads out of the environment: uv and conda can install files as
    /// links into their caches, and such a file is still the environment's.
    pub file: PathBuf,
    /// The file with every link resolved: what `/proc/PID/maps` shows.
    pub real: PathBuf,
    /// What it says of itself; empty where it could not be read, see `fault`.
    pub info: ElfInfo,
    /// Why its headers could not be read: the loader would stop here.
    pub fault: Option<ElfError>,
    /// The rule by which it was found.
    pub road: Road,
    /// The object that wanted it first.
    pub wanted_by: Option<usize>,
}

impl Object {
    /// The file's own name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A library that would not be found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// The object that needs it.
    pub wanted_by: String,
}

/// A process in the making.
pub struct Loader<'a> {
    host: &'a dyn Host,
    cwd: PathBuf,
    /// The environment's folder, resolved.
    environment: Option<PathBuf>,
    machine: String,
    /// What `$LIB` stands for: decided when the loader was built, by the distribution.
    lib: String,
    library_path: Vec<PathBuf>,
    defaults: Vec<PathBuf>,
    cache: OnceCell<LdCache>,
    objects: Vec<Object>,
    names: BTreeMap<String, usize>,
    /// Folders and what they are with links resolved.
    resolved: RefCell<BTreeMap<PathBuf, PathBuf>>,
}

impl<'a> Loader<'a> {
    /// A process that has just been started from `program` of the environment in `prefix`, with its dependencies and
    /// the preloaded libraries.
    pub fn start(host: &'a dyn Host, program: &Path, prefix: &Path) -> Self {
        let mut loader = Self::empty(host);
        loader.environment = host.canonicalize(prefix).ok();
        // The kernel names the program by its resolved path, so `$ORIGIN` of a linked `python` is the real folder.
        let file = host.canonicalize(program).unwrap_or_else(|_| program.to_path_buf());
        let (info, fault) = match host.elf(&file) {
            Ok(info) => (info, None),
            Err(fault) => (ElfInfo::default(), Some(fault)),
        };
        loader.objects.push(Object {
            path: file.clone(),
            real: file.clone(),
            file,
            info,
            fault,
            road: Road::Program,
            wanted_by: None,
        });
        if let Some(machine) = loader.objects.first().and_then(|o| o.info.machine.clone()) {
            loader.machine = machine;
        }
        let file = host.maybe("/etc/ld.so.preload").unwrap_or_default();
        let preload = host.env("LD_PRELOAD").unwrap_or_default();
        let mut queue = VecDeque::from([0]);
        for name in
            preload.split([' ', ':']).chain(file.split([' ', ':', '\n', '\t'])).filter(|n| !n.is_empty())
        {
            if let Ok(Some(index)) = loader.map(name, Some(0), Some(Road::Preload)) {
                queue.push_back(index);
            }
        }
        loader.dependencies(queue);
        loader
    }

    /// A process of which nothing is known but the machine and the environment.
    pub fn empty(host: &'a dyn Host) -> Self {
        let machine = host.system().machine;
        let library_path = host.env("LD_LIBRARY_PATH").unwrap_or_default();
        let items = library_path.split([':', ';']).filter(|_| !library_path.is_empty());
        let cwd = host.cwd();
        let library_path = items.map(|dir| cwd.join(dir)).collect();
        let defaults = DEFAULTS.iter().map(|dir| PathBuf::from(dir.replace("{}", &machine)));
        let defaults = defaults.filter(|dir| host.exists(dir)).collect();
        let lib = format!("lib/{machine}-linux-gnu");
        let lib = if host.exists(&Path::new("/usr").join(&lib)) { lib } else { "lib64".to_owned() };
        Self {
            host,
            cwd,
            environment: None,
            machine,
            lib,
            library_path,
            defaults,
            cache: OnceCell::new(),
            objects: Vec::new(),
            names: BTreeMap::new(),
            resolved: RefCell::default(),
        }
    }

    /// Every loaded object, in the order of loading; the program first.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The object that was loaded under a name that begins with one of these.
    pub fn find(&self, prefixes: &[&str]) -> Option<usize> {
        self.objects.iter().position(|o| prefixes.iter().any(|prefix| o.name().starts_with(prefix)))
    }

    /// `dlopen(name)` called by the object `caller`: the object, and what would not be found of it.
    pub fn open(&mut self, name: &str, caller: Option<usize>) -> (Option<usize>, Vec<Missing>) {
        let known = self.objects.len();
        match self.map(name, caller, None) {
            Ok(Some(index)) if index >= known => (Some(index), self.dependencies(VecDeque::from([index]))),
            Ok(found) => (found, Vec::new()),
            Err(missing) => (None, vec![missing]),
        }
    }

    /// How many objects are loaded, for [`Loader::unload`].
    pub fn mark(&self) -> usize {
        self.objects.len()
    }

    /// Takes back what was loaded since `mark`, as a failing `dlopen` does.
    pub fn unload(&mut self, mark: usize) {
        self.objects.truncate(mark);
        self.names.retain(|_, index| *index < mark);
    }

    /// Every file that the search for `name` on behalf of `caller` would come by, the one that wins first; each as
    /// [`Object::file`] and [`Object::real`].
    pub fn copies(&self, name: &str, caller: Option<usize>) -> Vec<(PathBuf, PathBuf)> {
        let candidates = self.candidates(name, caller).into_iter().map(|(_, path)| path);
        candidates.filter(|path| self.host.exists(path)).map(|path| self.resolve(&path)).collect()
    }

    /// Every file name in the folders and the cache that a search on behalf of `caller` looks at, in that order;
    /// within a folder the higher version first.
    pub fn names(&self, caller: Option<usize>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for dir in self.folders(caller).into_iter().map(|(_, dir)| dir).chain(self.defaults.iter().cloned()) {
            names.extend(self.host.names(&dir).into_iter().rev().filter(|name| name.contains(".so")));
        }
        names.extend(self.cache().names().map(str::to_owned));
        names
    }

    /// Loads what the objects in the queue need, breadth first.
    fn dependencies(&mut self, mut queue: VecDeque<usize>) -> Vec<Missing> {
        let mut missing = Vec::new();
        while let Some(index) = queue.pop_front() {
            let needed = self.objects.get(index).map(|o| o.info.needed.clone()).unwrap_or_default();
            for name in needed {
                let known = self.objects.len();
                match self.map(&name, Some(index), None) {
                    Ok(Some(found)) if found >= known => queue.push_back(found),
                    Ok(_) => {}
                    Err(lack) => missing.push(lack),
                }
            }
        }
        missing
    }

    /// One object by name, without its dependencies; `Ok(None)` where the limit of objects is reached.
    fn map(
        &mut self,
        name: &str,
        caller: Option<usize>,
        road: Option<Road>,
    ) -> Result<Option<usize>, Missing> {
        if let Some(index) = self.names.get(name) {
            return Ok(Some(*index));
        }
        if self.objects.len() >= OBJECTS {
            return Ok(None);
        }
        for (found_by, path) in self.candidates(name, caller) {
            let (info, fault) = match self.host.elf(&path) {
                Ok(info) if info.machine.as_ref().is_some_and(|m| *m != self.machine) => continue,
                Ok(info) => (info, None),
                // The loader goes on where it cannot open a file, and stops where it cannot understand it.
                Err(ElfError::NotFound | ElfError::Unreadable(_)) => continue,
                Err(fault) => (ElfInfo::default(), Some(fault)),
            };
            let (file, real) = self.resolve(&path);
            let index = self.objects.iter().position(|o| o.real == real).unwrap_or_else(|| {
                let road = road.clone().unwrap_or(found_by);
                self.objects.push(Object { path, file, real, info, fault, road, wanted_by: caller });
                self.objects.len() - 1
            });
            self.names.insert(name.to_owned(), index);
            if let Some(soname) = self.objects.get(index).and_then(|o| o.info.soname.clone()) {
                self.names.entry(soname).or_insert(index);
            }
            return Ok(Some(index));
        }
        let wanted_by = caller.and_then(|c| self.objects.get(c)).map(Object::name).unwrap_or_default();
        Err(Missing { name: name.to_owned(), wanted_by })
    }

    /// The paths that are tried for a name, in order, each with its rule.
    fn candidates(&self, name: &str, caller: Option<usize>) -> Vec<(Road, PathBuf)> {
        if name.contains('/') {
            return vec![(Road::Path, self.cwd.join(name))];
        }
        let mut files: Vec<_> =
            self.folders(caller).into_iter().map(|(road, dir)| (road, dir.join(name))).collect();
        files.extend(self.cache().get(name).iter().map(|file| (Road::Cache, file.clone())));
        files.extend(self.defaults.iter().map(|dir| (Road::Default, dir.join(name))));
        files
    }

    /// The folders that are searched for `caller` before the cache, in order, each with its rule.
    fn folders(&self, caller: Option<usize>) -> Vec<(Road, PathBuf)> {
        let mut folders = Vec::new();
        let object = caller.and_then(|index| self.objects.get(index));
        if object.is_none_or(|o| o.info.runpath.is_empty()) {
            for above in self.chain(caller).into_iter().filter_map(|index| self.objects.get(index)) {
                // Where an object has both, its RPATH counts for nobody (`elf_get_dynamic_info`).
                if above.info.runpath.is_empty() {
                    folders.extend(
                        self.expand(above, &above.info.rpath).map(|dir| (Road::Rpath(above.name()), dir)),
                    );
                }
            }
        }
        folders.extend(self.library_path.iter().map(|dir| (Road::LibraryPath, dir.clone())));
        if let Some(object) = object {
            folders.extend(
                self.expand(object, &object.info.runpath).map(|dir| (Road::Runpath(object.name()), dir)),
            );
        }
        folders
    }

    /// The object, the one that wanted it, and so on; the program last.
    fn chain(&self, caller: Option<usize>) -> Vec<usize> {
        let mut chain = Vec::new();
        let mut up = caller;
        // An object is wanted by one that was loaded before it, so this ends.
        while let Some(index) = up {
            chain.push(index);
            up = self.objects.get(index).and_then(|o| o.wanted_by);
        }
        if !chain.contains(&0) {
            chain.push(0);
        }
        chain
    }

    /// The folders of an object's RPATH or RUNPATH with `$ORIGIN` and `$LIB` expanded (ld.so(8), "Dynamic string
    /// tokens").
    fn expand<'b>(&'b self, object: &'b Object, dirs: &'b [String]) -> impl Iterator<Item = PathBuf> + 'b {
        let origin = object.path.parent().unwrap_or(Path::new("/")).to_string_lossy();
        dirs.iter().map(move |dir| {
            let dir = dir.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
            self.cwd.join(dir.replace("${LIB}", &self.lib).replace("$LIB", &self.lib))
        })
    }

    /// A file that exists, as [`Object::file`] and [`Object::real`]. Most libraries of a process are in a few folders,
    /// of which each is resolved once.
    fn resolve(&self, path: &Path) -> (PathBuf, PathBuf) {
        let full = || self.host.canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return (full(), full());
        };
        let mut resolved = self.resolved.borrow_mut();
        let dir = resolved
            .entry(dir.to_path_buf())
            .or_insert_with(|| self.host.canonicalize(dir).unwrap_or_else(|_| dir.to_path_buf()));
        let place = dir.join(name);
        if self.host.read_link(&place).is_err() {
            return (place.clone(), place);
        }
        let real = full();
        let leads_out = |root: &PathBuf| place.starts_with(root) && !real.starts_with(root);
        let file = if self.environment.as_ref().is_some_and(leads_out) { place } else { real.clone() };
        (file, real)
    }

    fn cache(&self) -> &LdCache {
        self.cache.get_or_init(|| {
            let bytes = self.host.read(Path::new("/etc/ld.so.cache")).unwrap_or_default();
            LdCache::parse(&bytes, &self.machine)
        })
    }
}
