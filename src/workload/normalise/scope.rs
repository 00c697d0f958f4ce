//! The scopes of a file and the names bound in them, as the compiler's symbol table has them.
//!
//! Python's reference, "Naming and binding": a name that is bound anywhere in a function is local to all of it, class
//! bodies are invisible to the functions in them, comprehensions are functions of their own but for their first
//! iterable, `:=` in one binds outside it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, ExprContext, InterpolatedStringElement, Parameters, Pattern, Stmt,
    TString, TypeParams,
};

/// What kind of scope it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Class,
    Function,
    Lambda,
    Comprehension,
}

/// How a name is bound; a name can be bound in several ways.
pub(super) mod how {
    /// By an assignment, a loop, `with … as`, `except … as`, `:=` or a pattern.
    pub(in super::super) const ASSIGNED: u8 = 1;
    /// By an import.
    pub(in super::super) const IMPORTED: u8 = 2;
    /// By `def` or `class`.
    pub(in super::super) const DEFINED: u8 = 4;
    /// As a parameter that a caller may name.
    pub(in super::super) const PARAMETER: u8 = 8;
    /// As a parameter that no caller can name: before `/`, `*args`, `**kwargs`.
    pub(in super::super) const NAMELESS: u8 = 16;
    /// By an annotation without a value, which only makes it local.
    pub(in super::super) const ANNOTATED: u8 = 32;
    /// As a parameter with a default.
    pub(in super::super) const DEFAULT: u8 = 64;
}

/// One scope.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) kind: Kind,
    parent: Option<usize>,
    /// Every name bound here, and how.
    pub(super) bound: BTreeMap<&'a str, u8>,
    globals: BTreeSet<&'a str>,
    nonlocals: BTreeSet<&'a str>,
    /// Something in it looks its names up by their text: `locals()`, `eval`, `exec`.
    pub(super) sealed: bool,
    /// A lambda that is written as the argument of a call, so that nothing here has a name for it.
    pub(super) given: bool,
}

/// The scopes of a file.
#[derive(Debug)]
pub(super) struct Scopes<'a> {
    all: Vec<Scope<'a>>,
    /// By the address of the node that opens it; the tree does not move meanwhile.
    by_node: HashMap<usize, usize>,
    /// Names whose text shows at run time, wherever they are bound: `f"{x=}"`, type parameters, t-strings.
    pub(super) pinned: BTreeSet<&'a str>,
    /// Names bound in any class body: there a name that is not yet bound falls back to the module's.
    pub(super) in_classes: BTreeSet<&'a str>,
    /// `from … import *`.
    pub(super) star: bool,
}

/// The scope of the module.
pub(super) const MODULE: usize = 0;

fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

impl<'a> Scopes<'a> {
    /// The scopes of a module.
    pub(super) fn of(body: &'a [Stmt]) -> Self {
        let mut builder = Builder {
            scopes: Self {
                all: Vec::new(),
                by_node: HashMap::new(),
                pinned: BTreeSet::new(),
                in_classes: BTreeSet::new(),
                star: false,
            },
            current: MODULE,
            showing: 0,
            given: BTreeSet::new(),
        };
        builder.scopes.all.push(Scope::new(Kind::Module, None));
        builder.visit_body(body);
        builder.scopes.settle();
        builder.scopes
    }

    /// The scope that a node opens.
    pub(super) fn opened_by<T>(&self, node: &T) -> usize {
        self.by_node.get(&address(node)).copied().unwrap_or(MODULE)
    }

    /// A scope.
    pub(super) fn get(&self, at: usize) -> Option<&Scope<'a>> {
        self.all.get(at)
    }

    /// The scope whose binding a name means; the module's where none of the inner ones has it.
    pub(super) fn resolve(&self, from: usize, name: &str) -> usize {
        let mut at = from;
        while let Some(scope) = self.all.get(at) {
            if scope.globals.contains(name) {
                return MODULE;
            }
            let visible = scope.kind != Kind::Class || at == from;
            if visible && !scope.nonlocals.contains(name) && scope.bound.contains_key(name) {
                return at;
            }
            match scope.parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        MODULE
    }

    /// Whether the module or a scope around `from` binds a name at all.
    pub(super) fn is_bound(&self, from: usize, name: &str) -> bool {
        self.all.get(self.resolve(from, name)).is_some_and(|scope| scope.bound.contains_key(name))
    }

    /// How a name is bound in a scope.
    pub(super) fn how(&self, at: usize, name: &str) -> u8 {
        self.all.get(at).and_then(|scope| scope.bound.get(name)).copied().unwrap_or(0)
    }

    /// Bindings under `global` and `nonlocal` belong to another scope.
    fn settle(&mut self) {
        let mut elsewhere = Vec::new();
        for (at, scope) in self.all.iter().enumerate() {
            for name in scope.globals.iter().chain(&scope.nonlocals) {
                if let Some(how) = scope.bound.get(name) {
                    elsewhere.push((self.resolve(at, name), *name, *how));
                }
            }
        }
        for (at, name, how) in elsewhere {
            if let Some(scope) = self.all.get_mut(at) {
                *scope.bound.entry(name).or_default() |= how;
            }
        }
        let classes = self.all.iter().filter(|scope| scope.kind == Kind::Class);
        self.in_classes = classes.flat_map(|scope| scope.bound.keys().copied()).collect();
    }
}

