//! Libraries that are not known: what may be in them, by what they build on.

use std::collections::BTreeSet;

use super::table;
use crate::workload::interp::Interp;
use crate::workload::record::Record;
use crate::workload::value::{Args, Val};

/// Libraries by the frameworks that they compute with, where that is known.
const BUILT_ON: &[(&str, &[&str])] = &[
    ("accelerate", &["torch"]),
    ("catboost", &["python"]),
    ("datasets", &["numpy"]),
    ("diffusers", &["torch", "numpy"]),
    ("equinox", &["jax"]),
    ("fastai", &["torch", "numpy"]),
    ("flax", &["jax"]),
    ("gensim", &["numpy", "scipy"]),
    ("gym", &["numpy"]),
    ("gymnasium", &["numpy"]),
    ("haiku", &["jax"]),
    ("ignite", &["torch"]),
    ("lightgbm", &["numpy"]),
    ("lightning", &["torch"]),
    ("monai", &["torch", "numpy"]),
    ("networkx", &["numpy", "scipy", "python"]),
    ("numba", &["numpy", "python"]),
    ("optax", &["jax"]),
    ("peft", &["torch"]),
    ("pytorch_lightning", &["torch"]),
    ("sentence_transformers", &["torch", "numpy"]),
    ("skimage", &["numpy", "scipy"]),
    ("stable_baselines3", &["torch", "numpy"]),
    ("statsmodels", &["numpy", "scipy"]),
    ("tensorflow_datasets", &["tensorflow", "numpy"]),
    ("tensorflow_probability", &["tensorflow"]),
    ("timm", &["torch"]),
    ("tokenizers", &["python"]),
    ("torch_geometric", &["torch"]),
    ("torchaudio", &["torch"]),
    ("torchmetrics", &["torch"]),
    ("torchtext", &["torch"]),
    ("torchvision", &["torch", "numpy"]),
    ("transformers", &["torch", "numpy"]),
    ("xgboost", &["numpy"]),
];

impl<'a> Interp<'a> {
    /// A function, class or method of a library that is not known.
    pub(super) fn foreign(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let root = path.split('.').next().unwrap_or(path);
        self.hand_over(args);
        if let Some(me) = me {
            self.escape(me);
        }
        match BUILT_ON.iter().find(|(name, _)| *name == root) {
            Some((_, frameworks)) => {
                for framework in *frameworks {
                    self.incomplete(framework, &format!("what `{root}` does is not known"));
                }
                if frameworks.contains(&"torch") {
                    self.rec.backward = true;
                }
            }
            None => self.incomplete("all", &format!("what `{root}` does is not known")),
        }
        self.lib_object(path, Args::default(), None).with(args.taint())
    }
}

/// What differentiation and mixed precision add to what the program performs itself.
pub(in crate::workload) fn backward(rec: &mut Record) {
    if rec.operations.contains("torch.amp") && rec.operations.iter().any(|o| o.starts_with("torch.matmul.")) {
        rec.operations.insert("torch.matmul.bf16".to_owned());
    }
    if !rec.backward {
        return;
    }
    let table = table::of("torch");
    let mut more: BTreeSet<String> = BTreeSet::new();
    for (forward, backward) in &table.backward {
        if rec.operations.contains(forward) {
            more.insert(backward.clone());
        }
    }
    // The gradient of a layer's bias is the sum over the batch.
    if rec.bias {
        more.insert("torch.reduce.column".to_owned());
    }
    if rec.operations.contains("torch.conv.forward") || rec.operations.contains("torch.embedding") {
        more.insert("torch.elementwise.basic".to_owned());
    }
    rec.operations.extend(more);
}

/// The frameworks of a rule's scope that are in use.
pub(in crate::workload) fn frameworks(rec: &Record) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = ["python".to_owned()].into();
    for import in &rec.imports {
        let own: &[&str] = match import.as_str() {
            "torch" => &["torch"],
            "numpy" => &["numpy"],
            "scipy" => &["scipy", "numpy"],
            "sklearn" | "imblearn" => &["sklearn", "scipy", "numpy"],
            "pandas" => &["numpy"],
            "jax" | "jaxlib" => &["jax", "numpy"],
            "tensorflow" | "keras" => &["tensorflow", "numpy"],
            other => BUILT_ON.iter().find(|(n, _)| *n == other).map_or(&[], |(_, f)| f),
        };
        out.extend(own.iter().map(|f| (*f).to_owned()));
    }
    out
}
