//! `numpy.show_config()` and `numpy.show_runtime()`.

use super::threadpool::Pool;
use super::{Draft, Format, Input, jax_info, packages, platform, text};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// See the module.
pub struct NumpyConfig;

/// The keys of the two, by which they are known.
const MARKS: [&str; 7] = [
    "numpy_version",
    "simd_extensions",
    "Build Dependencies",
    "SIMD Extensions",
    "Supported SIMD extensions in this NumPy install",
    "blas_opt_info",
    "lapack_opt_info",
];

impl Format for NumpyConfig {
    fn name(&self) -> &'static str {
        "numpy_config"
    }

    fn title(&self) -> &'static str {
        "numpy.show_config(), numpy.show_runtime()"
    }

    fn recognise(&self, input: &Input<'_>) -> u8 {
        match MARKS.iter().filter(|mark| input.text.contains(**mark)).count() {
            0 => 0,
            1 => 55,
            _ => 86,
        }
    }

    fn read(&self, input: &Input<'_>) -> Result<Snapshot, Error> {
        if !MARKS.iter().any(|mark| input.text.contains(mark)) {
            return Err(Error::input(format!("`{}`: nothing of NumPy's configuration is here", input.path.display()))
                .hint("looked for `Build Dependencies`, `SIMD Extensions` (show_config), `numpy_version` (show_runtime)"));
        }
        let text = text::clean(input.text);
        let mut draft = Draft::new(self.name());
        runtime(&mut draft, &text);
        config(&mut draft, &text);
        packages::sections(&mut draft);
        draft.rest_unknown("NumPy's configuration");
        Ok(draft.finish(&text))
    }
}

/// `show_runtime()`: a Python literal, printed by pprint over several lines:
///
/// ```text
/// [{'numpy_version': '1.26.4', 'python': '3.11.7 (main, …) [GCC 12.3.0]', 'uname': uname_result(system='Linux', …)},
///  {'simd_extensions': {'baseline': ['SSE', 'SSE2'], 'found': ['SSSE3'], 'not_found': ['AVX512_KNL']}},
///  {'architecture': 'Haswell', 'filepath': '/…/libscipy_openblas64_-….so', 'internal_api': 'openblas', 'num_threads': 8, …}]
/// ```
fn runtime(draft: &mut Draft, text: &str) {
    if let Some(version) = quoted(text, "numpy_version") {
        packages::distribution(draft, "numpy", &version);
    }
    if let Some((_, rest)) = text.split_once("'python': ") {
        // pprint breaks a long string in several, each in quotes.
        let whole: String = rest.split(['\'', '"']).skip(1).step_by(2).take(3).collect();
        platform::python(draft, &whole);
    }
    if let Some((_, rest)) = text.split_once("uname_result(") {
        jax_info::uname(draft, rest);
    }
    if let Some((_, rest)) = text.split_once("'simd_extensions'") {
        found(draft, rest, "'found'");
    }
    for (at, _) in text.match_indices("'filepath'").take(64) {
        let block = text[at..].split('}').next().unwrap_or_default();
        // The keys are in alphabetical order, so that `architecture` alone stands before.
        let mut pool = Pool::default();
        for key in ["filepath", "internal_api", "version", "threading_layer"] {
            pool.0.extend(quoted(block, key).map(|value| (key.to_owned(), value)));
        }
        let threads: Option<String> = block
            .split_once("'num_threads': ")
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect());
        pool.0.extend(threads.map(|threads| ("num_threads".to_owned(), threads)));
        let before = text[..at].rsplit('{').next().unwrap_or_default();
        pool.0.extend(quoted(before, "architecture").map(|value| ("architecture".to_owned(), value)));
        pool.record(draft);
    }
}

/// The text at `'key': 'text'`.
fn quoted(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("'{key}': "))?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    rest[1..].split_once(quote).map(|(value, _)| value.to_owned())
}

/// The features in the list behind a key, as `cpu.dispatch.numpy`. NumPy found them in the process that printed them.
fn found(draft: &mut Draft, text: &str, key: &str) {
    let Some((_, rest)) = text.split_once(key) else { return };
    let Some(list) = rest.split_once('[').and_then(|(_, rest)| rest.split_once(']')) else { return };
    let names: Vec<&str> = list.0.split(',').map(|name| name.trim().trim_matches(['\'', '"'])).collect();
    features(draft, names);
}

