//! JAX: operations, and the functions that transform functions.

use super::table;
use crate::workload::array::{Array, Dtype};
use crate::workload::heap::Lib;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, K, Val};

/// Functions that give a function back.
const TRANSFORMS: &[&str] = &[
    "jit",
    "vmap",
    "pmap",
    "grad",
    "value_and_grad",
    "checkpoint",
    "remat",
    "custom_jvp",
    "custom_vjp",
    "jacfwd",
    "jacrev",
    "hessian",
    "named_call",
];

impl<'a> Interp<'a> {
    /// A function or method of JAX.
    pub(super) fn jax(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let name = path.rsplit('.').next().unwrap_or(path);
        let first = args.pos.first().cloned();
        if me.is_none() && TRANSFORMS.contains(&name) {
            return match first {
                Some(f) => {
                    if name == "pmap" {
                        self.rec.operation("jax.distributed");
                    }
                    self.lib_object("jax.$fn", Args::of(vec![f, Val::str(name)]), None)
                }
                // `@jax.jit(static_argnums=0)` and the like.
                None => Val::sym("builtins.$identity"),
            };
        }
        match path {
            "jax.random.PRNGKey" | "jax.random.key" => {
                self.note_seed("jax", first.as_ref());
                self.seeded_by(first.as_ref());
                return self.array("jax", Array::new(Some(Dtype::Int), None));
            }
            "jax.config.update" => {
                self.jax_setting(args);
                return Val::NONE;
            }
            "jax.random.split" => {
                self.rec.operation("jax.rng");
                let key = self.array("jax", Array::new(Some(Dtype::Int), None));
                let n = args.get(1, "num").map_or(Some(2), Val::as_int).and_then(|n| usize::try_from(n).ok());
                return match n.filter(|n| *n <= 64) {
                    Some(n) => self.list(vec![key; n], None),
                    None => self.list(Vec::new(), Some(key)),
                };
            }
            "jax.lax.scan" => {
                let init = args.get(1, "init").cloned().unwrap_or_else(Val::any);
                let xs = args.get(2, "xs").cloned().unwrap_or(Val::NONE);
                let x = self.jax_slice(&xs, 4);
                let out = self.call(&first.unwrap_or_else(Val::any), &Args::of(vec![init, x]));
                return match &out.k {
                    K::Tuple(_) => out,
                    _ => Val::tuple(vec![Val::any(), Val::any()]),
                };
            }
            "jax.lax.fori_loop" => {
                let init = args.get(3, "init_val").cloned().unwrap_or_else(Val::any);
                let body = args.get(2, "body_fun").cloned().unwrap_or_else(Val::any);
                let out = self.call(&body, &Args::of(vec![Val::of(Hint::Int), init.clone()]));
                return init.join(&out);
            }
            "jax.lax.while_loop" => {
                let init = args.get(2, "init_val").cloned().unwrap_or_else(Val::any);
                for f in args.pos.iter().take(2).cloned().collect::<Vec<_>>() {
                    self.call(&f, &Args::of(vec![init.clone()]));
                }
                return init;
            }
            "jax.lax.cond" | "jax.lax.switch" => {
                let functions: Vec<Val> =
                    args.pos.iter().skip(1).filter(|v| self.is_function(v)).cloned().collect();
                let rest: Vec<Val> =
                    args.pos.iter().skip(1).filter(|v| !self.is_function(v)).cloned().collect();
                let mut out = Vec::new();
                for f in &functions {
                    out.push(self.call_back(f, &rest));
                }
                return Val::one_of(out);
            }
            "jax.lax.map" => {
                let x = self.jax_slice(args.pos.get(1).unwrap_or(&Val::NONE), 4);
                self.call(&first.unwrap_or_else(Val::any), &Args::of(vec![x]));
                return self.array("jax", Array::default());
            }
            "jax.tree_util.tree_map"
            | "jax.tree.map"
            | "jax.tree_map"
            | "jax.tree_util.tree_map_with_path" => {
                let leaves: Vec<Val> =
                    args.pos.iter().skip(1).map(|_| self.array("jax", Array::default())).collect();
                self.call(&first.unwrap_or_else(Val::any), &Args::of(leaves));
                return args.pos.get(1).cloned().unwrap_or_else(Val::any);
            }
            "jax.vjp" | "jax.jvp" | "jax.linearize" => {
                let out =
                    self.call_back(&first.unwrap_or_else(Val::any), args.pos.get(1..).unwrap_or_default());
                return Val::tuple(vec![out, Val::any()]);
            }
            "jax.devices" | "jax.local_devices" => return self.list(Vec::new(), Some(Val::any())),
            "jax.device_count" | "jax.local_device_count" | "jax.process_count" | "jax.process_index" => {
                return Val::of(Hint::Int);
            }
            "jax.default_backend" => return Val::of(Hint::Str),
            "jax.block_until_ready" | "jax.device_put" | "jax.device_get" | "jax.lax.stop_gradient" => {
                return first.unwrap_or_else(Val::any);
            }
            _ => {}
        }
        self.use_arrays(me, args);
        for arg in args.all().cloned().collect::<Vec<_>>() {
            self.call_back(&arg, &[]);
        }
        let mut array = me.or(first.as_ref()).map(|v| self.array_like(v, Dtype::F32, 3)).unwrap_or_default();
        let integers = array.dtype.is_some_and(|d| !d.is_float());
        for family in table::of("jax").families(path) {
            if !(integers
                && matches!(family.as_str(), "jax.elementwise" | "jax.matmul")
                && args
                    .pos
                    .iter()
                    .all(|a| self.array_of(a).is_none_or(|a| a.dtype.is_some_and(|d| !d.is_float()))))
            {
                self.pseudo(family);
            }
        }
        match name {
            "item" => return self.number_of(array.dtype),
            "tolist" => return self.list(Vec::new(), Some(Val::of(Hint::Float))),
            "block_until_ready" => return me.cloned().unwrap_or_else(Val::any),
            "astype" => {
                array.dtype = args.pos.first().and_then(|d| self.dtype_of(d)).or(array.dtype);
                return self.array("jax", array);
            }
            "value_and_grad" => return Val::any(),
            _ => {}
        }
        if path.starts_with("jax.debug.") || path.starts_with("jax.profiler.") {
            return Val::NONE;
        }
        let kept = matches!(name, "asarray" | "array" | "device_put" | "copy")
            || name.starts_with("zeros_like")
            || name.starts_with("ones_like");
        let unary = table::of("jax").families(path) == ["jax.elementwise"]
            && args.pos.len() + usize::from(me.is_some()) == 1;
        let shape = if kept || unary { array.shape } else { None };
        let dtype = if path.starts_with("jax.random.") {
            Some(Dtype::F32)
        } else {
            array.dtype.filter(|_| kept || unary)
        };
        self.array("jax", Array::new(dtype, shape))
    }