impl Scope<'_> {
    fn new(kind: Kind, parent: Option<usize>) -> Self {
        Self {
            kind,
            parent,
            bound: BTreeMap::new(),
            globals: BTreeSet::new(),
            nonlocals: BTreeSet::new(),
            sealed: false,
            given: false,
        }
    }
}

struct Builder<'a> {
    scopes: Scopes<'a>,
    current: usize,
    /// How many constructs around the current node show the text of their expression.
    showing: usize,
    /// The addresses of lambdas that are arguments.
    given: BTreeSet<usize>,
}

impl<'a> Builder<'a> {
    fn bind(&mut self, name: &'a str, how: u8) {
        self.bind_in(self.current, name, how);
    }

    fn bind_in(&mut self, at: usize, name: &'a str, how: u8) {
        if let Some(scope) = self.scopes.all.get_mut(at) {
            *scope.bound.entry(name).or_default() |= how;
        }
    }

    /// Runs `inside` in a new scope that `node` opens.
    fn within<T>(&mut self, node: &'a T, kind: Kind, inside: impl FnOnce(&mut Self)) {
        let outer = self.current;
        let at = self.scopes.all.len();
        let given = self.given.contains(&address(node));
        self.scopes.all.push(Scope { given, ..Scope::new(kind, Some(outer)) });
        self.scopes.by_node.insert(address(node), at);
        self.current = at;
        inside(self);
        self.current = outer;
    }

    /// Text that is looked up here may be any name of this scope and those around it.
    fn seal(&mut self) {
        let mut at = Some(self.current);
        while let Some(scope) = at.and_then(|at| self.scopes.all.get_mut(at)) {
            scope.sealed = true;
            at = scope.parent;
        }
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        let named = parameters.args.iter().chain(&parameters.kwonlyargs).map(|p| (p, how::PARAMETER));
        for (parameter, how) in parameters.posonlyargs.iter().map(|p| (p, how::NAMELESS)).chain(named) {
            let default = if parameter.default.is_some() { how::DEFAULT } else { 0 };
            self.bind(parameter.parameter.name.as_str(), how | default);
        }
        for parameter in parameters.vararg.iter().chain(&parameters.kwarg) {
            self.bind(parameter.name.as_str(), how::NAMELESS);
        }
    }

    fn comprehension<T>(&mut self, node: &'a T, elements: &[&'a Expr], generators: &'a [Comprehension]) {
        // The first iterable is evaluated outside.
        if let Some(first) = generators.first() {
            self.visit_expr(&first.iter);
        }
        self.within(node, Kind::Comprehension, |b| {
            for (i, generator) in generators.iter().enumerate() {
                if i > 0 {
                    b.visit_expr(&generator.iter);
                }
                b.visit_expr(&generator.target);
                generator.ifs.iter().for_each(|test| b.visit_expr(test));
            }
            elements.iter().for_each(|element| b.visit_expr(element));
        });
    }

    fn function(&mut self, def: &'a rustpython_ruff_python_ast::StmtFunctionDef) {
        self.bind(def.name.as_str(), how::DEFINED);
        def.decorator_list.iter().for_each(|d| self.visit_decorator(d));
        def.type_params.iter().for_each(|p| self.visit_type_params(p));
        // Defaults and annotations are evaluated outside.
        self.visit_parameters(&def.parameters);
        def.returns.iter().for_each(|r| self.visit_annotation(r));
        self.within(def, Kind::Function, |b| {
            b.parameters(&def.parameters);
            b.visit_body(&def.body);
        });
    }
}

/// Functions that look at the names of the scope that calls them.
pub(super) const LOOKERS: [&str; 5] = ["eval", "exec", "locals", "vars", "dir"];

/// Whether such a call looks at the caller's names: `vars(x)` and `dir(x)` look at `x`.
pub(super) fn looks(name: &str, arguments: usize) -> bool {
    LOOKERS.contains(&name) && (arguments == 0 || !matches!(name, "vars" | "dir"))
}

