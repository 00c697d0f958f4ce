//! Two self-tests compared: root, family, operation, and what that says for and against each cause.
//!
//! [`compare`] and [`evidence`] are pure functions over plain data, for `diff` to call.

use std::collections::BTreeSet;

use serde::Serialize;

use super::arms::EMULATIONS;
use super::catalogue::{self, Library, family};
use super::precision;
use super::protocol::Measured;
use super::result::{ArmResult, SelfTest};

/// What a pair shows, the more serious first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A control is wrong on a side: suspect hardware, a broken data path, or driftlock.
    Controls,
    /// Other catalogues, libraries or devices of another kind.
    NotComparable,
    /// An operation raises on one side only.
    Raises,
    /// Errors are of another size: another precision.
    Precision,
    /// Errors are of the same size: another order of summation, or another libm.
    Order,
    /// Something differs, and without signatures (a quick self-test, a snapshot without the file beside it) nothing
    /// tells precision from order.
    Differs,
    /// Only the random stream that is longer than one wave of a GPU.
    Stream,
    /// Only operations that are not stable on a side.
    Unstable,
    /// Nothing differs.
    Equal,
}

impl Class {
    /// The word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Controls => "controls",
            Self::NotComparable => "not-comparable",
            Self::Raises => "raises",
            Self::Precision => "precision",
            Self::Order => "order",
            Self::Differs => "differs",
            Self::Stream => "stream",
            Self::Unstable => "unstable",
            Self::Equal => "equal",
        }
    }
}

/// How an operation differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Raises on one side.
    Raises,
    /// Its error is of another size, or other roundings of operands explain it.
    Precision,
    /// Its error is of the same size.
    Order,
    /// It differs, and there is no signature to say how.
    Unsigned,
}

/// An operation that is stable on both sides and differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Its id.
    pub operation: String,
    /// How.
    pub kind: Kind,
    /// Its outputs that differ.
    pub outputs: Vec<String>,
    /// The most octaves by which the error of an output grew (positive) or shrank from A to B.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub octaves: Option<f64>,
    /// In words, where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// One arm that both sides have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArmComparison {
    /// Its name.
    pub arm: String,
    /// Whether the roots agree: then nothing below them differs.
    pub same_root: bool,
    /// Operations compared.
    pub compared: usize,
    /// Families that differ: name, operations that differ, operations compared.
    pub families: Vec<(String, usize, usize)>,
    /// Operations that differ.
    pub operations: Vec<Difference>,
    /// Operations left out since a side did not repeat itself.
    pub unstable: Vec<String>,
}

/// Two self-tests compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What it shows.
    pub class: Class,
    /// In a sentence.
    pub summary: String,
    /// The arms that both have.
    pub arms: Vec<ArmComparison>,
    /// What the pattern of differences points at, the likeliest first.
    pub hints: Vec<String>,
}

/// Which way something speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaks {
    /// For a cause: it should rise.
    For,
    /// Against it: it should sink.
    Against,
}

/// What a comparison says of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Which way.
    pub speaks: Speaks,
    /// In a sentence.
    pub line: String,
}

/// Compares two self-tests.
pub fn compare(a: &SelfTest, b: &SelfTest) -> Comparison {
    let kind = |t: &SelfTest| t.device.split(':').next().unwrap_or_default().to_owned();
    let apart = [
        ("libraries", a.library.module().to_owned(), b.library.module().to_owned()),
        ("versions of the catalogue", a.catalogue.to_string(), b.catalogue.to_string()),
        ("kinds of devices", kind(a), kind(b)),
    ];
    if let Some((what, left, right)) = apart.into_iter().find(|(_, left, right)| left != right) {
        let summary = format!("the self-tests are not comparable: other {what} ({left}, {right})");
        return Comparison { class: Class::NotComparable, summary, arms: Vec::new(), hints: Vec::new() };
    }
    let pairs = a.arms.iter().filter_map(|left| Some((left, b.arm(&left.name)?)));
    let arms: Vec<ArmComparison> =
        pairs.filter(|(l, r)| l.flags == r.flags).map(|(left, right)| arm(a, left, b, right)).collect();
    if arms.is_empty() {
        let summary = "the self-tests have no arm in common".to_owned();
        return Comparison { class: Class::NotComparable, summary, arms, hints: Vec::new() };
    }
    let bad = [a, b].map(|t| !super::judge::judge(t).controls_failed.is_empty());
    let class = if bad.contains(&true) { Class::Controls } else { class(&arms) };
    let summary = summary(class, bad, &arms, a, b);
    let hints = hints(class, &arms, a, b);
    Comparison { class, summary, arms, hints }
}

