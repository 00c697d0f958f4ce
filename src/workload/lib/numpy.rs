//! NumPy: functions, methods of arrays, generators of random numbers.

use super::table;
use super::torch::{Axes, shape_value};
use crate::workload::array::{Array, Dtype};
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, K, Val};

/// What only looks at an array's form, or views it.
const FORM: &[&str] = &[
    "reshape",
    "ravel",
    "view",
    "transpose",
    "squeeze",
    "swapaxes",
    "asarray",
    "asanyarray",
    "zeros_like",
    "ones_like",
    "empty_like",
    "full_like",
    "ndim",
    "shape",
    "size",
    "fill",
    "expand_dims",
    "broadcast_to",
    "atleast_1d",
    "atleast_2d",
    "dtype",
];

impl<'a> Interp<'a> {
    /// A function, class or method of NumPy; `me` is the array.
    pub(super) fn numpy(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let name = path.rsplit('.').next().unwrap_or(path);
        if path.starts_with("numpy.random.") {
            return self.numpy_random(name, args);
        }
        match name {
            "dtype" if me.is_none() => return self.lib_object("numpy.dtype", args.clone(), None),
            "save" | "savez" | "savez_compressed" | "savetxt" => {
                self.writes(args, 0);
                return Val::NONE;
            }
            "tofile" | "dump" => {
                if let Some(me) = me {
                    self.output(me);
                }
                return Val::NONE;
            }
            "load" | "loadtxt" | "genfromtxt" | "fromfile" | "memmap" => {
                self.data_files(path, args);
                let npz = args
                    .pos
                    .first()
                    .and_then(|p| self.path_text(p).or_else(|| p.as_str().map(str::to_owned)));
                if name == "load" && !npz.is_some_and(|p| p.ends_with(".npy")) {
                    return self.lib_object("numpy.load", Args::default(), None);
                }
                return self.array("numpy", Array::default());
            }
            "set_printoptions" | "seterr" | "errstate" | "printoptions" | "show_config" => return Val::any(),
            "vectorize" | "frompyfunc" => {
                self.rec.operation("numpy.ufunc.basic");
                return args.pos.first().cloned().unwrap_or_else(Val::any);
            }
            "apply_along_axis" | "apply_over_axes" | "fromfunction" | "piecewise" => self.hand_over(args),
            _ => {}
        }
        if let Some(dtype) = Dtype::named(name).filter(|_| me.is_none() && path.split('.').count() == 2) {
            // `np.float32(x)`: a number of this type, or an array.
            self.use_arrays(None, args);
            let like = args.pos.first().map(|v| self.array_like(v, Dtype::F64, 3)).unwrap_or_default();
            return self
                .array("numpy", Array::new(Some(dtype), like.shape.or(Some(Vec::new()))))
                .with(args.taint());
        }
        let first = me.or_else(|| args.pos.first()).cloned();
        let mut array = first.as_ref().map(|v| self.array_like(v, Dtype::F64, 4)).unwrap_or_default();
        let creates = me.is_none()
            && matches!(
                name,
                "zeros" | "ones" | "empty" | "full" | "eye" | "identity" | "arange" | "linspace"
            );
        if FORM.contains(&name) || creates {
            self.rec.used(args.taint());
        } else {
            self.use_arrays(me, args);
        }
        if matches!(name, "fill" | "sort" | "put" | "partition" | "itemset" | "setfield")
            && let Some(me) = me
        {
            self.written(me);
        }
        if let Some(out) = args.named("out").cloned() {
            self.written(&out);
        }
        if matches!(name, "copyto" | "put" | "fill_diagonal" | "place" | "putmask")
            && let Some(target) = args.pos.first().cloned()
        {
            self.written(&target);
        }
        // `np.add.at`, `np.maximum.reduce`: by the function in front.
        let parts: Vec<&str> = path.split('.').collect();
        let looked_up = match (parts.as_slice(), name) {
            ([_, ufunc, _], "at" | "reduce" | "accumulate" | "outer" | "reduceat") => {
                self.rec.operation(if name == "reduce" || name == "reduceat" {
                    "numpy.reduce"
                } else {
                    "numpy.ufunc.basic"
                });
                format!("numpy.{ufunc}")
            }
            _ => path.to_owned(),
        };
        let families = table::of("numpy").families(&looked_up).to_vec();
        let whole = |a: &Array| a.dtype.is_some_and(|d| !d.is_float());
        let integers = whole(&array)
            && args.pos.iter().all(|a| self.array_of(a).is_none_or(whole) && a.hint() != Hint::Float);
        for family in &families {
            match family.as_str() {
                "numpy.matmul" => {
                    array = self.numpy_product(name, &array, me, args, integers);
                    return self.array("numpy", array);
                }
                "numpy.reduce"
                    if integers && !matches!(name, "mean" | "std" | "var" | "average" | "norm") => {}
                "numpy.ufunc.basic" | "numpy.cumulative"
                    if integers && !matches!(name, "divide" | "true_divide" | "sqrt") => {}
                "numpy.sort"
                    if args
                        .named("kind")
                        .is_some_and(|k| matches!(k.as_str(), Some("stable" | "mergesort"))) => {}
                family => self.rec.operation(family),
            }
        }
        self.numpy_result(name, array, first.as_ref(), me, args, &families)
    }

