//! Functions of torch and methods of its tensors.

use super::table;
use crate::workload::array::{Array, Dim, Dtype};
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, K, Val};

/// Elements of one thread's grain: at::internal::GRAIN_SIZE.
const GRAIN: i64 = 32_768;

/// Whether no dimension of a matrix is one that MKL's AVX-512 kernels divide among threads
/// (docs/concepts/what-moves-on-cpu.md): then no product of it is, nor one of its gradient.
fn is_small(array: &Array) -> bool {
    array.shape.as_ref().is_some_and(|shape| shape.iter().rev().take(2).all(|d| d.is_some_and(|n| n <= 192)))
}

impl<'a> Interp<'a> {
    /// A function, class or method of torch.
    pub(super) fn torch(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let last = path.rsplit('.').next().unwrap_or(path);
        let name =
            last.strip_suffix('_').filter(|n| !n.is_empty() && !last.starts_with("__")).unwrap_or(last);
        if let Some(value) = self.torch_setting(path, me, args) {
            return value;
        }
        if path.starts_with("torch.nn.init.") {
            return self.torch_init(name, args);
        }
        if path.starts_with("torch.utils.data.") {
            return self.torch_data(path, args);
        }
        if me.is_none() && path.starts_with("torch.nn.") && last.starts_with(|c: char| c.is_ascii_uppercase())
        {
            return self.new_module(path, last, args);
        }
        if me.is_none() && path.starts_with("torch.optim.") {
            for arg in args.all().cloned().collect::<Vec<_>>() {
                self.rec.used(arg.t);
                self.call_back(&arg, &[Val::of(Hint::Int)]);
            }
            return self.lib_object(path, args.clone(), None);
        }
        match path {
            "torch.Generator" => return self.lib_object(path, args.clone(), None),
            "torch.compile" | "torch.jit.script" | "torch.jit.trace" => {
                self.rec.operation("torch.compile");
                let model = args.get(0, "model").cloned();
                let disabled = args.named("disable").and_then(|d| self.truth(d)) == Some(true);
                if disabled {
                    self.rec.operations.remove("torch.compile");
                }
                return model.unwrap_or_else(|| Val::sym("builtins.$identity"));
            }
            "torch.autocast" | "torch.amp.autocast" => {
                self.rec.operation("torch.amp");
                return self.lib_object(path, args.clone(), None);
            }
            "torch.no_grad" | "torch.enable_grad" | "torch.inference_mode" | "torch.set_grad_enabled" => {
                return match args.pos.first() {
                    Some(f) if self.is_function(f) => f.clone(),
                    _ => self.lib_object("torch.no_grad", args.clone(), None),
                };
            }
            "torch.device" | "torch.dtype" | "torch.finfo" | "torch.iinfo" => {
                self.device(args);
                return self.lib_object(path, args.clone(), None);
            }
            "torch.load" => {
                self.data_files(path, args);
                return Val::any();
            }
            "torch.save" => {
                self.writes(args, 1);
                return Val::NONE;
            }
            "torch.cuda.is_available" | "torch.cuda.device_count" => {
                self.rec.read("gpu.count");
                return Val::of(if last == "device_count" { Hint::Int } else { Hint::Bool });
            }
            "torch.backends.mps.is_available"
            | "torch.backends.cuda.is_built"
            | "torch.distributed.is_initialized"
            | "torch.distributed.is_available" => {
                return Val::of(Hint::Bool);
            }
            "torch.multiprocessing.spawn" => {
                self.rec.operation("python.multiprocessing");
                let f = args.get(0, "fn").cloned().unwrap_or_else(Val::any);
                return self.call_back(&f, &[]);
            }
            "torch.utils.checkpoint.checkpoint" => {
                let f = args.pos.first().cloned().unwrap_or_else(Val::any);
                let rest = Args { pos: args.pos.iter().skip(1).cloned().collect(), ..Args::default() };
                return self.call(&f, &rest);
            }
            _ => {}
        }
        if path.starts_with("torch.cuda.") && me.is_none() {
            self.rec.operation("torch.cuda");
            return Val::any();
        }
        if me.is_none()
            && let Some(value) = self.torch_transform(path, args)
        {
            return value;
        }
        if path.starts_with("torch.distributions.") {
            self.draw("torch", "torch.rng.unseeded");
            ["torch.rng.normal", "torch.rng.uniform", "torch.rng.bernoulli", "torch.elementwise.math"]
                .iter()
                .for_each(|f| self.rec.operation(f));
            return self.lib_object(path, args.clone(), None);
        }
        self.torch_tensor(path, name, last, me, args)
    }

