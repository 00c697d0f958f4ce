//! Where a value without an order of its own ends up: put in order, only asked for its members, or used as it comes.
//!
//! A set has no order until it is iterated; the list of a folder has one that the file system chose. [`escapes`]
//! climbs from such a value through what is made of it, and follows names, until it is known that no order counts
//! (`sorted`, `len`, `in`, another set) or that one does. Where neither can be told for the common case, the answer is
//! that it does not: a finding must be worth reading.

use rustpython_ruff_python_ast::{Expr, ExprCall, Number, Operator, Stmt, UnaryOp};

use super::tame;
use super::tree::{Bind, Id, Part, Tree};
use super::values::method;

/// What is climbed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A set: no order yet.
    Set,
    /// Values in an order that nobody chose: a list, a generator.
    Sequence,
    /// A text that was joined of such values: it counts, unless it is only shown.
    Joined,
    /// A text that shows such values.
    Text,
}

/// How many steps through names are taken.
const DEEPEST: u32 = 6;

/// Functions to which order is nothing.
const BLIND: [&str; 24] = [
    "sorted",
    "len",
    "set",
    "frozenset",
    "any",
    "all",
    "sum",
    "min",
    "max",
    "bool",
    "isinstance",
    "type",
    "id",
    "collections.Counter",
    "natsort.natsorted",
    "natsort.os_sorted",
    "natsort.humansorted",
    "numpy.sort",
    "numpy.unique",
    "numpy.intersect1d",
    "math.fsum",
    "heapq.nsmallest",
    "heapq.nlargest",
    "os.path.getsize",
];

/// Functions whose result keeps the order of what they are given.
const PASSING: [&str; 18] = [
    "list",
    "tuple",
    "map",
    "filter",
    "iter",
    "reversed",
    "itertools.chain",
    "itertools.chain.from_iterable",
    "tqdm.tqdm",
    "tqdm.auto.tqdm",
    "tqdm.notebook.tqdm",
    "tqdm.trange",
    "itertools.filterfalse",
    "itertools.compress",
    "numpy.array",
    "numpy.asarray",
    "typing.cast",
    "collections.deque",
];

/// The climber.
pub(super) struct Order<'t, 'a> {
    tree: &'t Tree<'a>,
    /// Where an order counts.
    out: Vec<Id>,
    /// The names that are being followed, by scope.
    following: Vec<(&'a str, u32)>,
}

/// Where the order of the value at `id` counts, each place once, in order.
pub(super) fn escapes(tree: &Tree<'_>, id: Id, shape: Shape) -> Vec<Id> {
    let mut order = Order { tree, out: Vec::new(), following: Vec::new() };
    order.climb(id, shape, None);
    order.out.sort_unstable();
    order.out.dedup();
    order.out
}

/// Whether what is gathered in a name has an order that counts.
pub(super) fn gathered_counts(tree: &Tree<'_>, name: &str, scope: u32, depth: u32) -> bool {
    let Some(home) = tree.scope_of(name, scope) else { return true };
    if depth >= DEEPEST {
        return true;
    }
    if in_order(tree, name, home) {
        return false;
    }
    let mut order = Order { tree, out: Vec::new(), following: Vec::new() };
    let uses: Vec<Id> = tree.uses(name, home).collect();
    for id in uses {
        order.climb(id, Shape::Sequence, None);
    }
    !order.out.is_empty()
}

/// Whether a name is put in order, or has nothing to order: `x.sort()`, `x = sorted(x)`, `len(x) == 1`.
fn in_order(tree: &Tree<'_>, name: &str, home: u32) -> bool {
    let sorted = |expr: &Expr, scope: u32| match expr {
        Expr::Call(call) => is_sorting(tree, call, scope),
        _ => false,
    };
    let bound = tree.scopes[home as usize].names.get(name).into_iter().flatten().any(|bind| match bind {
        Bind::Value(value) => tree.expr(*value).is_some_and(|e| sorted(e, tree.node(*value).scope)),
        _ => false,
    });
    bound || tree.uses(name, home).any(|id| is_sorted_in_place(tree, id) || is_alone(tree, id))
}

/// `len(x) == 1`: there is one, and no order.
fn is_alone(tree: &Tree<'_>, id: Id) -> bool {
    let mut above = tree.above(id).map(|(_, node)| node.part);
    let is_len = matches!(above.next(), Some(Part::Expr(Expr::Call(call)))
        if matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "len"));
    is_len
        && match above.next() {
            Some(Part::Expr(Expr::Compare(of))) => of.comparators.iter().chain([&*of.left]).any(|e| {
                matches!(e, Expr::NumberLiteral(n) if matches!(&n.value, Number::Int(i) if i.as_i64() == Some(1)))
            }),
            _ => false,
        }
}