    fn numpy_result(
        &mut self,
        name: &str,
        mut array: Array,
        first: Option<&Val>,
        me: Option<&Val>,
        args: &Args,
        families: &[String],
    ) -> Val {
        let rest: Vec<Val> =
            if me.is_some() { args.pos.clone() } else { args.pos.get(1..).unwrap_or_default().to_vec() };
        let named = args.named("dtype").and_then(|d| self.dtype_of(d));
        let int = |n: Option<i64>| n.map_or_else(|| Val::of(Hint::Int), Val::from);
        let float = Some(Dtype::F64);
        match name {
            "zeros" | "ones" | "empty" if me.is_none() => {
                let shape = args.get(0, "shape").cloned().and_then(|s| self.dims(&[s]));
                let dtype = named.or_else(|| args.pos.get(1).and_then(|d| self.dtype_of(d))).or(float);
                return self.array("numpy", Array { dtype, shape, empty: name == "empty" });
            }
            "full" => {
                let shape = args.get(0, "shape").cloned().and_then(|s| self.dims(&[s]));
                let value = args.get(1, "fill_value").map(Val::hint);
                let dtype = named.or(match value {
                    Some(Hint::Int) => Some(Dtype::Int),
                    Some(Hint::Bool) => Some(Dtype::Bool),
                    Some(Hint::Float) => float,
                    _ => None,
                });
                return self.array("numpy", Array::new(dtype, shape));
            }
            "empty_like" | "zeros_like" | "ones_like" | "full_like" => {
                let made =
                    Array { dtype: named.or(array.dtype), shape: array.shape, empty: name == "empty_like" };
                return self.array("numpy", made);
            }
            "eye" | "identity" => {
                let n = args.pos.first().and_then(Val::as_int);
                let m = args.pos.get(1).map_or(n, Val::as_int);
                return self.array("numpy", Array::new(named.or(float), Some(vec![n, m])));
            }
            "arange" | "linspace" => {
                let ints = name == "arange" && args.pos.iter().all(|a| a.hint() == Hint::Int);
                let n = match (name, &args.pos[..]) {
                    ("arange", [stop]) => stop.as_int(),
                    ("arange", [start, stop]) => {
                        start.as_int().zip(stop.as_int()).and_then(|(a, b)| b.checked_sub(a))
                    }
                    ("linspace", [_, _, n, ..]) => n.as_int(),
                    _ => None,
                };
                let dtype = named.or(if ints { Some(Dtype::Int) } else { float });
                return self.array("numpy", Array::new(dtype, Some(vec![n])));
            }
            "array" | "asarray" | "asanyarray" | "ascontiguousarray" | "copy" | "asfortranarray" => {
                let dtype = named.or_else(|| rest.first().and_then(|d| self.dtype_of(d))).or(array.dtype);
                let value = self.array("numpy", Array { dtype, ..array });
                return if name == "asarray" { self.view_of(value, first) } else { value };
            }
            "astype" => {
                array.dtype = args.get(0, "dtype").and_then(|d| self.dtype_of(d));
                return self.array("numpy", array);
            }
            "reshape" | "view" => {
                if name == "reshape" {
                    let dims = self.dims(&rest);
                    array.shape = dims.map(|d| array.reshaped(&d));
                    array.empty = first.and_then(|f| self.array_of(f)).is_some_and(|a| a.empty);
                } else if let Some(dtype) = rest.first().and_then(|d| self.dtype_of(d)) {
                    array = Array::new(Some(dtype), None);
                }
                let value = self.array("numpy", array);
                return self.view_of(value, first);
            }
            "ravel" | "flatten" => {
                array.shape = Some(vec![array.count()]);
                return self.array("numpy", array);
            }
            "transpose" | "T" => {
                match &mut array.shape {
                    Some(shape) if rest.is_empty() => shape.reverse(),
                    shape => *shape = None,
                }
                let value = self.array("numpy", array);
                return self.view_of(value, first);
            }
            "item" => return self.number_of(array.dtype),
            "tolist" => {
                if array.dims() == Some(0) {
                    return self.number_of(array.dtype);
                }
                let item = if array.dims() == Some(1) { self.number_of(array.dtype) } else { Val::any() };
                return self.list(Vec::new(), Some(item));
            }
            "tobytes" => return Val::of(Hint::Bytes),
            "shape" => return shape_value(&array),
            "ndim" => return int(array.dims().and_then(|n| i64::try_from(n).ok())),
            "size" => return int(array.count()),
            "allclose" | "array_equal" | "issubdtype" | "isscalar" | "array_equiv" => {
                return Val::of(Hint::Bool);
            }
            "bincount" | "argsort" | "argmax" | "argmin" | "searchsorted" | "digitize" | "nonzero"
            | "count_nonzero" | "flatnonzero" | "argwhere" => {
                let ints = Array::new(Some(Dtype::Int), None);
                let one = self.array("numpy", ints);
                return if name == "nonzero" { self.list(Vec::new(), Some(one)) } else { one };
            }
            "sort" if me.is_some() => return Val::NONE,
            "fill" | "put" | "copyto" | "fill_diagonal" | "shuffle" => return Val::NONE,
            "unique" => {
                let one = self.array("numpy", Array::new(array.dtype, None));
                let several = args.kw.iter().any(|(n, _)| n.starts_with("return_"));
                return if several { self.list(Vec::new(), Some(one)) } else { one };
            }
            "split" | "array_split" | "meshgrid" | "histogram" | "hsplit" | "vsplit" | "svd" | "eigh"
            | "eig" | "qr" | "slogdet" | "lstsq" | "where"
                if name != "where" || args.pos.len() == 1 =>
            {
                if name == "svd"
                    && args.named("compute_uv").cloned().is_some_and(|c| self.truth(&c) == Some(false))
                {
                    return self.array("numpy", Array::new(float, None));
                }
                let dtype = if matches!(name, "eig") { None } else { array.dtype };
                let one = self.array("numpy", Array::new(dtype, None));
                return self.list(Vec::new(), Some(one));
            }
            "solve" | "inv" | "cholesky" | "pinv" => {
                array.shape = array.shape.filter(|_| name != "solve" && name != "pinv")
            }
            "int" | "float" => return self.number_of(array.dtype),
            _ => {}
        }
        if families.iter().any(|f| f == "numpy.reduce")
            || matches!(name, "max" | "min" | "amax" | "amin" | "nanmax" | "nanmin" | "any" | "all" | "ptp")
        {
            let (axes, keep) = self.reduction(me.is_some(), args, "axis");
            let shape = match axes {
                Axes::All => array.reduced(None, keep),
                Axes::Some(axes) => array.reduced(Some(&axes), keep),
                Axes::Unknown => None,
            };
            let dtype = match name {
                "any" | "all" => Some(Dtype::Bool),
                "mean" | "std" | "var" | "average" if array.dtype.is_some_and(|d| !d.is_float()) => float,
                _ => array.dtype,
            };
            let shape = if name == "norm" && args.pos.len() <= 1 { Some(Vec::new()) } else { shape };
            return self.array("numpy", Array::new(named.or(dtype), shape));
        }
        if families.iter().any(|f| f.starts_with("numpy.ufunc")) {
            if let Some(other) = rest.first().filter(|_| name != "where" && name != "clip").cloned() {
                let other = self.array_like(&other, Dtype::F64, 3);
                let number =
                    rest.first().is_some_and(|r| matches!(r.hint(), Hint::Int | Hint::Float | Hint::Bool));
                array.shape = Array::broadcast(array.shape.as_deref(), other.shape.as_deref());
                if !number {
                    array.dtype = Dtype::promote(array.dtype, other.dtype);
                }
            }
            let makes_float = families.iter().any(|f| f == "numpy.ufunc.math")
                && !matches!(name, "power" | "pow" | "float_power")
                || matches!(name, "sqrt" | "divide" | "true_divide");
            if makes_float && array.dtype.is_some_and(|d| !d.is_float()) {
                array.dtype = float;
            }
            if matches!(
                name,
                "linspace"
                    | "interp"
                    | "diff"
                    | "gradient"
                    | "where"
                    | "apply_along_axis"
                    | "select"
                    | "cross"
            ) {
                array.shape = None;
            }
            if name.starts_with("is")
                || name.starts_with("logical_")
                || matches!(name, "greater" | "less" | "equal" | "not_equal" | "greater_equal" | "less_equal")
            {
                array.dtype = Some(Dtype::Bool);
            }
            return self.array("numpy", array);
        }
        if families.iter().any(|f| f == "numpy.cumulative") {
            return self.array("numpy", array);
        }
        if matches!(
            name,
            "concatenate" | "stack" | "vstack" | "hstack" | "column_stack" | "dstack" | "append"
        ) {
            let parts = first.map(|f| self.iterate(f)).unwrap_or_default();
            let dtype =
                parts.known.iter().chain(&parts.more).find_map(|v| self.array_of(v)).and_then(|a| a.dtype);
            return self.array("numpy", Array::new(dtype.or(array.dtype), None));
        }
        if matches!(name, "clip" | "abs" | "copy" | "sort") {
            return self.array("numpy", array);
        }
        self.array("numpy", Array::new(array.dtype, None))
    }

