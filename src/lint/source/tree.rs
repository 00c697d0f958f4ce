//! A module's syntax tree, laid flat: every statement and expression with its parent and its scope, and what each
//! name is bound to. Checks go over the list in the order of evaluation and look upwards; none of them recurses.

use rustc_hash::FxHashMap;
use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{
    self as ast, Comprehension, ExceptHandler, Expr, ExprContext, Keyword, Parameters, Pattern, Stmt,
    WithItem,
};

/// The place of a node in [`Tree::nodes`].
pub(super) type Id = u32;

/// A part of the program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    Stmt(&'a Stmt),
    Expr(&'a Expr),
    Keyword(&'a Keyword),
    Comprehension(&'a Comprehension),
    With(&'a WithItem),
}

/// A part and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) part: Part<'a>,
    /// `None` for the statements of the module.
    pub(super) parent: Option<Id>,
    /// In [`Tree::scopes`].
    pub(super) scope: u32,
}

/// What gives a name its value.
#[derive(Clone, Debug)]
pub(super) enum Bind {
    /// An import: the dotted path in the library, with leading dots where it is relative.
    Import(String),
    /// `name = value`; the value's node.
    Value(Id),
    /// `name += value`.
    Augment(Id),
    /// `def` or `class`; the statement's node.
    Def(Id),
    /// `for name in iter`, of a statement or a comprehension; the node of what is iterated.
    Each(Id),
    /// Anything else: a parameter, a part of a tuple, `as name`.
    Other,
}

/// What a scope belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Function,
    Class,
    Comprehension,
}

/// A scope and its names.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) kind: Kind,
    pub(super) parent: Option<u32>,
    pub(super) names: FxHashMap<&'a str, Vec<Bind>>,
    /// Names declared `global` or `nonlocal`, with the scope that they stand for.
    elsewhere: Vec<(&'a str, u32)>,
}

/// The flat tree.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) scopes: Vec<Scope<'a>>,
    /// Every use of a name, by the name.
    pub(super) loads: FxHashMap<&'a str, Vec<Id>>,
    /// Modules of which everything is imported.
    pub(super) stars: Vec<String>,
    /// The uses of each attribute of `self`, by the scope of the class.
    pub(super) of_self: FxHashMap<u32, FxHashMap<&'a str, Vec<Id>>>,
    parents: Vec<Id>,
    scope: u32,
}

/// Lays a module flat.
pub(super) fn flatten<'a>(body: &'a [Stmt], size: usize) -> Tree<'a> {
    let module =
        Scope { kind: Kind::Module, parent: None, names: FxHashMap::default(), elsewhere: Vec::new() };
    let mut tree = Tree {
        // A node stands for about eight bytes of text.
        nodes: Vec::with_capacity(size / 8),
        scopes: vec![module],
        loads: FxHashMap::default(),
        stars: Vec::new(),
        of_self: FxHashMap::default(),
        parents: Vec::new(),
        scope: 0,
    };
    tree.visit_body(body);
    tree.attributes();
    tree
}

impl<'a> Tree<'a> {
    /// Gathers the attributes of `self`.
    fn attributes(&mut self) {
        let uses = self.loads.get("self").cloned().unwrap_or_default();
        for id in uses {
            let Some(above) = self.node(id).parent else { continue };
            let Part::Expr(Expr::Attribute(attribute)) = self.node(above).part else { continue };
            if let Some(class) = self.class_of(self.node(id).scope) {
                self.of_self
                    .entry(class)
                    .or_default()
                    .entry(attribute.attr.as_str())
                    .or_default()
                    .push(above);
            }
        }
    }

