//! Names, objects and classes of libraries: what their attributes and methods are.

use std::rc::Rc;

use super::torch::shape_value;
use crate::workload::array::{Array, Dtype};
use crate::workload::heap::{Lib, Obj};
use crate::workload::interp::Interp;
use crate::workload::value::{Args, CLOCK, ENTROPY, HOST, Hint, Id, K, LOCAL_TIME, PID, VERSION, Val};

impl<'a> Interp<'a> {
    /// The value of a dotted name of a library.
    pub(in crate::workload) fn symbol(&mut self, path: &str) -> Val {
        let path = super::canonical(path).into_owned();
        let number = |f: f64| Val::from(K::Float(f));
        match &*path {
            "sys.argv" => self.argv(),
            "os.environ" | "os.environb" => self.environ.into(),
            "sys.version_info" | "sys.version" | "sys.hexversion" | "sys.implementation" | "sys.flags" => {
                Val::any().with(VERSION)
            }
            "sys.platform" => Val::str("linux"),
            "os.name" => Val::str("posix"),
            "os.sep" | "os.path.sep" => Val::str("/"),
            "os.pathsep" => Val::str(":"),
            "os.linesep" => Val::str("\n"),
            "os.devnull" => Val::str("/dev/null"),
            "sys.maxsize" => Val::from(i64::MAX),
            "sys.executable" | "sys.prefix" => Val::of(Hint::Str),
            "string.ascii_lowercase" => Val::str("abcdefghijklmnopqrstuvwxyz"),
            "string.digits" => Val::str("0123456789"),
            "string.ascii_uppercase" | "string.ascii_letters" | "string.punctuation" | "string.printable" => {
                Val::of(Hint::Str)
            }
            "math.pi" | "numpy.pi" | "torch.pi" | "jax.numpy.pi" => number(std::f64::consts::PI),
            "math.e" | "numpy.e" | "jax.numpy.e" => number(std::f64::consts::E),
            "math.tau" => number(std::f64::consts::TAU),
            "math.inf" | "numpy.inf" | "torch.inf" | "jax.numpy.inf" => number(f64::INFINITY),
            "math.nan" | "numpy.nan" | "torch.nan" | "jax.numpy.nan" => Val::of(Hint::Float),
            "numpy.newaxis" | "jax.numpy.newaxis" | "tensorflow.newaxis" => Val::NONE,
            "subprocess.PIPE" | "subprocess.DEVNULL" => Val::of(Hint::Int),
            "torch.version.cuda" | "torch.version.hip" => Val::any(),
            "torch.backends.mps.is_available" => Val::sym(path),
            _ if path.ends_with(".__version__") => Val::of(Hint::Str).with(VERSION),
            _ if path.ends_with(".__name__") || path.ends_with(".__qualname__") => {
                let inner = path.trim_end_matches(".__name__").trim_end_matches(".__qualname__");
                Val::str(inner.rsplit('.').next().unwrap_or(inner))
            }
            _ if path.ends_with(".__doc__") => Val::of(Hint::Str),
            _ => {
                if let Some(dtype) = path.strip_suffix(".name")
                    && Dtype::named(dtype).is_some()
                {
                    return Val::str(dtype.rsplit('.').next().unwrap_or(dtype));
                }
                Val::sym(path)
            }
        }
    }

    /// `np.r_[…]`, `list[int]`.
    pub(in crate::workload) fn symbol_item(&mut self, path: &str, key: &Val) -> Val {
        match path {
            "numpy.r_" | "numpy.c_" | "numpy.mgrid" | "numpy.ogrid" => {
                self.use_arrays(None, &Args::of(vec![key.clone()]));
                self.array("numpy", Array::new(Some(Dtype::F64), None))
            }
            "numpy.s_" | "numpy.index_exp" | "jax.numpy.s_" => key.clone(),
            _ if path.starts_with("typing.")
                || path.starts_with("builtins.")
                || path.starts_with("collections.") =>
            {
                Val::sym(path)
            }
            _ => Val::any(),
        }
    }

