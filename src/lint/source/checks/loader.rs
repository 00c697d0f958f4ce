//! A DataLoader with worker processes and shuffling or random augmentation, and neither `generator` nor
//! `worker_init_fn`.

use rustpython_ruff_python_ast::{Expr, Stmt};
use rustpython_ruff_text_size::Ranged as _;

use super::super::draws;
use super::super::file::{Call, File, Hit};
use super::super::seeding::call_at;
use super::super::tree::{Bind, Id, Part};
use super::super::values::{argument, is_open, keyword};

pub(super) const RULE: &str = "loader-workers-unseeded";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for call in file.calls_of("torch.utils.data.DataLoader") {
        if is_open(call.of) || !has_workers(file, call) {
            continue;
        }
        let given = |name: &str, place| {
            argument(call.of, name, place)
                .is_some_and(|e| !file.tree.behind(e, call.scope).0.is_none_literal_expr())
        };
        // The places are those of DataLoader's signature since torch 1.4.
        if given("worker_init_fn", 9) || given("generator", 11) {
            continue;
        }
        let shuffles = argument(call.of, "shuffle", 2)
            .is_some_and(|e| file.tree.truth(e, call.scope).unwrap_or(false))
            || samples_at_random(file, call);
        let what = if shuffles {
            "shuffled"
        } else if augments(file, call) {
            "random augmentation"
        } else {
            continue;
        };
        out.push(Hit { rule: RULE, range: call.of.range(), what: format!("workers, {what}") });
    }
}

/// Whether worker processes are started: a number that is not known to be 0.
fn has_workers<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    argument(call.of, "num_workers", 5).is_some_and(|e| {
        !file.tree.behind(e, call.scope).0.is_none_literal_expr()
            && file.tree.integer(e, call.scope) != Some(0)
    })
}

/// `sampler=RandomSampler(data)` without a generator of its own.
fn samples_at_random<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    let Some(sampler) = keyword(call.of, "sampler") else { return false };
    let (sampler, scope) = file.tree.behind(sampler, call.scope);
    match sampler {
        Expr::Call(of) => {
            let path = file.tree.path(&of.func, scope);
            let random = ["RandomSampler", "WeightedRandomSampler", "SubsetRandomSampler"];
            path.is_some_and(|p| random.iter().any(|r| p == format!("torch.utils.data.{r}")))
                && keyword(of, "generator").is_none()
                && !is_open(of)
        }
        _ => false,
    }
}

/// Whether loading a sample draws random numbers: by the transforms that the data set is given, or by its own
/// `__getitem__`.
fn augments<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    let Some(data) = argument(call.of, "dataset", 0) else { return false };
    let (data, scope) = file.tree.behind(data, call.scope);
    let Expr::Call(data) = data else { return false };
    let transforms = data.arguments.args.iter().chain(data.arguments.keywords.iter().map(|k| &k.value));
    if transforms.into_iter().any(|e| holds_random_transform(file, e, scope, 6)) {
        return true;
    }
    let Expr::Name(class) = &*data.func else { return false };
    let definition =
        file.tree.binds(class.id.as_str(), scope).into_iter().flatten().find_map(|bind| match bind {
            Bind::Def(id) => Some(*id),
            _ => None,
        });
    definition.is_some_and(|class| item_draws(file, class))
}

fn holds_random_transform<'a>(file: &File<'a>, expr: &'a Expr, scope: u32, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    let (expr, scope) = file.tree.behind(expr, scope);
    let inside = |e: &'a Expr| holds_random_transform(file, e, scope, depth - 1);
    match expr {
        Expr::List(of) => of.elts.iter().any(inside),
        Expr::Tuple(of) => of.elts.iter().any(inside),
        Expr::Call(call) => {
            let path = file.tree.path(&call.func, scope).unwrap_or_default();
            draws::is_random_transform(&path)
                || call.arguments.args.iter().any(inside)
                || call.arguments.keywords.iter().any(|k| inside(&k.value))
        }
        _ => false,
    }
}

/// Whether `__getitem__` of a class draws from a global generator.
fn item_draws(file: &File<'_>, class: Id) -> bool {
    let in_item = |id: Id| {
        let mut getter = false;
        for (at, node) in file.tree.above(id) {
            match node.part {
                Part::Stmt(Stmt::FunctionDef(def)) => getter = def.name.as_str() == "__getitem__",
                Part::Stmt(Stmt::ClassDef(_)) => return getter && at == class,
                _ => {}
            }
        }
        false
    };
    file.tree.all().any(|(id, node)| {
        matches!(node.part, Part::Expr(Expr::Call(_)))
            && call_at(file, id).is_some_and(|call| draws::of(file, call).is_some())
            && in_item(id)
    })
}
