//! Two outputs by their sketches: which tensors differ is certain, by how much is estimated from 64 samples.

use std::collections::BTreeMap;

use super::element::{Energy, Pairs};
use super::level::{self, Level};
use super::{FileDiff, Form, Report, SCHEMA, Standing, TensorDiff};
use crate::outputs::dtype::Dtype;
use crate::outputs::layout::count;
use crate::outputs::model::{Contents, Output, Outputs, Tensor};

/// What differs between two outputs.
pub fn sketches(a: &Outputs, b: &Outputs) -> Report {
    let mut tally = Tally::default();
    let fault =
        |side: &Outputs, name: &str| side.faults.iter().find(|f| f.name == name).map(|f| f.reason.clone());
    for (name, (left, right)) in join(&a.files, &b.files, |f| &f.name) {
        match (left, right) {
            (Some(left), Some(right)) => match file(left, right) {
                Some((diff, energy)) => tally.file(diff, energy),
                None => tally.equal += 1,
            },
            (only, _) => {
                let (standing, other) =
                    if only.is_some() { (Standing::OnlyA, b) } else { (Standing::OnlyB, a) };
                // Not being readable is not being absent.
                let diff = match fault(other, name) {
                    Some(reason) => FileDiff { reason: Some(reason), ..bare(name, Standing::Unknown) },
                    None => bare(name, standing),
                };
                tally.file(diff, Energy::default());
            }
        }
    }
    for (name, (left, right)) in join(&a.faults, &b.faults, |f| &f.name) {
        let known = |side: &Outputs| side.files.iter().any(|f| f.name == name);
        if let Some(fault) = left.or(right).filter(|_| !known(a) && !known(b)) {
            let diff = FileDiff { reason: Some(fault.reason.clone()), ..bare(name, Standing::Unknown) };
            tally.file(diff, Energy::default());
        }
    }
    tally.report(false)
}

/// What is found of files, added up.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) equal: u64,
    files: Vec<FileDiff>,
    energy: Energy,
    epsilon: f64,
}

impl Tally {
    pub(super) fn file(&mut self, diff: FileDiff, energy: Energy) {
        self.energy.add(energy, 1.0);
        self.epsilon = self.epsilon.max(coarsest(&diff));
        self.files.push(diff);
    }

    pub(super) fn report(self, exact: bool) -> Report {
        let mut files = self.files;
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let same = files.iter().all(|f| f.standing == Standing::Repacked);
        let floats = self.epsilon > 0.0;
        let relative = floats.then(|| self.energy.relative());
        let level = overall(&files, self.energy, self.epsilon);
        let why = if same { "every output is equal".to_owned() } else { level::why(level, relative) };
        Report { schema: SCHEMA.to_owned(), exact, same, level, why, relative, equal: self.equal, files }
    }
}

/// The largest epsilon among the floating-point tensors of a file that differ.
fn coarsest(diff: &FileDiff) -> f64 {
    let compared = diff.tensors.iter().filter(|t| t.figures.is_some());
    let of = |t: &TensorDiff| Dtype::named(&t.a.as_ref()?.dtype)?.number().map(|n| n.epsilon());
    compared.filter_map(of).fold(0.0, f64::max)
}

/// The level of all files together: what differs in form or order decides, else the size of all floats together.
fn overall(files: &[FileDiff], energy: Energy, epsilon: f64) -> Option<Level> {
    let structure = files.iter().filter(|f| matches!(f.standing, Standing::OnlyA | Standing::OnlyB));
    if structure.count() > 0 || files.iter().any(|f| f.tensors.iter().any(of_form)) {
        return Some(Level::Code);
    }
    if files.iter().any(|f| f.tensors.iter().any(|t| t.standing == Standing::Reordered)) {
        return Some(Level::Order);
    }
    if epsilon > 0.0 && energy.difference > 0.0 {
        return level::of(energy.relative(), epsilon, level::scale(energy));
    }
    None
}

fn of_form(tensor: &TensorDiff) -> bool {
    matches!(tensor.standing, Standing::OnlyA | Standing::OnlyB | Standing::Reshaped)
}

/// The level of one file.
pub(super) fn file_level(diff: &FileDiff, energy: Energy) -> Option<Level> {
    overall(std::slice::from_ref(diff), energy, coarsest(diff))
}

pub(super) fn bare(name: &str, standing: Standing) -> FileDiff {
    FileDiff { name: name.to_owned(), standing, reason: None, level: None, equal: 0, tensors: Vec::new() }
}