    pub(super) fn node(&self, id: Id) -> Node<'a> {
        self.nodes[id as usize]
    }

    /// The expression at a node.
    pub(super) fn expr(&self, id: Id) -> Option<&'a Expr> {
        match self.node(id).part {
            Part::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    /// Every node with its number.
    pub(super) fn all(&self) -> impl Iterator<Item = (Id, Node<'a>)> + '_ {
        (0..).zip(self.nodes.iter().copied())
    }

    /// The nodes above one, the nearest first.
    pub(super) fn above(&self, id: Id) -> impl Iterator<Item = (Id, Node<'a>)> + '_ {
        std::iter::successors(self.node(id).parent, |id| self.node(*id).parent).map(|id| (id, self.node(id)))
    }

    /// The functions around a node, the innermost first.
    pub(super) fn functions(&self, id: Id) -> impl Iterator<Item = &'a ast::StmtFunctionDef> + '_ {
        self.above(id).filter_map(|(_, node)| match node.part {
            Part::Stmt(Stmt::FunctionDef(def)) => Some(def),
            _ => None,
        })
    }

    /// The scope of the class whose method a scope lies in.
    pub(super) fn class_of(&self, scope: u32) -> Option<u32> {
        let mut at = Some(scope);
        while let Some(i) = at {
            let scope = &self.scopes[i as usize];
            if scope.kind == Kind::Class {
                return Some(i);
            }
            at = scope.parent;
        }
        None
    }

    /// The scope that a name of this scope is bound in; `None` for what the module does not bind.
    pub(super) fn scope_of(&self, name: &str, scope: u32) -> Option<u32> {
        let mut at = scope;
        loop {
            let here = &self.scopes[at as usize];
            if let Some((_, home)) = here.elsewhere.iter().find(|(n, _)| *n == name) {
                return self.scopes[*home as usize].names.contains_key(name).then_some(*home);
            }
            // The names of a class are seen in its body, not in its methods.
            if (at == scope || here.kind != Kind::Class) && here.names.contains_key(name) {
                return Some(at);
            }
            at = here.parent?;
        }
    }

    /// What a name is bound to.
    pub(super) fn binds(&self, name: &str, scope: u32) -> Option<&[Bind]> {
        let home = self.scope_of(name, scope)?;
        self.scopes[home as usize].names.get(name).map(Vec::as_slice)
    }

    /// The uses of a name that mean the one bound in `home`.
    pub(super) fn uses(&self, name: &str, home: u32) -> impl Iterator<Item = Id> + '_ {
        let name = name.to_owned();
        let all = self.loads.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
        all.iter().copied().filter(move |id| self.scope_of(&name, self.node(*id).scope) == Some(home))
    }

    fn next(&self) -> Id {
        Id::try_from(self.nodes.len()).unwrap_or(Id::MAX)
    }

    /// Adds a node and what is below it.
    fn push(&mut self, part: Part<'a>, below: impl FnOnce(&mut Self, Id)) {
        let id = self.next();
        self.nodes.push(Node { part, parent: self.parents.last().copied(), scope: self.scope });
        self.parents.push(id);
        below(self, id);
        self.parents.pop();
    }

    fn within(&mut self, kind: Kind, below: impl FnOnce(&mut Self)) {
        let outer = self.scope;
        let parent = Some(outer);
        let scope = Scope { kind, parent, names: FxHashMap::default(), elsewhere: Vec::new() };
        self.scopes.push(scope);
        self.scope = u32::try_from(self.scopes.len() - 1).unwrap_or(0);
        below(self);
        self.scope = outer;
    }

    fn bind(&mut self, name: &'a str, bind: Bind) {
        self.bind_in(self.scope, name, bind);
    }

    fn bind_in(&mut self, scope: u32, name: &'a str, bind: Bind) {
        let elsewhere = &self.scopes[scope as usize].elsewhere;
        let home = elsewhere.iter().find(|(n, _)| *n == name).map_or(scope, |(_, home)| *home);
        self.scopes[home as usize].names.entry(name).or_default().push(bind);
    }

    /// `target = value`, where the value's node is known.
    fn assign(&mut self, target: &'a Expr, bind: Bind) {
        match target {
            Expr::Name(name) => {
                self.bind(name.id.as_str(), bind);
                self.push(Part::Expr(target), |_, _| {});
            }
            other => self.visit_expr(other),
        }
    }

    /// Defaults belong to the scope around a function, names to its own.
    fn defaults(&mut self, parameters: &'a Parameters) {
        parameters
            .iter_non_variadic_params()
            .filter_map(|p| p.default.as_deref())
            .for_each(|d| self.visit_expr(d));
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters {
            self.bind(parameter.name().as_str(), Bind::Other);
        }
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], last: &[&'a Expr]) {
        let mut generators = generators.iter();
        let first = generators.next();
        // The first iterable is evaluated outside: `[x for x in x]`.
        let mut first_iter = None;
        let mut first_node = None;
        if let Some(generator) = first {
            self.push(Part::Comprehension(generator), |tree, node| {
                first_node = Some(node);
                first_iter = Some(tree.next());
                tree.visit_expr(&generator.iter);
            });
        }
        self.within(Kind::Comprehension, |tree| {
            if let (Some(generator), Some(node), Some(iter)) = (first, first_node, first_iter) {
                tree.parents.push(node);
                tree.assign(&generator.target, Bind::Each(iter));
                generator.ifs.iter().for_each(|test| tree.visit_expr(test));
                tree.parents.pop();
            }
            for generator in generators {
                tree.push(Part::Comprehension(generator), |tree, _| {
                    let iter = tree.next();
                    tree.visit_expr(&generator.iter);
                    tree.assign(&generator.target, Bind::Each(iter));
                    generator.ifs.iter().for_each(|test| tree.visit_expr(test));
                });
            }
            last.iter().for_each(|expr| tree.visit_expr(expr));
        });
    }

    /// The scope that `global` and `nonlocal` mean.
    fn outer(&self, global: bool) -> u32 {
        let mut at = self.scopes[self.scope as usize].parent;
        while let (false, Some(i)) = (global, at) {
            if self.scopes[i as usize].kind == Kind::Function {
                return i;
            }
            at = self.scopes[i as usize].parent;
        }
        0
    }

    fn elsewhere(&mut self, names: &'a [ast::Identifier], global: bool) {
        let home = self.outer(global);
        self.scopes[self.scope as usize].elsewhere.extend(names.iter().map(|n| (n.as_str(), home)));
    }

    fn import(&mut self, import: &'a ast::StmtImport) {
        for alias in &import.names {
            let path = alias.name.as_str();
            match &alias.asname {
                Some(name) => self.bind(name.as_str(), Bind::Import(path.to_owned())),
                None => {
                    let root = path.split('.').next().unwrap_or(path);
                    self.bind(root, Bind::Import(root.to_owned()));
                }
            }
        }
    }

    fn import_from(&mut self, import: &'a ast::StmtImportFrom) {
        let mut module = ".".repeat(import.level as usize);
        module.push_str(import.module.as_ref().map_or("", |m| m.as_str()));
        for alias in &import.names {
            let name = alias.name.as_str();
            if name == "*" {
                self.stars.push(module.clone());
                continue;
            }
            let joint = if module.ends_with('.') { "" } else { "." };
            let path = format!("{module}{joint}{name}");
            self.bind(alias.asname.as_ref().map_or(name, |n| n.as_str()), Bind::Import(path));
        }
    }
}

impl<'a> Visitor<'a> for Tree<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.push(Part::Stmt(stmt), |tree, id| match stmt {
            Stmt::FunctionDef(def) => {
                def.decorator_list.iter().for_each(|d| tree.visit_expr(&d.expression));
                tree.defaults(&def.parameters);
                tree.bind(def.name.as_str(), Bind::Def(id));
                tree.within(Kind::Function, |tree| {
                    tree.parameters(&def.parameters);
                    tree.visit_body(&def.body);
                });
            }
            Stmt::ClassDef(def) => {
                def.decorator_list.iter().for_each(|d| tree.visit_expr(&d.expression));
                def.arguments.iter().for_each(|arguments| tree.visit_arguments(arguments));
                tree.bind(def.name.as_str(), Bind::Def(id));
                tree.within(Kind::Class, |tree| tree.visit_body(&def.body));
            }
            Stmt::Assign(assign) => {
                let value = tree.next();
                tree.visit_expr(&assign.value);
                assign.targets.iter().for_each(|target| tree.assign(target, Bind::Value(value)));
            }
            Stmt::AnnAssign(assign) => {
                if let Some(expr) = &assign.value {
                    let value = tree.next();
                    tree.visit_expr(expr);
                    tree.assign(&assign.target, Bind::Value(value));
                }
            }
            Stmt::AugAssign(assign) => {
                let value = tree.next();
                tree.visit_expr(&assign.value);
                tree.assign(&assign.target, Bind::Augment(value));
            }
            Stmt::For(each) => {
                let iter = tree.next();
                tree.visit_expr(&each.iter);
                tree.assign(&each.target, Bind::Each(iter));
                tree.visit_body(&each.body);
                tree.visit_body(&each.orelse);
            }
            Stmt::Import(import) => tree.import(import),
            Stmt::ImportFrom(import) => tree.import_from(import),
            Stmt::Global(names) => tree.elsewhere(&names.names, true),
            Stmt::Nonlocal(names) => tree.elsewhere(&names.names, false),
            Stmt::TypeAlias(_) => {}
            other => visitor::walk_stmt(tree, other),
        });
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.push(Part::Expr(expr), |tree, id| match expr {
            Expr::Name(name) => match name.ctx {
                ExprContext::Load => tree.loads.entry(name.id.as_str()).or_default().push(id),
                ExprContext::Store => tree.bind(name.id.as_str(), Bind::Other),
                _ => {}
            },
            Expr::Named(named) => {
                let value = tree.next();
                tree.visit_expr(&named.value);
                // It is bound in the scope around a comprehension (PEP 572).
                let mut home = tree.scope;
                while let Scope { kind: Kind::Comprehension, parent: Some(parent), .. } =
                    tree.scopes[home as usize]
                {
                    home = parent;
                }
                if let Expr::Name(name) = &*named.target {
                    tree.bind_in(home, name.id.as_str(), Bind::Value(value));
                }
            }
            Expr::Lambda(lambda) => {
                lambda.parameters.iter().for_each(|p| tree.defaults(p));
                tree.within(Kind::Function, |tree| {
                    lambda.parameters.iter().for_each(|p| tree.parameters(p));
                    tree.visit_expr(&lambda.body);
                });
            }
            Expr::ListComp(comp) => tree.comprehension(&comp.generators, &[&comp.elt]),
            Expr::SetComp(comp) => tree.comprehension(&comp.generators, &[&comp.elt]),
            Expr::Generator(comp) => tree.comprehension(&comp.generators, &[&comp.elt]),
            Expr::DictComp(comp) => tree.comprehension(&comp.generators, &[&comp.key, &comp.value]),
            other => visitor::walk_expr(tree, other),
        });
    }

    fn visit_keyword(&mut self, keyword: &'a Keyword) {
        self.push(Part::Keyword(keyword), |tree, _| tree.visit_expr(&keyword.value));
    }

    fn visit_with_item(&mut self, item: &'a WithItem) {
        self.push(Part::With(item), |tree, _| {
            let value = tree.next();
            tree.visit_expr(&item.context_expr);
            if let Some(target) = &item.optional_vars {
                tree.assign(target, Bind::Value(value));
            }
        });
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name.as_str(), Bind::Other);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(inner) => inner.name.as_ref(),
            Pattern::MatchStar(inner) => inner.name.as_ref(),
            Pattern::MatchMapping(inner) => inner.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str(), Bind::Other);
        }
        visitor::walk_pattern(self, pattern);
    }

    // Annotations compute nothing.
    fn visit_annotation(&mut self, _: &'a Expr) {}
}
