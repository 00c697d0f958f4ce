//! Statements and patterns.

use rustpython_ruff_python_ast::{
    ExceptHandler, Expr, Pattern, PatternOrKeyword, Singleton, Stmt, StmtAnnAssign, StmtIf, TypeParam,
    TypeParams,
};

use super::printer::Printer;
use super::scope::how;

impl<'a> Printer<'a> {
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => {
                self.out.open(if def.is_async { "async-def" } else { "def" });
                def.decorator_list.iter().for_each(|d| self.expr(&d.expression));
                self.name(def.name.as_str());
                self.type_params(def.type_params.as_deref());
                self.parameters(&def.parameters, self.scopes.opened_by(def));
                self.annotation(def.returns.as_deref());
                self.within(def, |p| p.body(&def.body, true));
            }
            Stmt::ClassDef(class) => {
                self.out.open("class");
                class.decorator_list.iter().for_each(|d| self.expr(&d.expression));
                self.name(class.name.as_str());
                self.type_params(class.type_params.as_deref());
                match &class.arguments {
                    Some(arguments) if !arguments.is_empty() => self.arguments(arguments),
                    _ => self.out.none(),
                }
                self.within(class, |p| p.body(&class.body, true));
            }
            Stmt::Return(value) => {
                self.out.open("return");
                match value.value.as_deref() {
                    // `return` gives None.
                    Some(Expr::NoneLiteral(_)) | None => self.out.none(),
                    Some(value) => self.expr(value),
                }
            }
            Stmt::Delete(delete) => {
                self.out.open("del");
                self.exprs(&delete.targets);
            }
            Stmt::TypeAlias(alias) => {
                self.out.open("type");
                self.expr(&alias.name);
                self.type_params(alias.type_params.as_deref());
                self.expr(&alias.value);
            }
            Stmt::Assign(assign) => {
                self.out.open("=");
                self.exprs(&assign.targets);
                self.expr(&assign.value);
            }
            Stmt::AugAssign(assign) => {
                self.out.open("op=");
                self.out.word(assign.op.as_str());
                self.expr(&assign.target);
                self.expr(&assign.value);
            }
            Stmt::AnnAssign(assign) => return self.annotated(assign),
            Stmt::For(each) => {
                self.out.open(if each.is_async { "async-for" } else { "for" });
                self.expr(&each.target);
                self.expr(&each.iter);
                self.body(&each.body, false);
                self.maybe_body(&each.orelse);
            }
            Stmt::While(each) => {
                self.out.open("while");
                self.expr(&each.test);
                self.body(&each.body, false);
                self.maybe_body(&each.orelse);
            }
            Stmt::If(branch) => return self.branch(branch),
            Stmt::With(with) => {
                self.out.open(if with.is_async { "async-with" } else { "with" });
                for item in &with.items {
                    self.out.open("item");
                    self.expr(&item.context_expr);
                    self.maybe_expr(item.optional_vars.as_deref());
                    self.out.close();
                }
                self.body(&with.body, false);
            }
            Stmt::Match(select) => {
                self.out.open("match");
                self.expr(&select.subject);
                for case in &select.cases {
                    self.out.open("case");
                    self.pattern(&case.pattern);
                    self.maybe_expr(case.guard.as_deref());
                    self.body(&case.body, false);
                    self.out.close();
                }
            }
            Stmt::Raise(raise) => {
                self.out.open("raise");
                self.maybe_expr(raise.exc.as_deref());
                self.maybe_expr(raise.cause.as_deref());
            }
            Stmt::Try(attempt) => {
                self.out.open(if attempt.is_star { "try*" } else { "try" });
                self.body(&attempt.body, false);
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    self.out.open("except");
                    self.maybe_expr(handler.type_.as_deref());
                    self.maybe_name(handler.name.as_ref().map(|name| name.as_str()));
                    self.body(&handler.body, false);
                    self.out.close();
                }
                self.maybe_body(&attempt.orelse);
                self.maybe_body(&attempt.finalbody);
            }
            Stmt::Assert(assert) => {
                self.out.open("assert");
                self.expr(&assert.test);
                self.maybe_expr(assert.msg.as_deref());
            }
            Stmt::Import(import) => {
                // `import a, b` is `import a` and `import b`.
                for (i, alias) in import.names.iter().enumerate() {
                    if i > 0 {
                        self.out.close();
                    }
                    self.out.open(if import.is_lazy { "lazy-import" } else { "import" });
                    self.out.text(alias.name.as_str());
                    self.maybe_name(alias.asname.as_ref().map(|name| name.as_str()));
                }
            }
            Stmt::ImportFrom(import) => {
                self.out.open(if import.is_lazy { "lazy-from" } else { "from" });
                self.out.word(&import.level.to_string());
                self.out.text(import.module.as_ref().map_or("", |module| module.as_str()));
                for alias in &import.names {
                    self.out.text(alias.name.as_str());
                    self.maybe_name(alias.asname.as_ref().map(|name| name.as_str()));
                }
            }
            Stmt::Global(global) => {
                self.out.open("global");
                global.names.iter().for_each(|name| self.name(name.as_str()));
            }
            Stmt::Nonlocal(nonlocal) => {
                self.out.open("nonlocal");
                nonlocal.names.iter().for_each(|name| self.name(name.as_str()));
            }
            Stmt::Expr(expr) => {
                self.out.open("do");
                self.expr(&expr.value);
            }
            Stmt::Pass(_) => self.out.open("pass"),
            Stmt::Break(_) => self.out.open("break"),
            Stmt::Continue(_) => self.out.open("continue"),
            Stmt::IpyEscapeCommand(command) => {
                self.out.open("ipython");
                self.out.text(&command.value);
            }
        }
        self.out.close();
    }

    /// `if`; an `elif` is an `if` in the `else`. A long chain is no deep one.
    fn branch(&mut self, branch: &'a StmtIf) {
        self.out.open("if");
        self.expr(&branch.test);
        self.body(&branch.body, false);
        let mut open = 1;
        let mut ended = false;
        for clause in &branch.elif_else_clauses {
            match &clause.test {
                Some(test) => {
                    self.out.open("body");
                    self.out.open("if");
                    open += 2;
                    self.expr(test);
                    self.body(&clause.body, false);
                }
                None => {
                    self.maybe_body(&clause.body);
                    ended = true;
                }
            }
        }
        if !ended {
            self.out.none();
        }
        (0..open).for_each(|_| self.out.close());
    }

    /// `x: int = 1`. In a class the annotation is a value; in a function it is never evaluated; in a module it is
    /// evaluated, and kept in `__annotations__` (PEP 526).
    fn annotated(&mut self, assign: &'a StmtAnnAssign) {
        let kept = self.in_class()
            || if self.in_function() {
                self.world.annotations && !self.world.locals
            } else {
                self.annotation_counts(&assign.annotation)
            };
        if kept {
            self.out.open("annotate");
            self.out.word(if assign.simple { "simple" } else { "complex" });
            self.expr(&assign.target);
            self.out.open("annotation");
            self.expr(&assign.annotation);
            self.out.close();
            self.maybe_expr(assign.value.as_deref());
            return self.out.close();
        }
        match (&assign.value, &*assign.target) {
            (Some(value), target) => {
                self.out.open("=");
                self.expr(target);
                self.expr(value);
                self.out.close();
            }
            (None, Expr::Name(name)) => {
                // It only makes the name local, which another binding may do as well.
                let elsewhere = self.scopes.how(self.scope, name.id.as_str()) != how::ANNOTATED;
                if self.in_function() && !elsewhere {
                    self.out.open("local");
                    self.name(name.id.as_str());
                    self.out.close();
                }
            }
            (None, target) => {
                self.out.open("declare");
                self.expr(target);
                self.out.close();
            }
        }
    }

    fn type_params(&mut self, parameters: Option<&'a TypeParams>) {
        let Some(parameters) = parameters else {
            return self.out.none();
        };
        self.out.open("type-params");
        for parameter in &parameters.type_params {
            let (tag, bound) = match parameter {
                TypeParam::TypeVar(var) => ("var", var.bound.as_deref()),
                TypeParam::TypeVarTuple(_) => ("tuple", None),
                TypeParam::ParamSpec(_) => ("spec", None),
            };
            self.out.open(tag);
            self.name(parameter.name().as_str());
            self.maybe_expr(bound);
            self.maybe_expr(parameter.default());
            self.out.close();
        }
        self.out.close();
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::MatchValue(value) => {
                self.out.open("value");
                self.expr(&value.value);
            }
            Pattern::MatchSingleton(value) => {
                self.out.open("is");
                self.out.word(match value.value {
                    Singleton::None => "None",
                    Singleton::True => "True",
                    Singleton::False => "False",
                });
            }
            Pattern::MatchSequence(sequence) => {
                self.out.open("sequence");
                sequence.patterns.iter().for_each(|p| self.pattern(p));
            }
            Pattern::MatchMapping(mapping) => {
                self.out.open("mapping");
                for (key, pattern) in mapping.keys.iter().zip(&mapping.patterns) {
                    self.expr(key);
                    self.pattern(pattern);
                }
                self.maybe_name(mapping.rest.as_ref().map(|name| name.as_str()));
            }
            Pattern::MatchClass(class) => {
                self.out.open("instance");
                self.expr(&class.cls);
                for part in class.arguments.patterns_source_order() {
                    match part {
                        PatternOrKeyword::Pattern(pattern) => self.pattern(pattern),
                        PatternOrKeyword::Keyword(keyword) => {
                            self.out.open("attribute");
                            self.out.text(keyword.attr.as_str());
                            self.pattern(&keyword.pattern);
                            self.out.close();
                        }
                    }
                }
            }
            Pattern::MatchStar(star) => {
                self.out.open("star");
                self.maybe_name(star.name.as_ref().map(|name| name.as_str()));
            }
            Pattern::MatchAs(capture) => {
                self.out.open("as");
                match &capture.pattern {
                    Some(pattern) => self.pattern(pattern),
                    None => self.out.none(),
                }
                self.maybe_name(capture.name.as_ref().map(|name| name.as_str()));
            }
            Pattern::MatchOr(or) => {
                self.out.open("or");
                or.patterns.iter().for_each(|p| self.pattern(p));
            }
        }
        self.out.close();
    }
}
