//! scikit-learn: estimators by class and solver.

use super::table;
use crate::workload::array::Array;
use crate::workload::heap::Obj;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Id, K, Val};

impl<'a> Interp<'a> {
    /// A class or function of scikit-learn.
    pub(super) fn sklearn(&mut self, path: &str, me: Option<&Val>, args: &Args) -> Val {
        let name = path.rsplit('.').next().unwrap_or(path);
        if me.is_some() {
            self.hand_over(args);
            return Val::any();
        }
        let known = table::of("sklearn").named(name);
        if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            self.rec.used(args.taint());
            return self.lib_object(path, args.clone(), None);
        }
        self.use_arrays(None, args);
        for arg in args.all().cloned().collect::<Vec<_>>() {
            self.use_scalar(&arg);
            self.call_back(&arg, &[]);
        }
        match known {
            Some(families) => families.iter().for_each(|f| self.pseudo(f)),
            None if path.starts_with("sklearn.utils.")
                || path.starts_with("sklearn.datasets.load_")
                || name == "train_test_split" => {}
            None => self.rec.operation("sklearn.other"),
        }
        if self.draws_at_random(name) {
            self.sklearn_draw(args);
            self.rec.operation("numpy.rng.legacy.uniform");
            if name.starts_with("make_") {
                self.rec.operation("numpy.rng.legacy.distributions");
            }
        }
        let one = self.array("numpy", Array::default());
        match name {
            "train_test_split" | "resample" | "shuffle" | "cross_validate" => {
                self.list(Vec::new(), Some(one))
            }
            _ if name.starts_with("make_") => {
                if name == "make_pipeline" || name == "make_union" || name == "make_column_transformer" {
                    return self.lib_object(path, args.clone(), None);
                }
                Val::tuple(vec![one.clone(), one])
            }
            _ if name.starts_with("load_") || name.starts_with("fetch_") => {
                self.data_files(path, &Args::default());
                let pair = args.named("return_X_y").cloned().is_some_and(|v| self.truth(&v) == Some(true));
                if pair {
                    Val::tuple(vec![one.clone(), one])
                } else {
                    self.lib_object("sklearn.utils.Bunch", Args::default(), None)
                }
            }
            _ => one,
        }
    }

    fn draws_at_random(&self, name: &str) -> bool {
        table::of("sklearn").draws.get("random").is_some_and(|r| r.contains(name))
    }

    /// SciPy draws like scikit-learn, from NumPy's generators.
    pub(super) fn scipy_draw(&mut self, args: &Args) {
        self.rec.operation("numpy.rng.legacy.distributions");
        let given = args
            .named("random_state")
            .or_else(|| args.named("rng"))
            .or_else(|| args.named("seed"))
            .filter(|s| !s.is_none())
            .is_some();
        if given { self.draws += 1 } else { self.draw("numpy", "numpy.rng.unseeded") }
    }

    /// `random_state=None` draws from NumPy's global generator.
    fn sklearn_draw(&mut self, args: &Args) {
        let state = args.named("random_state").filter(|s| !s.is_none()).cloned();
        match state {
            None => self.draw("numpy", "numpy.rng.unseeded"),
            Some(state) => {
                self.draws += 1;
                if state.parts().iter().any(Val::is_none) {
                    self.draw("numpy", "numpy.rng.unseeded");
                }
            }
        }
    }

    /// An estimator learns or is applied.
    pub(super) fn fit(&mut self, id: Id) {
        self.fit_deep(id, 4);
    }

    fn fit_deep(&mut self, id: Id, depth: u32) {
        let Obj::Lib(lib) = self.heap.get(id) else { return };
        let (path, args) = (lib.path.clone(), lib.args.clone());
        let class = path.rsplit('.').next().unwrap_or(&path).to_owned();
        if class == "Bunch" || path.starts_with("sklearn.base.") {
            return;
        }
        let solver = args.named("solver").cloned();
        match table::of("sklearn").named(&class) {
            Some([mlp]) if mlp == "sklearn.mlp" => match solver.as_ref().map(|s| s.as_str()) {
                Some(Some("lbfgs")) => self.rec.operation("sklearn.mlp.lbfgs"),
                None | Some(Some(_)) => self.rec.operation("sklearn.mlp.sgd"),
                Some(None) => self.pseudo("sklearn.mlp"),
            },
            Some(families) => families.iter().for_each(|f| self.pseudo(f)),
            None => self.rec.operation("sklearn.other"),
        }
        if self.draws_at_random(&class) {
            self.sklearn_draw(&args);
        }
        if depth == 0 {
            return;
        }
        // Pipelines, searches and ensembles hold estimators.
        let mut held = Vec::new();
        for arg in args.all().cloned().collect::<Vec<_>>() {
            held.extend(self.reach(&arg, false).1);
        }
        for inner in held.into_iter().take(64) {
            if inner != id && matches!(self.heap.get(inner), Obj::Lib(l) if l.path.starts_with("sklearn.")) {
                self.fit_deep(inner, 0);
            }
        }
    }

    /// A method of an estimator.
    pub(super) fn estimator_method(&mut self, id: Id, object: &Val, name: &str, args: &Args) -> Val {
        match name {
            "set_params" | "set_output" => {
                if let Some(lib) = self.lib_mut(object) {
                    for (key, value) in &args.kw {
                        lib.args.kw.retain(|(n, _)| n != key);
                        lib.args.kw.push((key.clone(), value.clone()));
                    }
                }
                return object.clone();
            }
            "get_params" => return Val::any(),
            _ => {}
        }
        self.use_arrays(None, args);
        self.fit(id);
        match name {
            "fit" | "partial_fit" => object.clone(),
            "score" => Val::of(crate::workload::value::Hint::Float),
            "split" => {
                let one = self.array("numpy", Array::default());
                self.list(Vec::new(), Some(Val::tuple(vec![one.clone(), one])))
            }
            "kneighbors" => {
                let one = self.array("numpy", Array::default());
                Val::tuple(vec![one.clone(), one])
            }
            _ => {
                let _ = K::None;
                self.array("numpy", Array::default())
            }
        }
    }
}
