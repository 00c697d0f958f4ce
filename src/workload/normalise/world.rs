//! What a program can see of its own text: which of the names, annotations, docstrings and lines in it are values.
//!
//! Looked for in all its files together, since one can look at another's. Only identifiers and string literals
//! count, never comments, so that a comment cannot change how a file is read.

use std::collections::BTreeSet;

use rustpython_ruff_python_ast::visitor::{self, Visitor};
use rustpython_ruff_python_ast::{Alias, Expr, InterpolatedStringElement, Keyword, Stmt};

use super::libraries::{Sight, sight};
use super::scope::{LOOKERS, looks};
use crate::workload::parse::Source;

/// They read the text of functions or files, or the numbers of lines.
const READS_TEXT: &[&str] = &[
    "getsource",
    "getsourcelines",
    "findsource",
    "getcomments",
    "getblock",
    "linecache",
    "tokenize",
    "get_source",
    "co_firstlineno",
    "co_lines",
    "co_positions",
    "co_linetable",
    "co_lnotab",
    "f_lineno",
    "tb_lineno",
    "lineno",
    "extract_stack",
    "extract_tb",
    "FrameSummary",
    "script_method",
    "ScriptModule",
    "CompilationUnit",
    "triton",
];

/// They look at the local variables of other functions, or make names of text.
const LOOKS_AT_LOCALS: &[&str] = &[
    "_getframe",
    "currentframe",
    "f_locals",
    "f_back",
    "gi_frame",
    "cr_frame",
    "ag_frame",
    "tb_frame",
    "settrace",
    "setprofile",
    "monitoring",
    "co_varnames",
    "co_freevars",
    "co_cellvars",
    "__code__",
    "getclosurevars",
    "getargvalues",
    "get_referrers",
    "get_objects",
    "builtins",
    "__builtins__",
    "interact",
    "numba",
    "njit",
];

/// They look up a module's variables by text, or reach the running script as a module.
const LOOKS_AT_MODULES: &[&str] = &[
    "globals",
    "f_globals",
    "__globals__",
    "__all__",
    "modules",
    "importlib",
    "import_module",
    "__import__",
    "runpy",
    "run_path",
    "run_module",
    "getmodule",
    "cProfile",
    "profile",
    "timeit",
    "doctest",
    "pdb",
    "pkgutil",
    "get_type_hints",
    "get_annotations",
    "module_from_spec",
];

/// They ask a function for its annotations.
const READS_ANNOTATIONS: &[&str] = &[
    "__annotations__",
    "__annotate__",
    "annotationlib",
    "get_type_hints",
    "get_annotations",
    "inspect",
    "signature",
    "singledispatch",
    "singledispatchmethod",
    "typer",
    "fire",
    "custom_op",
    "triton_op",
    "infer_schema",
    "validate_call",
    "validate_arguments",
    "beartype",
    "typechecked",
    "jaxtyped",
];

/// They ask for docstrings.
const READS_DOCSTRINGS: &[&str] =
    &["__doc__", "getdoc", "cleandoc", "help", "doctest", "pydoc", "docopt", "render_doc", "doc_to_help"];

/// What all files of a program mention.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    /// Names of variables, of what is imported.
    names: BTreeSet<&'a str>,
    /// Names of attributes.
    attributes: BTreeSet<&'a str>,
    /// Texts that are values and could be names.
    words: BTreeSet<&'a str>,
    /// Names of keyword arguments.
    keywords: BTreeSet<&'a str>,
    /// `__main__` other than in `__name__ == "__main__"`.
    main: bool,
    /// `eval` or `exec` as a value, which anything may call.
    escapes: bool,
    /// A name that is not plain ASCII: Python folds those (PEP 3131).
    foreign: bool,
    /// `open(__file__)`.
    opens_itself: bool,
    /// `table.query(text)`: of pandas, names of local variables may stand in the text.
    queries: bool,
}

