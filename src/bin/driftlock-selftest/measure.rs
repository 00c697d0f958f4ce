//! One operation: repeated, digested, compared with float64.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use driftlock::selftest::digest::{self, hex};
use driftlock::selftest::inputs::Rounding;
use driftlock::selftest::protocol::{Asked, Measured, Request};
use driftlock::selftest::result::{Output, Raised};
use driftlock::selftest::signature;
use sha2::{Digest as _, Sha256};
use tch::{Device, Kind, Tensor};

use crate::context::Context;
use crate::operations::Operation;
use crate::outputs::{content, leaf, numbers};

type Values = Vec<(&'static str, Tensor)>;

/// Computes an operation as often as asked.
pub(crate) fn measure(
    operation: Option<&Operation>,
    asked: &Asked,
    request: &Request,
    device: Device,
) -> Measured {
    let Some(operation) = operation else {
        let raised = Raised { kind: "unsupported".to_owned(), message: "not in this engine".to_owned() };
        return Measured { id: asked.id.clone(), raised: Some(raised), ..Measured::default() };
    };
    let simulated = request.simulate.as_deref().filter(|_| asked.hypotheses).and_then(Rounding::of);
    let rounding = simulated.unwrap_or(Rounding::Exact);
    let context = Context { device, native: operation.kind, kind: operation.kind, rounding };
    repeat(operation, asked, request, &context).unwrap_or_else(|message| raised(&asked.id, &message))
}

/// Runs on until one of the limits: the most runs; the least runs and a second result, or no time left.
fn repeat(
    operation: &Operation,
    asked: &Asked,
    request: &Request,
    context: &Context,
) -> Result<Measured, String> {
    crate::context::forget();
    let most = asked.most_runs.max(asked.runs).max(1);
    let started = Instant::now();
    let mut counts: BTreeMap<String, (u32, BTreeMap<String, String>)> = BTreeMap::new();
    let (mut runs, mut first) = (0, None);
    loop {
        let values = compute(operation, context)?;
        let (whole, leaves) = digest_of(&asked.id, &values)?;
        counts.entry(whole).or_insert((0, leaves)).0 += 1;
        first.get_or_insert(values);
        runs += 1;
        let enough = runs >= asked.runs;
        if runs >= most || enough && (counts.len() > 1 || started.elapsed().as_secs_f64() > asked.seconds) {
            break;
        }
    }
    let ms = started.elapsed().as_secs_f64() * 1000.0 / f64::from(runs);
    let distinct = counts.len() as u32;
    // The most frequent, the first in the order of digests where two are.
    let (whole, (often, leaves)) = counts
        .into_iter()
        .reduce(|best, next| if next.1.0 > best.1.0 { next } else { best })
        .unwrap_or_default();
    let outputs = leaves.into_iter().map(|(name, digest)| (name, Output { digest, ..Output::default() }));
    let mut measured = Measured {
        id: asked.id.clone(),
        digest: whole,
        runs,
        distinct,
        often,
        outputs: outputs.collect(),
        ms: (ms * 1000.0).round() / 1000.0,
        ..Measured::default()
    };
    let first = first.unwrap_or_default();
    if asked.values {
        for (name, value) in &first {
            let bytes = content(value).map_err(|e| e.to_string())?.1;
            measured.bytes.insert((*name).to_owned(), hex(&Sha256::digest(bytes)));
        }
    }
    if request.signatures && asked.reference {
        measured.no_signature = sign(operation, asked, &first, &mut measured.outputs).err();
    }
    Ok(measured)
}

fn compute(operation: &Operation, context: &Context) -> Result<Values, String> {
    match catch_unwind(AssertUnwindSafe(|| (operation.run)(context))) {
        Ok(Ok(values)) => Ok(values),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "panic".to_owned())),
    }
}

fn digest_of(id: &str, values: &Values) -> Result<(String, BTreeMap<String, String>), String> {
    let leaves = values.iter().map(|(name, value)| leaf(name, value));
    let leaves: Vec<_> = leaves.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let named = values.iter().zip(&leaves).map(|((name, _), digest)| ((*name).to_owned(), hex(&digest[..8])));
    Ok((hex(&digest::operation(id, &leaves)), named.collect()))
}

/// Error signatures, and which rounding of operands explains each output of a product.
fn sign(
    operation: &Operation,
    asked: &Asked,
    values: &Values,
    outputs: &mut BTreeMap<String, Output>,
) -> Result<(), String> {
    let reference = |rounding| {
        let context = Context { device: Device::Cpu, native: operation.kind, kind: Kind::Double, rounding };
        compute(operation, &context)
    };
    let roundings = if asked.hypotheses { &Rounding::ALL[..] } else { &Rounding::ALL[..1] };
    let references: Vec<_> =
        roundings.iter().map(|r| Ok((*r, reference(*r)?))).collect::<Result<_, String>>()?;
    for (at, (name, value)) in values.iter().enumerate() {
        let Some(output) = outputs.get_mut(*name) else { continue };
        let own = numbers(value).map_err(|e| e.to_string())?;
        for (rounding, reference) in &references {
            let Some((_, reference)) = reference.get(at) else { continue };
            let reference = numbers(reference).map_err(|e| e.to_string())?;
            if *rounding == Rounding::Exact {
                output.signature = Some(signature::signature(&own, &reference));
            }
            if asked.hypotheses {
                let log2 = signature::relative_l2(&own, &reference);
                output.hypotheses.insert(rounding.word().to_owned(), log2);
            }
        }
    }
    Ok(())
}

/// An error in the place of a result: its kind, and the digest of what is compared between machines.
fn raised(id: &str, message: &str) -> Measured {
    let first = message.lines().next().unwrap_or_default();
    let first: String = first.trim_start_matches("Internal torch error: ").chars().take(200).collect();
    let (kind, compared) = if message.contains("allocate memory") || message.contains("out of memory") {
        ("out-of-memory", "out-of-memory")
    } else if first.contains("does not have a deterministic implementation") {
        ("nondeterministic", first.split(' ').next().unwrap_or_default())
    } else if first.to_lowercase().contains("not implemented") {
        ("unsupported", "unsupported")
    } else {
        ("error", "RuntimeError")
    };
    let digest = hex(&digest::raised(id, compared));
    let raised = Some(Raised { kind: kind.to_owned(), message: first.clone() });
    Measured { id: id.to_owned(), digest, runs: 0, raised, ..Measured::default() }
}
