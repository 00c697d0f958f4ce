//! Methods of torch's modules, optimisers and distributions.

use std::rc::Rc;

use crate::workload::array::Array;
use crate::workload::heap::Lib;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// An attribute of a layer.
    pub(super) fn module_attr_of(&mut self, lib: &Lib, object: &Val, name: &str) -> Val {
        let class = lib.path.rsplit('.').next().unwrap_or("");
        let size = |at: usize, name: &str| lib.args.get(at, name).and_then(Val::as_int);
        match name {
            "weight" | "bias" | "running_mean" | "running_var" | "in_proj_weight" => {
                let shape = match (class, name) {
                    ("Linear", "weight") => Some(vec![size(1, "out_features"), size(0, "in_features")]),
                    ("Linear", "bias") => Some(vec![size(1, "out_features")]),
                    ("Embedding", "weight") => {
                        Some(vec![size(0, "num_embeddings"), size(1, "embedding_dim")])
                    }
                    _ => None,
                };
                let own = lib.attrs.get("$dtype").and_then(|d| self.dtype_of(d));
                self.array("torch", Array::new(own.or(Some(self.default_dtype())), shape))
            }
            "training" => true.into(),
            "in_features" | "in_channels" | "num_embeddings" | "input_size" => {
                lib.args.pos.first().cloned().unwrap_or_else(Val::any)
            }
            "out_features" | "out_channels" | "embedding_dim" | "hidden_size" => {
                lib.args.pos.get(1).cloned().unwrap_or_else(Val::any)
            }
            _ if name.starts_with("__") && name != "__call__" => Val::any(),
            _ => lib
                .args
                .named(name)
                .cloned()
                .unwrap_or_else(|| Val::from(K::Bound(Rc::new((object.clone(), name.into()))))),
        }
    }

    /// A method that every module has, of a layer or of an object of the program's own class.
    pub(super) fn module_method(&mut self, me: &Val, name: &str, args: &Args) -> Val {
        match name {
            "train" => {
                let on = args.get(0, "mode").cloned().is_none_or(|m| self.truth(&m) != Some(false));
                self.set_training(me, on, 8);
                me.clone()
            }
            "eval" => {
                self.set_training(me, false, 8);
                me.clone()
            }
            "double" | "float" | "half" | "bfloat16" => {
                let dtype = if name == "float" { "float32" } else { name };
                self.set_weights(me, &Val::sym(format!("torch.{dtype}")), 8);
                me.clone()
            }
            "to" => {
                for arg in args.pos.iter().chain(args.named("dtype")).cloned().collect::<Vec<_>>() {
                    if self.dtype_of(&arg).is_some() {
                        self.set_weights(me, &arg, 8);
                    }
                }
                self.device(args);
                me.clone()
            }
            "cuda" => {
                self.rec.operation("torch.cuda");
                me.clone()
            }
            "cpu" | "requires_grad_" | "share_memory" | "to_empty" | "xpu" => me.clone(),
            "parameters" | "buffers" => {
                let item = self.array("torch", Array::new(Some(self.default_dtype()), None));
                self.list(Vec::new(), Some(item))
            }
            "named_parameters" | "named_buffers" => {
                let item = self.array("torch", Array::new(Some(self.default_dtype()), None));
                self.list(Vec::new(), Some(Val::tuple(vec![Val::of(Hint::Str), item])))
            }
            "modules" | "children" => {
                let all = self.submodules(me);
                let more = (!all.is_empty()).then(|| Val::one_of(all));
                self.list(Vec::new(), more)
            }
            "named_modules" | "named_children" => {
                let all = Val::one_of(self.submodules(me));
                self.list(Vec::new(), Some(Val::tuple(vec![Val::of(Hint::Str), all])))
            }
            "apply" => {
                let f = args.pos.first().cloned().unwrap_or_else(Val::any);
                for module in self.submodules(me) {
                    self.call(&f, &Args::of(vec![module]));
                }
                me.clone()
            }
            "state_dict" => self.lib_object("torch.state_dict", Args::default(), None),
            "append" | "add_module" | "register_module" | "extend" | "insert" => {
                let value = args.pos.last().cloned().unwrap_or_else(Val::any);
                let mut new = vec![value.clone()];
                if name == "extend" {
                    let items = self.iterate(&value);
                    new = items.known.into_iter().chain(items.more).collect();
                }
                let named =
                    args.pos.first().and_then(Val::as_str).map(str::to_owned).filter(|_| args.pos.len() == 2);
                if let Some(names) = self.names_of(me) {
                    if let Some(key) = named {
                        names.insert(key.as_str().into(), value);
                    } else {
                        let mut all = match names.get("$appended") {
                            Some(Val { k: K::Tuple(old), .. }) => old.to_vec(),
                            _ => Vec::new(),
                        };
                        if all.len() < 256 {
                            all.extend(new);
                        }
                        names.insert("$appended".into(), Val::tuple(all));
                    }
                }
                me.clone()
            }
            "register_buffer" | "register_parameter" => {
                if let (Some(key), Some(value)) = (args.pos.first().and_then(Val::as_str), args.pos.get(1)) {
                    let (key, value) = (key.to_owned(), value.clone());
                    if let Some(names) = self.names_of(me) {
                        names.insert(key.as_str().into(), value);
                    }
                }
                Val::NONE
            }
            "register_forward_hook"
            | "register_forward_pre_hook"
            | "register_full_backward_hook"
            | "register_backward_hook" => {
                self.hand_over(args);
                Val::any()
            }
            "forward" | "__call__" => self.call(me, args),
            "compile" => {
                self.rec.operation("torch.compile");
                Val::NONE
            }
            "reset_parameters" | "_reset_parameters" => {
                self.rec.operation("torch.init");
                self.torch_draw(&Args::default());
                Val::NONE
            }
            "items" | "values" | "keys" => {
                let all: Vec<Val> = self.submodules(me).into_iter().skip(1).collect();
                let (key, one) = (Val::of(Hint::Str), Val::one_of(all));
                let item = match name {
                    "items" => Val::tuple(vec![key, one]),
                    "keys" => key,
                    _ => one,
                };
                self.list(Vec::new(), Some(item))
            }
            "load_state_dict" | "zero_grad" | "extra_repr" | "state" | "register_state_dict_pre_hook" => {
                Val::any()
            }
            "named_tensors" | "get_parameter" => self.array("torch", Array::default()),
            "get_submodule" => Val::one_of(self.submodules(me)),
            // A decoder's or cell's own method that is not listed.
            _ => {
                self.use_arrays(None, args);
                self.unknown_method(name, args)
            }
        }
    }

    fn names_of(&mut self, value: &Val) -> Option<&mut crate::workload::heap::Names> {
        match value.k {
            K::Ref(id) => self.heap.names_mut(id),
            _ => None,
        }
    }

    /// A module and all in it.
    fn submodules(&mut self, me: &Val) -> Vec<Val> {
        let (_, ids) = self.reach(me, false);
        let mut out: Vec<Id> = Vec::new();
        for id in ids {
            let value = Val::from(id);
            let layer = self.lib(&value).is_some_and(|l| l.path.starts_with("torch.nn."));
            if (layer || self.is_instance(&value)) && !out.contains(&id) && out.len() < 200 {
                out.push(id);
            }
        }
        out.into_iter().map(Val::from).collect()
    }

    /// A method of an optimiser or a schedule.
    pub(super) fn optimizer_method(&mut self, id: Id, name: &str, args: &Args) -> Val {
        if name == "step" {
            self.use_lib(id);
            if let Some(closure) = args.get(0, "closure").cloned() {
                return self.call_back(&closure, &[]);
            }
        }
        match name {
            "state_dict" => self.lib_object("torch.state_dict", Args::default(), None),
            "get_last_lr" => self.list(Vec::new(), Some(Val::of(Hint::Float))),
            _ => Val::NONE,
        }
    }

    /// A method of a distribution.
    pub(super) fn distribution_method(&mut self, name: &str) -> Val {
        if matches!(name, "sample" | "rsample" | "sample_n") {
            self.torch_draw(&Args::default());
        }
        self.array("torch", Array::new(Some(self.default_dtype()), None))
    }
}
