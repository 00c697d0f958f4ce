//! Outputs as facts of the section `outputs`, and back.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::hexfloat;
use super::model::{Content, Contents, Fault, Kind, Output, Outputs, Sketch, Tensor, shape_of, shape_text};
use crate::probes::sink::Collected;
use crate::snapshot::digest::sha256;
use crate::snapshot::{FactPath, Looked, Snapshot, Value};

/// Tensors of one file whose facts stand in the snapshot; more are in a file beside it.
const OF_A_FILE: usize = 1_000;
/// Tensors of all files whose facts stand in the snapshot, about 1.5 kB each.
const IN_ALL: usize = 4_000;

const SECTION: &str = "outputs";

/// The facts of outputs, what is unknown of them, and the files that belong beside the snapshot.
pub fn facts(outputs: &Outputs) -> Collected {
    let mut out = Collected::default();
    let mut room = IN_ALL;
    for fault in &outputs.faults {
        out.unknown.insert(FactPath::new([SECTION, &fault.name]), fault.reason.clone());
    }
    for (i, file) in outputs.files.iter().enumerate() {
        let at = FactPath::new([SECTION, &file.name]);
        out.facts.insert(at.child("kind"), file.kind.as_str().into());
        out.facts.insert(at.child("bytes"), file.bytes.into());
        match &file.digest {
            Ok(digest) => drop(out.facts.insert(at.child("digest"), digest.as_str().into())),
            Err(reason) => drop(out.unknown.insert(at.child("digest"), reason.clone())),
        }
        match &file.contents {
            Contents::Whole => {}
            Contents::Unread(reason) => {
                out.unknown.insert(at.child("content"), reason.clone());
                out.unknown.insert(at.child("tensors"), reason.clone());
            }
            Contents::Tensors(tensors) => {
                match content_digest(tensors) {
                    Ok(digest) => drop(out.facts.insert(at.child("content"), digest.into())),
                    Err(reason) => drop(out.unknown.insert(at.child("content"), reason)),
                }
                if tensors.len() <= OF_A_FILE.min(room) {
                    room -= tensors.len();
                    tensors
                        .iter()
                        .for_each(|t| tensor_facts(&at.child("tensors").child(&t.name), t, &mut out));
                } else {
                    let name = format!("outputs-{i}.jsonl");
                    out.facts.insert(at.child("listing"), name.as_str().into());
                    out.attachments.insert(name, listing(tensors));
                }
            }
        }
    }
    out
}

/// The digest over all tensors of a file, or which one stands in its way.
pub fn content_digest(tensors: &[Tensor]) -> Result<String, String> {
    let mut lines = String::new();
    for tensor in tensors {
        let content = tensor.content.as_ref().map_err(|reason| format!("`{}`: {reason}", tensor.name))?;
        let _infallible = writeln!(lines, "{}\0{}", tensor.name, content.digest);
    }
    Ok(sha256(lines.as_bytes()))
}

/// The facts of one tensor, by the last segment of their paths.
fn leaves(tensor: &Tensor) -> Result<Vec<(&'static str, Value)>, String> {
    let content = tensor.content.as_ref().map_err(Clone::clone)?;
    let mut leaves: Vec<(&str, Value)> = vec![
        ("dtype", tensor.dtype.as_str().into()),
        ("shape", shape_text(&tensor.shape).into()),
        ("digest", content.digest.as_str().into()),
    ];
    if let Some(sketch) = &content.sketch {
        if let Some((min, max)) = sketch.range {
            leaves.extend([
                ("norm", Value::Float(sketch.norm)),
                ("min", Value::Float(min)),
                ("max", Value::Float(max)),
            ]);
        }
        let counts = [("nans", sketch.nans), ("infs", sketch.infs)];
        leaves.extend(counts.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| (key, n.into())));
        leaves.push(("multiset", format!("{:016x}", sketch.multiset).into()));
        let samples: Vec<String> = sketch.samples.iter().map(|x| hexfloat::write(*x)).collect();
        leaves.push(("samples", samples.join(" ").into()));
    }
    Ok(leaves)
}

fn tensor_facts(at: &FactPath, tensor: &Tensor, out: &mut Collected) {
    match leaves(tensor) {
        Ok(leaves) => out.facts.extend(leaves.into_iter().map(|(key, value)| (at.child(key), value))),
        Err(reason) => drop(out.unknown.insert(at.clone(), reason)),
    }
}

/// The file beside the snapshot: one JSON object per tensor.
fn listing(tensors: &[Tensor]) -> Vec<u8> {
    let mut text = String::new();
    for tensor in tensors {
        let mut line = serde_json::Map::new();
        line.insert("name".to_owned(), json!(tensor.name));
        match leaves(tensor) {
            Ok(leaves) => {
                line.extend(leaves.into_iter().map(|(key, v)| (key.to_owned(), crate::render::json::of(&v))));
            }
            Err(reason) => drop(line.insert("unknown".to_owned(), json!(reason))),
        }
        let _infallible = writeln!(text, "{}", serde_json::Value::Object(line));
    }
    text.into_bytes()
}