    pub(super) fn is_function(&self, value: &Val) -> bool {
        match &value.k {
            K::Ref(id) => matches!(
                self.heap.get(*id),
                crate::workload::heap::Obj::Func(_) | crate::workload::heap::Obj::Class(_)
            ),
            K::Bound(b) => b.1.as_str() == "$method",
            _ => false,
        }
    }

    /// `torch.func` and `torch.autograd`: transformations of functions.
    fn torch_transform(&mut self, path: &str, args: &Args) -> Option<Val> {
        match path {
            "torch.autograd.grad" | "torch.autograd.backward" => {
                self.rec.backward = true;
                Some(self.list(Vec::new(), Some(Val::any())))
            }
            _ if path.starts_with("torch.func.")
                || path.starts_with("torch.autograd.functional.")
                || path == "torch.vmap" =>
            {
                if path.contains("grad")
                    || path.contains("jac")
                    || path.contains("vjp")
                    || path.contains("hess")
                {
                    self.rec.backward = true;
                }
                let f = args.pos.first().cloned()?;
                self.call_back(&f, &[]);
                Some(Val::any())
            }
            _ => None,
        }
    }

    /// An argument that names a device.
    pub(super) fn device(&mut self, args: &Args) {
        let named = args.named("device").into_iter().chain(args.pos.first());
        let cuda = named.flat_map(Val::parts).any(|v| v.as_str().is_some_and(|s| s.starts_with("cuda")));
        if cuda {
            self.rec.operation("torch.cuda");
        }
    }

    /// Whether a draw takes a generator of its own, and it is seeded.
    pub(super) fn torch_draw(&mut self, args: &Args) {
        self.draws += 1;
        match args.named("generator").filter(|g| !g.is_none()) {
            Some(generator) => {
                let seeded = self
                    .lib(generator)
                    .and_then(|l| l.attrs.get("$seeded"))
                    .is_some_and(|v| v.k == K::Bool(true));
                if !seeded {
                    self.rec.operation("torch.rng.unseeded");
                }
            }
            None => self.draw("torch", "torch.rng.unseeded"),
        }
    }