    /// `object.name` of an object of a library.
    pub(in crate::workload) fn lib_attr(&mut self, id: Id, object: &Val, name: &str) -> Val {
        let Obj::Lib(lib) = self.heap.get(id) else { return Val::any() };
        let lib = lib.clone();
        let bound = || Val::from(K::Bound(Rc::new((object.clone(), name.into()))));
        if &*lib.path == "builtins.super" {
            return match &lib.args.pos[..] {
                [Val { k: K::Ref(class), .. }, me, ..] => {
                    let (class, me) = (*class, me.clone());
                    self.super_attr(class, &me, name)
                }
                _ => Val::any(),
            };
        }
        if let Some(value) = lib.attrs.get(name).filter(|_| !name.starts_with('$')) {
            return value.clone();
        }
        if let Some(array) = &lib.array {
            return self.array_attr(&lib, array, object, name).unwrap_or_else(bound);
        }
        match &*lib.path {
            "pathlib.Path" => return self.path_attr(object, name).unwrap_or_else(bound),
            "numpy.dtype" if name == "name" => {
                let named = lib.args.pos.first().and_then(|v| v.as_sym().or_else(|| v.as_str()));
                return match named.map(|n| n.rsplit('.').next().unwrap_or(n)) {
                    Some("float") => Val::str("float64"),
                    Some(name) => Val::str(name),
                    None => Val::of(Hint::Str),
                };
            }
            "functools.partial" if name == "func" => {
                return lib.args.pos.first().cloned().unwrap_or_else(Val::any);
            }
            "datetime.datetime" | "datetime.date"
                if !matches!(
                    name,
                    "strftime"
                        | "isoformat"
                        | "timestamp"
                        | "replace"
                        | "date"
                        | "astimezone"
                        | "ctime"
                        | "timetuple"
                        | "time"
                        | "weekday"
                        | "toordinal"
                ) =>
            {
                return Val::of(Hint::Int);
            }
            "$match" => return bound(),
            path if path.starts_with("scipy.optimize.") && !name.starts_with('_') => {
                return match name {
                    "nit" | "nfev" | "status" | "success" | "message" => Val::any(),
                    _ => self.array("numpy", Array::new(Some(Dtype::F64), None)),
                };
            }
            path if path.starts_with("scipy.")
                && matches!(name, "data" | "indices" | "indptr" | "statistic" | "pvalue" | "y" | "t") =>
            {
                return self.array("numpy", Array::default());
            }
            path if path.starts_with("pandas.") && name == "values" => {
                return self.array("numpy", Array::default());
            }
            path if path.starts_with("torch.nn.") => return self.module_attr_of(&lib, object, name),
            path if path.starts_with("torch.optim.") => match name {
                "param_groups" => {
                    let group = Obj::Dict {
                        items: Vec::new(),
                        more: Some((Val::of(Hint::Str), Val::any())),
                        factory: None,
                        order: Default::default(),
                    };
                    let group = self.heap.new_object(group);
                    return self.list(vec![group.into()], None);
                }
                "state" => return Val::any(),
                _ => {}
            },
            path if path.starts_with("sklearn.") => {
                if name.ends_with('_') && !name.starts_with('_') {
                    return match name {
                        "coefs_" | "intercepts_" | "estimators_" | "components_list_" => {
                            let item = self.array("numpy", Array::default());
                            self.list(Vec::new(), Some(item))
                        }
                        "best_estimator_" => Val::any(),
                        _ => self.array("numpy", Array::default()),
                    };
                }
                if let Some(value) = lib.args.named(name) {
                    return value.clone();
                }
            }
            path if path.starts_with("tensorflow.") => {
                if matches!(
                    name,
                    "weights" | "variables" | "trainable_variables" | "trainable_weights" | "layers"
                ) {
                    let item = self.array("tensorflow", Array::default());
                    return self.list(Vec::new(), Some(item));
                }
                if name == "history" {
                    return Val::any();
                }
            }
            _ => {}
        }
        if name.starts_with("__")
            && !matches!(name, "__enter__" | "__exit__" | "__call__" | "__next__" | "__setitem__")
        {
            return Val::any();
        }
        bound()
    }

