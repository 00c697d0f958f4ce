//! The abstract interpreter: walks the program as Python would run it, with what is known in place of values.

mod attr;
mod bind;
mod builtins;
mod call;
mod class;
mod compare;
mod convert;
mod expr;
mod items;
mod load;
mod method;
mod ops;
mod pattern;
mod stmt;
mod text;

pub(in crate::workload) use attr::plain;
pub(in crate::workload) use items::{Items, index};
pub(in crate::workload) use load::read;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use rustpython_ruff_python_ast::name::Name;
use rustpython_ruff_text_size::TextSize;
use typed_arena::Arena;

use super::Inputs;
use super::command::Launch;
use super::heap::{Heap, Obj};
use super::parse::Source;
use super::record::Record;
use super::value::{Hint, Id, K, Taint, Val};

/// Most steps of one analysis; a step is one expression or statement.
const STEPS: u32 = 200_000;

/// Deepest nesting of calls and expressions.
const DEPTH: u32 = 400;

/// How the execution of statements goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return,
    /// An exception, or the program's end.
    Stop,
}

/// Where a name is bound that is not local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outer {
    Global,
    Nonlocal,
}

/// A running function, class body or module.
#[derive(Debug)]
pub(super) struct Frame {
    scope: Id,
    globals: Id,
    closure: Vec<Id>,
    source: usize,
    outer: BTreeMap<Name, Outer>,
    returned: Vec<Val>,
    yielded: Vec<Val>,
    class: Option<Id>,
    me: Option<Val>,
    func: Option<Id>,
}

/// A source file that was reached.
#[derive(Clone, Debug)]
pub(super) struct Reached<'a> {
    pub(super) path: PathBuf,
    pub(super) source: &'a Source,
}

/// The state of an analysis.
pub(super) struct Interp<'a> {
    pub(super) arena: &'a Arena<Source>,
    pub(super) inputs: &'a Inputs,
    pub(super) launch: &'a Launch,
    pub(super) heap: Heap<'a>,
    pub(super) rec: Record,
    pub(super) sources: Vec<Reached<'a>>,
    frames: Vec<Frame>,
    /// Local modules by their dotted name; `None` where there is no such module.
    modules: BTreeMap<String, Option<Id>>,
    /// Where local modules are looked for.
    search: Vec<PathBuf>,
    /// Names imported with `*` from libraries, by module globals.
    stars: BTreeMap<Id, Vec<Rc<str>>>,
    /// Which of the global generators are seeded, by name.
    pub(super) rng: Id,
    /// `os.environ`.
    pub(super) environ: Id,
    argv: Option<Id>,
    /// Steps taken.
    pub(super) steps: u32,
    depth: u32,
    /// That there are no steps left is on record.
    spent: bool,
    at: TextSize,
    /// An exception is on its way.
    stopping: bool,
    /// It is an ImportError.
    import_failed: bool,
    /// Results of calls of recursive functions with plain arguments.
    memo: BTreeMap<(Id, String), Val>,
    /// Calls of the program's functions that are being analysed.
    active: Vec<Id>,
    /// The code runs in a DataLoader's worker, whose generators torch seeds.
    pub(super) worker: bool,
    /// Draws of random numbers so far.
    pub(super) draws: u64,
}

impl<'a> Interp<'a> {
    pub(super) fn new(arena: &'a Arena<Source>, inputs: &'a Inputs, launch: &'a Launch) -> Self {
        let mut heap = Heap::default();
        let rng = heap.new_object(Obj::Names(BTreeMap::new()));
        let items =
            inputs.environment.iter().map(|(k, v)| (Val::str(k.as_str()), Val::str(v.as_str()))).collect();
        let environ =
            heap.new_object(Obj::Dict { items, more: None, factory: None, order: Default::default() });
        Self {
            arena,
            inputs,
            launch,
            heap,
            rec: Record::default(),
            sources: Vec::new(),
            frames: Vec::new(),
            modules: BTreeMap::new(),
            search: Vec::new(),
            stars: BTreeMap::new(),
            rng,
            environ,
            argv: None,
            steps: 0,
            depth: 0,
            spent: false,
            at: TextSize::default(),
            stopping: false,
            import_failed: false,
            memo: BTreeMap::new(),
            active: Vec::new(),
            worker: false,
            draws: 0,
        }
    }

    /// One step; false where there are none left, or the nesting is too deep.
    fn tick(&mut self) -> bool {
        self.steps = self.steps.saturating_add(1);
        if self.steps >= STEPS {
            if !std::mem::replace(&mut self.spent, true) {
                self.incomplete("all", "the program is too long to be followed to its end");
            }
            self.stopping = true;
            return false;
        }
        true
    }