    fn torch_tensor(&mut self, path: &str, name: &str, last: &str, me: Option<&Val>, args: &Args) -> Val {
        let first = me.or_else(|| args.pos.first());
        let mut array = first.map(|v| self.array_like(v, Dtype::F32, 4)).unwrap_or_default();
        let unwritten = first.and_then(|v| self.array_of(v)).is_some_and(|a| a.empty);
        let in_place = last.len() != name.len() && me.is_some();
        let fills = matches!(
            name,
            "fill"
                | "zero"
                | "copy"
                | "uniform"
                | "normal"
                | "bernoulli"
                | "random"
                | "exponential"
                | "log_normal"
                | "cauchy"
                | "geometric"
                | "trunc_normal"
        ) && in_place;
        if fills && let Some(me) = me {
            self.written(me);
        }
        // What only looks at the form of a tensor does not use what is in it.
        let form = matches!(
            name,
            "size"
                | "dim"
                | "numel"
                | "shape"
                | "is_contiguous"
                | "view"
                | "reshape"
                | "t"
                | "transpose"
                | "permute"
                | "squeeze"
                | "unsqueeze"
                | "flatten"
                | "detach"
                | "requires_grad"
                | "numpy"
                | "contiguous_"
                | "new_zeros"
                | "new_empty"
                | "new_ones"
                | "zeros_like"
                | "empty_like"
                | "ones_like"
                | "full_like"
                | "rand_like"
                | "randn_like"
                | "element_size"
                | "stride"
                | "expand"
                | "device"
                | "is_floating_point"
                | "data_ptr"
                | "Parameter"
                | "nelement"
                | "as_tensor"
                | "from_numpy"
                | "view_as"
                | "share_memory"
                | "pin_memory"
        );
        array.empty = form && unwritten;
        if !form && !fills {
            self.use_arrays(me, args);
        } else {
            self.rec.used(args.taint());
        }
        self.device(&Args { pos: Vec::new(), ..args.clone() });
        let families: Vec<String> = table::of("torch").families(path).to_vec();
        let rng = families.iter().any(|f| f.starts_with("torch.rng.") || f == "torch.dropout");
        if families == ["torch.dropout"] {
            let training = args.get(2, "training").and_then(|t| self.truth(t));
            let p = args.get(1, "p").map(|p| p.k.clone());
            if training == Some(false) || matches!(p, Some(K::Float(0.0) | K::Int(0))) {
                return first.cloned().unwrap_or_else(Val::any);
            }
        }
        if rng {
            self.torch_draw(args);
        }
        let integers = array.dtype.is_some_and(|d| !d.is_float());
        for family in &families {
            match family.as_str() {
                "torch.matmul" => array = self.torch_product(name, &array, me, args),
                "torch.reduce" => {
                    let (dims, keep) = self.reduction(me.is_some(), args, "dim");
                    self.torch_reduce(name, &array, dims.as_ref(), args);
                    if name == "logsumexp" {
                        self.rec.operation("torch.elementwise.math");
                    }
                    let shape = match &dims {
                        Axes::All => array.reduced(None, keep),
                        Axes::Some(axes) => array.reduced(Some(axes), keep),
                        Axes::Unknown => None,
                    };
                    let dtype = if name == "mean" && integers { Some(Dtype::F32) } else { array.dtype };
                    array = Array::new(dtype, shape);
                }
                "torch.elementwise.basic" if integers => {}
                "torch.elementwise.math" if integers && matches!(name, "pow") => {}
                // Squares, roots and cubes are products (ATen: pow_tensor_scalar).
                "torch.elementwise.math" if name == "pow" && plain_power(args.pos.last()) => {
                    self.rec.operation("torch.elementwise.basic");
                }
                "torch.elementwise.math" if array.count().is_some_and(|n| n <= GRAIN) => {
                    self.rec.operation("torch.elementwise.math.small");
                }
                // Of a tensor of probabilities, not of one number for all.
                "torch.rng.bernoulli" if name == "bernoulli" && !in_place => {
                    self.rec.operation("torch.rng.bernoulli.tensor");
                }
                family => self.rec.operation(family),
            }
        }
        if in_place && let Some(me) = me {
            return me.clone();
        }
        self.torch_result(name, array, me, args, &families)
    }

    /// The type of tensors and weights that are made without one.
    pub(super) fn default_dtype(&self) -> Dtype {
        let set =
            self.rec.settings.get("torch.default_dtype").and_then(|v| v.as_str()).and_then(Dtype::named);
        set.unwrap_or(Dtype::F32)
    }

