//! The part of a program's text that can move its results.
//!
//! A file is parsed and its tree written as bytes (`printer`) without what Python itself does not keep (comments,
//! layout, quotes, the spelling of numbers) and without what nothing in the program looks at: docstrings,
//! annotations, names of local variables. `world` tells what the program looks at, `scope` which name means which
//! variable. Two programs with the same bytes do the same; wherever that is not sure, the difference stays.
//! `docs/design/workload.md` has the rules and why each one holds.

mod expr;
mod libraries;
mod names;
mod printer;
mod scope;
mod stmt;
#[cfg(test)]
mod tests;
mod world;
mod writer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::parse::{self, Source};
use names::Names;
use printer::Printer;
use rustpython_ruff_python_ast::{Expr, Stmt};
use scope::{MODULE, Scopes};
use world::{Mentions, World};
use writer::Writer;

/// The first bytes of every normal form: another number where the form changes.
const VERSION: &[u8] = b"python 1\n";

/// A program as it is to be normalised: all its files together.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The files, with their text.
    pub files: &'a [(PathBuf, String)],
    /// The one that is run.
    pub script: Option<&'a Path>,
    /// The libraries that it imports.
    pub imports: &'a BTreeSet<String>,
    /// Whether the imports are all of them.
    pub followed: bool,
    /// Whether docstrings are values in it.
    pub docstrings: bool,
}

/// What a file's text comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// The canonical bytes.
    Normal(Vec<u8>),
    /// Every byte of it counts, for this reason.
    Exact(&'static str),
}

/// The form of each file, in their order.
pub fn normalise(program: &Program) -> Vec<Form> {
    let texts: Vec<Result<Source, &'static str>> = program.files.iter().map(|(_, text)| read(text)).collect();
    let mut mentions = Mentions::default();
    for source in texts.iter().flatten() {
        mentions.add(source);
    }
    // What a file says that cannot be read is not known.
    let followed = program.followed && texts.iter().all(Result::is_ok);
    let world = mentions.world(program.imports, followed, program.docstrings);
    let imported = program.script.is_none_or(|script| is_imported(script, program, &texts));
    let forms = program.files.iter().zip(&texts).map(|((path, _), source)| match source {
        Err(why) => Form::Exact(why),
        Ok(_) if world.exact => Form::Exact("the program reads the text of its functions"),
        Ok(source) => Form::Normal(form(source, &world, Some(path.as_path()) == program.script && !imported)),
    });
    forms.collect()
}

fn read(text: &str) -> Result<Source, &'static str> {
    if let Some(coding) = coding(text)
        && !["utf-8", "utf8", "utf_8", "ascii", "us-ascii"].contains(&coding.to_ascii_lowercase().as_str())
    {
        return Err("it is not encoded as UTF-8");
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err("it may not be encoded as UTF-8");
    }
    // Python's tokenizer takes any of the three line ends for `\n`, in texts as well.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
    match parse::parse(text) {
        Err(_) => Err("it is too long or nested too deeply"),
        Ok(source) if source.error.is_some() => Err("it has a syntax error"),
        Ok(source) => Ok(source),
    }
}

/// The encoding that one of the first two lines declares (PEP 263).
fn coding(text: &str) -> Option<&str> {
    text.lines().take(2).find_map(|line| {
        let comment = line.trim_start_matches([' ', '\t', '\u{c}']).strip_prefix('#')?;
        let at = comment.find("coding:").or_else(|| comment.find("coding="))?;
        let name = comment.get(at + 7..)?.trim_start_matches([' ', '\t']);
        let end =
            name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(name.len());
        name.get(..end).filter(|name| !name.is_empty())
    })
}

fn form(source: &Source, world: &World, script: bool) -> Vec<u8> {
    let body = &source.tree.body;
    let scopes = Scopes::of(body);
    let printer = Printer {
        text: &source.text,
        scopes: &scopes,
        world,
        names: Names::new(&scopes, world, script),
        scope: MODULE,
        lazy_annotations: body.iter().any(is_future_annotations),
        out: Writer::default(),
    };
    let mut bytes = VERSION.to_vec();
    bytes.extend(printer.module(body));
    bytes
}

fn is_future_annotations(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::ImportFrom(import)
        if import.module.as_ref().is_some_and(|m| m.as_str() == "__future__")
            && import.names.iter().any(|alias| alias.name.as_str() == "annotations"))
}

/// Whether another file imports the script, so that its variables are that file's attributes.
fn is_imported(script: &Path, program: &Program, texts: &[Result<Source, &'static str>]) -> bool {
    let Some(stem) = script.file_stem().and_then(|stem| stem.to_str()) else {
        return true;
    };
    let others = program.files.iter().zip(texts).filter(|((path, _), _)| path != script);
    others
        .into_iter()
        .any(|(_, source)| source.as_ref().is_ok_and(|source| mentions_module(&source.tree.body, stem)))
}

/// Whether any import in these statements, however deep, names a module.
fn mentions_module(body: &[Stmt], stem: &str) -> bool {
    use rustpython_ruff_python_ast::visitor::{self, Visitor};
    struct Imports<'n> {
        stem: &'n str,
        found: bool,
    }
    impl<'a> Visitor<'a> for Imports<'_> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            let named = |name: &str| name.split('.').any(|part| part == self.stem);
            match stmt {
                Stmt::Import(import) => self.found |= import.names.iter().any(|a| named(a.name.as_str())),
                Stmt::ImportFrom(import) => {
                    self.found |= import.module.as_ref().is_some_and(|m| named(m.as_str()))
                        || import.names.iter().any(|a| named(a.name.as_str()));
                }
                _ => visitor::walk_stmt(self, stmt),
            }
        }
        fn visit_expr(&mut self, _: &'a Expr) {}
    }
    let mut imports = Imports { stem, found: false };
    imports.visit_body(body);
    imports.found
}