/// How much of a text is left of it.
#[derive(Debug, Default)]
pub(super) struct World<'a> {
    /// The text itself is read: every byte counts.
    pub(super) exact: bool,
    /// Local variables can be renamed.
    pub(super) locals: bool,
    /// Parameters of lambdas that are given away can be renamed.
    pub(super) lambdas: bool,
    /// Variables of the script can be renamed.
    pub(super) globals: bool,
    /// Annotations of functions are values.
    pub(super) annotations: bool,
    /// Docstrings are values.
    pub(super) docstrings: bool,
    /// A variable of such a name keeps it.
    pub(super) words: BTreeSet<&'a str>,
    /// The names of keyword arguments anywhere: a parameter of a lambda of such a name may be meant.
    pub(super) keywords: BTreeSet<&'a str>,
}

impl<'a> Mentions<'a> {
    /// Adds a file.
    pub(super) fn add(&mut self, source: &'a Source) {
        self.visit_body(&source.tree.body);
    }

    fn has(&self, list: &[&str]) -> bool {
        list.iter().any(|w| self.names.contains(w) || self.attributes.contains(w) || self.words.contains(w))
    }

    fn both(&self, a: &str, b: &str) -> bool {
        self.has(&[a]) && self.has(&[b])
    }

    /// What follows, for a program that imports these libraries.
    pub(super) fn world(self, imports: &BTreeSet<String>, followed: bool, docstrings: bool) -> World<'a> {
        let seen = imports.iter().map(|import| sight(import)).max().unwrap_or_default();
        let seen = if followed { seen } else { Sight::Anything };
        // `torch.jit.script` compiles the text of a function, type comments included.
        let exact = self.has(READS_TEXT) || self.both("jit", "script") || self.opens_itself;
        let frames = self.has(LOOKS_AT_LOCALS) || self.both("inspect", "stack");
        // An option of `tf.function`.
        let hints = self.keywords.contains("experimental_follow_type_hints");
        let queries = self.queries && imports.contains("pandas");
        let locals = seen < Sight::Anything && !frames && !queries && !self.escapes && !self.foreign;
        let looked_up = self.has(LOOKS_AT_MODULES) || LOOKERS.iter().any(|name| self.names.contains(name));
        World {
            exact,
            locals,
            lambdas: locals && seen == Sight::Blind,
            globals: locals && !looked_up && !self.main,
            annotations: seen > Sight::Blind || self.has(READS_ANNOTATIONS) || hints,
            docstrings: docstrings || seen > Sight::Blind || self.has(READS_DOCSTRINGS),
            words: self.words,
            keywords: self.keywords,
        }
    }
}

/// Whether a text could be the name of a variable, or a dotted path of names.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() < 100 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl<'a> Mentions<'a> {
    fn name(&mut self, name: &'a str) {
        self.foreign |= !name.is_ascii();
        self.names.insert(name);
    }

    fn string(&mut self, text: &'a str) {
        self.main |= text.contains("__main__");
        if is_word(text) {
            self.words.insert(text);
        } else if text.len() < 100 && text.split(['.', ':']).all(is_word) {
            // `module:function`, `module.function`
            self.words.extend(text.split(['.', ':']));
        }
    }
}

/// `__name__`.
fn is_own_name(expr: &Expr) -> bool {
    matches!(expr, Expr::Name(name) if name.id.as_str() == "__name__")
}

/// Functions and classes that make a path of a path, and the same one.
const SAME_PATH: &[&str] = &[
    "Path",
    "PurePath",
    "abspath",
    "realpath",
    "normpath",
    "expanduser",
    "fspath",
    "str",
    "resolve",
    "absolute",
];

