//! What calls of libraries mean: tables of families (`../calls/*.toml`) and, where the arguments decide, code.

mod argparse;
mod env;
mod foreign;
mod jax;
mod numpy;
mod object;
mod operators;
mod paths;
mod python;
mod random;
mod settings;
mod sklearn;
mod table;
mod tensor;
mod tensorflow;
mod torch;
mod torch_data;
mod torch_module;
mod torch_object;

use super::interp::Interp;
use super::value::{Args, Val};
pub(super) use foreign::{backward, frameworks};
pub(super) use table::{canonical, is_callable, is_known, is_listed, is_member, is_module_path, is_stdlib};

impl<'a> Interp<'a> {
    /// Calls a function or class of a library by its dotted path.
    pub(super) fn call_symbol(&mut self, path: &str, args: &Args) -> Val {
        let path = table::canonical(path);
        if let Some(name) = path.strip_prefix("builtins.") {
            return self.builtin(name, args);
        }
        self.call_library(&path, None, args)
    }

    /// Calls a function, class or method (`me` is its object) of a library.
    pub(super) fn call_library(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let root = path.split('.').next().unwrap_or(path);
        match root {
            "torch" => self.torch(path, me, args),
            "numpy" => self.numpy(path, me, args),
            "jax" | "jaxlib" => self.jax(path, me, args),
            "tensorflow" | "keras" => self.tensorflow(path, me, args),
            "sklearn" | "imblearn" => self.sklearn(path, me, args),
            "scipy" | "pandas" => self.tabled(root, path, me, args),
            _ if is_stdlib(root) || table::is_harmless(path) => self.stdlib(path, me, args),
            _ => self.foreign(path, me, args),
        }
    }

    /// A library that is known by its table alone.
    fn tabled(&mut self, root: &str, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let name = path.rsplit('.').next().unwrap_or(path);
        self.families(root, path);
        self.data_files(path, args);
        self.use_arrays(me, args);
        for arg in args.all().cloned().collect::<Vec<_>>() {
            // What these libraries hand to a function of the program is an array.
            if self.is_function(&arg) {
                let x = self.array("numpy", super::array::Array::new(Some(super::array::Dtype::F64), None));
                self.call_back(&arg, &[x]);
            } else {
                self.escape(&arg);
            }
        }
        if root == "scipy" {
            if path.starts_with("scipy.stats.")
                && matches!(name, "rvs" | "resample" | "bootstrap" | "permutation_test")
                || name == "differential_evolution"
            {
                self.scipy_draw(args);
            }
            let result = matches!(
                name,
                "minimize"
                    | "root"
                    | "least_squares"
                    | "linprog"
                    | "curve_fit"
                    | "solve_ivp"
                    | "minimize_scalar"
            ) || path.starts_with("scipy.optimize.")
                || name.starts_with(|c: char| c.is_ascii_uppercase())
                || path.starts_with("scipy.sparse.");
            return if result {
                self.lib_object(path, Args::default(), None)
            } else {
                self.array("numpy", super::array::Array::default())
            };
        }
        if matches!(name, "to_numpy" | "values" | "__array__") {
            return self.array("numpy", super::array::Array::default());
        }
        self.lib_object(path, Args::default(), None)
    }

    /// Records the families of a call by the library's table.
    pub(super) fn families(&mut self, library: &str, path: &str) {
        for family in table::of(library).families(path) {
            self.rec.operation(family);
        }
    }
}
