//! What a module contributes to the programs that it is a part of.

use std::collections::BTreeSet;

use rustpython_ruff_python_ast::{self as ast, CmpOp, Expr, Stmt};
use rustpython_ruff_text_size::Ranged as _;

use super::cuda::uses_cuda;
use super::draws::{self, Draw, Generators};
use super::file::{Assignment, Call, File};
use super::lines::{Lines, Place};
use super::sklearn;
use super::tree::{Id, Part};
use super::values::{argument, keyword};

/// How a module can be the start of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// It only defines things.
    No,
    /// It does something when it is run, which is also done when it is imported.
    Script,
    /// `if __name__ == "__main__":`, or a notebook.
    Main,
}

/// An import of modules that may be the program's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// How many folders up; 0 is absolute.
    pub(super) level: u32,
    /// The module; empty for `from . import x`.
    pub(super) module: String,
    /// What is taken from it, which may be modules.
    pub(super) names: Vec<String>,
}

/// Something at a place, with a few words.
pub(super) type Spot = (Place, String);

/// A function or class of the module, or (without a name) what stands outside of all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    pub(super) name: Option<String>,
    /// The names that it mentions, as [`name_hash`] gives them; sorted.
    pub(super) mentions: Vec<u64>,
    /// The first draw of each kind.
    pub(super) draws: Vec<(Draw, Spot)>,
    /// What of scikit-learn draws without a state.
    pub(super) sklearn: Vec<Spot>,
    /// The first use of a GPU.
    pub(super) cuda: bool,
    /// Where gradients are computed.
    pub(super) backward: Option<Spot>,
    /// A Lightning trainer on a GPU without `deterministic`.
    pub(super) trainer: Option<Spot>,
    /// `fit` is called.
    pub(super) fits: bool,
}

/// A module.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) entry: Entry,
    pub(super) imports: Vec<Import>,
    pub(super) units: Vec<Unit>,
    pub(super) seeds: Generators,
    /// Functions that are called and named as if they seeded everything.
    pub(super) seeds_by_name: BTreeSet<String>,
    /// Deterministic algorithms are asked for, or a choice is made by a value that is not known.
    pub(super) deterministic: bool,
    pub(super) torch: bool,
}

pub(super) fn of(file: &File<'_>, body: &[Stmt], lines: &Lines<'_>) -> Summary {
    let (units, of_node) = units(file);
    let mut out = Summary {
        entry: entry(body),
        imports: imports(file),
        units,
        seeds: Generators::default(),
        seeds_by_name: BTreeSet::new(),
        deterministic: false,
        torch: false,
    };
    out.torch = out.imports.iter().any(|i| {
        i.level == 0
            && matches!(
                i.module.split('.').next(),
                Some("torch" | "torchvision" | "lightning" | "pytorch_lightning")
            )
    });
    for call in &file.calls {
        let unit = of_node[call.id as usize] as usize;
        one(file, lines, call, &mut out, unit);
    }
    for Assignment { target, value, scope, .. } in file.assignments.iter().copied() {
        // `Trainer(deterministic=True)` apart, only calls switch this on; a context of one's own counts as one.
        if let Expr::Attribute(attribute) = target
            && attribute.attr.as_str() == "_deterministic_algorithms"
            && file.tree.truth(value, scope) == Some(true)
        {
            out.deterministic = true;
        }
    }
    out
}

fn one<'a>(file: &File<'a>, lines: &Lines<'_>, call: &Call<'a>, out: &mut Summary, unit: usize) {
    out.seeds = out.seeds.join(draws::seeds(file, call));
    out.seeds_by_name.extend(draws::seeds_by_name(call));
    match call.path.as_str() {
        "torch.use_deterministic_algorithms" => {
            let mode = argument(call.of, "mode", 0);
            out.deterministic |= mode.is_none_or(|e| file.tree.truth(e, call.scope) != Some(false));
        }
        "torch.set_deterministic_debug_mode" => {
            let mode = argument(call.of, "debug_mode", 0);
            out.deterministic |= mode.is_none_or(|e| file.tree.integer(e, call.scope) != Some(0));
        }
        path if path.ends_with("enable_full_determinism") => out.deterministic = true,
        _ => {}
    }
    if draws::sets_everything(call.name()) && call.name().to_ascii_lowercase().contains("determinis") {
        out.deterministic = true;
    }
    let Some(unit) = out.units.get_mut(unit) else { return };
    let spot = || (lines.place(call.of.range()), file.written(&call.of.func));
    if let Some(draw) = draws::of(file, call)
        && !unit.draws.iter().any(|(d, _)| *d == draw)
        && !is_example(file, call)
    {
        unit.draws.push((draw, spot()));
    }
    if sklearn::draws(file, call) {
        unit.sklearn.push(spot());
    }
    unit.cuda |= uses_cuda(file, call);
    if call.of.func.is_attribute_expr() {
        match call.name() {
            "backward" if unit.backward.is_none() => unit.backward = Some(spot()),
            "fit" => unit.fits = true,
            _ => {}
        }
    }
    let is_trainer = call.path.starts_with("lightning.pytorch.") && call.name() == "Trainer";
    if is_trainer && unit.trainer.is_none() {
        let text = keyword(call.of, "accelerator").and_then(|e| file.tree.text(e, call.scope));
        if keyword(call.of, "deterministic").is_some() {
            out.deterministic = true;
        } else if matches!(text, Some("gpu" | "cuda")) || keyword(call.of, "gpus").is_some() {
            unit.trainer = Some(spot());
        }
    }
}