    /// What a function gives.
    fn torch_result(
        &mut self,
        name: &str,
        mut array: Array,
        me: Option<&Val>,
        args: &Args,
        families: &[String],
    ) -> Val {
        array.empty &= matches!(
            name,
            "view"
                | "reshape"
                | "t"
                | "transpose"
                | "detach"
                | "numpy"
                | "from_numpy"
                | "as_tensor"
                | "flatten"
                | "requires_grad"
                | "squeeze"
                | "unsqueeze"
                | "permute"
        );
        let rest: &[Val] = if me.is_some() { &args.pos } else { args.pos.get(1..).unwrap_or_default() };
        let named_dtype = args.named("dtype").and_then(|d| self.dtype_of(d));
        let new = |array: Array| array;
        let default = Some(self.default_dtype());
        let like = |s: &Self, a: &Array| {
            let _ = s;
            Array { dtype: named_dtype.or(a.dtype), shape: a.shape.clone(), empty: false }
        };
        match name {
            "backward" => {
                self.rec.backward = true;
                return Val::NONE;
            }
            "item" => return self.number_of(array.dtype),
            "tolist" => {
                return match array.dims() {
                    Some(0) => self.number_of(array.dtype),
                    _ => {
                        let item = self.number_of(array.dtype);
                        self.list(Vec::new(), Some(item))
                    }
                };
            }
            "size" => {
                if let Some(n) = rest.first().and_then(Val::as_int) {
                    let dim = array.shape.as_ref().and_then(|s| {
                        let len = i64::try_from(s.len()).ok()?;
                        s.get(usize::try_from(if n < 0 { n + len } else { n }).ok()?).copied().flatten()
                    });
                    return dim.map_or_else(|| Val::of(Hint::Int), Val::from);
                }
                return shape_value(&array);
            }
            "dim" => {
                return array
                    .dims()
                    .and_then(|n| i64::try_from(n).ok())
                    .map_or_else(|| Val::of(Hint::Int), Val::from);
            }
            "numel" | "nelement" => return array.count().map_or_else(|| Val::of(Hint::Int), Val::from),
            "numpy" => {
                let value = self.array("numpy", array);
                return self.view_of(value, me);
            }
            "from_numpy" | "as_tensor" | "asarray" | "tensor" => {
                let dtype = named_dtype.or(array.dtype);
                let value = self.array("torch", Array { dtype, ..array });
                return if name == "tensor" { value } else { self.view_of(value, args.pos.first()) };
            }
            "zeros" | "ones" | "empty" | "rand" | "randn" => {
                let shape = match args.named("size").cloned() {
                    Some(size) => self.dims(&[size]),
                    None => self.dims(&args.pos),
                };
                let made = Array { dtype: named_dtype.or(default), shape, empty: name == "empty" };
                return self.array("torch", made);
            }
            "new_zeros" | "new_ones" | "new_empty" => {
                let shape = self.dims(&args.pos);
                return self.array(
                    "torch",
                    Array { dtype: named_dtype.or(array.dtype), shape, empty: name == "new_empty" },
                );
            }
            "empty_like" => {
                let mut made = like(self, &array);
                made.empty = true;
                return self.array("torch", made);
            }
            "zeros_like" | "ones_like" | "full_like" | "rand_like" | "randn_like" | "randint_like" => {
                let made = like(self, &array);
                return self.array("torch", made);
            }
            "full" => {
                let shape = args.pos.first().cloned().and_then(|s| self.dims(&[s]));
                let value = args.get(1, "fill_value").map(Val::hint);
                let dtype = named_dtype.or(match value {
                    Some(Hint::Int) => Some(Dtype::Int),
                    Some(Hint::Bool) => Some(Dtype::Bool),
                    _ => default,
                });
                return self.array("torch", Array::new(dtype, shape));
            }
            "randint" => {
                let size = args.named("size").or_else(|| args.pos.last()).cloned();
                let shape = size.and_then(|s| self.dims(&[s]));
                return self.array("torch", new(Array::new(named_dtype.or(Some(Dtype::Int)), shape)));
            }
            "randperm" => {
                let n = args.pos.first().and_then(Val::as_int);
                return self.array("torch", Array::new(Some(Dtype::Int), Some(vec![n])));
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
                let dtype = named_dtype.or(if ints { Some(Dtype::Int) } else { default });
                return self.array("torch", Array::new(dtype, Some(vec![n])));
            }
            "eye" => {
                let n = args.pos.first().and_then(Val::as_int);
                return self.array(
                    "torch",
                    Array::new(
                        named_dtype.or(default),
                        Some(vec![n, args.pos.get(1).map_or(n, Val::as_int)]),
                    ),
                );
            }
            "double" | "float" | "half" | "bfloat16" | "int" | "long" | "short" | "byte" | "bool" => {
                array.dtype = Dtype::named(name).or(match name {
                    "float" => Some(Dtype::F32),
                    "bfloat16" => Some(Dtype::Bf16),
                    "int" => Some(Dtype::Int),
                    _ => array.dtype,
                })
            }
            "to" | "type" | "type_as" | "cuda" => {
                for arg in args.pos.iter().chain(args.named("dtype")) {
                    if let Some(dtype) = self.dtype_of(arg) {
                        array.dtype = Some(dtype);
                    }
                }
                self.device(args);
                if name == "cuda" {
                    self.rec.operation("torch.cuda");
                }
            }
            "view" | "reshape" => {
                let dims = self.dims(rest);
                let base = me.or_else(|| args.pos.first()).cloned();
                let value = self.array("torch", Array { shape: dims.map(|d| array.reshaped(&d)), ..array });
                return self.view_of(value, base.as_ref());
            }
            "flatten" => {
                let start = rest.first().or_else(|| args.named("start_dim")).map_or(Some(0), Val::as_int);
                array.shape = match (&array.shape, start, rest.len() < 2) {
                    (Some(shape), Some(start), true) => {
                        let start = usize::try_from(start).unwrap_or(0).min(shape.len());
                        let tail = shape[start..].iter().try_fold(1i64, |n, d| n.checked_mul((*d)?));
                        Some(shape[..start].iter().copied().chain([tail]).collect())
                    }
                    _ => None,
                };
            }
            "ravel" => array.shape = Some(vec![array.count()]),
            "t" => {
                if let Some(shape) = &mut array.shape {
                    shape.reverse();
                }
            }
            "transpose" | "swapaxes" => {
                let n = array.dims().and_then(|n| i64::try_from(n).ok());
                array.shape = match (
                    array.shape,
                    n,
                    rest.first().and_then(Val::as_int),
                    rest.get(1).and_then(Val::as_int),
                ) {
                    (Some(mut shape), Some(n), Some(i), Some(j)) => {
                        let at = |i: i64| {
                            usize::try_from(if i < 0 { i + n } else { i }).ok().filter(|i| *i < shape.len())
                        };
                        match (at(i), at(j)) {
                            (Some(i), Some(j)) => {
                                shape.swap(i, j);
                                Some(shape)
                            }
                            _ => None,
                        }
                    }
                    _ => None,
                };
            }
            "permute" | "squeeze" | "unsqueeze" | "expand" | "repeat" | "repeat_interleave" | "gather"
            | "index_select" | "pad" | "roll_" | "interpolate" | "masked_select" | "diag" | "tile"
            | "unfold" | "fold" | "narrow" | "select" | "take" | "nonzero" | "where_" => array.shape = None,
            "cat" | "stack" | "concat" | "concatenate" | "vstack" | "hstack" | "einsum" | "meshgrid"
            | "broadcast_tensors" => {
                let first = args.pos.first().cloned().unwrap_or_else(Val::any);
                let inner = self.iterate(&first);
                let dtype = inner
                    .known
                    .iter()
                    .chain(&inner.more)
                    .find_map(|v| self.array_of(v))
                    .and_then(|a| a.dtype);
                array = Array::new(dtype.or(array.dtype), None);
                if matches!(name, "meshgrid" | "broadcast_tensors") {
                    let item = self.array("torch", array);
                    return self.list(Vec::new(), Some(item));
                }
            }
            "split" | "chunk" | "unbind" | "tensor_split" => {
                let item = self.array("torch", Array::new(array.dtype, None));
                return self.list(Vec::new(), Some(item));
            }
            "argmax" | "argmin" | "argsort" | "count_nonzero" | "bincount" | "searchsorted" | "bucketize" => {
                let (axes, keep) = self.reduction(me.is_some(), args, "dim");
                let shape = match axes {
                    Axes::All => Some(Vec::new()),
                    Axes::Some(axes) if name.starts_with("argm") => array.reduced(Some(&axes), keep),
                    _ => None,
                };
                return self.array("torch", Array::new(Some(Dtype::Int), shape));
            }
            "max" | "min" | "topk" | "sort" | "kthvalue" | "mode" | "median" | "cummax" | "cummin"
            | "std_mean" | "var_mean" | "aminmax" | "unique" => {
                let (axes, keep) = self.reduction(me.is_some(), args, "dim");
                let two =
                    !matches!(name, "max" | "min" | "median" | "unique") || matches!(axes, Axes::Some(_));
                if !two {
                    return self.array("torch", Array::new(array.dtype, (name != "unique").then(Vec::new)));
                }
                let shape = match (&axes, name) {
                    (Axes::Some(axes), "max" | "min" | "median" | "mode") => array.reduced(Some(axes), keep),
                    (_, "sort") => array.shape.clone(),
                    _ => None,
                };
                let values = self.array("torch", Array::new(array.dtype, shape.clone()));
                let places = self.array("torch", Array::new(Some(Dtype::Int), shape));
                return Val::tuple(vec![values, places]);
            }
            "qr" | "svd" | "eigh" | "eig" | "lu" | "slogdet" | "lstsq" => {
                let item = self.array("torch", Array::new(array.dtype, None));
                return self.list(Vec::new(), Some(item));
            }
            "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "isnan" | "isinf" | "isfinite" | "logical_and"
            | "logical_or" | "logical_not" => array.dtype = Some(Dtype::Bool),
            "all" | "any" => array = Array::new(Some(Dtype::Bool), None),
            "allclose" | "equal" | "is_tensor" | "is_floating_point" | "is_available" | "is_complex"
            | "is_contiguous" => return Val::of(Hint::Bool),
            "get_num_threads" | "initial_seed" | "element_size" | "data_ptr" => return Val::of(Hint::Int),
            "state_dict" => return self.lib_object("torch.state_dict", Args::default(), None),
            "get_rng_state" | "set_rng_state" => return Val::any(),
            "load_state_dict" | "zero_grad" | "register_buffer" => return Val::any(),
            "clone" | "contiguous" | "detach" | "cpu" | "requires_grad" | "pin_memory" | "share_memory"
            | "clamp" | "abs" | "masked_fill" | "dropout" => {
                if matches!(name, "detach" | "requires_grad") {
                    let value = self.array("torch", array);
                    return self.view_of(value, me);
                }
            }
            "one_hot" => array = Array::new(Some(Dtype::Int), None),
            "conv1d" | "conv2d" | "conv3d" => array.shape = array.shape.map(|s| vec![None; s.len()]),
            _ if families.iter().any(|f| f == "torch.loss") => {
                let whole = args.named("reduction").is_none_or(|r| r.as_str() != Some("none"));
                return self
                    .array("torch", Array::new(array.dtype, if whole { Some(Vec::new()) } else { None }));
            }
            _ if families
                .iter()
                .any(|f| f.starts_with("torch.pool") || f == "torch.fft" || f == "torch.linalg") =>
            {
                array.shape = None
            }
            _ if families.iter().any(|f| f.starts_with("torch.elementwise")) => {
                if let Some(other) = rest.first().filter(|o| self.array_of(o).is_some()).cloned() {
                    let other = self.array_like(&other, Dtype::F32, 1);
                    array.shape = Array::broadcast(array.shape.as_deref(), other.shape.as_deref());
                    array.dtype = Dtype::promote(array.dtype, other.dtype);
                }
                if families.iter().any(|f| f == "torch.elementwise.math")
                    && array.dtype.is_some_and(|d| !d.is_float())
                    && name != "pow"
                {
                    array.dtype = Some(Dtype::F32);
                }
            }
            _ if families.iter().any(String::is_empty) || families.is_empty() => {}
            _ => {}
        }
        array.empty = array.empty && matches!(name, "view" | "reshape" | "t" | "transpose" | "detach");
        self.array("torch", array)
    }