    /// A product, by the number of dimensions of what is multiplied.
    fn numpy_product(
        &mut self,
        name: &str,
        a: &Array,
        me: Option<&Val>,
        args: &Args,
        integers: bool,
    ) -> Array {
        let other = if me.is_some() { args.pos.first() } else { args.pos.get(1) }.cloned();
        let b = other.map(|o| self.array_like(&o, Dtype::F64, 3)).unwrap_or_default();
        let dtype = Dtype::promote(a.dtype, b.dtype);
        let shape = match name {
            "matmul" | "dot" => Array::product(a.shape.as_deref(), b.shape.as_deref()),
            "vdot" => Some(Vec::new()),
            "outer" => Some(vec![a.count(), b.count()]),
            _ => None,
        };
        if !integers {
            let vector = |x: &Array| x.dims().map(|d| d <= 1);
            let pair = match name {
                "vdot" => Some(true),
                "matmul" | "dot" | "inner" => match (vector(a), vector(&b)) {
                    (Some(x), Some(y)) => Some(x && y),
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    _ => None,
                },
                _ => Some(false),
            };
            if pair != Some(false) {
                self.rec.operation("numpy.dot");
            }
            if pair != Some(true) {
                self.rec.operation("numpy.matmul");
            }
        }
        Array::new(dtype, shape)
    }