fn arm(a: &SelfTest, left: &ArmResult, b: &SelfTest, right: &ArmResult) -> ArmComparison {
    let mut unstable: BTreeSet<&str> = a.unstable_in(left).into_iter().collect();
    unstable.extend(b.unstable_in(right));
    let common: Vec<(&String, &Measured, &Measured)> = left
        .operations
        .iter()
        .filter(|(id, _)| !unstable.contains(id.as_str()))
        .filter_map(|(id, m)| Some((id, m, right.operations.get(id)?)))
        .collect();
    let operations: Vec<Difference> = common
        .iter()
        .filter(|(_, m, n)| m.digest != n.digest)
        .map(|(id, m, n)| difference(id, m, n))
        .collect();
    let mut names: Vec<&str> = operations.iter().map(|d| family(&d.operation)).collect();
    names.dedup();
    let families: BTreeSet<&str> = names.into_iter().collect();
    let count = |name: &str| {
        let differ = operations.iter().filter(|d| family(&d.operation) == name).count();
        (name.to_owned(), differ, common.iter().filter(|(id, ..)| family(id) == name).count())
    };
    ArmComparison {
        arm: left.name.clone(),
        same_root: left.root == right.root,
        compared: common.len(),
        families: families.into_iter().map(count).collect(),
        operations,
        unstable: unstable.into_iter().map(str::to_owned).collect(),
    }
}

fn difference(id: &str, a: &Measured, b: &Measured) -> Difference {
    let whole = |kind, why: Option<String>| Difference {
        operation: id.to_owned(),
        kind,
        outputs: Vec::new(),
        octaves: None,
        why,
    };
    match (&a.raised, &b.raised) {
        (Some(raised), None) => return whole(Kind::Raises, Some(format!("A raises: {}", raised.message))),
        (None, Some(raised)) => return whole(Kind::Raises, Some(format!("B raises: {}", raised.message))),
        (Some(_), Some(raised)) => {
            return whole(Kind::Raises, Some(format!("both raise, B with: {}", raised.message)));
        }
        (None, None) => {}
    }
    let (mut outputs, mut octaves, mut signed) = (Vec::new(), 0.0f64, false);
    let mut moved = false;
    for (name, left) in &a.outputs {
        let Some(right) = b.outputs.get(name).filter(|right| right.digest != left.digest) else {
            continue;
        };
        outputs.push(name.clone());
        let (Some(l), Some(r)) = (&left.signature, &right.signature) else { continue };
        signed = true;
        // An error far below the last bit of f32 is no size to compare.
        let by = r.log2_l2.max(-30.0) - l.log2_l2.max(-30.0);
        if by.abs() > octaves.abs() {
            octaves = by;
        }
        // The errors of single values are chance: measured, one of 135 moved by two octaves.
        let tolerance = if l.n <= 4 { 4.0 } else { 2.0 };
        moved |= by.abs() > tolerance || l.nonfinite != r.nonfinite;
    }
    let [before, after] = [a, b].map(|m| precision::of_operation(m.outputs.values()));
    let renamed = before != after && before.is_some() && after.is_some();
    let kind = match (signed, moved || renamed) {
        (false, _) => Kind::Unsigned,
        (true, true) => Kind::Precision,
        (true, false) => Kind::Order,
    };
    let why = match (before, after) {
        (Some(l), Some(r)) if renamed => Some(format!("{} became {}", l.words(), r.words())),
        _ => None,
    };
    let octaves = signed.then_some(octaves);
    Difference { operation: id.to_owned(), kind, outputs, octaves, why }
}