    fn array_attr(&mut self, lib: &Lib, array: &Array, object: &Val, name: &str) -> Option<Val> {
        let library = lib.path.split('.').next().unwrap_or("").to_owned();
        let torch = library == "torch";
        let int = |n: Option<i64>| n.map_or_else(|| Val::of(Hint::Int), Val::from);
        Some(match name {
            "shape" => shape_value(array),
            "dtype" => match array.dtype.and_then(dtype_name) {
                Some(dtype) => Val::sym(format!("{library}.{dtype}")),
                None => Val::any(),
            },
            "ndim" => int(array.dims().and_then(|n| i64::try_from(n).ok())),
            "size" if !torch => int(array.count()),
            "nbytes" | "itemsize" => Val::of(Hint::Int),
            "T" | "mT" | "H" | "mH" => {
                let mut made = array.clone();
                if let Some(shape) = &mut made.shape {
                    if name == "T" {
                        shape.reverse();
                    } else if let [.., a, b] = &mut shape[..] {
                        std::mem::swap(a, b);
                    }
                }
                let value = self.array(&library, made);
                self.view_of(value, Some(object))
            }
            "real" | "imag" => self.array(&library, Array { dtype: None, ..array.clone() }),
            "data" | "flat" | "values" if torch || name == "flat" => {
                let value = self.array(&library, array.clone());
                self.view_of(value, Some(object))
            }
            "grad" => self.array(&library, array.clone()),
            "at" => object.clone(),
            "device" => Val::any(),
            "is_cuda" => Val::of(Hint::Bool),
            "requires_grad" | "is_leaf" => Val::of(Hint::Bool),
            "grad_fn" | "flags" | "base" | "ctypes" | "strides" | "names" => Val::any(),
            _ if name.starts_with("__") => Val::any(),
            _ => return None,
        })
    }

    /// A method of an array.
    pub(in crate::workload) fn array_method(
        &mut self,
        library: &str,
        me: &Val,
        name: &str,
        args: &Args,
    ) -> Val {
        let path = match library {
            "jax" => format!("jax.numpy.{name}"),
            _ => format!("{library}.{name}"),
        };
        self.call_library(&path, Some(me), args)
    }

    /// A method of an object of a library.
    pub(in crate::workload) fn lib_method(&mut self, id: Id, object: &Val, name: &str, args: &Args) -> Val {
        let Obj::Lib(lib) = self.heap.get(id) else { return Val::any() };
        let path = Rc::clone(&lib.path);
        let inner = lib.args.pos.first().cloned();
        if lib.array.is_some() {
            let library = path.split('.').next().unwrap_or("").to_owned();
            return self.array_method(&library, object, name, args);
        }
        match &*path {
            "torch.state_dict" => {
                let item = self.array("torch", Array::default());
                let key = Val::of(Hint::Str);
                return match name {
                    "items" => self.list(Vec::new(), Some(Val::tuple(vec![key, item]))),
                    "values" => self.list(Vec::new(), Some(item)),
                    "keys" => self.list(Vec::new(), Some(key)),
                    _ => item,
                };
            }
            "torch.amp.GradScaler" | "torch.GradScaler" | "torch.amp.grad_scaler.GradScaler" => {
                return match name {
                    "scale" => args.pos.first().cloned().unwrap_or_else(Val::any),
                    "step" => {
                        let optimizer = args.pos.first().cloned().unwrap_or_else(Val::any);
                        let step = self.attr(&optimizer, "step");
                        self.call(&step, &Args::default())
                    }
                    _ => Val::NONE,
                };
            }
            "$file" => return self.file_method(id, name, args),
            "hashlib.$hash" => return self.hash_method(object, name, args),
            "pathlib.Path" => return self.path_method(object, name, args),
            "random.Random" => return self.random_draw(Some(object), name, args),
            "builtins.property" | "functools.cached_property" => return object.clone(),
            "$match" => {
                return if matches!(name, "group" | "groups" | "groupdict") {
                    Val::any()
                } else {
                    Val::of(Hint::Int)
                };
            }
            "functools.wraps" | "functools.lru_cache" => return inner.unwrap_or_else(Val::any),
            _ => {}
        }
        let root = path.split('.').next().unwrap_or("");
        if matches!(root, "torch" | "numpy" | "sklearn" | "jax" | "tensorflow" | "scipy") {
            self.rec.used(object.t);
        }
        match root {
            "torch" if path.starts_with("torch.nn.") => self.module_method(object, name, args),
            "torch" if path.starts_with("torch.optim.") => self.optimizer_method(id, name, args),
            "torch" if path.starts_with("torch.distributions.") => self.distribution_method(name),
            "numpy" if path.starts_with("numpy.random.") => self.numpy_draw(Some(object), name, args),
            "sklearn" | "imblearn" => self.estimator_method(id, object, name, args),
            "tensorflow" => self.keras_method(&path, object, name, args),
            _ => self.call_library(&format!("{path}.{name}"), Some(object), args),
        }
    }

