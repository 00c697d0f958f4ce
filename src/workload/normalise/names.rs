//! Which variables can have any name, and the number that stands for each.

use std::collections::BTreeMap;

use super::scope::{Kind, MODULE, Scopes, how};
use super::world::World;

/// Names of a script's variables that tools look up: `tf.app.run` the first, servers the others.
const ENTRIES: [&str; 4] = ["main", "app", "application", "demo"];

/// Names of parameters that libraries look for in the signature of a function they are given: `intermediate_result`
/// of callbacks (scipy), `mask` and `training` of layers (keras).
const SIGNIFICANT: [&str; 3] = ["intermediate_result", "mask", "training"];

/// The built-in names of Python 3.8 to 3.14: a module's variable of such a name hides one.
const BUILTINS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BaseExceptionGroup",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "BytesWarning",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "EncodingWarning",
    "EnvironmentError",
    "Exception",
    "ExceptionGroup",
    "False",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "ImportWarning",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "None",
    "NotADirectoryError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PendingDeprecationWarning",
    "PermissionError",
    "ProcessLookupError",
    "PythonFinalizationError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TabError",
    "TimeoutError",
    "True",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UnicodeTranslateError",
    "UnicodeWarning",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
    "abs",
    "aiter",
    "all",
    "anext",
    "any",
    "ascii",
    "bin",
    "bool",
    "breakpoint",
    "bytearray",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "compile",
    "complex",
    "copyright",
    "credits",
    "delattr",
    "dict",
    "dir",
    "divmod",
    "enumerate",
    "eval",
    "exec",
    "exit",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "globals",
    "hasattr",
    "hash",
    "help",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "len",
    "license",
    "list",
    "locals",
    "map",
    "max",
    "memoryview",
    "min",
    "next",
    "object",
    "oct",
    "open",
    "ord",
    "pow",
    "print",
    "property",
    "quit",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "vars",
    "zip",
];

/// Whether a name is built in.
pub(super) fn is_builtin(name: &str) -> bool {
    BUILTINS.binary_search(&name).is_ok()
}

/// The numbers of a file's variables, in the order in which they are first written.
#[derive(Debug)]
pub(super) struct Names<'a> {
    scopes: &'a Scopes<'a>,
    world: &'a World<'a>,
    /// Whether this file's own variables can be renamed.
    globals: bool,
    numbers: BTreeMap<(usize, &'a str), usize>,
}

impl<'a> Names<'a> {
    /// Nothing numbered yet. `script`: the file is the script and no other file imports it.
    pub(super) fn new(scopes: &'a Scopes<'a>, world: &'a World<'a>, script: bool) -> Self {
        let globals = script && world.globals && !scopes.star;
        Self { scopes, world, globals, numbers: BTreeMap::new() }
    }

    /// The number of the variable that a name means in a scope; `None` where its name has to stay.
    pub(super) fn number(&mut self, scope: usize, name: &'a str) -> Option<usize> {
        let at = self.scopes.resolve(scope, name);
        if let Some(number) = self.numbers.get(&(at, name)) {
            return Some(*number);
        }
        if !self.is_free(at, name) {
            return None;
        }
        let number = self.numbers.len();
        self.numbers.insert((at, name), number);
        Some(number)
    }

    /// Whether a variable of this scope can have any name.
    fn is_free(&self, at: usize, name: &str) -> bool {
        let Some(scope) = self.scopes.get(at) else {
            return false;
        };
        let how = self.scopes.how(at, name);
        // Names with two underscores in front are mangled in classes, or have a meaning.
        let tied = how == 0 || name.starts_with("__") || self.scopes.pinned.contains(name);
        if tied || !self.world.locals {
            return false;
        }
        let plain = how & (how::IMPORTED | how::DEFINED | how::PARAMETER) == 0;
        match scope.kind {
            Kind::Class => false,
            Kind::Module => {
                let meant = self.world.words.contains(name) || ENTRIES.contains(&name) || is_builtin(name);
                debug_assert!(at == MODULE);
                self.globals && plain && !meant && !self.scopes.in_classes.contains(name)
            }
            _ if scope.sealed => false,
            Kind::Function | Kind::Comprehension => plain,
            Kind::Lambda => {
                let named = self.world.keywords.contains(name)
                    || self.world.words.contains(name)
                    || SIGNIFICANT.contains(&name)
                    || how & how::DEFAULT != 0;
                plain || (self.world.lambdas && scope.given && !named)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_names_are_in_order() {
        assert!(BUILTINS.is_sorted());
        assert!(is_builtin("sum") && is_builtin("ArithmeticError") && is_builtin("zip") && !is_builtin("np"));
    }
}