    /// Something that the analysis cannot tell: of which framework (`all` for every one), and why.
    pub(super) fn incomplete(&mut self, framework: &str, why: &str) {
        self.rec.effects += 1;
        // The first place is enough.
        let reason = format!("{framework}: {why}");
        let known = self.rec.incomplete.range(reason.clone()..).next();
        if known.is_none_or(|k| {
            k.strip_prefix(reason.as_str()).is_none_or(|rest| !rest.is_empty() && !rest.starts_with(" ("))
        }) {
            let place = self.place();
            self.rec.incomplete.insert(format!("{reason}{place}"));
        }
    }

    /// ` (train.py:12)`.
    fn place(&self) -> String {
        let Some(reached) = self.frames.last().and_then(|f| self.sources.get(f.source)) else {
            return String::new();
        };
        let name = reached.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        format!(" ({name}:{})", reached.source.line(self.at))
    }

    fn frame(&mut self) -> Option<&mut Frame> {
        self.frames.last_mut()
    }

    /// Runs two continuations from the same state and goes on with what either leaves.
    pub(super) fn either(
        &mut self,
        a: impl FnOnce(&mut Self) -> Flow,
        b: impl FnOnce(&mut Self) -> Flow,
        widen: bool,
    ) -> Flow {
        let (x, mut after_a) = self.apart(a);
        let (y, mut after_b) = self.apart(b);
        let scope = self.frames.last().map(|f| f.scope);
        let over = |f: Flow| matches!(f, Flow::Return | Flow::Stop);
        match (x, y) {
            (Flow::Stop, y) if y != Flow::Stop => self.heap.apply(after_b),
            (x, Flow::Stop) if x != Flow::Stop => self.heap.apply(after_a),
            _ => {
                if let Some(scope) = scope {
                    // What a path that left the function did to its locals is gone; what it did elsewhere is not.
                    let base = self.heap.take(scope);
                    if over(x) && !over(y) {
                        let seen = after_b.get(&scope).unwrap_or(&base);
                        after_a.insert(scope, Rc::clone(seen));
                    } else if over(y) && !over(x) {
                        let seen = after_a.get(&scope).unwrap_or(&base);
                        after_b.insert(scope, Rc::clone(seen));
                    }
                }
                let ids: Vec<Id> = after_a.keys().chain(after_b.keys()).copied().collect();
                self.heap.apply_either(&after_a, &after_b);
                if widen {
                    ids.into_iter().for_each(|id| self.widen(id));
                }
            }
        }
        let rank = |f: Flow| match f {
            Flow::Next => 0,
            Flow::Continue => 1,
            Flow::Break => 2,
            Flow::Return => 3,
            Flow::Stop => 4,
        };
        let flow = if rank(x) <= rank(y) { x } else { y };
        self.stopping = flow == Flow::Stop;
        flow
    }