    /// `object.name = value` of an object of a library, or of the program's class.
    pub(in crate::workload) fn set_lib_attr(&mut self, id: Id, name: &str) {
        let object = Val::from(id);
        if self.array_of(&object).is_some() && matches!(name, "data" | "grad" | "real" | "flat") {
            self.written(&object);
        }
    }

    /// An object of a library is called.
    pub(in crate::workload) fn call_lib_object(&mut self, id: Id, lib: &Lib, args: &Args) -> Val {
        let object = Val::from(id);
        match &*lib.path {
            "functools.partial" => {
                let Some((f, first)) = lib.args.pos.split_first() else { return Val::any() };
                let mut all =
                    Args { pos: first.to_vec(), kw: lib.args.kw.clone(), more: lib.args.more || args.more };
                all.pos.extend(args.pos.iter().cloned());
                for (name, value) in &args.kw {
                    all.kw.retain(|(n, _)| n != name);
                    all.kw.push((name.clone(), value.clone()));
                }
                let f = f.clone();
                self.call(&f, &all)
            }
            "operator.itemgetter" | "operator.attrgetter" => {
                let (item, key) = (args.pos.first().cloned(), lib.args.pos.first().cloned());
                match (item, key) {
                    (Some(item), Some(key)) if lib.args.pos.len() == 1 => match (&*lib.path, key.as_str()) {
                        ("operator.attrgetter", Some(name)) => self.attr(&item, name),
                        _ => self.item(&item, &key),
                    },
                    _ => Val::any(),
                }
            }
            "torch.no_grad"
            | "torch.autocast"
            | "torch.amp.autocast"
            | "functools.wraps"
            | "functools.lru_cache"
            | "contextlib.ContextDecorator" => args.pos.first().cloned().unwrap_or_else(Val::any),
            "jax.$fn" => self.call_transformed(lib, args),
            path if path.starts_with("torch.nn.") => {
                let class = path.rsplit('.').next().unwrap_or(path).to_owned();
                self.call_module(id, &class, args)
            }
            path if path.starts_with("tensorflow.") => {
                let path = path.to_owned();
                self.keras_method(&path, &object, "__call__", args)
            }
            path => {
                let path = format!("{path}.__call__");
                self.call_library(&path, Some(&object), args)
            }
        }
    }

