//! Which calls draw from a generator that the whole process shares, and which seed one.

use super::file::{Call, File};
use super::seeding::is_seed_name;
use super::values::{is_open, keyword};

/// A generator of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Generator {
    Python,
    NumPy,
    Torch,
    TensorFlow,
}

impl Generator {
    pub(super) const ALL: [Self; 4] = [Self::Python, Self::NumPy, Self::Torch, Self::TensorFlow];

    /// How it is called, and what seeds it.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Python => ("Python's random", "random.seed"),
            Self::NumPy => ("NumPy's global generator", "np.random.seed"),
            Self::Torch => ("torch's generator", "torch.manual_seed"),
            Self::TensorFlow => ("TensorFlow's generator", "tf.random.set_seed"),
        }
    }
}

/// A set of generators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generators(u8);

impl Generators {
    pub(super) const EVERY: Self = Self(0b1111);

    pub(super) fn only(list: &[Generator]) -> Self {
        Self(list.iter().fold(0, |set, g| set | 1 << *g as u8))
    }

    pub(super) fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, generator: Generator) -> bool {
        self.0 & (1 << generator as u8) != 0
    }
}

/// A draw, and whether it counts only in a program that trains: the first weights of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Draw {
    pub(super) generator: Generator,
    pub(super) only_in_training: bool,
}

const PYTHON: [&str; 22] = [
    "random",
    "randint",
    "randrange",
    "randbytes",
    "getrandbits",
    "choice",
    "choices",
    "shuffle",
    "sample",
    "uniform",
    "triangular",
    "betavariate",
    "expovariate",
    "gammavariate",
    "gauss",
    "lognormvariate",
    "normalvariate",
    "vonmisesvariate",
    "paretovariate",
    "weibullvariate",
    "binomialvariate",
    "jumpahead",
];

/// Names in `numpy.random` that draw nothing by themselves.
const NOT_NUMPY: [&str; 18] = [
    "seed",
    "RandomState",
    "default_rng",
    "Generator",
    "SeedSequence",
    "BitGenerator",
    "PCG64",
    "PCG64DXSM",
    "MT19937",
    "Philox",
    "SFC64",
    "get_state",
    "set_state",
    "get_bit_generator",
    "set_bit_generator",
    "mtrand",
    "bit_generator",
    "test",
];

const TORCH: [&str; 15] = [
    "rand",
    "randn",
    "randint",
    "randperm",
    "normal",
    "bernoulli",
    "multinomial",
    "poisson",
    "rand_like",
    "randn_like",
    "randint_like",
    "dropout",
    "nn.functional.dropout",
    "nn.functional.gumbel_softmax",
    "utils.data.random_split",
];

/// Methods of tensors that fill in place, so named that nothing else is called so.
const TORCH_METHODS: [&str; 7] =
    ["normal_", "uniform_", "bernoulli_", "random_", "exponential_", "log_normal_", "geometric_"];

const INITIALISERS: [&str; 9] = [
    "uniform_",
    "normal_",
    "trunc_normal_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
    "sparse_",
];

/// Layers of torch whose first weights are drawn.
const LAYERS: [&str; 28] = [
    "Linear",
    "LazyLinear",
    "Bilinear",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "RNN",
    "LSTM",
    "GRU",
    "RNNCell",
    "LSTMCell",
    "GRUCell",
    "Embedding",
    "EmbeddingBag",
    "Transformer",
    "TransformerEncoderLayer",
    "TransformerDecoderLayer",
    "MultiheadAttention",
    "Dropout",
    "Dropout2d",
    "Dropout3d",
    "AlphaDropout",
];

const KERAS_LAYERS: [&str; 18] = [
    "Dense",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "SeparableConv2D",
    "DepthwiseConv2D",
    "SimpleRNN",
    "LSTM",
    "GRU",
    "Embedding",
    "Dropout",
    "SpatialDropout2D",
    "GaussianNoise",
    "MultiHeadAttention",
    "Bidirectional",
    "EinsumDense",
];

/// Whether a transform of torchvision draws.
pub(super) fn is_random_transform(path: &str) -> bool {
    path.strip_prefix("torchvision.transforms.").is_some_and(|name| {
        name.starts_with("Random")
            || matches!(name, "ColorJitter" | "AutoAugment" | "TrivialAugmentWide" | "AugMix")
    })
}

fn none_or_missing<'a>(file: &File<'a>, call: &Call<'a>, name: &str) -> bool {
    keyword(call.of, name).is_none_or(|e| file.tree.behind(e, call.scope).0.is_none_literal_expr())
}

