//! Layers: what making them draws, and what calling them computes.

use super::table;
use crate::workload::array::{Array, Dtype};
use crate::workload::heap::Obj;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Id, K, Val};

impl<'a> Interp<'a> {
    /// A layer is made.
    pub(super) fn new_module(&mut self, path: &str, class: &str, args: &Args) -> Val {
        self.rec.used(args.taint());
        match class {
            "Parameter" => {
                let value = args.pos.first().cloned().unwrap_or_else(Val::any);
                return if self.array_of(&value).is_some() {
                    value
                } else {
                    self.array("torch", Array::default())
                };
            }
            "DataParallel" | "DistributedDataParallel" => {
                self.rec.operation("torch.distributed");
                return args.pos.first().cloned().unwrap_or_else(Val::any);
            }
            _ => {}
        }
        let words = table::of("torch").modules.get(class).cloned();
        match &words {
            Some(words) => {
                if words.iter().any(|w| w == "init") {
                    self.rec.operation("torch.init");
                    self.torch_draw(&Args::default());
                    if words.iter().any(|w| w == "torch.rng.normal") {
                        self.rec.operation("torch.rng.normal");
                    }
                }
            }
            None => {
                for family in table::of("torch").all() {
                    self.rec.operation(family);
                }
            }
        }
        self.lib_object(&format!("torch.nn.{}", path.rsplit('.').next().unwrap_or(class)), args.clone(), None)
    }

    /// The layers of a container, in order.
    pub(super) fn children(&mut self, id: Id) -> Vec<Val> {
        let Obj::Lib(lib) = self.heap.get(id) else { return Vec::new() };
        let lib = lib.clone();
        let mut out = Vec::new();
        for arg in &lib.args.pos {
            if self.lib(arg).is_some_and(|l| l.path.starts_with("torch.nn.")) || self.is_instance(arg) {
                out.push(arg.clone());
                continue;
            }
            let items = self.iterate(arg);
            if let K::Ref(id) = arg.k
                && let Obj::Dict { items, .. } = self.heap.get(id)
            {
                out.extend(items.iter().map(|(_, v)| v.clone()));
                continue;
            }
            out.extend(items.known.into_iter().chain(items.more));
        }
        out.extend(
            lib.attrs
                .iter()
                .filter(|(n, _)| !n.starts_with('$') && n.as_str() != "training")
                .map(|(_, v)| v.clone()),
        );
        if let Some(Val { k: K::Tuple(more), .. }) = lib.attrs.get("$appended") {
            out.extend(more.iter().cloned());
        }
        out
    }

    pub(super) fn is_instance(&self, value: &Val) -> bool {
        matches!(value.k, K::Ref(id) if matches!(self.heap.get(id), Obj::Instance { .. }))
    }