    /// One item along the first dimension of a tree of arrays.
    fn jax_slice(&mut self, tree: &Val, depth: u32) -> Val {
        match &tree.k {
            K::Tuple(items) if depth > 0 => {
                let items = items.to_vec();
                Val::tuple(items.iter().map(|i| self.jax_slice(i, depth - 1)).collect())
            }
            K::None => Val::NONE,
            _ => self.array("jax", Array::default()),
        }
    }

    /// A function that `jit`, `grad` and their kin gave is called.
    pub(super) fn call_transformed(&mut self, lib: &Lib, args: &Args) -> Val {
        let [f, how] = &lib.args.pos[..] else { return Val::any() };
        let (f, how) = (f.clone(), how.as_str().unwrap_or("").to_owned());
        let args = if how == "vmap" {
            Args {
                pos: args.pos.iter().map(|_| self.array("jax", Array::default())).collect(),
                ..args.clone()
            }
        } else {
            args.clone()
        };
        let out = self.call(&f, &args);
        let gradient = || args.pos.first().cloned().unwrap_or_else(Val::any);
        match &*how {
            "grad" => gradient(),
            "value_and_grad" => Val::tuple(vec![out, gradient()]),
            "jacfwd" | "jacrev" | "hessian" => self.array("jax", Array::default()),
            _ => out,
        }
    }
}
