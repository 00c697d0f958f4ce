//! Names as the library that they come from knows them: `np.random.rand`, `from numpy import random as r; r.rand` and
//! `draw = numpy.random.rand; draw` are all `numpy.random.rand`.

use rustpython_ruff_python_ast::Expr;

use super::tree::{Bind, Tree};

/// How many aliases of aliases are followed.
const DEEPEST: u32 = 8;

/// So many bindings of a name are looked at.
const MANY: usize = 64;

/// What a builtin's path begins with.
pub(super) const BUILTINS: &str = "builtins.";

impl Tree<'_> {
    /// The dotted path of a name or attribute; `None` for what no import or builtin stands behind.
    pub(super) fn path(&self, expr: &Expr, scope: u32) -> Option<String> {
        self.path_below(expr, scope, DEEPEST).map(canonical)
    }

    fn path_below(&self, expr: &Expr, scope: u32, depth: u32) -> Option<String> {
        // Attributes from the outside in; a chain can be long, and each step would be a call.
        let mut attributes = Vec::new();
        let mut inner = expr;
        while let Expr::Attribute(attribute) = inner {
            attributes.push(attribute.attr.as_str());
            inner = &attribute.value;
        }
        let Expr::Name(name) = inner else { return None };
        let mut path = self.root(name.id.as_str(), scope, depth)?;
        for attribute in attributes.into_iter().rev() {
            path.push('.');
            path.push_str(attribute);
        }
        Some(path)
    }

    fn root(&self, name: &str, scope: u32, depth: u32) -> Option<String> {
        let Some(home) = self.scope_of(name, scope) else {
            return Some(self.unbound(name));
        };
        let binds = self.scopes[home as usize].names.get(name)?;
        // Code that binds one name over and over is generated.
        let import = binds.iter().take(MANY).find_map(|bind| match bind {
            Bind::Import(path) => Some(path.clone()),
            _ => None,
        });
        match (import, binds.as_slice()) {
            (Some(path), _) => Some(path),
            (None, [Bind::Value(value)]) => {
                let value_scope = self.node(*value).scope;
                match self.expr(*value)? {
                    alias @ (Expr::Name(_) | Expr::Attribute(_)) if depth > 0 => {
                        self.path_below(alias, value_scope, depth - 1)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A name that the module does not bind: a builtin, or of a module of which everything is imported.
    fn unbound(&self, name: &str) -> String {
        let builtin = super::values::is_builtin(name);
        match self.stars.iter().find(|module| !module.starts_with('.')) {
            Some(module) if !builtin => format!("{module}.{name}"),
            _ => format!("{BUILTINS}{name}"),
        }
    }
}

/// Second names of modules and functions.
const SECOND: [(&str, &str); 18] = [
    ("numpy.random.mtrand.", "numpy.random."),
    ("torch.random.", "torch."),
    ("torch.utils.data.dataloader.", "torch.utils.data."),
    ("torch.utils.data.dataset.", "torch.utils.data."),
    ("torch.utils.data.sampler.", "torch.utils.data."),
    ("torch.utils.data._utils.", "torch.utils.data."),
    ("torch.backends.cudnn.torch.", "torch."),
    ("torchvision.transforms.transforms.", "torchvision.transforms."),
    ("torchvision.transforms.v2.", "torchvision.transforms."),
    ("tensorflow.compat.v1.", "tensorflow."),
    ("tensorflow.compat.v2.", "tensorflow."),
    ("tensorflow.keras.", "keras."),
    ("tensorflow.python.keras.", "keras."),
    ("tf_keras.", "keras."),
    ("pytorch_lightning.", "lightning.pytorch."),
    ("lightning.fabric.", "lightning.pytorch."),
    ("lightning.pytorch.utilities.seed.", "lightning.pytorch."),
    ("pathlib.PosixPath", "pathlib.Path"),
];

fn canonical(path: String) -> String {
    for (second, first) in SECOND {
        if let Some(rest) = path.strip_prefix(second) {
            return format!("{first}{rest}");
        }
    }
    path
}