impl<'a> Visitor<'a> for Builder<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => self.function(def),
            Stmt::ClassDef(class) => {
                self.bind(class.name.as_str(), how::DEFINED);
                class.decorator_list.iter().for_each(|d| self.visit_decorator(d));
                class.type_params.iter().for_each(|p| self.visit_type_params(p));
                class.arguments.iter().for_each(|a| self.visit_arguments(a));
                self.within(class, Kind::Class, |b| b.visit_body(&class.body));
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let root = alias.name.as_str().split('.').next().unwrap_or_default();
                    let name = alias.asname.as_ref().map_or(root, |name| name.as_str());
                    self.bind(name, how::IMPORTED);
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in &import.names {
                    if alias.name.as_str() == "*" {
                        self.scopes.star = true;
                        continue;
                    }
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.bind(name.as_str(), how::IMPORTED);
                }
            }
            Stmt::Global(global) => {
                if let Some(scope) = self.scopes.all.get_mut(self.current).filter(|s| s.kind != Kind::Module)
                {
                    scope.globals.extend(global.names.iter().map(|name| name.as_str()));
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                if let Some(scope) = self.scopes.all.get_mut(self.current) {
                    scope.nonlocals.extend(nonlocal.names.iter().map(|name| name.as_str()));
                }
            }
            Stmt::AnnAssign(assign) => {
                assign.value.iter().for_each(|value| self.visit_expr(value));
                self.visit_annotation(&assign.annotation);
                match &*assign.target {
                    Expr::Name(name) if assign.value.is_none() => self.bind(name.id.as_str(), how::ANNOTATED),
                    target => self.visit_expr(target),
                }
            }
            Stmt::TypeAlias(alias) => {
                if let Expr::Name(name) = &*alias.name {
                    self.scopes.pinned.insert(name.id.as_str());
                }
                visitor::walk_stmt(self, stmt);
            }
            Stmt::If(branch) => {
                self.visit_expr(&branch.test);
                self.visit_body(&branch.body);
                for clause in &branch.elif_else_clauses {
                    self.visit_elif_else_clause(clause);
                }
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                let id = name.id.as_str();
                if self.showing > 0 {
                    self.scopes.pinned.insert(id);
                }
                match name.ctx {
                    ExprContext::Load => {
                        if LOOKERS.contains(&id) {
                            self.seal();
                        }
                    }
                    ExprContext::Store | ExprContext::Del | ExprContext::Invalid => {
                        self.bind(id, how::ASSIGNED)
                    }
                }
            }
            Expr::Call(call) => {
                match &*call.func {
                    Expr::Name(name) if !looks(&name.id, call.arguments.len()) && self.showing == 0 => {}
                    func => self.visit_expr(func),
                }
                let keywords = call.arguments.keywords.iter().map(|keyword| &keyword.value);
                let lambdas =
                    call.arguments.args.iter().chain(keywords).filter_map(|arg| arg.as_lambda_expr());
                self.given.extend(lambdas.map(address));
                self.visit_arguments(&call.arguments);
            }
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                let mut at = self.current;
                while let Some(scope) = self.scopes.all.get(at).filter(|s| s.kind == Kind::Comprehension) {
                    at = scope.parent.unwrap_or(MODULE);
                }
                if let Expr::Name(name) = &*named.target {
                    if self.showing > 0 {
                        self.scopes.pinned.insert(name.id.as_str());
                    }
                    self.bind_in(at, name.id.as_str(), how::ASSIGNED);
                }
            }
            Expr::Lambda(lambda) => {
                lambda.parameters.iter().for_each(|p| self.visit_parameters(p));
                self.within(lambda, Kind::Lambda, |b| {
                    lambda.parameters.iter().for_each(|p| b.parameters(p));
                    b.visit_expr(&lambda.body);
                });
                if self.showing > 0 {
                    let parameters = lambda.parameters.iter().flat_map(|p| p.iter());
                    self.scopes.pinned.extend(parameters.map(|p| p.name().as_str()));
                }
            }
            Expr::ListComp(comp) => self.comprehension(comp, &[&comp.elt], &comp.generators),
            Expr::SetComp(comp) => self.comprehension(comp, &[&comp.elt], &comp.generators),
            Expr::DictComp(comp) => self.comprehension(comp, &[&comp.key, &comp.value], &comp.generators),
            Expr::Generator(comp) => self.comprehension(comp, &[&comp.elt], &comp.generators),
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(except) = handler;
        if let Some(name) = &except.name {
            self.bind(name.as_str(), how::ASSIGNED);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchStar(star) => star.name.as_ref(),
            Pattern::MatchAs(capture) => capture.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str(), how::ASSIGNED);
        }
        visitor::walk_pattern(self, pattern);
    }

    fn visit_type_params(&mut self, parameters: &'a TypeParams) {
        self.scopes.pinned.extend(parameters.type_params.iter().map(|p| p.name().as_str()));
        visitor::walk_type_params(self, parameters);
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        let shows = matches!(element, InterpolatedStringElement::Interpolation(i) if i.debug_text.is_some());
        self.showing += usize::from(shows);
        visitor::walk_interpolated_string_element(self, element);
        self.showing -= usize::from(shows);
    }

    fn visit_t_string(&mut self, template: &'a TString) {
        self.showing += 1;
        visitor::walk_t_string(self, template);
        self.showing -= 1;
    }
}
