//! Arrays of any library: making them, reading them, shapes.

use crate::workload::array::{Array, Dim, Dtype};
use crate::workload::heap::{Lib, Obj, Order};
use crate::workload::interp::{Interp, Items};
use crate::workload::value::{Args, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// A new array of a library.
    pub(in crate::workload) fn array(&mut self, library: &str, array: Array) -> Val {
        self.lib_object(&format!("{library}.$array"), Args::default(), Some(array))
    }

    /// A new object of a library's class.
    pub(in crate::workload) fn lib_object(&mut self, path: &str, args: Args, array: Option<Array>) -> Val {
        let lib = Lib { path: path.into(), args, attrs: Default::default(), array };
        self.heap.new_object(Obj::Lib(lib)).into()
    }

    /// The library object of a value.
    pub(in crate::workload) fn lib(&self, value: &Val) -> Option<&Lib> {
        match value.k {
            K::Ref(id) => match self.heap.get(id) {
                Obj::Lib(lib) => Some(lib),
                _ => None,
            },
            _ => None,
        }
    }

    pub(in crate::workload) fn lib_mut(&mut self, value: &Val) -> Option<&mut Lib> {
        match value.k {
            K::Ref(id) if matches!(self.heap.get(id), Obj::Lib(_)) => match self.heap.get_mut(id) {
                Obj::Lib(lib) => Some(lib),
                _ => None,
            },
            _ => None,
        }
    }

    pub(in crate::workload) fn array_of(&self, value: &Val) -> Option<&Array> {
        match &value.k {
            K::Union(parts) => parts.iter().find_map(|p| self.array_of(p)),
            _ => self.lib(value)?.array.as_ref(),
        }
    }

    /// The library that an array belongs to.
    pub(in crate::workload) fn array_library(&self, value: &Val) -> Option<String> {
        match &value.k {
            K::Union(parts) => parts.iter().find_map(|p| self.array_library(p)),
            _ => {
                let lib = self.lib(value)?;
                lib.array.as_ref()?;
                lib.path.split('.').next().map(str::to_owned)
            }
        }
    }

    pub(in crate::workload) fn is_numbers(&self, value: &Val) -> bool {
        matches!(value.hint(), Hint::Int | Hint::Float | Hint::Bool | Hint::Str | Hint::Bytes)
    }

    /// The path of what an array is a view of.
    fn owner(&self, mut id: Id) -> std::rc::Rc<str> {
        for _ in 0..32 {
            let Obj::Lib(lib) = self.heap.get(id) else { break };
            match lib.attrs.get("$base").map(|b| &b.k) {
                Some(K::Ref(base)) if self.array_of(&Val::from(*base)).is_some() => id = *base,
                _ => return lib.path.clone(),
            }
        }
        "numpy".into()
    }

    /// The content of an array is used: where it was never written, that is on record.
    pub(in crate::workload) fn use_lib(&mut self, id: Id) {
        if let Obj::Lib(lib) = self.heap.get(id) {
            let path = lib.path.clone();
            if lib.array.as_ref().is_some_and(|a| a.empty) {
                let root = self.owner(id);
                let library = root.split('.').next().unwrap_or("numpy");
                self.rec.operation(if library == "torch" { "torch.empty" } else { "numpy.empty" });
            }
            if let Some(family) =
                path.strip_prefix("torch.optim.").and_then(|n| super::table::of("torch").optimizers.get(n))
            {
                self.rec.operation(family);
            }
            if path.starts_with("sklearn.") {
                self.fit(id);
            }
        }
    }

    /// An array's content, or a number in it, is made a Python number.
    pub(in crate::workload) fn use_scalar(&mut self, value: &Val) {
        if let K::Ref(id) = value.k {
            self.use_lib(id);
        }
    }

    /// The contents of all array arguments are used.
    pub(super) fn use_arrays(&mut self, me: Option<&Val>, args: &Args) {
        // `out=` is written, not read.
        let read = args.pos.iter().chain(args.kw.iter().filter(|(n, _)| n.as_str() != "out").map(|(_, v)| v));
        for value in me.into_iter().chain(read).cloned().collect::<Vec<_>>() {
            self.use_deep(&value, 3);
        }
        if let Some(out) = args.named("out").cloned() {
            self.written(&out);
        }
    }

    fn use_deep(&mut self, value: &Val, depth: usize) {
        match &value.k {
            K::Ref(id) => {
                self.use_lib(*id);
                if depth > 0 && matches!(self.heap.get(*id), Obj::List { .. } | Obj::Set { .. }) {
                    let items = self.iterate(value);
                    for item in items.known.iter().take(64).chain(&items.more) {
                        self.use_deep(item, depth - 1);
                    }
                }
            }
            K::Tuple(items) | K::Union(items) if depth > 0 => {
                for item in items.to_vec().iter().take(64) {
                    self.use_deep(item, depth - 1);
                }
            }
            _ => {}
        }
        self.rec.used(value.t);
    }

    /// An array has been written to.
    pub(super) fn written(&mut self, value: &Val) {
        for part in value.parts() {
            if self.array_of(&part).is_some_and(|a| a.empty)
                && let Some(lib) = self.lib_mut(&part)
                && let Some(array) = &mut lib.array
            {
                array.empty = false;
            }
            // A view's owner is written with it.
            let base = self.lib(&part).and_then(|l| l.attrs.get("$base").cloned());
            if let Some(base) = base {
                self.written(&base);
            }
        }
    }

    /// A shape given as numbers or one tuple of them.
    pub(super) fn dims(&mut self, args: &[Val]) -> Option<Vec<Dim>> {
        if let [one] = args
            && (matches!(one.k, K::Tuple(_) | K::Ref(_)))
        {
            let items = self.iterate(one);
            if items.more.is_some() {
                return None;
            }
            return Some(items.known.iter().map(Val::as_int).collect());
        }
        args.iter()
            .all(|a| a.as_int().is_some() || a.hint() == Hint::Int)
            .then(|| args.iter().map(Val::as_int).collect())
    }

    /// The element type that an argument names.
    pub(in crate::workload) fn dtype_of(&self, value: &Val) -> Option<Dtype> {
        match &value.k {
            K::Str(s) => Dtype::named(s),
            K::Sym(path) => match &**path {
                "builtins.float" => Some(Dtype::F64),
                "builtins.int" => Some(Dtype::Int),
                "builtins.bool" => Some(Dtype::Bool),
                path => Dtype::named(path),
            },
            K::Ref(_) => {
                let lib = self.lib(value)?;
                if &*lib.path == "numpy.dtype" {
                    return lib.args.pos.first().and_then(|v| self.dtype_of(v));
                }
                lib.array.as_ref()?.dtype
            }
            _ => None,
        }
    }

    /// The array that nested lists of numbers make; `float` is what Python's floats become.
    pub(super) fn array_like(&mut self, value: &Val, float: Dtype, depth: usize) -> Array {
        if let Some(array) = self.array_of(value) {
            let mut array = array.clone();
            array.empty = false;
            return array;
        }
        match value.hint() {
            Hint::Bool => return Array::new(Some(Dtype::Bool), Some(Vec::new())),
            Hint::Int => return Array::new(Some(Dtype::Int), Some(Vec::new())),
            Hint::Float => return Array::new(Some(float), Some(Vec::new())),
            Hint::Str | Hint::Bytes => return Array::new(None, Some(Vec::new())),
            Hint::Whatever => {}
        }
        if depth == 0 || !matches!(&value.k, K::Tuple(_) | K::Ref(_) | K::Range(..)) {
            return Array::default();
        }
        let items = self.iterate(value);
        let mut inner: Option<Array> = None;
        for item in items.known.iter().take(256).chain(&items.more) {
            let one = self.array_like(item, float, depth - 1);
            inner = Some(match inner {
                None => one,
                Some(all) => Array { dtype: Dtype::promote(all.dtype, one.dtype), ..all.join(&one) },
            });
        }
        let length = items.more.is_none().then_some(i64::try_from(items.known.len()).ok()).flatten();
        match inner {
            Some(inner) => {
                let shape = inner.shape.map(|s| [length].into_iter().chain(s).collect());
                Array::new(inner.dtype, shape)
            }
            None => Array::new(Some(float), Some(vec![length])),
        }
    }

    /// What an array of this library is indexed to.
    pub(in crate::workload) fn lib_item(&mut self, id: Id, key: &Val) -> Val {
        let Obj::Lib(lib) = self.heap.get(id) else { return Val::any() };
        let lib = lib.clone();
        let library = lib.path.split('.').next().unwrap_or("").to_owned();
        match &*lib.path {
            "torch.nn.Sequential" | "torch.nn.ModuleList" => {
                let children = self.children(id);
                return match key.as_int().and_then(|n| crate::workload::interp::index(&children, n)) {
                    Some(child) => child,
                    None if matches!(key.k, K::Slice(_)) => Val::from(id),
                    None => Val::one_of(children),
                };
            }
            "torch.nn.ModuleDict" => {
                let Some(dict) = lib.args.pos.first() else { return Val::any() };
                let inside = lib.attrs.get(key.as_str().unwrap_or("")).cloned();
                return inside.unwrap_or_else(|| self.item(&dict.clone(), key));
            }
            "multiprocessing.shared_memory" => return Val::any(),
            _ => {}
        }
        let Some(array) = &lib.array else {
            return self.any_item(id);
        };
        let shape = self.indexed(array, key);
        let result = Array { dtype: array.dtype, shape, empty: array.empty };
        let value = self.array(&library, result);
        if let Some(view) = self.lib_mut(&value) {
            view.attrs.insert("$base".into(), id.into());
        }
        value
    }

    /// An item of an object whose items are not known one by one.
    pub(in crate::workload) fn any_item(&mut self, id: Id) -> Val {
        let Obj::Lib(lib) = self.heap.get(id) else { return Val::any() };
        let lib = lib.clone();
        match &*lib.path {
            "numpy.load" | "numpy.savez" | "torch.state_dict" | "h5py.File" => {
                let library = lib.path.split('.').next().unwrap_or("numpy").replace("h5py", "numpy");
                self.array(&library, Array::default())
            }
            "torch.utils.data.TensorDataset" | "torch.utils.data.Subset" => self.dataset_item(&id.into()),
            path if path.starts_with("pandas.") => self.lib_object("pandas.Series", Args::default(), None),
            _ => Val::any(),
        }
    }

    fn indexed(&mut self, array: &Array, key: &Val) -> Option<Vec<Dim>> {
        let shape = array.shape.clone()?;
        let keys = match &key.k {
            K::Tuple(items) => items.to_vec(),
            _ => vec![key.clone()],
        };
        let takes = keys.iter().filter(|k| !matches!(k.k, K::None | K::Ellipsis)).count();
        let (mut out, mut dims) = (Vec::new(), shape.iter());
        for key in &keys {
            match &key.k {
                K::None => out.push(Some(1)),
                K::Ellipsis => {
                    for _ in 0..shape.len().saturating_sub(takes) {
                        out.push(*dims.next()?);
                    }
                }
                K::Int(_) | K::Any(Hint::Int) => {
                    dims.next()?;
                }
                K::Slice(parts) => {
                    let dim = *dims.next()?;
                    out.push(
                        dim.and_then(|d| slice_length(d, parts))
                            .or_else(|| if all_none(parts) { dim } else { None }),
                    );
                }
                _ => return None,
            }
        }
        out.extend(dims.copied());
        Some(out)
    }

    /// `array[key] = value`: it is written.
    pub(in crate::workload) fn set_lib_item(&mut self, id: Id, key: &Val, value: &Val) {
        let object = Val::from(id);
        if let Some(lib) = self.lib(&object)
            && lib.array.is_none()
            && let Some(name) = key.as_str()
        {
            let name = name.to_owned();
            if let Some(lib) = self.lib_mut(&object) {
                lib.attrs.insert(name.as_str().into(), value.clone());
            }
            return;
        }
        self.use_scalar(value);
        self.rec.used(value.t);
        self.written(&object);
    }

    /// The items of an object of a library.
    pub(in crate::workload) fn iterate_lib(&mut self, id: Id, order: &mut Order) -> Items {
        let Obj::Lib(lib) = self.heap.get(id) else { return Items::default() };
        let lib = lib.clone();
        if let Some(array) = &lib.array {
            let library = lib.path.split('.').next().unwrap_or("").to_owned();
            let first = array.shape.as_ref().and_then(|s| s.first().copied());
            let scalar = array.dims() == Some(1) && library == "numpy";
            let inner = Array {
                dtype: array.dtype,
                shape: array.shape.as_ref().map(|s| s.iter().skip(1).copied().collect()),
                empty: array.empty,
            };
            let item = if scalar { self.number_of(array.dtype) } else { self.array(&library, inner) };
            self.use_lib(id);
            return match first.flatten().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= 16) {
                Some(n) => Items { known: vec![item; n], more: None },
                None => Items { known: Vec::new(), more: Some(item) },
            };
        }
        match &*lib.path {
            "torch.nn.Sequential" | "torch.nn.ModuleList" => {
                return Items { known: self.children(id), more: None };
            }
            "torch.utils.data.DataLoader" => {
                let batch = self.load(id);
                return Items { known: Vec::new(), more: Some(batch) };
            }
            "enumerate" | "zip" | "map" => {}
            _ => {}
        }
        if let Some(listing) = lib.attrs.get("$listing") {
            *order = Order::Listing(listing.as_str().map(Into::into));
        }
        Items { known: Vec::new(), more: Some(self.any_item(id)) }
    }

    /// A Python or NumPy number of this type.
    pub(super) fn number_of(&self, dtype: Option<Dtype>) -> Val {
        Val::of(match dtype {
            Some(Dtype::Bool) => Hint::Bool,
            Some(Dtype::Int) => Hint::Int,
            Some(Dtype::Complex) | None => Hint::Whatever,
            Some(_) => Hint::Float,
        })
    }
}

fn all_none(parts: &[Val; 3]) -> bool {
    parts.iter().all(Val::is_none)
}

/// How many items a slice of `length` items has.
fn slice_length(length: i64, parts: &[Val; 3]) -> Option<i64> {
    let length = length.max(0);
    let bound = |v: &Val| if v.is_none() { Some(None) } else { v.as_int().map(Some) };
    let (start, stop, step) = (bound(&parts[0])?, bound(&parts[1])?, bound(&parts[2])?.unwrap_or(1));
    let clamp = |n: i64| (if n < 0 { n.saturating_add(length) } else { n }).clamp(0, length);
    let span = match step {
        1.. => clamp(stop.unwrap_or(length)) - clamp(start.unwrap_or(0)),
        _ if start.is_none() && stop.is_none() => length,
        _ => return None,
    };
    let step = step.checked_abs().filter(|s| *s > 0)?;
    Some(if span <= 0 { 0 } else { (span - 1) / step + 1 })
}