/// What a call draws from the generators of the process.
pub(super) fn of<'a>(file: &File<'a>, call: &Call<'a>) -> Option<Draw> {
    let draw = |generator| Some(Draw { generator, only_in_training: false });
    let weights = |generator| Some(Draw { generator, only_in_training: true });
    let path = call.path.as_str();
    if let Some(name) = path.strip_prefix("random.") {
        return PYTHON.contains(&name).then_some(()).and_then(|()| draw(Generator::Python));
    }
    if let Some(name) = path.strip_prefix("numpy.random.") {
        let draws = !name.contains('.') && !NOT_NUMPY.contains(&name) && !name.starts_with('_');
        return draws.then_some(()).and_then(|()| draw(Generator::NumPy));
    }
    if let Some(name) = path.strip_prefix("torch.") {
        let free = none_or_missing(file, call, "generator") && !is_open(call.of);
        let shuffles = name == "utils.data.DataLoader"
            && keyword(call.of, "shuffle").is_some_and(|e| file.tree.truth(e, call.scope) == Some(true));
        let samples = matches!(name, "utils.data.RandomSampler" | "utils.data.WeightedRandomSampler");
        if free && (TORCH.contains(&name) || shuffles || samples) {
            return draw(Generator::Torch);
        }
        if name.strip_prefix("nn.init.").is_some_and(|n| INITIALISERS.contains(&n))
            || name.strip_prefix("nn.").is_some_and(|n| LAYERS.contains(&n))
        {
            return weights(Generator::Torch);
        }
        return None;
    }
    if is_random_transform(path) {
        return draw(Generator::Torch);
    }
    if path.strip_prefix("keras.layers.").is_some_and(|n| KERAS_LAYERS.contains(&n)) {
        return weights(Generator::TensorFlow);
    }
    if let Some(name) = path.strip_prefix("tensorflow.random.") {
        let free = matches!(
            name,
            "uniform" | "normal" | "truncated_normal" | "shuffle" | "categorical" | "poisson" | "gamma"
        );
        return (free && none_or_missing(file, call, "seed"))
            .then_some(())
            .and_then(|()| draw(Generator::TensorFlow));
    }
    // Methods, by names that nothing else has.
    if !call.of.func.is_attribute_expr() || is_open(call.of) {
        return None;
    }
    match call.name() {
        name if TORCH_METHODS.contains(&name) && none_or_missing(file, call, "generator") => {
            draw(Generator::Torch)
        }
        // pandas' `sample(frac=…)` draws from NumPy's generator.
        "sample" if keyword(call.of, "frac").is_some() && none_or_missing(file, call, "random_state") => {
            draw(Generator::NumPy)
        }
        _ => None,
    }
}

/// Which generators a call seeds.
pub(super) fn seeds<'a>(file: &File<'a>, call: &Call<'a>) -> Generators {
    use Generator::{NumPy, Python, TensorFlow, Torch};
    let first =
        call.of.arguments.args.first().or_else(|| call.of.arguments.keywords.first().map(|k| &k.value));
    let given = first.is_some_and(|e| !file.tree.behind(e, call.scope).0.is_none_literal_expr());
    match call.path.as_str() {
        "random.seed" if given => Generators::only(&[Python]),
        "random.setstate" => Generators::only(&[Python]),
        "numpy.random.seed" if given => Generators::only(&[NumPy]),
        "numpy.random.set_state" => Generators::only(&[NumPy]),
        "random.seed" | "numpy.random.seed" | "torch.seed" => Generators::default(),
        "torch.manual_seed"
        | "torch.cuda.manual_seed"
        | "torch.cuda.manual_seed_all"
        | "torch.set_rng_state" => Generators::only(&[Torch]),
        "tensorflow.random.set_seed" | "tensorflow.set_random_seed" | "tensorflow.random.set_random_seed" => {
            Generators::only(&[TensorFlow])
        }
        "keras.utils.set_random_seed" => Generators::EVERY,
        _ => Generators::default(),
    }
}

/// Functions of other libraries and modules that seed everything: `seed_everything`, `set_seed`, `set_determinism`.
pub(super) fn sets_everything(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_seed_name(&lower) || lower.contains("determinis") || lower.contains("reproducib")
        // These seed with 42 where nothing is said: transformers' `TrainingArguments.seed`.
        || matches!(name, "TrainingArguments" | "Seq2SeqTrainingArguments" | "SFTConfig" | "GRPOConfig" | "DPOConfig")
}

/// The name of a function that is called and speaks of seeding. Whether it is the program's own, and then what it does,
/// is decided in `program`; one from elsewhere is taken to seed everything.
pub(super) fn seeds_by_name(call: &Call<'_>) -> Option<String> {
    let name = call.name();
    // What these have is listed above.
    let known = ["torch.", "tensorflow.", "numpy.", "random.", "jax.", "keras."];
    let known = known.iter().any(|library| call.path.starts_with(library));
    // A method of an object seeds that object: `generator.manual_seed(0)`, `env.seed(0)`.
    let of_object = matches!(name, "seed" | "manual_seed" | "initial_seed" | "add_argument");
    (!known && !of_object && !name.starts_with("get") && sets_everything(name)).then(|| name.to_owned())
}
