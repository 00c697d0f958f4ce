//! Two files, or two folders, compared element by element with little memory.

use std::collections::BTreeMap;
use std::path::Path;

use indicatif::ProgressBar;

use super::element::{Energy, Pairs};
use super::level::{self, Level};
use super::sketches::{Tally, bare, file_level, join, tensors};
use super::{FileDiff, Form, Report, Standing, TensorDiff};
use crate::error::Error;
use crate::outputs::dtype::{Dtype, Number};
use crate::outputs::format::table::{self, Cell};
use crate::outputs::format::{self, Entry, Found};
use crate::outputs::layout::{Stream, count};
use crate::outputs::model::{Contents, Kind};
use crate::outputs::read::{Files, Options, budget, contents, list, progress};
use crate::outputs::sketch::mix;
use crate::outputs::source::Source;

/// Elements that are compared at once.
const PIECE: usize = 1 << 16;
/// Values of columns of text that are held in memory to be compared; beyond it the figures are estimates.
const VALUES: usize = 8 << 20;

/// What differs between two files, or between the files of two folders that have the same names.
///
/// # Errors
/// The user's: a path that is not there, or a file against a folder.
pub fn exact(a: &Path, b: &Path, options: &Options) -> Result<Report, Error> {
    let is_dir = |path: &Path| {
        let meta = std::fs::metadata(path).map_err(|e| {
            let reason = crate::error::reason(&e);
            Error::input(format!("cannot read `{}`: {reason}", path.display()))
                .hint("name two files, or two folders that hold the outputs of two runs")
        })?;
        Ok(meta.is_dir())
    };
    if is_dir(a)? != is_dir(b)? {
        let shown = format!("`{}` and `{}` are a file and a folder", a.display(), b.display());
        return Err(
            Error::input(shown).hint("name two files, or two folders that hold the outputs of two runs")
        );
    }
    let side = |path: &Path| {
        let (files, faults) = list(&[path.to_path_buf()], path);
        if is_dir(path)? {
            return Ok((files, faults));
        }
        // Two files are one pair, whatever their names.
        let name = a.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((files.into_values().map(|file| (name.clone(), file)).collect::<Files>(), faults))
    };
    let ((left, faults_a), (right, faults_b)) = (side(a)?, side(b)?);
    let bar = progress(options, left.values().chain(right.values()).map(|(_, len)| len * 2).sum());
    let mut tally = Tally::default();
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for name in names {
        match (left.get(name), right.get(name)) {
            (Some((x, _)), Some((y, _))) => match files(name, x, y, &bar) {
                Ok(Some((diff, energy))) => tally.file(diff, energy),
                Ok(None) => tally.equal += 1,
                Err(reason) => {
                    let diff = FileDiff { reason: Some(reason), ..bare(name, Standing::Unknown) };
                    tally.file(diff, Energy::default());
                }
            },
            (only, _) => {
                let standing = if only.is_some() { Standing::OnlyA } else { Standing::OnlyB };
                tally.file(bare(name, standing), Energy::default());
            }
        }
    }
    let mut faults: Vec<_> = faults_a.into_iter().chain(faults_b).collect();
    faults.dedup_by(|a, b| a.name == b.name);
    for fault in faults {
        let diff = FileDiff { reason: Some(fault.reason), ..bare(&fault.name, Standing::Unknown) };
        tally.file(diff, Energy::default());
    }
    bar.finish_and_clear();
    Ok(tally.report(true))
}

/// Two files; `None` where they are equal.
fn files(name: &str, a: &Path, b: &Path, bar: &ProgressBar) -> Result<Option<(FileDiff, Energy)>, String> {
    let (x, y) = (Source::open(a, bar)?, Source::open(b, bar)?);
    if same_bytes(&x, &y)? {
        return Ok(None);
    }
    let kind = |path: &Path, source: &Source| {
        source.head(format::HEAD).map(|head| format::recognise(path, &head, source.len()))
    };
    let (kind_a, kind_b) = (kind(a, &x)?, kind(b, &y)?);
    let text = |kind: Kind| matches!(kind, Kind::Json | Kind::Jsonl | Kind::Csv);
    let found = if kind_a.is_binary() && kind_b.is_binary() {
        match (format::entries(kind_a, &x), format::entries(kind_b, &y)) {
            (Ok(left), Ok(right)) => Ok(entries(name, (&left, &x), (&right, &y))),
            (Err(reason), _) | (_, Err(reason)) => Err(Some(reason)),
        }
    } else if text(kind_a) && text(kind_b) {
        columns(name, (kind_a, &x), (kind_b, &y))?
    } else {
        Err(None)
    };
    x.unchanged()?;
    y.unchanged()?;
    let (mut diff, energy) = match found {
        Ok(found) => found,
        Err(reason) => {
            let diff = FileDiff { reason, ..bare(name, Standing::Changed) };
            return Ok(Some((diff, Energy::default())));
        }
    };
    let unread = diff.tensors.iter().filter(|t| t.standing == Standing::Unknown).count();
    diff.standing = match diff.tensors.len() {
        0 => Standing::Repacked,
        all if all == unread => Standing::Unknown,
        _ => Standing::Changed,
    };
    diff.level = file_level(&diff, energy);
    Ok(Some((diff, energy)))
}

