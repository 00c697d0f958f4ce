//! Compiles the data under `src/facts` into the crate as constants: a file dropped there is part of the next build,
//! a file with an unknown or missing key fails it, and nothing is parsed at run time.

#![expect(clippy::disallowed_methods, reason = "runs when driftlock is built, not where it looks")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;

#[allow(dead_code, unreachable_pub, unused_imports, reason = "the crate uses the rest")]
#[path = "src/explain/rule/mod.rs"]
mod rule;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("facts.rs"), facts(Path::new("src/facts"))?)?;
    let (rules, cases) = rules(Path::new("src/rules"))?;
    fs::write(out.join("rules.bin"), rules)?;
    fs::write(out.join("cases.bin"), cases)?;
    #[cfg(feature = "selftest")]
    shim(&out)?;
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/explain/rule");
    Ok(())
}

/// Compiles the worker's C++ part against the headers beside the libtorch that `torch-sys` found, and links it, with
/// a search path to that libtorch, into the worker alone: the main binary must not need torch. (`torch-sys` tells
/// where libtorch lies to crates that depend on it directly.)
#[cfg(feature = "selftest")]
fn shim(out: &Path) -> Result<(), Box<dyn Error>> {
    const SOURCE: &str = "src/bin/driftlock-selftest/shim.cpp";
    println!("cargo:rerun-if-changed={SOURCE}");
    let lib = PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB")?);
    let include = lib.parent().ok_or("libtorch has no folder")?.join("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .warnings(false)
        .cargo_metadata(false)
        .define("_GLIBCXX_USE_CXX11_ABI", "1")
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .file(SOURCE)
        .try_compile("driftlock_shim")?;
    let shim = out.join("libdriftlock_shim.a");
    let libtorch = lib.display();
    for argument in [
        format!("{}", shim.display()),
        format!("-L{libtorch}"),
        "-ltorch_cpu".into(),
        "-lc10".into(),
        "-lstdc++".into(),
        format!("-Wl,-rpath,{libtorch}"),
    ] {
        println!("cargo:rustc-link-arg-bin=driftlock-selftest={argument}");
    }
    Ok(())
}

/// Every rule under `dir` in the order of ids, and their cases in the same order, as postcard.
fn rules(dir: &Path) -> Result<(Vec<u8>, Vec<u8>), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", dir.display());
    let mut found = BTreeMap::new();
    for topic in fs::read_dir(dir)? {
        let topic = topic?.path();
        if !topic.is_dir() {
            continue;
        }
        let name = topic.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        for file in fs::read_dir(&topic)? {
            let path = file?.path();
            let wrong = |e: &str| format!("{}: {e}", path.display());
            let (rule, cases) = rule::parse(&fs::read_to_string(&path)?, &name).map_err(|e| wrong(&e))?;
            if path.file_stem().and_then(|s| s.to_str()) != Some(&rule.id) {
                return Err(wrong(&format!("the id is `{}`", rule.id)).into());
            }
            if found.insert(rule.id.clone(), (rule, cases)).is_some() {
                return Err(wrong("another rule has this id").into());
            }
        }
    }
    let (rules, cases): (Vec<_>, Vec<_>) = found.into_values().unzip();
    Ok((postcard::to_stdvec(&rules)?, postcard::to_stdvec(&cases)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    section: Section,
    #[serde(default)]
    fact: Vec<Fact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    name: String,
    title: String,
    doc: String,
    #[serde(default)]
    inline: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    path: String,
    r#type: String,
    compare: String,
    class: String,
    unit: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    doc: String,
    found_by: Vec<String>,
    caveats: Option<String>,
    source: Option<BTreeMap<String, String>>,
    since: String,
}

/// `SECTIONS` and `FACTS` from every TOML file in `dir`, files in alphabetical order, facts in the order of the file.
fn facts(dir: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", dir.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.retain(|p| p.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let (mut sections, mut facts) = (String::new(), String::new());
    for path in files {
        println!("cargo:rerun-if-changed={}", path.display());
        let file: File =
            toml::from_str(&fs::read_to_string(&path)?).map_err(|e| format!("{}: {e}", path.display()))?;
        let Section { name, title, doc, inline } = file.section;
        if path.file_stem().and_then(|s| s.to_str()) != Some(&name) {
            return Err(format!("{}: the section is named `{name}`", path.display()).into());
        }
        let doc = doc.trim();
        writeln!(
            sections,
            "    Section {{ name: {name:?}, title: {title:?}, doc: {doc:?}, inline: &{inline:?} }},"
        )?;
        for fact in file.fact {
            if fact.path.split('.').next() != Some(&name) {
                return Err(format!("{}: `{}` is not of section `{name}`", path.display(), fact.path).into());
            }
            let source = fact.source.map(|s| {
                let get = |key: &str| s.get(key).cloned();
                format!(
                    "Some(Source {{ title: {:?}, url: {:?} }})",
                    get("title").unwrap_or_default(),
                    get("url")
                )
            });
            let (doc, caveats) = (fact.doc.trim(), fact.caveats.as_deref().map(str::trim));
            writeln!(
                facts,
                "    Fact {{ path: {:?}, kind: Type::{}, compare: Compare::{}, class: Class::{}, unit: {:?}, values: &{:?}, \
                 doc: {doc:?}, found_by: &{:?}, caveats: {caveats:?}, source: {}, since: {:?} }},",
                fact.path,
                variant(&fact.r#type),
                variant(&fact.compare),
                variant(&fact.class),
                fact.unit,
                fact.values,
                fact.found_by,
                source.as_deref().unwrap_or("None"),
                fact.since,
            )?;
        }
    }
    Ok(format!(
        "/// Every section, in alphabetical order.\npub static SECTIONS: &[Section] = &[\n{sections}];\n\
         /// Every fact, section by section, in the order of its file.\npub static FACTS: &[Fact] = &[\n{facts}];\n"
    ))
}

/// `identity` as the name of an enum's variant; a word that is no variant fails the compilation of the crate.
fn variant(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