    /// Runs a continuation and takes its changes back.
    fn apart(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> (Flow, super::heap::Changes<'a>) {
        self.heap.begin();
        let mut flow = run(self);
        if std::mem::take(&mut self.stopping) {
            flow = Flow::Stop;
        }
        (flow, self.heap.undo())
    }

    /// Numbers and texts that differ between the rounds of a loop become any of their type.
    fn widen(&mut self, id: Id) {
        if !matches!(self.heap.get(id), Obj::Names(_) | Obj::Instance { .. }) {
            return;
        }
        let Some(names) = self.heap.names_mut(id) else { return };
        for value in names.values_mut() {
            if let K::Union(parts) = &value.k {
                let plain = parts.iter().filter(|p| p.is_const()).count();
                if plain > 1 {
                    let hint = parts
                        .iter()
                        .filter(|p| p.is_const())
                        .map(Val::hint)
                        .reduce(|a, b| if a == b { a } else { Hint::Whatever });
                    let kept = parts.iter().filter(|p| !p.is_const()).cloned();
                    let any = Val::of(hint.unwrap_or(Hint::Whatever));
                    *value = Val::one_of(kept.chain([any])).with(value.t);
                }
            }
        }
    }

    /// Whether `run` would change nothing but outputs: it is tried and taken back.
    fn inert(&mut self, run: impl FnOnce(&mut Self) -> Flow) -> bool {
        let saved = self.rec.clone();
        let (returned, yielded) = self.frames.last().map_or((0, 0), |f| (f.returned.len(), f.yielded.len()));
        let (stopping, failed) = (self.stopping, self.import_failed);
        let (flow, changes) = self.apart(run);
        let silent = flow == Flow::Next && self.rec.effects == saved.effects && self.only_imports(&changes);
        if let Some(frame) = self.frame() {
            frame.returned.truncate(returned);
            frame.yielded.truncate(yielded);
        }
        // What ran out of steps stays on record.
        let spent: Vec<String> =
            self.rec.incomplete.iter().filter(|r| r.contains("too long to be followed")).cloned().collect();
        self.rec = saved;
        self.rec.incomplete.extend(spent);
        (self.stopping, self.import_failed) = (stopping, failed);
        silent
    }

    /// Whether changes bind nothing but modules and functions of libraries.
    fn only_imports(&self, changes: &super::heap::Changes<'a>) -> bool {
        changes.iter().all(|(id, new)| match (self.heap.get(*id), &**new) {
            (Obj::Names(old), Obj::Names(new)) => {
                new.iter().all(|(name, value)| old.get(name) == Some(value) || matches!(value.k, K::Sym(_)))
            }
            _ => false,
        })
    }

    /// Whether a global generator is seeded: surely, surely not, or it depends.
    pub(super) fn seeded(&self, generator: &str) -> Option<bool> {
        match self.heap.names(self.rng)?.get(generator) {
            None => Some(false),
            Some(Val { k: K::Bool(b), .. }) => Some(*b),
            Some(_) => None,
        }
    }

    /// Seeds a global generator, with a value that is on record.
    pub(super) fn seed(&mut self, generator: &str, value: Option<&Val>) {
        let taint = value.map_or(0, |v| v.t);
        self.rec.used(taint);
        let (sure, text) = match value.map(|v| &v.k) {
            None | Some(K::None) => (false, "none".to_owned()),
            Some(K::Int(n)) => (true, n.to_string()),
            Some(K::Str(s)) => (true, s.to_string()),
            Some(K::Bytes(_)) => (true, "bytes".to_owned()),
            Some(_) => (true, "unknown".to_owned()),
        };
        self.rec.seed(generator, text);
        if let Some(names) = self.heap.names_mut(self.rng) {
            names.insert(generator.into(), sure.into());
        }
    }

    /// A draw from a global generator: recorded as `unseeded` where it may not be seeded.
    pub(super) fn draw(&mut self, generator: &str, unseeded: &str) {
        self.draws += 1;
        let generator = if self.worker { "torch" } else { generator };
        if self.seeded(generator) != Some(true) {
            self.rec.operation(unseeded);
        }
    }

    /// The values of `Val`s that a library or an unknown function gets: what is in them is used.
    pub(super) fn escape(&mut self, value: &Val) {
        let (taint, _) = self.reach(value, true);
        self.rec.used(taint);
    }

    /// The same for what is written out.
    pub(super) fn output(&mut self, value: &Val) {
        let effects = self.rec.effects;
        let (taint, _) = self.reach(value, true);
        self.rec.consumed(taint);
        self.rec.effects = effects;
    }

    /// The taint of a value and all it holds; with `use_order`, that its order is used is recorded.
    pub(super) fn reach(&mut self, value: &Val, use_order: bool) -> (Taint, Vec<Id>) {
        let (mut taint, mut seen, mut todo) = (0, Vec::new(), vec![value.clone()]);
        while let Some(value) = todo.pop() {
            taint |= value.t;
            if seen.len() > 500 {
                break;
            }
            let id = match &value.k {
                K::Tuple(items) | K::Union(items) => {
                    todo.extend(items.iter().take(500).cloned());
                    continue;
                }
                K::Bound(bound) => {
                    todo.push(bound.0.clone());
                    continue;
                }
                K::Ref(id) if !seen.contains(id) => *id,
                _ => continue,
            };
            seen.push(id);
            let object = self.heap.take(id);
            match &*object {
                Obj::List { items, more, order } => {
                    if use_order {
                        self.use_order(order);
                    }
                    todo.extend(items.iter().take(500).chain(more).cloned());
                }
                Obj::Dict { items, more, order, .. } => {
                    if use_order {
                        self.use_order(order);
                    }
                    todo.extend(items.iter().take(500).flat_map(|(k, v)| [k.clone(), v.clone()]));
                    todo.extend(more.iter().flat_map(|(k, v)| [k.clone(), v.clone()]));
                }
                Obj::Set { items, more } => {
                    if use_order {
                        let order = self.set_order(items, more.as_ref());
                        self.use_order(&order);
                    }
                    todo.extend(items.iter().take(500).chain(more).cloned());
                }
                Obj::Instance { attrs, .. } => todo.extend(attrs.values().cloned()),
                Obj::Lib(lib) => {
                    if use_order {
                        self.use_lib(id);
                    }
                    todo.extend(lib.attrs.values().cloned());
                    if lib.array.is_none() {
                        todo.extend(lib.args.all().cloned());
                    }
                }
                _ => {}
            }
        }
        // Walking over many objects is work as well.
        self.steps = self.steps.saturating_add(u32::try_from(seen.len() / 8).unwrap_or(0));
        (taint, seen)
    }

    /// The order of a collection decides something.
    pub(super) fn use_order(&mut self, order: &super::heap::Order) {
        use super::heap::Order;
        // What is done with the items is the effect, not the walk over them.
        let effects = self.rec.effects;
        match order {
            Order::Own => {}
            Order::Hashed { text, address } => {
                if *text {
                    self.rec.operation("python.set.iteration");
                }
                if *address {
                    self.rec.operation("python.id");
                }
            }
            Order::Listing(path) => {
                self.rec.operation("python.listing");
                if let Some(path) = path {
                    let path = self.inputs.cwd.join(&**path);
                    self.rec.listings.insert(path);
                }
            }
        }
        self.rec.effects = effects;
    }
}