fn class(arms: &[ArmComparison]) -> Class {
    let all = || arms.iter().flat_map(|arm| &arm.operations);
    if all().next().is_none() {
        return if arms.iter().any(|a| !a.unstable.is_empty()) { Class::Unstable } else { Class::Equal };
    }
    if all().any(|d| d.kind == Kind::Precision) {
        return Class::Precision;
    }
    if all().any(|d| d.kind == Kind::Raises) {
        return Class::Raises;
    }
    match all().all(|d| d.operation == LONG_STREAM) {
        true => Class::Stream,
        // Integers have no signature either; one that has tells for all.
        false if all().all(|d| d.kind == Kind::Unsigned) => Class::Differs,
        false => Class::Order,
    }
}

/// The random streams longer than one wave of any GPU.
const LONG_STREAM: &str = "rng.big_1m";

fn summary(class: Class, bad: [bool; 2], arms: &[ArmComparison], a: &SelfTest, b: &SelfTest) -> String {
    let differ: BTreeSet<&str> =
        arms.iter().flat_map(|arm| arm.operations.iter().map(|d| d.operation.as_str())).collect();
    let most = arms.iter().map(|arm| arm.compared).max().unwrap_or_default();
    let of = |what: &str| format!("{} of {most} operations differ: {what}", differ.len());
    match class {
        Class::Controls => {
            let side = match bad {
                [true, false] => "A",
                [false, true] => "B",
                _ => "both sides",
            };
            format!(
                "a control is wrong on {side}: suspect the hardware or the data path before anything else \
                 (`dcgmi diag -r 3` on a GPU, a memory test on a CPU)"
            )
        }
        Class::Raises => of("some raise on one side only, so flags or versions differ"),
        Class::Precision => of("the size of the errors changed, so another precision computes"),
        Class::Order => {
            of("the errors are of the same size, so another order of summation or another libm computes")
        }
        Class::Differs => of("how large their errors are was not measured on both sides"),
        Class::Stream => {
            let geometry = |t: &SelfTest| match (t.described("sm_count"), t.described("threads_per_sm")) {
                (Some(sms), Some(threads)) => format!("{sms} SMs of {threads} threads"),
                _ => "unknown".to_owned(),
            };
            format!(
                "only random streams longer than one wave of the GPU differ: they depend on the number of SMs ({}, {})",
                geometry(a),
                geometry(b)
            )
        }
        Class::Unstable => {
            format!("every operation that repeats itself agrees ({most}); the rest proves nothing")
        }
        Class::Equal => format!("all {most} operations agree bit by bit"),
        Class::NotComparable => String::new(),
    }
}

/// The operations of an arm that one emulated cause moves where it was measured.
fn moved_by(library: Library, cause: &str) -> BTreeSet<&'static str> {
    let moved = catalogue::of(library).operations.iter().filter(|o| o.moved_by.iter().any(|m| m == cause));
    moved.map(|o| o.id.as_str()).collect()
}

