//! Generators that are made, or seeded, without a seed: the system's entropy is taken.

use rustpython_ruff_python_ast::{Expr, Stmt};
use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{Call, File, Hit};
use super::super::tree::{Id, Part};
use super::super::values::is_open;

pub(super) const RULE: &str = "generator-without-seed";

/// What takes a seed as its first argument, by the name of that argument.
const SEEDED: [(&str, &str); 13] = [
    ("numpy.random.default_rng", "seed"),
    ("numpy.random.RandomState", "seed"),
    ("numpy.random.SeedSequence", "entropy"),
    ("numpy.random.PCG64", "seed"),
    ("numpy.random.PCG64DXSM", "seed"),
    ("numpy.random.MT19937", "seed"),
    ("numpy.random.Philox", "seed"),
    ("numpy.random.SFC64", "seed"),
    ("numpy.random.seed", "seed"),
    ("random.seed", "a"),
    ("random.Random", "x"),
    ("cupy.random.seed", "seed"),
    ("cupy.random.default_rng", "seed"),
];

/// What never takes one.
const ENTROPY: [&str; 4] = [
    "random.SystemRandom",
    "torch.seed",
    "torch.cuda.seed_all",
    "tensorflow.random.Generator.from_non_deterministic_state",
];

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for call in &file.calls {
        let open = is_open(call.of);
        let unseeded = SEEDED.iter().any(|(path, name)| {
            call.is(path)
                && !open
                && call.of.arguments.find_argument_value(name, 0).is_none_or(|seed| {
                    // `key=` of Philox stands for the seed.
                    file.tree.behind(seed, call.scope).0.is_none_literal_expr()
                })
                && (call
                    .of
                    .arguments
                    .keywords
                    .iter()
                    .all(|k| k.arg.as_ref().is_some_and(|a| a.as_str() == *name)))
        });
        let unseeded = unseeded && !gets_state(file, call);
        if unseeded || ENTROPY.contains(&call.path.as_str()) {
            let what = file.slice(call.of.range());
            out.push(Hit { rule: RULE, range: call.of.range(), what });
        }
    }
}

/// `rng = RandomState(); rng.set_state(…)`: the state comes from elsewhere.
fn gets_state(file: &File<'_>, call: &Call<'_>) -> bool {
    let Some(above) = file.tree.node(call.id).parent else { return false };
    let Part::Stmt(Stmt::Assign(assign)) = file.tree.node(above).part else { return false };
    let sets = |id: Id| {
        matches!(file.tree.above(id).next(), Some((_, node)) if matches!(node.part,
            Part::Expr(Expr::Attribute(a)) if matches!(a.attr.as_str(), "set_state" | "setstate" | "seed" | "bit_generator")))
    };
    if let [Expr::Attribute(attribute)] = assign.targets.as_slice() {
        // `self.rng = Random()`, seeded in another method.
        return file.tree.attribute_uses(call.scope, attribute.attr.as_str()).iter().copied().any(sets);
    }
    let [Expr::Name(name)] = assign.targets.as_slice() else { return false };
    let Some(home) = file.tree.scope_of(name.id.as_str(), call.scope) else { return false };
    file.tree.uses(name.id.as_str(), home).any(sets)
}
