//! Libraries that are not known: what may be in them, by what they build on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
        let why = format!("what `{root}` does is not known");
        match self.built_on(root) {
            Some(frameworks) => {
                for framework in &frameworks {
                    self.incomplete(framework, &why);
                }
                self.rec.backward |= frameworks.contains(&"torch");
            }
            None => self.incomplete("all", &why),
        }
        self.lib_object(path, Args::default(), None).with(args.taint())
    }
}

impl Interp<'_> {
    /// The frameworks that a library computes with: by name, or by what its distribution declares to need. `None`
    /// where that is not known.
    fn built_on(&self, root: &str) -> Option<BTreeSet<&'static str>> {
        if let Some((_, frameworks)) = BUILT_ON.iter().find(|(name, _)| *name == root) {
            return Some(frameworks.iter().copied().collect());
        }
        let needs = self.inputs.site.iter().find_map(|site| needs(site, root))?;
        let mut out: BTreeSet<&'static str> = ["python"].into();
        for need in &needs {
            match DISTRIBUTIONS.iter().find(|(name, _)| name == need) {
                Some((_, frameworks)) => out.extend(*frameworks),
                None => out.extend(BUILT_ON.iter().filter(|(n, _)| normal(n) == *need).flat_map(|(_, f)| *f)),
            }
        }
        Some(out)
    }
}

/// Distributions of the frameworks themselves.
const DISTRIBUTIONS: &[(&str, &[&str])] = &[
    ("jax", &["jax", "numpy"]),
    ("keras", &["tensorflow", "numpy"]),
    ("numpy", &["numpy"]),
    ("pandas", &["numpy"]),
    ("scikit-learn", &["sklearn", "scipy", "numpy"]),
    ("scipy", &["scipy", "numpy"]),
    ("tensorflow", &["tensorflow", "numpy"]),
    ("torch", &["torch"]),
];

/// A distribution's name as it is compared (packaging.python.org: name normalization).
fn normal(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

/// The distributions that an installed one of this name needs, the extras apart; `None` where there is none.
fn needs(site: &Path, root: &str) -> Option<Vec<String>> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(site).ok()?.filter_map(|e| Some(e.ok()?.path())).collect();
    folders.sort();
    let own = folders.into_iter().find(|folder| {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        name.strip_suffix(".dist-info")
            .and_then(|n| n.split('-').next())
            .is_some_and(|n| normal(n) == normal(root))
    })?;
    let text = std::fs::read_to_string(own.join("METADATA")).ok()?;
    let headers = text.split("\n\n").next().unwrap_or_default();
    let lines =
        headers.lines().filter_map(|l| l.strip_prefix("Requires-Dist:")).filter(|l| !l.contains("extra =="));
    let name = |l: &str| {
        l.trim().chars().take_while(|c| c.is_alphanumeric() || "-_.".contains(*c)).collect::<String>()
    };
    Some(lines.map(|l| normal(&name(l))).collect())
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