/// Two files; `None` where they are equal.
fn file(a: &Output, b: &Output) -> Option<(FileDiff, Energy)> {
    if a.digest.is_ok() && a.digest == b.digest {
        return None;
    }
    let unknown = |reason: &str| {
        let diff = FileDiff { reason: Some(reason.to_owned()), ..bare(&a.name, Standing::Unknown) };
        Some((diff, Energy::default()))
    };
    let changed = |reason: Option<&str>| {
        let diff = FileDiff { reason: reason.map(str::to_owned), ..bare(&a.name, Standing::Changed) };
        Some((diff, Energy::default()))
    };
    match (&a.contents, &b.contents) {
        (Contents::Tensors(x), Contents::Tensors(y)) => {
            let (mut diff, energy) = tensors(&a.name, x, y);
            let complete = x.iter().chain(y).all(|t| t.content.is_ok());
            diff.standing = match () {
                () if diff.tensors.iter().any(|t| t.standing != Standing::Unknown) => Standing::Changed,
                // The bytes differ, and all that can be seen of the content is equal.
                () if complete => Standing::Repacked,
                () => Standing::Unknown,
            };
            diff.level = file_level(&diff, energy);
            Some((diff, energy))
        }
        _ if a.digest.is_err() || b.digest.is_err() => {
            unknown(a.digest.as_ref().err().or(b.digest.as_ref().err())?)
        }
        (Contents::Unread(reason), _) | (_, Contents::Unread(reason)) => changed(Some(reason)),
        _ => changed(None),
    }
}

/// The tensors of two files.
pub(super) fn tensors(name: &str, a: &[Tensor], b: &[Tensor]) -> (FileDiff, Energy) {
    let mut diff = bare(name, Standing::Changed);
    let mut energy = Energy::default();
    for (name, pair) in join(a, b, |t| &t.name) {
        match pair {
            (Some(a), Some(b)) => match tensor(a, b) {
                Some((tensor, of)) => {
                    energy.add(of, 1.0);
                    diff.tensors.push(tensor);
                }
                None => diff.equal += 1,
            },
            (a, b) => diff.tensors.push(TensorDiff {
                name: name.to_owned(),
                standing: if a.is_some() { Standing::OnlyA } else { Standing::OnlyB },
                reason: None,
                a: a.map(form),
                b: b.map(form),
                figures: None,
                level: Some(Level::Code),
            }),
        }
    }
    (diff, energy)
}

pub(super) fn form(tensor: &Tensor) -> Form {
    Form { dtype: tensor.dtype.clone(), shape: tensor.shape.clone() }
}

/// Two tensors of one name; `None` where they are equal.
pub(super) fn tensor(a: &Tensor, b: &Tensor) -> Option<(TensorDiff, Energy)> {
    let mut diff = TensorDiff {
        name: a.name.clone(),
        standing: Standing::Changed,
        reason: None,
        a: Some(form(a)),
        b: Some(form(b)),
        figures: None,
        level: None,
    };
    let (x, y) = match (&a.content, &b.content) {
        (Ok(x), Ok(y)) => (x, y),
        (Err(reason), _) | (_, Err(reason)) => {
            diff.standing = Standing::Unknown;
            diff.reason = Some(reason.clone());
            return Some((diff, Energy::default()));
        }
    };
    if x.digest == y.digest {
        return None;
    }
    if a.dtype != b.dtype || a.shape != b.shape {
        diff.standing = Standing::Reshaped;
        diff.level = Some(Level::Code);
        return Some((diff, Energy::default()));
    }
    let (Some(x), Some(y)) = (&x.sketch, &y.sketch) else { return Some((diff, Energy::default())) };
    let number = Dtype::named(&a.dtype).and_then(|d| d.number());
    let mut pairs = Pairs::new(number);
    for (p, q) in x.samples.iter().zip(&y.samples) {
        pairs.add(*p, *q, p.to_bits() != q.to_bits() && !(p.is_nan() && q.is_nan()));
    }
    let (mut figures, sampled) = pairs.finish(None);
    // The samples stand for all elements.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let times = count(&a.shape).unwrap_or(0) as f64 / x.samples.len().max(1) as f64;
    let mut energy = Energy::default();
    energy.add(sampled, times);
    if x.norm.is_finite() && y.norm.is_finite() {
        (energy.a, energy.b) = (x.norm * x.norm, y.norm * y.norm);
        // The norms bound it from below: |norm(a) - norm(b)| <= norm(a - b).
        let bound = (x.norm - y.norm) * (x.norm - y.norm);
        energy.difference = energy.difference.max(bound);
    }
    figures.relative = energy.relative();
    diff.figures = Some(figures);
    if x.multiset == y.multiset && count(&a.shape).is_some_and(|n| n > 1) {
        diff.standing = Standing::Reordered;
        diff.level = Some(Level::Order);
        return Some((diff, Energy::default()));
    }
    // Not one sample differs and the norms are alike: a few elements, and no samples that could tell by how much.
    diff.level = if energy.difference > 0.0 { level::of_tensor(&a.dtype, energy) } else { None };
    let is_float = number.is_some_and(|n| n.is_float());
    Some((diff, if is_float { energy } else { Energy::default() }))
}

/// The items of two lists that go by one name.
pub(super) type Pair<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Items of two lists, joined by name and in its order.
pub(super) fn join<'a, T>(
    a: &'a [T],
    b: &'a [T],
    name: impl Fn(&'a T) -> &'a String,
) -> BTreeMap<&'a str, Pair<'a, T>> {
    let mut all: BTreeMap<&str, Pair<'a, T>> = BTreeMap::new();
    a.iter().for_each(|item| all.entry(name(item)).or_default().0 = Some(item));
    b.iter().for_each(|item| all.entry(name(item)).or_default().1 = Some(item));
    all
}