fn hints(class: Class, arms: &[ArmComparison], a: &SelfTest, b: &SelfTest) -> Vec<String> {
    let mut out = Vec::new();
    let arm = |name: &str| arms.iter().find(|arm| arm.arm == name);
    if let (Some(one), Some(found)) = (arm("one-thread"), arm("found"))
        && one.operations.is_empty()
        && !found.operations.is_empty()
    {
        let threads = |t: &SelfTest| {
            t.arm("found")
                .and_then(|x| x.described.get("threads"))
                .map_or("?".to_owned(), ToString::to_string)
        };
        out.push(format!(
            "at one thread everything agrees, so the number of threads decides ({}, {})",
            threads(a),
            threads(b)
        ));
    }
    let Some(first) = arm("one-thread").or_else(|| arms.first()) else {
        return out;
    };
    if matches!(class, Class::Order | Class::Differs) {
        let differ: BTreeSet<&str> = first.operations.iter().map(|d| d.operation.as_str()).collect();
        let mut ranked: Vec<(usize, String)> = EMULATIONS
            .iter()
            .filter_map(|(cause, variable, value)| {
                let moved = moved_by(a.library, cause);
                let hit = moved.intersection(&differ).count();
                let stray = differ.difference(&moved).count() + moved.difference(&differ).count();
                let line = format!(
                    "{hit} of the {} operations that differ are those that {variable}={value} moves",
                    differ.len()
                );
                (hit > 0).then_some((stray, line))
            })
            .collect();
        ranked.sort();
        out.extend(ranked.into_iter().take(2).map(|(_, line)| line));
    }
    if class == Class::Precision {
        let mut words: Vec<String> = arms
            .iter()
            .flat_map(|arm| &arm.operations)
            .filter(|d| d.kind == Kind::Precision)
            .filter_map(|d| d.why.clone())
            .collect();
        words.sort();
        words.dedup();
        out.extend(words.into_iter().map(|w| format!("products of f32: {w}")));
    }
    out
}

/// The causes of which a self-test knows the operations: fact (a prefix of its path), emulated causes.
const CAUSES: [(&str, &[&str]); 12] = [
    ("env.ATEN_CPU_CAPABILITY", &["aten-avx2", "aten-default"]),
    ("torch.cpu_capability", &["aten-avx2", "aten-default"]),
    ("env.MKL_ENABLE_INSTRUCTIONS", &["mkl-avx2"]),
    ("env.MKL_CBWR", &["mkl-avx2"]),
    ("env.ONEDNN_MAX_CPU_ISA", &["onednn-avx2", "onednn-avx512-core"]),
    ("env.DNNL_MAX_CPU_ISA", &["onednn-avx2", "onednn-avx512-core"]),
    ("cpu.isa", &["aten-avx2", "aten-default", "mkl-avx2", "onednn-avx2", "onednn-avx512-core"]),
    ("cpu.dispatch", &["aten-avx2", "aten-default", "mkl-avx2", "onednn-avx2", "onednn-avx512-core"]),
    ("env.OMP_NUM_THREADS", &["threads"]),
    ("env.MKL_NUM_THREADS", &["threads"]),
    ("cpu.affinity", &["threads"]),
    ("cpu.threads", &["threads"]),
];