fn is_sorting(tree: &Tree<'_>, call: &ExprCall, scope: u32) -> bool {
    tree.path(&call.func, scope)
        .is_some_and(|path| path == "builtins.sorted" || path.starts_with("natsort.") || path == "numpy.sort")
        || matches!(&*call.func, Expr::Name(name) if name.id.contains("sort"))
}

/// `x.sort()`, `random.shuffle` not: that needs an order to begin with.
fn is_sorted_in_place(tree: &Tree<'_>, id: Id) -> bool {
    let mut above = tree.above(id);
    let is_sort = matches!(above.next(), Some((_, node)) if matches!(node.part,
        Part::Expr(Expr::Attribute(attribute)) if attribute.attr.as_str() == "sort"));
    is_sort && matches!(above.next(), Some((_, node)) if matches!(node.part, Part::Expr(Expr::Call(_))))
}

impl<'a> Order<'_, 'a> {
    fn found(&mut self, at: Id) {
        self.out.push(at);
    }

    /// One step up from `id`. `from` is where the order began, for a set that became a sequence.
    fn climb(&mut self, id: Id, shape: Shape, from: Option<Id>) {
        let (mut id, mut shape, mut from) = (id, shape, from);
        while let Some((next, next_shape, next_from)) = self.step(id, shape, from) {
            (id, shape, from) = (next, next_shape, next_from);
        }
    }

    /// What the value becomes in the node above; `None` where the way ends, after [`Order::found`] or without.
    fn step(&mut self, id: Id, shape: Shape, from: Option<Id>) -> Option<(Id, Shape, Option<Id>)> {
        let tree = self.tree;
        let above = tree.node(id).parent?;
        let me = tree.expr(id);
        let is_me = |expr: &Expr| me.is_some_and(|me| std::ptr::eq(me, expr));
        let began = from.unwrap_or(id);
        match tree.node(above).part {
            Part::Expr(parent) => match parent {
                Expr::Call(call) => self.argument(call, above, id, shape, from),
                Expr::Attribute(attribute) => self.member(attribute.attr.as_str(), above, id, shape, from),
                Expr::Starred(_) => Some((above, Shape::Sequence, Some(began))),
                Expr::List(_) | Expr::Tuple(_) => match (shape, me) {
                    // `[*names]` is the names; `[names]` holds them.
                    (Shape::Sequence, Some(Expr::Starred(_))) => Some((above, Shape::Sequence, from)),
                    (Shape::Set, _) => None,
                    _ => Some((above, shape, from)),
                },
                Expr::Set(_) | Expr::Compare(_) | Expr::Slice(_) | Expr::Await(_) => None,
                Expr::BinOp(of) => match (shape, of.op) {
                    // What is made of sets is a set of its own, which is climbed from by itself.
                    (Shape::Set, Operator::BitOr | Operator::BitAnd | Operator::Sub | Operator::BitXor)
                    | (Shape::Joined, Operator::Mod) => None,
                    (
                        Shape::Sequence | Shape::Joined | Shape::Text,
                        Operator::Add | Operator::Mult | Operator::Mod,
                    ) => Some((above, shape, from)),
                    (Shape::Set, Operator::Mod) => Some((above, Shape::Text, Some(began))),
                    _ => None,
                },
                Expr::UnaryOp(of) if of.op == UnaryOp::Not => None,
                Expr::BoolOp(_) | Expr::Named(_) => {
                    if let Expr::Named(named) = parent
                        && let Expr::Name(name) = &*named.target
                    {
                        self.follow(name.id.as_str(), tree.node(above).scope, shape, from);
                    }
                    Some((above, shape, from))
                }
                Expr::If(of) if is_me(&of.test) => None,
                Expr::If(_) => Some((above, shape, from)),
                Expr::Subscript(of)
                    if is_me(&of.value) && matches!(shape, Shape::Sequence | Shape::Joined) =>
                {
                    // `files[:]` is all of them.
                    let whole =
                        matches!(&*of.slice, Expr::Slice(s) if s.lower.is_none() && s.upper.is_none());
                    if whole {
                        return Some((above, shape, from));
                    }
                    if !self.is_written(above) {
                        self.found(began);
                    }
                    None
                }
                Expr::Subscript(_) => None,
                Expr::FString(_) | Expr::TString(_) => Some((above, Shape::Text, Some(began))),
                Expr::YieldFrom(_) => {
                    self.found(began);
                    None
                }
                Expr::Yield(_) | Expr::Lambda(_) | Expr::Dict(_) => {
                    if matches!(shape, Shape::Sequence | Shape::Joined) {
                        self.found(began);
                    }
                    None
                }
                _ => None,
            },
            Part::Keyword(_) => {
                let call = tree.node(above).parent?;
                match tree.expr(call)? {
                    Expr::Call(of) => self.argument(of, call, id, shape, from),
                    _ => None,
                }
            }
            Part::Comprehension(of) if is_me(&of.iter) => self.iterated_in(above, began, shape),
            Part::Comprehension(_) => None,
            Part::With(with) if is_me(&with.context_expr) => {
                if let Some(Expr::Name(name)) = with.optional_vars.as_deref() {
                    self.follow(name.id.as_str(), tree.node(above).scope, shape, from);
                }
                None
            }
            Part::With(_) => None,
            Part::Stmt(stmt) => {
                self.statement(stmt, above, id, shape, began, from);
                None
            }
        }
    }

    /// The value is the iterable of a comprehension.
    fn iterated_in(&mut self, above: Id, began: Id, shape: Shape) -> Option<(Id, Shape, Option<Id>)> {
        match shape {
            Shape::Text => return None,
            Shape::Joined => {
                self.found(began);
                return None;
            }
            Shape::Set | Shape::Sequence => {}
        }
        let comprehension = self.tree.node(above).parent?;
        match self.tree.expr(comprehension)? {
            Expr::ListComp(_) | Expr::Generator(_) => Some((comprehension, Shape::Sequence, Some(began))),
            // What comes out has no order, or one that few look at.
            _ => None,
        }
    }

    /// The value is an argument of a call, or what is called.
    fn argument(
        &mut self,
        call: &'a ExprCall,
        at: Id,
        id: Id,
        shape: Shape,
        from: Option<Id>,
    ) -> Option<(Id, Shape, Option<Id>)> {
        let tree = self.tree;
        let scope = tree.node(at).scope;
        let began = from.unwrap_or(id);
        let starred = matches!(tree.expr(id), Some(Expr::Starred(_)));
        let path = tree.path(&call.func, scope);
        let name =
            path.as_deref().map(|p| p.strip_prefix(super::names::BUILTINS).unwrap_or(p)).unwrap_or_default();
        if is_sorting(tree, call, scope) || (BLIND.contains(&name) && !starred) {
            return None;
        }
        match shape {
            Shape::Text => return None,
            Shape::Joined => {
                let keyword = match tree.node(id).parent.map(|p| tree.node(p).part) {
                    Some(Part::Keyword(keyword)) => keyword.arg.as_ref().map(|name| name.as_str()),
                    _ => None,
                };
                if !is_shown(name, call, keyword) && !tame::is_tame_call(tree, call, scope) {
                    self.found(began);
                }
                return None;
            }
            Shape::Set | Shape::Sequence => {}
        }
        match name {
            "enumerate" | "zip" => {
                self.found(began);
                return None;
            }
            // `next(iter(s))` is how the only member of a set is taken.
            "next" if self.is_of_set(began) => return None,
            "next" => {
                self.found(began);
                return None;
            }
            "str" | "repr" | "format" => return Some((at, Shape::Text, Some(began))),
            "copy.copy" | "copy.deepcopy" | "typing.cast" => return Some((at, shape, from)),
            "print" | "hash" | "vars" => return None,
            _ => {}
        }
        if PASSING.contains(&name) {
            return Some((at, Shape::Sequence, Some(began)));
        }
        if let Some((receiver, method)) = method(call) {
            match method {
                "join" if !name.starts_with("os.path.") => return Some((at, Shape::Joined, Some(began))),
                "extend" | "append" | "extendleft" | "insert" => {
                    if shape == Shape::Set && method != "extend" {
                        return None;
                    }
                    if let Expr::Name(list) = receiver {
                        self.follow(list.id.as_str(), scope, Shape::Sequence, Some(began));
                    } else {
                        self.found(began);
                    }
                    return None;
                }
                _ if tame::METHODS.contains(&method) => return None,
                _ => {}
            }
        }
        // A set that is handed on is no order yet; a list that is handed on has one. Whoever takes it as the paths to
        // remove or to show does not look at it.
        let shown = tame::is_tame_call(tree, call, scope);
        if shape == Shape::Sequence && !shown && (starred || !is_unordered_taker(name)) {
            self.found(began);
        }
        None
    }

    /// An attribute of the value is taken.
    fn member(
        &mut self,
        name: &str,
        at: Id,
        id: Id,
        shape: Shape,
        from: Option<Id>,
    ) -> Option<(Id, Shape, Option<Id>)> {
        let call = self.tree.node(at).parent?;
        let called = match self.tree.node(call).part {
            Part::Expr(Expr::Call(of)) => {
                self.tree.expr(at).is_some_and(|e| std::ptr::eq(&raw const *of.func, e))
            }
            _ => false,
        };
        match (shape, name) {
            _ if !called => None,
            // `pop` of a set takes its only member, or any of those that are still to do.
            (Shape::Sequence, "pop" | "popleft") => {
                if !self.is_discarded(call) {
                    self.found(from.unwrap_or(id));
                }
                None
            }
            (Shape::Sequence, "copy") => Some((call, shape, from)),
            (Shape::Joined, "strip" | "lower" | "upper" | "rstrip" | "lstrip" | "encode" | "replace") => {
                Some((call, shape, from))
            }
            (Shape::Joined, "split" | "splitlines") => Some((call, Shape::Sequence, from)),
            _ => None,
        }
    }

    fn statement(&mut self, stmt: &'a Stmt, at: Id, id: Id, shape: Shape, began: Id, from: Option<Id>) {
        let tree = self.tree;
        let scope = tree.node(at).scope;
        let me = tree.expr(id);
        let is_me = |expr: &Expr| me.is_some_and(|me| std::ptr::eq(me, expr));
        match stmt {
            Stmt::For(each)
                if is_me(&each.iter)
                    && shape != Shape::Text
                    && !tame::body(tree, &each.target, &each.body, scope, self.depth()) =>
            {
                self.found(began);
            }
            Stmt::Assign(assign) if is_me(&assign.value) => {
                assign.targets.iter().for_each(|target| self.assigned(target, scope, shape, began, from));
            }
            Stmt::AnnAssign(assign) if assign.value.as_deref().is_some_and(is_me) => {
                self.assigned(&assign.target, scope, shape, began, from);
            }
            Stmt::AugAssign(assign) if is_me(&assign.value) => match &*assign.target {
                Expr::Name(name) if shape != Shape::Set => {
                    self.follow(name.id.as_str(), scope, shape, Some(began));
                }
                _ if shape == Shape::Sequence => self.found(began),
                _ => {}
            },
            Stmt::Return(_) if matches!(shape, Shape::Sequence | Shape::Joined) => self.found(began),
            _ => {}
        }
    }

    fn assigned(&mut self, target: &'a Expr, scope: u32, shape: Shape, began: Id, from: Option<Id>) {
        match target {
            Expr::Name(name) => self.follow(name.id.as_str(), scope, shape, from),
            // `(only,) = names`
            Expr::Tuple(of) if of.elts.len() == 1 => {}
            Expr::List(of) if of.elts.len() == 1 => {}
            // `a, b = names`
            Expr::Tuple(_) | Expr::List(_) if shape != Shape::Text => self.found(began),
            Expr::Attribute(attribute)
                if shape == Shape::Sequence && !self.attribute_in_order(attribute.attr.as_str(), scope) =>
            {
                self.found(began);
            }
            Expr::Subscript(_) if shape == Shape::Sequence => self.found(began),
            _ => {}
        }
    }

    /// Whether the class puts its attribute in order: `self.files.sort()`, `self.files = sorted(…)`.
    fn attribute_in_order(&self, name: &str, scope: u32) -> bool {
        let tree = self.tree;
        let sorts = |expr: &Expr, scope| matches!(expr, Expr::Call(call) if is_sorting(tree, call, scope));
        tree.attribute_uses(scope, name).iter().any(|at| {
            let above = tree.node(*at).parent.map(|above| tree.node(above));
            is_sorted_in_place(tree, *at)
                || above.is_some_and(|node| match node.part {
                    Part::Expr(expr) => sorts(expr, node.scope),
                    Part::Stmt(Stmt::Assign(assign)) => sorts(&assign.value, node.scope),
                    _ => false,
                })
        })
    }

    /// Follows the value into a name.
    fn follow(&mut self, name: &'a str, scope: u32, shape: Shape, from: Option<Id>) {
        let tree = self.tree;
        // A set in a name is looked at where the name is used.
        if !matches!(shape, Shape::Sequence | Shape::Joined) {
            return;
        }
        let Some(home) = tree.scope_of(name, scope) else { return };
        if self.following.contains(&(name, home)) || self.following.len() >= DEEPEST as usize {
            return;
        }
        if in_order(tree, name, home) {
            return;
        }
        self.following.push((name, home));
        let uses: Vec<Id> = tree.uses(name, home).collect();
        for id in uses {
            self.climb(id, shape, Some(from.unwrap_or(id)));
        }
        self.following.pop();
    }

    /// Whether what is climbed from is a set by its form.
    fn is_of_set(&self, id: Id) -> bool {
        self.tree
            .expr(id)
            .is_some_and(|e| super::checks::is_set(self.tree, e, self.tree.node(id).scope, DEEPEST))
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.following.len()).unwrap_or(DEEPEST)
    }

    /// Whether a call stands alone, its result thrown away.
    fn is_discarded(&self, call: Id) -> bool {
        matches!(self.tree.node(call).parent.map(|p| self.tree.node(p).part), Some(Part::Stmt(Stmt::Expr(_))))
    }

    /// Whether a subscript is written to or deleted.
    fn is_written(&self, subscript: Id) -> bool {
        matches!(self.tree.expr(subscript), Some(Expr::Subscript(s)) if !s.ctx.is_load())
    }
}

/// Whether a text that is handed on is only shown: printed, logged, the message of an error.
fn is_shown(path: &str, call: &ExprCall, keyword: Option<&str>) -> bool {
    let name = match &*call.func {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(attribute) => attribute.attr.as_str(),
        _ => "",
    };
    const SHOWS: [&str; 9] =
        ["print", "echo", "format", "fail", "exit", "skip", "error", "join", "set_title"];
    const KEYWORDS: [&str; 11] = [
        "help",
        "description",
        "msg",
        "message",
        "title",
        "label",
        "doc",
        "desc",
        "reason",
        "epilog",
        "usage",
    ];
    ["Error", "Exception", "Warning", "Exit"].iter().any(|end| name.ends_with(end))
        || SHOWS.contains(&name)
        || path == "builtins.len"
        || name.contains("warn")
        || name.contains("log")
        || keyword.is_some_and(|keyword| KEYWORDS.contains(&keyword))
}

/// Functions outside that take many values and make something without an order of them.
fn is_unordered_taker(name: &str) -> bool {
    ["logging.", "warnings.", "pprint.", "shutil.", "os.path."].iter().any(|p| name.starts_with(p))
}
