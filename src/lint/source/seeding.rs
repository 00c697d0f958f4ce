//! What seeds a generator, and what a program takes for a seed.

use rustpython_ruff_python_ast::{Expr, Operator, Stmt};

use super::file::{Call, File};
use super::tree::{Bind, Id, Part};

/// Functions that take a seed and whose name does not say so.
const TAKERS: [&str; 16] = [
    "numpy.random.default_rng",
    "numpy.random.RandomState",
    "numpy.random.SeedSequence",
    "numpy.random.PCG64",
    "numpy.random.PCG64DXSM",
    "numpy.random.MT19937",
    "numpy.random.Philox",
    "numpy.random.SFC64",
    "random.Random",
    "jax.random.PRNGKey",
    "jax.random.key",
    "keras.utils.set_random_seed",
    "tensorflow.random.Generator.from_seed",
    "sklearn.utils.check_random_state",
    "cupy.random.default_rng",
    "cupy.random.RandomState",
];

/// Whether a name speaks of a seed.
pub(super) fn is_seed_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let other = ["exceed", "proceed", "succeed", "seedling"].iter().any(|word| name.contains(word));
    (name.contains("seed") && !other) || name == "random_state" || name == "rng_key"
}

/// Whether a call takes a seed.
pub(super) fn takes_seed(call: &Call<'_>) -> bool {
    TAKERS.contains(&call.path.as_str()) || (is_seed_name(call.name()) && !call.name().starts_with("get"))
}

/// Functions through which a value goes on as itself, more or less.
fn passes(path: &str, name: &str) -> bool {
    matches!(
        path,
        "builtins.int"
            | "builtins.float"
            | "builtins.abs"
            | "builtins.round"
            | "builtins.str"
            | "builtins.hash"
            | "builtins.bytes"
            | "builtins.min"
            | "builtins.max"
            | "builtins.pow"
            | "builtins.ord"
            | "builtins.list"
            | "builtins.sum"
            | "builtins.map"
            | "math.floor"
            | "math.modf"
            | "struct.unpack"
            | "numpy.int32"
            | "numpy.uint32"
            | "numpy.int64"
            | "numpy.uint64"
            | "binascii.crc32"
            | "zlib.crc32"
            | "zlib.adler32"
    ) || path.starts_with("hashlib.")
        || matches!(
            name,
            "from_bytes"
                | "timestamp"
                | "total_seconds"
                | "hexdigest"
                | "digest"
                | "hex"
                | "encode"
                | "replace"
        )
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It seeds a generator, or is called a seed.
    Seed,
    /// It is reduced to a bucket: `% n`, `& mask`, an index.
    Bucket,
    /// Neither.
    Other,
}

/// What becomes of the value at `id`, through arithmetic, conversions and one name.
pub(super) fn fate(file: &File<'_>, id: Id, depth: u32) -> Fate {
    let tree = &file.tree;
    let (mut at, mut bucket) = (id, false);
    let end = |bucket: bool| if bucket { Fate::Bucket } else { Fate::Other };
    loop {
        let Some(above) = tree.node(at).parent else { return end(bucket) };
        let me = tree.expr(at);
        let is_me = |expr: &Expr| me.is_some_and(|me| std::ptr::eq(me, expr));
        match tree.node(above).part {
            Part::Expr(parent) => match parent {
                Expr::BinOp(of) => {
                    // `%` on a text is formatting.
                    bucket |= is_me(&of.left)
                        && matches!(of.op, Operator::Mod | Operator::BitAnd | Operator::RShift);
                }
                Expr::UnaryOp(of) if of.op != rustpython_ruff_python_ast::UnaryOp::Not => {}
                Expr::If(of) if !is_me(&of.test) => {}
                Expr::Subscript(of) if !is_me(&of.value) => return end(bucket),
                Expr::BoolOp(_)
                | Expr::Attribute(_)
                | Expr::FString(_)
                | Expr::Tuple(_)
                | Expr::List(_)
                | Expr::Subscript(_)
                | Expr::Named(_) => {}
                Expr::Call(_) => match call_at(file, above) {
                    Some(call) if takes_seed(call) => return Fate::Seed,
                    Some(call) if passes(&call.path, call.name()) => {}
                    _ => return end(bucket),
                },
                _ => return end(bucket),
            },
            Part::Keyword(keyword) => {
                if keyword.arg.as_ref().is_some_and(|name| is_seed_name(name.as_str())) {
                    return Fate::Seed;
                }
                let Some(call) = tree.node(above).parent else { return end(bucket) };
                match call_at(file, call) {
                    Some(of) if takes_seed(of) => return Fate::Seed,
                    _ => return end(bucket),
                }
            }
            Part::Stmt(stmt) => {
                let targets: &[Expr] = match stmt {
                    Stmt::Assign(assign) => &assign.targets,
                    Stmt::AnnAssign(assign) => std::slice::from_ref(&*assign.target),
                    _ => return end(bucket),
                };
                let seeded = targets.iter().any(|target| match target {
                    Expr::Name(name) => {
                        is_seed_name(name.id.as_str())
                            || (depth > 0
                                && name_seeds(file, name.id.as_str(), tree.node(above).scope, depth))
                    }
                    Expr::Attribute(attribute) => is_seed_name(attribute.attr.as_str()),
                    _ => false,
                });
                return if seeded { Fate::Seed } else { end(bucket) };
            }
            _ => return end(bucket),
        }
        at = above;
    }
}

/// Whether a use of a name that is bound once seeds something.
fn name_seeds(file: &File<'_>, name: &str, scope: u32, depth: u32) -> bool {
    let tree = &file.tree;
    let Some(home) = tree.scope_of(name, scope) else { return false };
    let once = matches!(tree.binds(name, scope), Some([Bind::Value(_)]));
    once && tree.uses(name, home).any(|id| fate(file, id, depth - 1) == Fate::Seed)
}

/// The call at a node.
pub(super) fn call_at<'f, 'a>(file: &'f File<'a>, id: Id) -> Option<&'f Call<'a>> {
    file.calls.binary_search_by_key(&id, |call| call.id).ok().map(|i| &file.calls[i])
}
