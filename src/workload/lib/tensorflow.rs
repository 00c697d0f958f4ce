//! TensorFlow and Keras.

use super::table;
use crate::workload::array::{Array, Dtype};
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, K, Val};

impl<'a> Interp<'a> {
    /// A function, class or method of TensorFlow.
    pub(super) fn tensorflow(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let name = path.rsplit('.').next().unwrap_or(path);
        let first = args.pos.first().cloned();
        if self.set_by_call(path, args) {
            return Val::NONE;
        }
        match path {
            "tensorflow.random.set_seed" => {
                self.seed("tensorflow", args.get(0, "seed"));
                return Val::NONE;
            }
            "tensorflow.keras.utils.set_random_seed" => {
                for generator in ["tensorflow", "numpy", "random"] {
                    self.seed(generator, args.get(0, "seed"));
                }
                return Val::NONE;
            }
            "tensorflow.function" | "tensorflow.autograph.experimental.do_not_convert" => {
                return first.unwrap_or_else(|| Val::sym("builtins.$identity"));
            }
            "tensorflow.keras.utils.to_categorical" => {
                return self.array("numpy", Array::new(Some(Dtype::F64), None));
            }
            "tensorflow.config.list_physical_devices"
            | "tensorflow.config.experimental.list_physical_devices" => {
                return self.list(Vec::new(), Some(Val::any()));
            }
            _ => {}
        }
        self.use_arrays(me, args);
        self.hand_over(args);
        if me.is_none() {
            for word in ["activation", "recurrent_activation"] {
                if args.named(word).is_some_and(|a| !a.is_none()) {
                    self.rec.operation("tensorflow.elementwise");
                }
            }
        }
        for family in table::of("tensorflow").families(path) {
            self.pseudo(family);
        }
        let class = name.starts_with(|c: char| c.is_ascii_uppercase()) && name != "Variable";
        if path.starts_with("tensorflow.data.") || path.starts_with("tensorflow.keras.") || class {
            return self.lib_object(path, args.clone(), None);
        }
        match name {
            "numpy" => self.array("numpy", Array::default()),
            "shape" | "split" | "unstack" => self.list(Vec::new(), Some(Val::any())),
            "cond" | "while_loop" | "map_fn" | "scan" => Val::any(),
            _ => self.array("tensorflow", Array::default()),
        }
    }

    /// A method of an object of TensorFlow's or Keras's, or a call of it.
    pub(super) fn keras_method(&mut self, path: &str, object: &Val, name: &str, args: &Args) -> Val {
        if path.starts_with("tensorflow.data.") {
            self.rec.operation("tensorflow.data");
            self.hand_over(args);
            if name == "as_numpy_iterator" {
                let item = self.array("numpy", Array::default());
                return self.list(Vec::new(), Some(item));
            }
            return object.clone();
        }
        match name {
            "get_weights" => {
                let item = self.array("numpy", Array::default());
                return self.list(Vec::new(), Some(item));
            }
            "fit" | "train_on_batch" | "evaluate" | "test_on_batch" | "fit_generator" => {
                self.rec.operation("tensorflow.fit");
                self.use_arrays(None, args);
                self.hand_over(args);
                self.run_model(object, args);
                return self.lib_object("tensorflow.keras.callbacks.History", Args::default(), None);
            }
            "compile" => {
                for family in ["tensorflow.elementwise", "tensorflow.reduce"] {
                    self.rec.operation(family);
                }
                self.hand_over(args);
                return Val::NONE;
            }
            "predict" | "predict_on_batch" => {
                self.use_arrays(None, args);
                self.run_model(object, args);
                return self.array("numpy", Array::default());
            }
            "gradient" | "apply_gradients" | "minimize" => {
                let item = self.array("tensorflow", Array::default());
                return self.list(Vec::new(), Some(item));
            }
            "watch" | "summary" | "build" | "save" | "save_weights" | "load_weights" | "add"
            | "reset_state" | "reset_states" | "update_state" => {
                self.hand_over(args);
                return Val::NONE;
            }
            "add_weight" => {
                self.rec.operation("tensorflow.rng");
                return self.array("tensorflow", Array::default());
            }
            "result" => return self.array("tensorflow", Array::default()),
            "from_config" | "get_config" | "get_layer" => return Val::any(),
            _ => {}
        }
        self.use_arrays(None, args);
        if name == "__call__" {
            let _ = Hint::Whatever;
            return self.array("tensorflow", Array::default());
        }
        self.tensorflow(&format!("{path}.{name}"), Some(object), args)
    }

    /// The program's own `call` and `train_step` run within `fit`.
    fn run_model(&mut self, model: &Val, args: &Args) {
        if !self.is_instance(model) {
            return;
        }
        let input = args.pos.first().cloned().unwrap_or_else(Val::any);
        for name in ["call", "train_step"] {
            let method = self.attr(model, name);
            if matches!(&method.k, K::Bound(b) if b.1.as_str() == "$method") {
                self.call_back(&method, std::slice::from_ref(&input));
            }
        }
    }
}