fn features(draft: &mut Draft, names: Vec<&str>) {
    let names: Vec<&str> = names.into_iter().filter(|n| !n.is_empty() && *n != "none").take(256).collect();
    if names.iter().all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')) {
        draft.set("cpu.dispatch.numpy", names);
    }
}

/// `show_config()` since 1.26, as YAML or (without PyYAML) JSON, whose keys differ by quotes alone; and the lists of
/// older ones, `found = SSSE3,SSE41`.
fn config(draft: &mut Draft, text: &str) {
    let line = |line: &'static str| text.lines().position(|l| plain(l).0 == line);
    let lines: Vec<(usize, &str, &str)> = text
        .lines()
        .map(|line| {
            let (key, value) = plain(line);
            (line.len() - line.trim_start().len(), key, value)
        })
        .collect();
    let below = |at: usize| {
        let depth = lines.get(at).map_or(0, |(depth, _, _)| *depth);
        lines
            .iter()
            .skip(at + 1)
            .take_while(move |(d, key, _)| *d > depth || key.starts_with('-') || key.is_empty())
    };
    if let Some(at) = line("blas").filter(|_| line("Build Dependencies").is_some()) {
        let get = |wanted: &str| {
            let mut after = below(at).skip_while(|(_, key, _)| *key != wanted);
            let (depth, _, value) = *after.next()?;
            // YAML breaks a long text; what follows lies deeper.
            let more =
                after.take_while(|(d, key, value)| *d > depth && value.is_empty() && !key.starts_with('-'));
            let whole = more.fold(value.to_owned(), |text, (_, key, _)| text + " " + key);
            let whole = whole.split_whitespace().collect::<Vec<_>>().join(" ");
            Some(whole).filter(|v| !v.is_empty() && v != "unknown")
        };
        let name = get("name");
        let known = [
            ("openblas", "OpenBLAS"),
            ("mkl", "MKL"),
            ("blis", "BLIS"),
            ("atlas", "ATLAS"),
            ("flexiblas", "FlexiBLAS"),
        ];
        let known = known.iter().find(|(word, _)| name.as_deref().is_some_and(|name| name.contains(word)));
        draft.set_opt("numpy.blas.name", known.map(|(_, name)| *name));
        draft.set_opt("numpy.blas.version", get("version"));
        draft.set_opt("numpy.blas.build", get("openblas configuration"));
    }
    if let Some(version) =
        line("Python Information").and_then(|at| below(at).find(|(_, key, _)| *key == "version"))
    {
        platform::python(draft, version.2);
    }
    if let Some(at) = line("SIMD Extensions") {
        let mut names = None;
        for (_, key, value) in below(at) {
            match *key {
                "found" => names = Some(bracketed(value)),
                "baseline" | "not found" if names.is_some() => break,
                "baseline" | "not found" => {}
                item => {
                    if let Some(names) = &mut names {
                        let item = item.trim_start_matches(['-', ' ']).trim_matches([',', '"', ']', ' ']);
                        names.push(item);
                    }
                }
            }
        }
        if let Some(names) = names {
            features(draft, names);
        }
    }
    if text.contains("Supported SIMD extensions in this NumPy install") {
        let list = text.lines().find_map(|line| line.trim().strip_prefix("found = "));
        if let Some(list) = list {
            features(draft, list.split(',').map(str::trim).collect());
        }
    }
}

/// The names of a list on one line: `[SSSE3, SSE41]`; none where it goes on below.
fn bracketed(value: &str) -> Vec<&str> {
    let list = value.trim_start_matches('[').split(']').next().unwrap_or_default();
    list.split(',')
        .map(|name| name.trim().trim_matches(['\'', '"']))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Key and value of a line without the quotes and signs of JSON and YAML; an item of a list is its own key.
fn plain(line: &str) -> (&str, &str) {
    let signs = ['"', '\'', ' ', ','];
    match line.split_once(':') {
        Some((key, value)) => (
            key.trim().trim_matches(signs),
            value.trim().trim_end_matches(['{', ',']).trim().trim_matches(['"', '\'']),
        ),
        None => (line.trim().trim_matches(signs), ""),
    }
}