/// The outputs that a snapshot holds. `beside` gives the content of a file beside the snapshot by the end of its
/// name; a file that is not there makes the tensors unread.
pub fn outputs(snapshot: &Snapshot, beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> Outputs {
    let mut names: Vec<&str> = Vec::new();
    let of_section = |path: &&FactPath| path.section() == SECTION;
    let paths = snapshot.results.keys().chain(snapshot.unknown.keys()).filter(of_section);
    for name in paths.filter_map(|path| path.segments().get(1)) {
        names.push(name);
    }
    names.sort_unstable();
    names.dedup();
    let mut outputs = Outputs::default();
    for name in names {
        let at = FactPath::new([SECTION, name]);
        let text = |key: &str| match snapshot.look(&at.child(key)) {
            Looked::Value(value) => Ok(value.plain()),
            Looked::Unknown(reason) => Err(reason.to_owned()),
            Looked::Absent => Err("is not in the snapshot".to_owned()),
        };
        let Ok(kind) = text("kind") else {
            let reason =
                snapshot.unknown.get(&at).cloned().unwrap_or_else(|| "is not in the snapshot".to_owned());
            outputs.faults.push(Fault { name: name.to_owned(), reason });
            continue;
        };
        let contents = match (snapshot.look(&at.child("tensors")), text("listing")) {
            (_, Ok(listing)) => beside(&listing).map_or_else(
                || Contents::Unread(format!("the file `.{listing}` beside the snapshot is missing")),
                |bytes| Contents::Tensors(listed(&bytes)),
            ),
            (Looked::Unknown(reason), _) => Contents::Unread(reason.to_owned()),
            _ if text("content").is_err_and(|e| e == "is not in the snapshot") => Contents::Whole,
            _ => Contents::Tensors(tensors(snapshot, &at.child("tensors"))),
        };
        outputs.files.push(Output {
            name: name.to_owned(),
            kind: Kind::named(&kind).unwrap_or(Kind::File),
            bytes: text("bytes").ok().and_then(|n| n.parse().ok()).unwrap_or(0),
            digest: text("digest"),
            contents,
        });
    }
    outputs
}

type Leaves = BTreeMap<String, Value>;

fn tensors(snapshot: &Snapshot, at: &FactPath) -> Vec<Tensor> {
    let depth = at.segments().len();
    let mut found: BTreeMap<&str, Result<Leaves, &str>> = BTreeMap::new();
    for (path, value) in snapshot.results.range(at.clone()..).take_while(|(path, _)| at.covers(path)) {
        let [name, key] = &path.segments()[depth..] else { continue };
        if let Ok(leaves) = found.entry(name).or_insert_with(|| Ok(Leaves::new())) {
            leaves.insert(key.clone(), value.clone());
        }
    }
    for (path, reason) in snapshot.unknown.range(at.clone()..).take_while(|(path, _)| at.covers(path)) {
        if let [name] = &path.segments()[depth..] {
            found.insert(name, Err(reason));
        }
    }
    found.into_iter().map(|(name, leaves)| tensor(name, leaves.map_err(str::to_owned))).collect()
}

/// The tensors of a file beside the snapshot; lines that are not such are left out.
fn listed(bytes: &[u8]) -> Vec<Tensor> {
    let lines = bytes.split(|b| *b == b'\n').filter_map(|line| {
        let line: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).ok()?;
        let name = line.get("name")?.as_str()?;
        let leaves = match line.get("unknown").and_then(|reason| reason.as_str()) {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(line.iter().filter_map(|(key, value)| Some((key.clone(), of_json(value)?))).collect()),
        };
        Some(tensor(name, leaves))
    });
    let mut tensors: Vec<Tensor> = lines.collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

fn of_json(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::String(text) => Some(text.as_str().into()),
        serde_json::Value::Number(n) => n.as_i64().map(Value::Int).or_else(|| n.as_f64().map(Value::Float)),
        _ => None,
    }
}

fn tensor(name: &str, leaves: Result<Leaves, String>) -> Tensor {
    let text = |key: &str| leaves.as_ref().ok().and_then(|l| l.get(key)?.as_str().map(str::to_owned));
    let number = |key: &str| match leaves.as_ref().ok()?.get(key)? {
        Value::Float(x) => Some(*x),
        #[expect(clippy::cast_precision_loss, reason = "JSON writes 3.0 as it likes")]
        Value::Int(n) => Some(*n as f64),
        Value::Str(text) => text.parse().ok(),
        _ => None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let count = |key: &str| number(key).map_or(0, |n| n as u64);
    let samples = text("samples").map(|text| text.split(' ').filter_map(hexfloat::read).collect());
    let multiset = text("multiset").and_then(|text| u64::from_str_radix(&text, 16).ok());
    let sketch = samples.zip(multiset).map(|(samples, multiset)| Sketch {
        norm: number("norm").unwrap_or(0.0),
        range: number("min").zip(number("max")),
        nans: count("nans"),
        infs: count("infs"),
        multiset,
        samples,
    });
    let content = match &leaves {
        Ok(_) => text("digest")
            .map(|digest| Content { digest, sketch })
            .ok_or_else(|| "is not in the snapshot".to_owned()),
        Err(reason) => Err(reason.clone()),
    };
    Tensor {
        name: name.to_owned(),
        dtype: text("dtype").unwrap_or_default(),
        shape: text("shape").and_then(|text| shape_of(&text)).unwrap_or_default(),
        content,
    }
}