    /// `numpy.random`: generators, and the functions of the global one.
    fn numpy_random(&mut self, name: &str, args: &Args) -> Val {
        match name {
            "seed" => {
                self.seed("numpy", args.get(0, "seed"));
                Val::NONE
            }
            "RandomState" => {
                let seed = args.get(0, "seed").cloned();
                self.new_generator("numpy.random.RandomState", seed.as_ref())
            }
            "default_rng" | "PCG64" | "Philox" | "SFC64" | "MT19937" | "PCG64DXSM" | "SeedSequence" => {
                let seed = args
                    .pos
                    .first()
                    .or_else(|| args.named("seed"))
                    .or_else(|| args.named("entropy"))
                    .cloned();
                // A generator given a generator is that one.
                if let Some(inner) =
                    seed.as_ref().and_then(|s| self.lib(s)).filter(|l| l.path.starts_with("numpy.random."))
                {
                    let sure = inner.attrs.get("$seeded").cloned();
                    let made = self.lib_object("numpy.random.Generator", Args::default(), None);
                    if let (Some(lib), Some(sure)) = (self.lib_mut(&made), sure) {
                        lib.attrs.insert("$seeded".into(), sure);
                    }
                    return made;
                }
                self.new_generator("numpy.random.Generator", seed.as_ref())
            }
            "Generator" => {
                let made = self.lib_object("numpy.random.Generator", Args::default(), None);
                let sure =
                    args.pos.first().and_then(|s| self.lib(s)).and_then(|l| l.attrs.get("$seeded")).cloned();
                if let (Some(lib), Some(sure)) = (self.lib_mut(&made), sure) {
                    lib.attrs.insert("$seeded".into(), sure);
                }
                made
            }
            "get_state" | "set_state" => {
                if name == "set_state" {
                    self.seed("numpy", Some(&Val::of(Hint::Int)));
                }
                Val::any()
            }
            _ => self.numpy_draw(None, name, args),
        }
    }