/// Whether two files hold the same bytes.
fn same_bytes(a: &Source, b: &Source) -> Result<bool, String> {
    if a.len() != b.len() {
        return Ok(false);
    }
    let (mut x, mut y) = (vec![0; 256 << 10], vec![0; 256 << 10]);
    let mut at = 0;
    while at < a.len() {
        let len = usize::try_from(a.len() - at).unwrap_or(usize::MAX).min(x.len());
        a.read_at(&mut x[..len], at)?;
        b.read_at(&mut y[..len], at)?;
        if x[..len] != y[..len] {
            return Ok(false);
        }
        at += len as u64;
    }
    Ok(true)
}

/// Entries of a file and the file.
type Side<'a> = (&'a [Entry], &'a Source);

fn entries(name: &str, (left, x): Side<'_>, (right, y): Side<'_>) -> (FileDiff, Energy) {
    let mut diff = bare(name, Standing::Changed);
    let mut energy = Energy::default();
    let mut budgets = (budget(x), budget(y));
    let form = |e: &Entry| Form { dtype: e.dtype.clone(), shape: e.shape.clone() };
    for (name, (a, b)) in join(left, right, |e| &e.name) {
        let mut tensor = TensorDiff {
            name: name.to_owned(),
            standing: Standing::Changed,
            reason: None,
            a: a.map(form),
            b: b.map(form),
            figures: None,
            level: None,
        };
        let (Some(a), Some(b)) = (a, b) else {
            tensor.standing = if a.is_some() { Standing::OnlyA } else { Standing::OnlyB };
            tensor.level = Some(Level::Code);
            diff.tensors.push(tensor);
            continue;
        };
        let both = Elements::new(a, x, &mut budgets.0)
            .and_then(|left| Ok((left, Elements::new(b, y, &mut budgets.1)?)))
            .and_then(|(left, right)| elements(&mut tensor, left, right));
        match both {
            Ok(None) => diff.equal += 1,
            Ok(Some(of)) => {
                energy.add(of, 1.0);
                diff.tensors.push(tensor);
            }
            Err(reason) => {
                tensor.standing = Standing::Unknown;
                tensor.reason = Some(reason);
                diff.tensors.push(tensor);
            }
        }
    }
    (diff, energy)
}

/// The elements of one side, one after the other.
struct Elements<'a> {
    dtype: &'a Dtype,
    shape: &'a [u64],
    from: From<'a>,
}

enum From<'a> {
    File(Stream<'a>),
    Here(&'a [u8]),
}

impl<'a> Elements<'a> {
    fn new(entry: &'a Entry, source: &'a Source, left: &mut u64) -> Result<Self, String> {
        let shape = &entry.shape[..];
        Ok(match entry.found.as_ref().map_err(Clone::clone)? {
            Found::InFile(layout) => {
                let bytes = count(shape).unwrap_or(u64::MAX).saturating_mul(layout.dtype.size() as u64);
                *left = left
                    .checked_sub(bytes)
                    .ok_or("the file's tensors are views that unfold to far more than the file")?;
                Self { dtype: &layout.dtype, shape, from: From::File(Stream::new(source, layout)?) }
            }
            Found::Here(dtype, bytes) => Self { dtype, shape, from: From::Here(bytes) },
        })
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        match &mut self.from {
            From::File(stream) => stream.fill(buffer),
            From::Here(bytes) => {
                let (now, later) = bytes.split_at(bytes.len().min(buffer.len()));
                buffer[..now.len()].copy_from_slice(now);
                *bytes = later;
                Ok(now.len())
            }
        }
    }
}

/// Compares two tensors; `None` where they are equal.
fn elements(
    diff: &mut TensorDiff,
    mut a: Elements<'_>,
    mut b: Elements<'_>,
) -> Result<Option<Energy>, String> {
    let same_type = a.dtype == b.dtype;
    if !same_type || a.shape != b.shape {
        diff.standing = Standing::Reshaped;
        diff.level = Some(Level::Code);
        if a.shape != b.shape {
            return Ok(Some(Energy::default()));
        }
    }
    let parts = |dtype: &Dtype| dtype.number().map(|n| (n, dtype.size() / n.size()));
    let numbers = parts(a.dtype).zip(parts(b.dtype)).filter(|((_, p), (_, q))| p == q);
    let Some(((left, parts), (right, _))) = numbers else {
        return opaque(a, b, same_type);
    };
    let (mut x, mut y) = (vec![0; PIECE * left.size()], vec![0; PIECE * right.size()]);
    let mut pairs = Pairs::new(same_type.then_some(left));
    let (mut first, mut at, mut bags) = (None, 0_u64, (0_u64, 0_u64));
    loop {
        let (read_a, read_b) = (a.fill(&mut x)?, b.fill(&mut y)?);
        for (p, q) in x[..read_a].chunks_exact(left.size()).zip(y[..read_b].chunks_exact(right.size())) {
            let (u, v) = (left.decode(p), right.decode(q));
            let differs = if same_type { p != q } else { u != v && !(u.is_nan() && v.is_nan()) };
            if differs {
                first = first.or(Some(at));
                bags = (bags.0.wrapping_add(mix(bits(p))), bags.1.wrapping_add(mix(bits(q))));
            }
            pairs.add(u, v, differs);
            at += 1;
        }
        if read_a < x.len() || read_b < y.len() {
            break;
        }
    }
    let first = first.map(|at| index(at / parts as u64, a.shape));
    let differs = first.is_some();
    let (figures, energy) = pairs.finish(first);
    if same_type && !differs {
        return Ok(None);
    }
    diff.figures = Some(figures);
    if !same_type {
        return Ok(Some(Energy::default()));
    }
    // What is equal at its place adds the same to both sums.
    if bags.0 == bags.1 {
        diff.standing = Standing::Reordered;
        diff.level = Some(Level::Order);
        return Ok(Some(Energy::default()));
    }
    diff.level = level::of_tensor(a.dtype.name(), energy);
    Ok(Some(if left.is_float() { energy } else { Energy::default() }))
}

/// Elements that are no numbers: equal or not.
fn opaque(mut a: Elements<'_>, mut b: Elements<'_>, same_type: bool) -> Result<Option<Energy>, String> {
    let (mut x, mut y) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let (read_a, read_b) = (a.fill(&mut x)?, b.fill(&mut y)?);
        if !same_type || x[..read_a] != y[..read_b] {
            return Ok(Some(Energy::default()));
        }
        if read_a < x.len() {
            return Ok(None);
        }
    }
}

