//! What libraries see of a program's text.
//!
//! A function that is given to a library can be asked for its annotations and its docstring, and a library can look
//! at the local variables of whoever calls it. Here are those of which it is known that they do neither, or only the
//! first. Of every other library nothing is known, and a program that imports one keeps its names, annotations and
//! docstrings.

/// Libraries that look at no name, annotation or docstring of the program: none of them calls `typing.get_type_hints`,
/// `inspect.getdoc` or `sys._getframe` on what is not its own (searched in their sources), apart from the functions
/// that `world.rs` knows by name (`torch.jit.script`, `torch.library.custom_op`, `DataFrame.query`).
const BLIND: &[&str] = &[
    "PIL",
    "cv2",
    "h5py",
    "imageio",
    "jax",
    "jaxlib",
    "joblib",
    "matplotlib",
    "mpl_toolkits",
    "numpy",
    "optax",
    "orjson",
    "pandas",
    "psutil",
    "pyarrow",
    "pytz",
    "regex",
    "requests",
    "safetensors",
    "scipy",
    "sentencepiece",
    "six",
    "skimage",
    "sklearn",
    "tensorboard",
    "tensorflow",
    "threadpoolctl",
    "timm",
    "tokenizers",
    "torch",
    "torchaudio",
    "torchvision",
    "tqdm",
    "xgboost",
    "lightgbm",
    "yaml",
];

/// Libraries that look at annotations, docstrings or parameters of functions and classes that they are given, but at
/// no local variable: `transformers` makes tool descriptions of docstrings, `flax` and `equinox` read class fields.
const SIGNATURES: &[&str] = &[
    "accelerate",
    "click",
    "datasets",
    "diffusers",
    "einops",
    "equinox",
    "evaluate",
    "flax",
    "gymnasium",
    "haiku",
    "hydra",
    "keras",
    "lightning",
    "omegaconf",
    "optuna",
    "peft",
    "pydantic",
    "pytorch_lightning",
    "torch_geometric",
    "torchmetrics",
    "transformers",
    "typer",
    "wandb",
];

/// What the libraries that a program imports may see of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// Nothing but values.
    #[default]
    Blind,
    /// Annotations and docstrings.
    Signatures,
    /// Anything, the names of local variables and the text itself included.
    Anything,
}

/// What a library sees, by the name that is imported.
pub(super) fn sight(import: &str) -> Sight {
    if BLIND.contains(&import) {
        Sight::Blind
    } else if SIGNATURES.contains(&import) {
        Sight::Signatures
    } else {
        Sight::Anything
    }
}