    /// A draw from the global generator, a RandomState or a Generator.
    pub(super) fn numpy_draw(&mut self, me: Option<&Val>, name: &str, args: &Args) -> Val {
        let legacy = me.is_none_or(|m| self.lib(m).is_none_or(|l| &*l.path == "numpy.random.RandomState"));
        match name {
            "seed" => {
                let seed = args.pos.first().cloned();
                let sure = self.seeded_by(seed.as_ref());
                if let Some(lib) = me.and_then(|m| self.lib_mut(m)) {
                    lib.attrs.insert("$seeded".into(), sure.into());
                }
                return Val::NONE;
            }
            "get_state" | "set_state" | "bit_generator" | "state" | "generate_state" => return Val::any(),
            "spawn" | "jumped" => {
                let child = me.cloned().unwrap_or_else(Val::any);
                return self.list(Vec::new(), Some(child));
            }
            _ => {}
        }
        self.use_arrays(None, args);
        match me {
            None => self.draw("numpy", "numpy.rng.unseeded"),
            Some(me) => {
                self.draws += 1;
                let seeded =
                    self.lib(me).and_then(|l| l.attrs.get("$seeded")).is_some_and(|v| v.k == K::Bool(true));
                if !seeded {
                    self.rec.operation("numpy.rng.unseeded");
                }
            }
        }
        let uniform = table::of("numpy").draws.get("uniform").is_some_and(|d| d.contains(name));
        self.rec.operation(match (legacy, uniform) {
            (true, true) => "numpy.rng.legacy.uniform",
            (true, false) => "numpy.rng.legacy.distributions",
            (false, true) => "numpy.rng.generator.uniform",
            (false, false) => "numpy.rng.generator.distributions",
        });
        let ints = matches!(
            name,
            "randint"
                | "integers"
                | "random_integers"
                | "permutation"
                | "poisson"
                | "binomial"
                | "geometric"
                | "choice"
        );
        if name == "shuffle" {
            if let Some(list) = args.pos.first().cloned() {
                self.shuffle(&list);
            }
            return Val::NONE;
        }
        if name == "bytes" {
            return Val::of(Hint::Bytes);
        }
        let size = match name {
            "rand" | "randn" => Some(args.pos.clone()),
            "random" | "random_sample" | "standard_normal" | "sample" | "ranf" | "standard_exponential" => {
                Some(args.get(0, "size").cloned().into_iter().collect())
            }
            _ => {
                let at = match name {
                    "exponential" | "poisson" | "standard_gamma" | "rayleigh" | "pareto" | "weibull"
                    | "geometric" | "power" | "choice" => 1,
                    _ => 2,
                };
                Some(args.get(at, "size").cloned().into_iter().collect())
            }
        };
        let dtype = if ints { Some(Dtype::Int) } else { Some(Dtype::F64) };
        match (name, size) {
            ("permutation" | "permuted", _) => {
                let base = args.pos.first().map(|v| self.array_like(v, Dtype::F64, 3)).unwrap_or_default();
                let n = args.pos.first().and_then(Val::as_int);
                let made = if n.is_some() { Array::new(Some(Dtype::Int), Some(vec![n])) } else { base };
                self.array("numpy", made)
            }
            ("choice", Some(size)) => {
                let from = args.pos.first().map(|v| self.array_like(v, Dtype::F64, 2)).unwrap_or_default();
                if size.is_empty() || size.iter().all(Val::is_none) {
                    let items =
                        args.pos.first().filter(|v| v.as_int().is_none()).cloned().map(|v| self.iterate(&v));
                    return items.map_or_else(
                        || Val::of(Hint::Int),
                        |i| Val::one_of(i.known.into_iter().chain(i.more)),
                    );
                }
                let shape = self.dims(&size);
                self.array("numpy", Array::new(from.dtype, shape))
            }
            (_, Some(size)) if size.is_empty() || size.iter().all(Val::is_none) => {
                // One number, where the parameters are numbers.
                let arrays =
                    args.all().any(|a| self.array_of(a).is_some()) || name.starts_with("multivariate");
                if arrays {
                    self.array("numpy", Array::new(dtype, None))
                } else {
                    Val::of(if ints { Hint::Int } else { Hint::Float })
                }
            }
            (_, Some(size)) => {
                let shape = self.dims(&size);
                let named = args.named("dtype").and_then(|d| self.dtype_of(d));
                self.array("numpy", Array::new(named.or(dtype), shape))
            }
            (_, None) => self.array("numpy", Array::new(dtype, None)),
        }
    }
}