fn bits(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// The index of the element at this place in C order.
fn index(mut at: u64, shape: &[u64]) -> Vec<u64> {
    let mut index: Vec<u64> = shape
        .iter()
        .rev()
        .map(|size| {
            let i = at % (*size).max(1);
            at /= (*size).max(1);
            i
        })
        .collect();
    index.reverse();
    index
}

/// A kind of file in columns and the file.
type Text<'a> = (Kind, &'a Source);

/// Found, or why not.
type Compared = Result<(FileDiff, Energy), Option<String>>;

/// Columns of text: the ones that differ are read again and compared value by value.
fn columns(name: &str, (kind_a, x): Text<'_>, (kind_b, y): Text<'_>) -> Result<Compared, String> {
    let (left, right) = match (contents(kind_a, x), contents(kind_b, y)) {
        (Contents::Tensors(left), Contents::Tensors(right)) => (left, right),
        (Contents::Unread(reason), _) | (_, Contents::Unread(reason)) => return Ok(Err(Some(reason))),
        _ => return Ok(Err(None)),
    };
    let (mut diff, _) = tensors(name, &left, &right);
    let mut energy = Energy::default();
    let wanted: Vec<String> =
        diff.tensors.iter().filter(|t| t.figures.is_some()).map(|t| t.name.clone()).collect();
    let (left, right) = (values(kind_a, x, &wanted)?, values(kind_b, y, &wanted)?);
    for tensor in diff.tensors.iter_mut().filter(|t| t.figures.is_some()) {
        let (Some(p), Some(q)) = (left.get(&tensor.name), right.get(&tensor.name)) else {
            tensor.reason = Some("a long column of text: the figures are estimated from samples".to_owned());
            continue;
        };
        let mut pairs = Pairs::new(Some(Number::Float64));
        let differs = |(u, v): &(&f64, &f64)| u.to_bits() != v.to_bits() && !(u.is_nan() && v.is_nan());
        let first = p.iter().zip(q).position(|pair| differs(&pair));
        p.iter().zip(q).for_each(|(u, v)| pairs.add(*u, *v, differs(&(u, v))));
        let shape = tensor.a.as_ref().map(|form| form.shape.clone()).unwrap_or_default();
        let (figures, of) = pairs.finish(first.map(|at| index(at as u64, &shape)));
        tensor.figures = Some(figures);
        if tensor.standing == Standing::Changed {
            tensor.level = level::of_tensor("float64", of);
            energy.add(of, 1.0);
        }
    }
    Ok(Ok((diff, energy)))
}

/// The values of these columns as far as memory allows.
fn values(kind: Kind, source: &Source, wanted: &[String]) -> Result<BTreeMap<String, Vec<f64>>, String> {
    let mut values: BTreeMap<String, Vec<f64>> =
        wanted.iter().map(|name| (name.clone(), Vec::new())).collect();
    let mut left = VALUES;
    table::scan(kind, source, &mut |name, cell| {
        let name = if name.is_empty() { crate::outputs::read::VALUE } else { name };
        let Some(list) = values.get_mut(name) else { return Ok(()) };
        if left == 0 {
            values.remove(name);
            return Ok(());
        }
        left -= 1;
        list.push(if let Cell::Number(number) = cell { number } else { f64::NAN });
        Ok(())
    })?;
    Ok(values)
}