    /// Remembers that writing to the one array writes to the other.
    pub(super) fn view_of(&mut self, value: Val, base: Option<&Val>) -> Val {
        if let Some(base) = base.cloned()
            && let Some(lib) = self.lib_mut(&value)
        {
            lib.attrs.insert("$base".into(), base);
        }
        value
    }

    /// A matrix product, by the type of its elements; what it gives.
    pub(super) fn torch_product(
        &mut self,
        name: &str,
        array: &Array,
        me: Option<&Val>,
        args: &Args,
    ) -> Array {
        let mut others: Vec<Array> = Vec::new();
        for arg in args.all().cloned().collect::<Vec<_>>() {
            if self.array_of(&arg).is_some() {
                others.push(self.array_like(&arg, Dtype::F32, 2));
            } else if matches!(name, "einsum" | "multi_dot" | "chain_matmul") {
                let items = self.iterate(&arg);
                others.extend(items.known.iter().filter_map(|v| self.array_of(v).cloned()));
            }
        }
        let dtype =
            if name == "einsum" { None } else { array.dtype }.or_else(|| others.iter().find_map(|a| a.dtype));
        if name == "matmul" || name == "inner" {
            let second = if me.is_some() { others.first() } else { others.get(1) };
            if array.dims() == Some(1) && second.and_then(Array::dims) == Some(1) {
                self.rec.operation("torch.dot");
                return Array::new(dtype, Some(Vec::new()));
            }
            let unknown =
                array.dims().is_none_or(|d| d == 1) && second.and_then(Array::dims).is_none_or(|d| d == 1);
            if unknown && name == "matmul" && array.dims() == Some(1) {
                self.rec.operation("torch.dot");
            }
            if dtype == Some(Dtype::F32) && is_small(array) && second.is_some_and(is_small) {
                self.rec.operation("torch.matmul.f32.small");
            } else {
                self.matmul_family(dtype);
            }
            return Array::new(
                dtype,
                Array::product(array.shape.as_deref(), second.and_then(|s| s.shape.as_deref())),
            );
        }
        self.matmul_family(dtype);
        let second = if me.is_some() { others.first() } else { others.get(1) };
        if name == "linear" && args.get(2, "bias").is_some_and(|b| !b.is_none()) {
            self.rec.bias = true;
        }
        let shape = match name {
            "mm" | "bmm" | "mv" => {
                Array::product(array.shape.as_deref(), second.and_then(|s| s.shape.as_deref()))
            }
            "linear" => match (&array.shape, second.and_then(|s| s.shape.as_ref())) {
                (Some(x), Some(w)) if !x.is_empty() && !w.is_empty() => {
                    Some(x[..x.len() - 1].iter().copied().chain([w[0]]).collect())
                }
                _ => None,
            },
            _ => None,
        };
        Array::new(dtype, shape)
    }

