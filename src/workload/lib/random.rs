//! The `random` module.

use crate::workload::interp::{Interp, plain};
use crate::workload::value::{Args, ENTROPY, Hint, K, Val};

impl<'a> Interp<'a> {
    /// A function of the module, or a method of `random.Random`.
    pub(super) fn random_draw(&mut self, me: Option<&Val>, name: &str, args: &Args) -> Val {
        let taint = args.taint();
        match name {
            "seed" => {
                let seed = args.get(0, "a").cloned();
                match me {
                    None => self.seed("random", seed.as_ref()),
                    Some(me) => {
                        let sure = self.seeded_by(seed.as_ref());
                        self.note_seed("random.Random", seed.as_ref());
                        if let Some(lib) = self.lib_mut(me) {
                            lib.attrs.insert("$seeded".into(), sure.into());
                        }
                    }
                }
                return Val::NONE;
            }
            "getstate" | "setstate" | "Random" => return Val::any(),
            _ => {}
        }
        self.rec.used(taint);
        match me {
            None => self.draw("random", "python.entropy"),
            Some(me) => {
                self.draws += 1;
                let seeded =
                    self.lib(me).and_then(|l| l.attrs.get("$seeded")).is_some_and(|v| v.k == K::Bool(true));
                if !seeded {
                    self.rec.operation("python.entropy");
                }
            }
        }
        self.rec.operation("python.random");
        if name.ends_with("variate") || matches!(name, "gauss" | "triangular" | "binomialvariate") {
            self.rec.operation("python.random.gauss");
        }
        match name {
            "randint" | "randrange" | "getrandbits" => Val::of(Hint::Int),
            "choice" => {
                let items = args.pos.first().cloned().map(|v| self.iterate(&v)).unwrap_or_default();
                Val::one_of(items.known.into_iter().chain(items.more))
            }
            "choices" | "sample" => {
                let items = args.pos.first().cloned().map(|v| self.iterate(&v)).unwrap_or_default();
                let item = Val::one_of(items.known.into_iter().chain(items.more));
                self.list(Vec::new(), Some(item))
            }
            "shuffle" => {
                if let Some(list) = args.pos.first().cloned() {
                    self.shuffle(&list);
                }
                Val::NONE
            }
            "randbytes" => Val::of(Hint::Bytes),
            _ => Val::of(Hint::Float),
        }
    }

    /// A list's items change places: none is known by its place any more.
    pub(super) fn shuffle(&mut self, list: &Val) {
        let items = self.iterate(list);
        if let K::Ref(id) = list.k
            && let crate::workload::heap::Obj::List { items: own, more, .. } = self.heap.get_mut(id)
            && own.len() + usize::from(more.is_some()) > 1
        {
            let all = Val::one_of(items.known.into_iter().chain(items.more));
            // As many as there were, each any of them: the length stays known.
            own.iter_mut().for_each(|i| *i = all.clone());
        }
    }

    /// Whether a seed makes a generator the same in every run.
    pub(super) fn seeded_by(&mut self, seed: Option<&Val>) -> bool {
        match seed {
            None => false,
            Some(v) => {
                self.rec.used(v.t);
                !v.parts().iter().any(Val::is_none) && v.t & ENTROPY == 0
            }
        }
    }

    /// The seed of a generator that is an object.
    pub(super) fn note_seed(&mut self, generator: &str, seed: Option<&Val>) {
        let text = match seed.filter(|s| !s.is_none()) {
            None => "none".to_owned(),
            Some(seed) => plain(seed, &self.heap).map_or_else(|| "unknown".to_owned(), |p| p.plain()),
        };
        self.rec.seed(generator, text);
    }

    /// A generator object of its own.
    pub(super) fn new_generator(&mut self, path: &str, seed: Option<&Val>) -> Val {
        let sure = self.seeded_by(seed);
        self.note_seed(path, seed);
        let made = self.lib_object(path, Args::default(), None);
        if let Some(lib) = self.lib_mut(&made) {
            lib.attrs.insert("$seeded".into(), sure.into());
        }
        made
    }
}
