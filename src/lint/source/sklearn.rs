//! Estimators, splits and generators of scikit-learn that draw where `random_state` is not given.

use super::file::{Call, File};
use super::values::{argument, is_open, keyword};

/// What draws whatever else is given.
const ALWAYS: [&str; 52] = [
    "MLPClassifier",
    "MLPRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "RandomTreesEmbedding",
    "IsolationForest",
    "BaggingClassifier",
    "BaggingRegressor",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "ExtraTreeClassifier",
    "ExtraTreeRegressor",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "AdaBoostClassifier",
    "SGDClassifier",
    "SGDRegressor",
    "Perceptron",
    "PassiveAggressiveClassifier",
    "KMeans",
    "MiniBatchKMeans",
    "BisectingKMeans",
    "SpectralClustering",
    "GaussianMixture",
    "BayesianGaussianMixture",
    "LatentDirichletAllocation",
    "TruncatedSVD",
    "FastICA",
    "DictionaryLearning",
    "MiniBatchDictionaryLearning",
    "SparsePCA",
    "MiniBatchSparsePCA",
    "TSNE",
    "GaussianRandomProjection",
    "SparseRandomProjection",
    "RBFSampler",
    "Nystroem",
    "ShuffleSplit",
    "StratifiedShuffleSplit",
    "GroupShuffleSplit",
    "RandomizedSearchCV",
    "RepeatedKFold",
    "RepeatedStratifiedKFold",
    "permutation_importance",
    "RANSACRegressor",
    "TheilSenRegressor",
    "BernoulliRBM",
    "MDS",
    "resample",
    "make_classification",
];

/// Generators of data: `make_pipeline` is none.
const DATA: [&str; 12] = [
    "make_regression",
    "make_blobs",
    "make_moons",
    "make_circles",
    "make_friedman1",
    "make_friedman2",
    "make_friedman3",
    "make_gaussian_quantiles",
    "make_hastie_10_2",
    "make_multilabel_classification",
    "make_s_curve",
    "make_swiss_roll",
];

/// What a call makes that draws from NumPy's global generator.
pub(super) fn draws<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    if !call.path.starts_with("sklearn.") || is_open(call.of) {
        return false;
    }
    let tree = &file.tree;
    let is_none = |e| tree.behind(e, call.scope).0.is_none_literal_expr();
    if keyword(call.of, "random_state").is_some_and(|e| !is_none(e)) {
        return false;
    }
    let on =
        |name, place| argument(call.of, name, place).is_some_and(|e| tree.truth(e, call.scope) == Some(true));
    let text = |name| keyword(call.of, name).and_then(|e| tree.text(e, call.scope));
    let name = call.path.rsplit('.').next().unwrap_or_default();
    match name {
        // Noise-free figures that are not shuffled are given by their arguments.
        "train_test_split" => {
            keyword(call.of, "shuffle").is_none_or(|e| tree.truth(e, call.scope) != Some(false))
        }
        "KFold" | "StratifiedKFold" | "StratifiedGroupKFold" => on("shuffle", 1),
        "shuffle" => call.path == "sklearn.utils.shuffle",
        "SVC" | "NuSVC" => {
            keyword(call.of, "probability").is_some_and(|e| tree.truth(e, call.scope) == Some(true))
        }
        "LogisticRegression" | "LogisticRegressionCV" => {
            matches!(text("solver"), Some("sag" | "saga" | "liblinear"))
        }
        "Ridge" | "RidgeClassifier" => matches!(text("solver"), Some("sag" | "saga")),
        "PCA" => matches!(text("svd_solver"), Some("randomized" | "arpack")),
        "NMF" | "MiniBatchNMF" => matches!(text("init"), Some("random")),
        "DummyClassifier" => matches!(text("strategy"), Some("stratified" | "uniform")),
        "Lasso" | "ElasticNet" => matches!(text("selection"), Some("random")),
        "resample" => call.path == "sklearn.utils.resample",
        _ => ALWAYS.contains(&name) || DATA.contains(&name),
    }
}