    pub(super) fn matmul_family(&mut self, dtype: Option<Dtype>) {
        let families: &[&str] = match dtype {
            Some(Dtype::F32 | Dtype::Complex) => &["torch.matmul.f32"],
            Some(Dtype::F64) => &["torch.matmul.f64"],
            Some(Dtype::F16 | Dtype::Bf16) => &["torch.matmul.bf16"],
            Some(Dtype::Int | Dtype::Bool) => &[],
            None => &["torch.matmul.f32", "torch.matmul.f64"],
        };
        families.iter().for_each(|f| self.rec.operation(f));
    }

    /// Which reduction it is.
    fn torch_reduce(&mut self, name: &str, array: &Array, axes: AxesRef<'_>, args: &Args) {
        if array.dtype.is_some_and(|d| !d.is_float())
            && matches!(name, "sum" | "prod")
            && args.named("dtype").is_none()
        {
            return;
        }
        let small = array.count().is_some_and(|n| n <= GRAIN);
        let dims = array.dims().and_then(|n| i64::try_from(n).ok());
        match axes {
            AxesRef::All => {
                self.rec.operation(if small { "torch.reduce.full.small" } else { "torch.reduce.full" })
            }
            AxesRef::Some(axes) => {
                let last = |a: i64| a == -1 || Some(a + 1) == dims;
                if dims.is_some_and(|d| usize::try_from(d) == Ok(axes.len())) {
                    self.rec.operation(if small { "torch.reduce.full.small" } else { "torch.reduce.full" });
                } else if axes.iter().any(|a| last(*a)) {
                    self.rec.operation("torch.reduce.row");
                } else if dims.is_some() {
                    self.rec.operation("torch.reduce.column");
                } else {
                    self.rec.operation("torch.reduce.row");
                    self.rec.operation("torch.reduce.column");
                }
            }
            AxesRef::Unknown => ["torch.reduce.full", "torch.reduce.row", "torch.reduce.column"]
                .iter()
                .for_each(|f| self.rec.operation(f)),
        }
    }

