//! The snapshot for a paper's appendix: one paragraph and one table, with no package beyond LaTeX's own.

use std::fmt::Write as _;

use super::summary;
use crate::snapshot::{Looked, Snapshot, Value, digest};

/// Distributions that a paper's reader looks for; the others are counted.
const CITED: [&str; 22] = [
    "torch",
    "torchvision",
    "torchaudio",
    "triton",
    "flash-attn",
    "transformer-engine",
    "xformers",
    "tensorflow",
    "jax",
    "jaxlib",
    "flax",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "transformers",
    "datasets",
    "accelerate",
    "lightning",
    "vllm",
    "xgboost",
    "lightgbm",
];

/// A paragraph and a table to include with `\input`.
pub fn snapshot(snapshot: &Snapshot) -> String {
    let lines = summary::lines(snapshot);
    let fingerprint = digest::fingerprint(&digest::sections(snapshot));
    let version = match snapshot.look(&crate::snapshot::FactPath::new(["meta", "driftlock"])) {
        Looked::Value(Value::Str(version)) => version.clone(),
        _ => String::new(),
    };
    let mut out =
        String::from("% Written by driftlock. Include it with \\input.\n\\paragraph{Environment.}\n");
    let _infallible = writeln!(
        out,
        "The environment was recorded with driftlock~{} (fingerprint \\texttt{{{}\\ldots}}).",
        escape(&version),
        escape(&fingerprint[..23.min(fingerprint.len())]),
    );
    // Counts of variables and settings tell a paper's reader nothing.
    for (name, text) in lines.iter().filter(|(name, _)| !matches!(*name, "env" | "config")) {
        let _infallible = writeln!(out, "{}: {}.", sentence(name), escape(text));
    }
    let packages: Vec<(String, String)> = CITED.iter().filter_map(|name| package(snapshot, name)).collect();
    if !packages.is_empty() {
        out.push_str("\n\\begin{table}[h]\n\\centering\n\\begin{tabular}{ll}\n\\hline\nPackage & Version \\\\\n\\hline\n");
        for (name, version) in &packages {
            let _infallible = writeln!(out, "{} & {} \\\\", escape(name), escape(version));
        }
        out.push_str(
            "\\hline\n\\end{tabular}\n\\caption{Versions of the principal packages.}\n\\end{table}\n",
        );
    }
    out
}

fn package(snapshot: &Snapshot, name: &str) -> Option<(String, String)> {
    let path = crate::snapshot::FactPath::new(["python", "packages", name, "version"]);
    let version = snapshot.facts.get(&path)?.as_str()?;
    Some((name.to_owned(), version.to_owned()))
}

fn sentence(name: &str) -> String {
    match name {
        "os" | "cpu" | "gpu" | "cuda" => name.to_uppercase(),
        "python" => "Python".to_owned(),
        "torch" => "PyTorch".to_owned(),
        "numpy" => "NumPy".to_owned(),
        "git" => "Source code".to_owned(),
        other => escape(other),
    }
}

/// `text` with TeX's special characters escaped (The TeXbook, chapter 7); what is not printable is left out.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            c if crate::snapshot::value::is_unprintable(c) => {}
            c => out.push(c),
        }
        out
    })
}