    /// An object of a class of the program that derives from a library's, made without a constructor of its own or by
    /// `super().__init__(…)`.
    pub(in crate::workload) fn init_base(&mut self, base: &str, object: &Val, args: &Args) -> Val {
        let base = super::canonical(base).into_owned();
        let plain = matches!(
            &*base,
            "torch.nn.Module"
                | "torch.utils.data.Dataset"
                | "torch.utils.data.IterableDataset"
                | "torch.autograd.Function"
                | "typing.NamedTuple"
        ) || base.starts_with("builtins.")
            || base.starts_with("abc.")
            || base.starts_with("typing.")
            || base.starts_with("enum.")
            || base.starts_with("sklearn.base.");
        if plain {
            self.rec.used(args.taint());
            return Val::NONE;
        }
        if matches!(&*base, "threading.Thread" | "multiprocessing.Process") {
            self.rec.operation("python.multiprocessing");
            return Val::NONE;
        }
        let own = if base.starts_with("tensorflow.keras.") || base.starts_with("torch.utils.data.") {
            self.lib_object(&base, args.clone(), None)
        } else {
            self.call_symbol(&base, args)
        };
        if let K::Ref(id) = object.k
            && let Some(names) = self.heap.names_mut(id)
        {
            names.insert("$base".into(), own);
        }
        Val::NONE
    }

    /// An attribute that an object of the program has of a library's class.
    pub(in crate::workload) fn base_attr(&mut self, base: &str, me: &Val, name: &str) -> Val {
        let own = match me.k {
            K::Ref(id) => self.heap.names(id).and_then(|n| n.get("$base")).cloned(),
            _ => None,
        };
        match name {
            "training" => return Val::of(Hint::Bool),
            "__init__" | "__call__" | "__init_subclass__" | "__setattr__" => {
                return K::Bound(Rc::new((me.clone(), name.into()))).into();
            }
            _ if name.starts_with("__") => return Val::any(),
            _ => {}
        }
        if let Some(Val { k: K::Ref(id), .. }) = own
            && matches!(self.heap.get(id), Obj::Lib(_))
        {
            return self.lib_attr(id, &id.into(), name);
        }
        let _ = base;
        K::Bound(Rc::new((me.clone(), name.into()))).into()
    }

    /// A method of a library's class on an object of the program's class that derives from it.
    pub(in crate::workload) fn derived_method(
        &mut self,
        base: &str,
        me: &Val,
        name: &str,
        args: &Args,
    ) -> Val {
        let base = super::canonical(base).into_owned();
        match name {
            "__init__" => return self.init_base(&base, me, args),
            "__call__" => return self.call_derived(&base, me, args),
            _ if name.starts_with("__") => return Val::any(),
            _ => {}
        }
        if base.starts_with("torch.nn.") {
            return self.module_method(me, name, args);
        }
        if base.starts_with("tensorflow.keras.") {
            return self.keras_method(&base, me, name, args);
        }
        if matches!(&*base, "threading.Thread" | "multiprocessing.Process") {
            if matches!(name, "start" | "run") {
                let run = self.attr(me, "run");
                if self.is_function(&run) {
                    return self.call(&run, &Args::default());
                }
            }
            return Val::any();
        }
        if base.starts_with("sklearn.") {
            if let Some(f) = name.strip_prefix("fit_") {
                let fit = self.attr(me, "fit");
                let then = self.attr(me, f);
                self.call(&fit, args);
                return self.call(&then, args);
            }
            return Val::any();
        }
        self.call_library(&format!("{base}.{name}"), Some(me), args)
    }

    /// An object of the program's class that derives from a library's is called.
    pub(in crate::workload) fn call_derived(&mut self, base: &str, me: &Val, args: &Args) -> Val {
        let K::Ref(id) = me.k else { return Val::any() };
        let Obj::Instance { class: Some(class), attrs } = self.heap.get(id) else { return Val::any() };
        let (class, own) = (*class, attrs.get("$base").cloned());
        for name in ["forward", "call"] {
            if let Some(method) = self.class_lookup(class, name) {
                return self.call(&method, &args.behind(me.clone()));
            }
        }
        if let Some(own) = own {
            return self.call(&own, args);
        }
        self.call_library(&format!("{base}.__call__"), Some(me), args)
    }

