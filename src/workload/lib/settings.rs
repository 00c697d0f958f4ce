//! Switches that a program sets itself.

use crate::workload::array::Dtype;
use crate::workload::interp::{Interp, plain};
use crate::workload::value::{Args, Hint, K, Val};

/// Functions that set something: their path, the name of the setting, the argument.
const SETTERS: &[(&str, &str, &str)] = &[
    ("torch.set_num_threads", "torch.num_threads", "int"),
    ("torch.set_num_interop_threads", "torch.num_interop_threads", "int"),
    ("torch.use_deterministic_algorithms", "torch.deterministic_algorithms", "mode"),
    ("torch.set_deterministic_debug_mode", "torch.deterministic_debug_mode", "debug_mode"),
    ("torch.set_float32_matmul_precision", "torch.float32_matmul_precision", "precision"),
    ("torch.set_flush_denormal", "torch.flush_denormal", "mode"),
    ("torch.set_default_dtype", "torch.default_dtype", "d"),
    ("torch.set_default_device", "torch.default_device", "device"),
    ("torch.backends.cuda.enable_flash_sdp", "torch.backends.cuda.flash_sdp", "enabled"),
    ("torch.backends.cuda.enable_mem_efficient_sdp", "torch.backends.cuda.mem_efficient_sdp", "enabled"),
    ("torch.backends.cuda.enable_math_sdp", "torch.backends.cuda.math_sdp", "enabled"),
    ("torch.backends.cuda.enable_cudnn_sdp", "torch.backends.cuda.cudnn_sdp", "enabled"),
    (
        "tensorflow.config.threading.set_intra_op_parallelism_threads",
        "tensorflow.intra_op_threads",
        "num_threads",
    ),
    (
        "tensorflow.config.threading.set_inter_op_parallelism_threads",
        "tensorflow.inter_op_threads",
        "num_threads",
    ),
    ("tensorflow.config.experimental.enable_op_determinism", "tensorflow.op_determinism", "$true"),
    (
        "tensorflow.config.experimental.enable_tensor_float_32_execution",
        "tensorflow.tensor_float_32",
        "enabled",
    ),
    ("tensorflow.config.optimizer.set_jit", "tensorflow.jit", "enabled"),
    ("tensorflow.config.run_functions_eagerly", "tensorflow.run_functions_eagerly", "run_eagerly"),
    ("tensorflow.keras.backend.set_floatx", "tensorflow.floatx", "dtype"),
    ("tensorflow.keras.mixed_precision.set_global_policy", "tensorflow.mixed_precision", "policy"),
    ("sys.setrecursionlimit", "python.recursion_limit", "limit"),
    ("threadpoolctl.threadpool_limits", "threadpoolctl.limits", "limits"),
    ("numexpr.set_num_threads", "numexpr.num_threads", "nthreads"),
    ("mkl.set_num_threads", "mkl.num_threads", "n"),
    ("cv2.setNumThreads", "cv2.num_threads", "nthreads"),
];

impl<'a> Interp<'a> {
    /// A setting becomes known.
    pub(super) fn setting(&mut self, name: &str, value: &Val) {
        self.rec.used(value.t);
        self.rec.effects += 1;
        let shown = plain(value, &self.heap).unwrap_or_else(|| "unknown".into());
        self.rec.settings.insert(name.to_owned(), shown);
    }

    /// A call that only sets something.
    pub(super) fn set_by_call(&mut self, path: &str, args: &Args) -> bool {
        let Some((_, name, argument)) = SETTERS.iter().find(|(p, ..)| *p == path) else { return false };
        let value = if *argument == "$true" {
            true.into()
        } else {
            args.get(0, argument).cloned().unwrap_or_else(Val::any)
        };
        self.setting(name, &value);
        if let Some(warn) = args.named("warn_only").cloned() {
            self.setting("torch.deterministic_warn_only", &warn);
        }
        true
    }

    /// `torch.backends.cudnn.benchmark = True` and its like.
    pub(in crate::workload) fn set_symbol(&mut self, path: &str, value: &Val) {
        let path = super::canonical(path).into_owned();
        if path == "sys.argv" || path.starts_with("sys.std") || path.starts_with("builtins.") {
            return;
        }
        self.setting(&path, value);
    }

    /// Functions of torch that seed or set.
    pub(super) fn torch_setting(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Option<Val> {
        if self.set_by_call(path, args) {
            return Some(Val::NONE);
        }
        match path {
            "torch.manual_seed" | "torch.random.manual_seed" => {
                self.seed("torch", args.get(0, "seed"));
                Some(self.lib_object("torch.Generator", Args::default(), None))
            }
            "torch.cuda.manual_seed" | "torch.cuda.manual_seed_all" => {
                self.seed("torch.cuda", args.get(0, "seed"));
                Some(Val::NONE)
            }
            "torch.seed" | "torch.random.seed" => {
                self.seed("torch", None);
                Some(Val::of(Hint::Int))
            }
            _ if path.ends_with("Generator.manual_seed") => {
                let seed = args.get(0, "seed").cloned().unwrap_or_else(Val::any);
                self.rec.used(seed.t);
                self.rec.seed(
                    "torch.Generator",
                    plain(&seed, &self.heap).map_or_else(|| "unknown".to_owned(), |p| p.plain()),
                );
                let me = me.cloned()?;
                if let Some(lib) = self.lib_mut(&me) {
                    lib.attrs.insert("$seeded".into(), true.into());
                }
                Some(me)
            }
            _ if path.starts_with("torch.Generator.") => Some(Val::any()),
            _ if path.starts_with("torch.backends.") || path.starts_with("torch.version.") => {
                let _ = Dtype::F32;
                Some(Val::any())
            }
            _ => None,
        }
    }

    /// `jax.config.update("jax_enable_x64", True)`.
    pub(super) fn jax_setting(&mut self, args: &Args) {
        if let (Some(K::Str(name)), Some(value)) =
            (args.pos.first().map(|v| v.k.clone()), args.pos.get(1).cloned())
        {
            let name = format!("jax.{}", name.strip_prefix("jax_").unwrap_or(&name));
            self.setting(&name, &value);
        }
    }
}