    /// The axes that a reduction is told, and whether it keeps them.
    pub(super) fn reduction(&mut self, method: bool, args: &Args, keyword: &str) -> (Axes, bool) {
        let rest: &[Val] = if method { &args.pos } else { args.pos.get(1..).unwrap_or_default() };
        let given = args.named(keyword).or_else(|| args.named("axis")).or_else(|| rest.first()).cloned();
        let keep = ["keepdim", "keepdims"]
            .iter()
            .find_map(|n| args.named(n).cloned())
            .and_then(|k| self.truth(&k))
            .unwrap_or(false);
        let axes = match given {
            None => Axes::All,
            Some(v) if v.is_none() => Axes::All,
            Some(v) => match &v.k {
                K::Int(n) => Axes::Some(vec![*n]),
                K::Tuple(_) | K::Ref(_) if self.array_of(&v).is_none() => {
                    match self.dims(&[v]).and_then(|d| d.into_iter().collect::<Option<Vec<i64>>>()) {
                        Some(axes) if axes.is_empty() => Axes::All,
                        Some(axes) => Axes::Some(axes),
                        None => Axes::Unknown,
                    }
                }
                // `norm("fro")`, `sum(dtype=…)`, `norm(2)` are of the whole.
                K::Str(_) | K::Sym(_) | K::Float(_) => Axes::All,
                _ => Axes::Unknown,
            },
        };
        (axes, keep)
    }
}

/// Whether a power is worked out by products and roots alone.
fn plain_power(power: Option<&Val>) -> bool {
    match power.map(|p| &p.k) {
        Some(K::Int(n)) => (-2..=3).contains(n),
        Some(K::Float(f)) => [0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 3.0].contains(f),
        _ => false,
    }
}

/// The axes of a reduction.
#[derive(Clone, Debug)]
pub(super) enum Axes {
    All,
    Some(Vec<i64>),
    Unknown,
}

/// The same, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) enum AxesRef<'x> {
    All,
    Some(&'x [i64]),
    Unknown,
}

impl Axes {
    pub(super) fn as_ref(&self) -> AxesRef<'_> {
        match self {
            Self::All => AxesRef::All,
            Self::Some(a) => AxesRef::Some(a),
            Self::Unknown => AxesRef::Unknown,
        }
    }
}

/// A shape as the tuple that a program reads.
pub(super) fn shape_value(array: &Array) -> Val {
    match &array.shape {
        Some(shape) => {
            Val::tuple(shape.iter().map(|d: &Dim| d.map_or_else(|| Val::of(Hint::Int), Val::from)).collect())
        }
        None => Val::any(),
    }
}