    /// `torch.autograd.Function.apply`: the class's forward, and its backward where something is differentiated.
    pub(in crate::workload) fn function_apply(&mut self, class: Id, args: &Args) -> Val {
        let context =
            Val::from(self.heap.new_object(Obj::Instance { class: None, attrs: Default::default() }));
        let mut result = Val::any();
        if let Some(forward) = self.class_lookup(class, "forward") {
            let forward = self.bind_method(&forward, &class.into(), class, true);
            result = self.call(&forward, &args.behind(context.clone()));
        }
        if let Some(backward) = self.class_lookup(class, "backward") {
            let backward = self.bind_method(&backward, &class.into(), class, true);
            self.call_back(&backward, &[context, result.clone()]);
        }
        result
    }

    /// `with object`.
    pub(in crate::workload) fn enter_lib(&mut self, manager: &Val) -> Val {
        match self.lib(manager).map(|l| Rc::clone(&l.path)).as_deref() {
            Some("torch.no_grad" | "torch.autocast") => Val::NONE,
            Some(path) if path.starts_with("tempfile.") => Val::of(Hint::Str),
            _ => manager.clone(),
        }
    }

    /// A method of a value of which nothing is known: it may be an array of any library in use.
    pub(in crate::workload) fn unknown_method(&mut self, name: &str, args: &Args) -> Val {
        for library in ["torch", "numpy", "jax", "tensorflow"] {
            if !self.rec.imports.contains(library) {
                continue;
            }
            let families = super::table::of(library).named(name).unwrap_or_default();
            for family in families {
                self.pseudo(family);
            }
        }
        if name == "backward" && self.rec.imports.contains("torch") {
            self.rec.backward = true;
        }
        self.hand_over(args);
        Val::any().with(args.taint())
    }

    /// Records a family of a table, or all that a word of a table stands for.
    pub(super) fn pseudo(&mut self, family: &str) {
        let all: &[&str] = match family {
            "torch.matmul" => &["torch.matmul.f32", "torch.matmul.f64"],
            "torch.reduce" => &["torch.reduce.full", "torch.reduce.row", "torch.reduce.column"],
            "sklearn.mlp" => &["sklearn.mlp.lbfgs", "sklearn.mlp.sgd"],
            "init" => &["torch.init"],
            "bias" | "" => &[],
            one => return self.rec.operation(one),
        };
        all.iter().for_each(|f| self.rec.operation(f));
    }

    /// A file that a library reads: the first argument.
    pub(super) fn data_files(&mut self, path: &str, args: &Args) {
        let name = path.rsplit('.').next().unwrap_or(path);
        let reads = name.starts_with("load")
            || name.starts_with("read_")
            || matches!(name, "genfromtxt" | "fromfile" | "memmap" | "open" | "imread" | "File");
        if reads && let Some(first) = args.pos.first().cloned() {
            self.reads_file(&first);
        }
    }

    /// A file is read.
    pub(super) fn reads_file(&mut self, path: &Val) {
        self.rec.used(path.t);
        let text = self.path_text(path).or_else(|| path.as_str().map(str::to_owned));
        if let Some(text) = text {
            let file = self.inputs.cwd.join(text);
            self.rec.files.insert(file);
        }
    }

    /// Everything but the argument at `file` is written out. When, where and by what it was made stands in many outputs
    /// without being a result.
    pub(super) fn writes(&mut self, args: &Args, file: usize) {
        let effects = self.rec.effects;
        let values = args.pos.iter().enumerate().filter(|(i, _)| *i != file).map(|(_, v)| v);
        for value in values.chain(args.kw.iter().map(|(_, v)| v)).cloned().collect::<Vec<_>>() {
            let mut taint = self.reach(&value, true).0 & !(PID | ENTROPY | VERSION | HOST);
            if taint & CLOCK != 0 {
                taint &= !(CLOCK | LOCAL_TIME);
            }
            self.rec.consumed(taint);
        }
        self.rec.effects = effects;
    }
}

fn dtype_name(dtype: Dtype) -> Option<&'static str> {
    Some(match dtype {
        Dtype::Bool => "bool",
        Dtype::Int => "int64",
        Dtype::F16 => "float16",
        Dtype::Bf16 => "bfloat16",
        Dtype::F32 => "float32",
        Dtype::F64 => "float64",
        Dtype::Complex => return None,
    })
}