/// Facts that only move the precision of products on a GPU.
const PRECISION_FACTS: [&str; 3] =
    ["env.NVIDIA_TF32_OVERRIDE", "env.TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "torch.tf32"];

/// What a comparison says of a cause, named by its fact's path; nothing where the self-test does not cover it.
///
/// A cause whose operations all agree cannot be what makes runs of these operations differ; one whose operations
/// differ may be. A self-test covers the state of the machine and the library, not code, data or seeds.
pub fn evidence(comparison: &Comparison, library: Library, fact: &str) -> Option<Evidence> {
    if matches!(comparison.class, Class::NotComparable | Class::Controls) {
        return None;
    }
    let below =
        |prefix: &str| fact.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if PRECISION_FACTS.iter().any(|p| below(p)) {
        let precision = comparison.arms.iter().flat_map(|a| &a.operations).any(|d| d.kind == Kind::Precision);
        let (speaks, line) = if precision {
            (Speaks::For, "self-test: the errors of products are of another size")
        } else {
            (Speaks::Against, "self-test: the precision of every product agrees")
        };
        return Some(Evidence { speaks, line: line.to_owned() });
    }
    let (_, causes) = CAUSES.iter().find(|(prefix, _)| below(prefix))?;
    let moved: BTreeSet<&str> = causes.iter().flat_map(|cause| moved_by(library, cause)).collect();
    // At one thread the number of threads shows nothing.
    let threads = causes.contains(&"threads");
    let arm = comparison.arms.iter().find(|a| a.arm == if threads { "found" } else { "one-thread" });
    let arm = arm.or_else(|| comparison.arms.first())?;
    let differ: Vec<&str> = arm.operations.iter().map(|d| d.operation.as_str()).collect();
    let hit = differ.iter().filter(|id| moved.contains(*id)).count();
    if moved.len() < 3 || arm.compared < moved.len() {
        return None;
    }
    let (speaks, line) = if hit == 0 {
        (Speaks::Against, format!("self-test: none of the {} operations that it moves differs", moved.len()))
    } else {
        (Speaks::For, format!("self-test: {hit} of the {} operations that it moves differ", moved.len()))
    };
    Some(Evidence { speaks, line })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::result::{Output, Signature};
    use std::collections::BTreeMap;

    fn measured(digest: &str, log2_l2: f64) -> Measured {
        let signature = Some(Signature { n: 100, log2_l2, ..Signature::default() });
        let output = Output { digest: digest.to_owned(), signature, hypotheses: BTreeMap::new() };
        let outputs = BTreeMap::from([("y".to_owned(), output)]);
        Measured { digest: digest.to_owned(), runs: 2, distinct: 1, often: 2, outputs, ..Measured::default() }
    }

    fn test(operations: &[(&str, &str, f64)]) -> SelfTest {
        let operations = operations.iter().map(|(id, d, e)| ((*id).to_owned(), measured(d, *e))).collect();
        let arm = ArmResult { name: "one-thread".to_owned(), operations, ..ArmResult::default() };
        let mut test = SelfTest {
            schema: String::new(),
            library: Library::Torch,
            catalogue: 1,
            engine: String::new(),
            device: "cpu".to_owned(),
            level: String::new(),
            load_average_percent: None,
            seconds: 0.0,
            arms: vec![arm],
        };
        test.seal();
        test
    }

    #[test]
    fn the_size_of_the_error_parts_order_from_precision() {
        let a = test(&[("mm.f32_512", "a", -21.5), ("sm.softmax", "s", -24.0)]);
        let order = compare(&a, &test(&[("mm.f32_512", "b", -22.25), ("sm.softmax", "s", -24.0)]));
        assert_eq!(order.class, Class::Order);
        assert_eq!(order.arms[0].families, [("mm".to_owned(), 1, 1)]);
        let precision = compare(&a, &test(&[("mm.f32_512", "b", -11.5), ("sm.softmax", "s", -24.0)]));
        assert_eq!(precision.class, Class::Precision);
        assert_eq!(precision.arms[0].operations[0].octaves, Some(10.0));
        assert_eq!(compare(&a, &a).class, Class::Equal);
        assert!(compare(&a, &a).arms[0].same_root);
    }

    #[test]
    fn a_cause_whose_operations_agree_sinks_and_one_whose_operations_differ_rises() {
        // Without controls: these hold no golden digests, so that the comparison would stop at them.
        let operations = catalogue::of(Library::Torch).operations.iter();
        let all: Vec<&str> =
            operations.filter(|o| o.tier != catalogue::Tier::Control).map(|o| o.id.as_str()).collect();
        let base: Vec<(&str, &str, f64)> = all.iter().map(|id| (*id, "same", -20.0)).collect();
        let moved = moved_by(Library::Torch, "mkl-avx2");
        let digest = |id: &str| if moved.contains(id) { "other" } else { "same" };
        let changed: Vec<(&str, &str, f64)> = all.iter().map(|id| (*id, digest(id), -20.0)).collect();
        let comparison = compare(&test(&base), &test(&changed));
        let says = |fact| evidence(&comparison, Library::Torch, fact).map(|e| e.speaks);
        assert_eq!(says("env.MKL_ENABLE_INSTRUCTIONS"), Some(Speaks::For));
        assert_eq!(says("env.NVIDIA_TF32_OVERRIDE"), Some(Speaks::Against));
        assert_eq!(says("git.commit"), None);
        assert!(comparison.hints[0].contains("MKL_ENABLE_INSTRUCTIONS=AVX2"), "{:?}", comparison.hints);
        let equal = compare(&test(&base), &test(&base));
        let speaks = evidence(&equal, Library::Torch, "env.MKL_ENABLE_INSTRUCTIONS").map(|e| e.speaks);
        assert_eq!(speaks, Some(Speaks::Against));
    }
}