/// Whether an expression is `__file__`, or that path in another form.
fn is_own_file(expr: &Expr) -> bool {
    match expr {
        Expr::Name(name) => name.id.as_str() == "__file__",
        Expr::Call(call) => match &*call.func {
            Expr::Name(name) => {
                SAME_PATH.contains(&name.id.as_str()) && call.arguments.args.iter().any(is_own_file)
            }
            Expr::Attribute(attribute) if SAME_PATH.contains(&attribute.attr.as_str()) => {
                is_own_file(&attribute.value) || call.arguments.args.iter().any(is_own_file)
            }
            _ => false,
        },
        _ => false,
    }
}

impl<'a> Visitor<'a> for Mentions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // A docstring, or a text that is no value.
            Stmt::Expr(expr) if expr.value.is_string_literal_expr() => {}
            Stmt::ImportFrom(import) => {
                import.module.iter().flat_map(|m| m.as_str().split('.')).for_each(|part| self.name(part));
                self.main |= import.module.as_ref().is_some_and(|m| m.as_str() == "__main__");
                import.names.iter().for_each(|alias| self.visit_alias(alias));
            }
            Stmt::FunctionDef(def) => {
                self.name(def.name.as_str());
                def.parameters.iter().for_each(|p| self.foreign |= !p.name().is_ascii());
                visitor::walk_stmt(self, stmt);
            }
            Stmt::ClassDef(class) => {
                self.name(class.name.as_str());
                visitor::walk_stmt(self, stmt);
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        self.main |= alias.name.as_str() == "__main__";
        alias.name.as_str().split('.').for_each(|part| self.name(part));
        alias.asname.iter().for_each(|name| self.name(name.as_str()));
    }

    fn visit_keyword(&mut self, keyword: &'a Keyword) {
        self.keywords.extend(keyword.arg.iter().map(|name| name.as_str()));
        visitor::walk_keyword(self, keyword);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                self.escapes |= LOOKERS.contains(&name.id.as_str());
                self.name(name.id.as_str());
            }
            Expr::Attribute(attribute) => {
                self.attributes.insert(attribute.attr.as_str());
                self.foreign |= !attribute.attr.is_ascii();
                self.opens_itself |= attribute.attr.starts_with("read_") && is_own_file(&attribute.value);
                self.visit_expr(&attribute.value);
            }
            Expr::Call(call) => {
                let arguments = call.arguments.len();
                match &*call.func {
                    Expr::Name(name) if LOOKERS.contains(&name.id.as_str()) => {
                        // Called here it looks at this scope alone, which is sealed.
                        if looks(&name.id, arguments) {
                            self.name(name.id.as_str());
                        }
                    }
                    // `model.modules()`, as against `sys.modules`.
                    Expr::Attribute(attribute) if attribute.attr.as_str() == "modules" => {
                        self.visit_expr(&attribute.value);
                    }
                    Expr::Attribute(attribute) => {
                        self.queries |= arguments > 0 && matches!(attribute.attr.as_str(), "query" | "eval");
                        self.visit_expr(&call.func);
                    }
                    func => self.visit_expr(func),
                }
                let opens = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "open")
                    || matches!(&*call.func, Expr::Attribute(a) if a.attr.as_str() == "open");
                self.opens_itself |= opens && call.arguments.args.iter().any(is_own_file);
                self.visit_arguments(&call.arguments);
            }
            Expr::Compare(compare)
                if is_own_name(&compare.left) || compare.comparators.iter().any(is_own_name) =>
            {
                let sides = std::iter::once(&*compare.left).chain(&compare.comparators);
                for side in sides {
                    if !side.as_string_literal_expr().is_some_and(|text| &text.value == "__main__") {
                        self.visit_expr(side);
                    }
                }
            }
            Expr::StringLiteral(text) => self.string(text.value.to_str()),
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_interpolated_string_element(&mut self, element: &'a InterpolatedStringElement) {
        if let InterpolatedStringElement::Literal(literal) = element {
            self.string(&literal.value);
        }
        visitor::walk_interpolated_string_element(self, element);
    }
}