/// `example_input = torch.rand(…)`: the shape counts, for tracing or for a warm-up, and not the numbers.
fn is_example(file: &File<'_>, call: &Call<'_>) -> bool {
    let Some(Part::Stmt(Stmt::Assign(assign))) =
        file.tree.node(call.id).parent.map(|p| file.tree.node(p).part)
    else {
        return false;
    };
    matches!(assign.targets.as_slice(), [Expr::Name(name)] if ["example", "dummy", "sample_input", "warm"]
        .iter()
        .any(|word| name.id.to_ascii_lowercase().starts_with(word)))
}

/// The units, and the unit of each node.
fn units(file: &File<'_>) -> (Vec<Unit>, Vec<u32>) {
    let mut units = vec![Unit::default()];
    let mut of_node: Vec<u32> = Vec::with_capacity(file.tree.nodes.len());
    for (_, node) in file.tree.all() {
        let outer = node.parent.and_then(|p: Id| of_node.get(p as usize).copied()).unwrap_or(0);
        let name = match node.part {
            Part::Stmt(Stmt::FunctionDef(def)) if outer == 0 => Some(&def.name),
            Part::Stmt(Stmt::ClassDef(def)) if outer == 0 => Some(&def.name),
            _ => None,
        };
        let unit = match name {
            Some(name) => {
                units.push(Unit { name: Some(name.to_string()), ..Unit::default() });
                u32::try_from(units.len() - 1).unwrap_or(0)
            }
            None => outer,
        };
        of_node.push(unit);
        let mention = match node.part {
            Part::Expr(Expr::Name(name)) if name.ctx.is_load() => name.id.as_str(),
            Part::Expr(Expr::Attribute(attribute)) => attribute.attr.as_str(),
            _ => continue,
        };
        units[unit as usize].mentions.push(name_hash(mention));
    }
    // A decorated function is called by whoever decorated it.
    for (id, node) in file.tree.all() {
        if let Part::Stmt(Stmt::FunctionDef(def)) = node.part
            && !def.decorator_list.is_empty()
            && node.parent.is_none_or(|p| of_node[p as usize] == 0)
        {
            let unit = of_node[id as usize] as usize;
            let name = units[unit].name.as_deref().map(name_hash);
            units[0].mentions.extend(name);
        }
    }
    for unit in &mut units {
        unit.mentions.sort_unstable();
        unit.mentions.dedup();
        unit.mentions.shrink_to_fit();
    }
    (units, of_node)
}

/// A name as a number: the same in every process, so that findings are. Two names of one number only make more count.
pub(super) fn name_hash(name: &str) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(name.as_bytes());
    hasher.finish()
}

fn imports(file: &File<'_>) -> Vec<Import> {
    let mut out = Vec::new();
    for (_, node) in file.tree.all() {
        match node.part {
            Part::Stmt(Stmt::Import(import)) => {
                out.extend(import.names.iter().map(|alias| Import {
                    level: 0,
                    module: alias.name.to_string(),
                    names: Vec::new(),
                }));
            }
            Part::Stmt(Stmt::ImportFrom(import)) => out.push(Import {
                level: import.level,
                module: import.module.as_ref().map(ToString::to_string).unwrap_or_default(),
                names: import.names.iter().map(|alias| alias.name.to_string()).collect(),
            }),
            _ => {}
        }
    }
    out.sort_by(|x, y| (x.level, &x.module, &x.names).cmp(&(y.level, &y.module, &y.names)));
    out.dedup();
    out
}

fn entry(body: &[Stmt]) -> Entry {
    body.iter().map(does).max().unwrap_or(Entry::No)
}

/// What a statement of the module makes of it.
fn does(stmt: &Stmt) -> Entry {
    match stmt {
        Stmt::If(of) if is_main(&of.test) => Entry::Main,
        Stmt::If(of) => {
            let rest = of.elif_else_clauses.iter().flat_map(|clause| &clause.body);
            of.body.iter().chain(rest).map(does).max().unwrap_or(Entry::No)
        }
        Stmt::For(_) | Stmt::While(_) => Entry::Script,
        Stmt::With(of) => of.body.iter().map(does).max().unwrap_or(Entry::No),
        Stmt::Expr(of) => match &*of.value {
            Expr::Call(call) if !configures(call) => Entry::Script,
            Expr::Await(_) => Entry::Script,
            _ => Entry::No,
        },
        _ => Entry::No,
    }
}

/// Calls that modules make which only define things.
fn configures(call: &ast::ExprCall) -> bool {
    match &*call.func {
        Expr::Attribute(attribute) => matches!(
            attribute.attr.as_str(),
            "basicConfig"
                | "filterwarnings"
                | "simplefilter"
                | "append"
                | "insert"
                | "extend"
                | "update"
                | "add"
                | "setdefault"
                | "register"
                | "setLevel"
                | "addHandler"
                | "captureWarnings"
                | "allow_in_graph"
                | "addLevelName"
                | "add_argument"
                | "use"
                | "rc"
                | "set_option"
                | "connect"
                | "impl"
                | "define"
                | "register_module"
                | "setattr"
                | "warn"
                | "reload"
                | "extend_path"
                | "disable"
        ),
        Expr::Name(name) => {
            let name = name.id.as_str();
            name.contains("register")
                || matches!(name, "setattr" | "require_version" | "warn" | "install" | "lazy_import")
        }
        _ => false,
    }
}

/// `__name__ == "__main__"`.
fn is_main(test: &Expr) -> bool {
    let Expr::Compare(of) = test else { return false };
    let name = |e: &Expr| matches!(e, Expr::Name(n) if n.id.as_str() == "__name__");
    let main = |e: &Expr| matches!(e, Expr::StringLiteral(t) if t.value.to_str() == "__main__");
    match (&*of.ops, &*of.comparators) {
        ([CmpOp::Eq], [right]) => (name(&of.left) && main(right)) || (main(&of.left) && name(right)),
        _ => false,
    }
}