    /// A layer is called.
    pub(super) fn call_module(&mut self, id: Id, class: &str, args: &Args) -> Val {
        let input = args.pos.first().cloned().unwrap_or_else(Val::any);
        match class {
            "Sequential" => {
                let mut value = input;
                for child in self.children(id) {
                    value = self.call(&child, &Args::of(vec![value]));
                }
                return value;
            }
            "ModuleList" | "ModuleDict" => return Val::any(),
            _ => {}
        }
        self.use_arrays(None, args);
        let Obj::Lib(lib) = self.heap.get(id) else { return Val::any() };
        let lib = lib.clone();
        let training = lib.attrs.get("training").is_none_or(|t| t.k != K::Bool(false));
        let mut array = self.array_like(&input, Dtype::F32, 3);
        let own = lib.attrs.get("$dtype").and_then(|d| self.dtype_of(d));
        let of_weights = own.or(Some(self.default_dtype()));
        for family in table::of("torch").modules.get(class).cloned().unwrap_or_default() {
            match family.as_str() {
                "torch.matmul" => {
                    // The input has the type of the weights, or torch refuses.
                    self.matmul_family(array.dtype.filter(|d| d.is_float()).or(of_weights));
                }
                "bias" => self.rec.bias |= lib.args.named("bias").is_none_or(|b| b.k != K::Bool(false)),
                "torch.dropout" => {
                    let p = lib.args.get(0, "p").map(|p| p.k.clone());
                    let drops = class != "Transformer" && !matches!(p, Some(K::Float(0.0) | K::Int(0)));
                    if training && drops {
                        self.rec.operation("torch.dropout");
                        self.torch_draw(&Args::default());
                    }
                }
                "init" | "torch.rng.normal" => {}
                family => self.rec.operation(family),
            }
        }
        if matches!(class, "RNN" | "LSTM" | "GRU") {
            let p = lib.args.named("dropout").map(|p| p.k.clone());
            if training && !matches!(p, None | Some(K::Float(0.0) | K::Int(0))) {
                self.rec.operation("torch.dropout");
                self.torch_draw(&Args::default());
            }
        }
        let dtype = array.dtype.filter(|d| d.is_float()).or(of_weights);
        let out = |name: &str, at: usize| lib.args.get(at, name).and_then(Val::as_int);
        match class {
            "Linear" | "LazyLinear" => {
                array.shape = array.shape.filter(|s| !s.is_empty()).map(|mut s| {
                    if let Some(last) = s.last_mut() {
                        *last = out("out_features", if class == "Linear" { 1 } else { 0 });
                    }
                    s
                });
            }
            "Embedding" => {
                array.shape = array.shape.map(|mut s| {
                    s.push(out("embedding_dim", 1));
                    s
                });
            }
            "RNN" | "LSTM" | "GRU" => {
                let hidden = out("hidden_size", 1).filter(|_| lib.args.named("bidirectional").is_none());
                let shape = array.shape.map(|mut s| {
                    if let Some(last) = s.last_mut() {
                        *last = hidden;
                    }
                    s
                });
                let sequence = self.array("torch", Array::new(dtype, shape));
                let state = self.array("torch", Array::new(dtype, None));
                let state = if class == "LSTM" { Val::tuple(vec![state.clone(), state]) } else { state };
                return Val::tuple(vec![sequence, state]);
            }
            "LSTMCell" => {
                let state = self.array("torch", Array::new(dtype, None));
                return Val::tuple(vec![state.clone(), state]);
            }
            "MultiheadAttention" => {
                let one = self.array("torch", Array::new(dtype, array.shape));
                let weights = self.array("torch", Array::new(dtype, None));
                return Val::tuple(vec![one, weights]);
            }
            "Flatten" => {
                let tail = array
                    .shape
                    .as_ref()
                    .and_then(|s| s.iter().skip(1).try_fold(1i64, |n, d| n.checked_mul((*d)?)));
                array.shape = array.shape.and_then(|s| Some(vec![*s.first()?, tail]));
            }
            _ if class.starts_with("Conv") => {
                array.shape = array.shape.map(|s| {
                    let mut out_shape = vec![None; s.len()];
                    if s.len() > 1 {
                        out_shape[0] = s[0];
                        out_shape[1] = out("out_channels", 1);
                    }
                    out_shape
                });
            }
            _ if class.contains("Pool") => {
                array.shape = array
                    .shape
                    .map(|s| s.iter().enumerate().map(|(i, d)| if i < 2 { *d } else { None }).collect());
            }
            _ if class.ends_with("Loss") => {
                let whole = lib.args.named("reduction").is_none_or(|r| r.as_str() != Some("none"));
                array = Array::new(dtype, if whole { Some(Vec::new()) } else { None });
            }
            "Identity" | "Dropout" | "ReLU" | "Tanh" | "Sigmoid" | "GELU" | "SiLU" | "Softmax"
            | "LogSoftmax" | "LayerNorm" | "BatchNorm1d" | "BatchNorm2d" => {}
            _ => array.shape = None,
        }
        self.array(
            "torch",
            Array {
                dtype: if class == "Identity" || class == "Flatten" { array.dtype } else { dtype },
                shape: array.shape,
                empty: false,
            },
        )
    }

    /// `train()`, `eval()`: a mode for a module and all in it.
    pub(super) fn set_training(&mut self, module: &Val, on: bool, depth: usize) {
        self.each_module(module, depth, &mut |lib| {
            lib.insert("training".into(), on.into());
        });
    }

    /// `double()`, `half()`, `to(dtype)`: a type for the weights of a module and all in it.
    pub(super) fn set_weights(&mut self, module: &Val, dtype: &Val, depth: usize) {
        self.each_module(module, depth, &mut |lib| {
            lib.insert("$dtype".into(), dtype.clone());
        });
    }

    fn each_module(
        &mut self,
        module: &Val,
        depth: usize,
        act: &mut dyn FnMut(&mut crate::workload::heap::Names),
    ) {
        let (_, ids) = self.reach(module, false);
        let _ = depth;
        for id in ids {
            let is_module = match self.heap.get(id) {
                Obj::Lib(lib) => lib.path.starts_with("torch.nn."),
                Obj::Instance { class: Some(class), .. } => {
                    self.lib_base(*class).is_some_and(|b| b.starts_with("torch.nn."))
                }
                _ => false,
            };
            if is_module && let Some(names) = self.heap.names_mut(id) {
                act(names);
            }
        }
    }

    /// `torch.nn.init`: weights written by a rule of the program's own.
    pub(super) fn torch_init(&mut self, name: &str, args: &Args) -> Val {
        let target = args.pos.first().cloned().unwrap_or_else(Val::any);
        self.rec.used(args.taint());
        self.written(&target);
        let family = match name {
            "constant" | "zeros" | "ones" | "eye" | "dirac" | "calculate_gain" => None,
            _ if name.contains("uniform") => Some("torch.rng.uniform"),
            _ => Some("torch.rng.normal"),
        };
        if let Some(family) = family {
            self.rec.operation(family);
            self.torch_draw(args);
        }
        if name == "orthogonal" {
            self.rec.operation("torch.linalg");
        }
        target
    }
}
