//! Datasets and loaders.

use crate::workload::array::{Array, Dtype};
use crate::workload::heap::Obj;
use crate::workload::interp::Interp;
use crate::workload::value::{Args, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// A class or function of `torch.utils.data`.
    pub(super) fn torch_data(&mut self, path: &str, args: &Args) -> Val {
        let name = path.rsplit('.').next().unwrap_or(path);
        self.rec.used(args.taint());
        match name {
            "random_split" => {
                self.rec.operation("torch.rng.permutation");
                self.torch_draw(args);
                let dataset = args.pos.first().cloned().unwrap_or_else(Val::any);
                let part = self.lib_object("torch.utils.data.Subset", Args::of(vec![dataset]), None);
                let count = args
                    .pos
                    .get(1)
                    .cloned()
                    .and_then(|l| self.length(&l))
                    .and_then(|n| usize::try_from(n).ok());
                match count.filter(|n| *n <= 16) {
                    Some(n) => self.list(vec![part; n], None),
                    None => self.list(Vec::new(), Some(part)),
                }
            }
            "default_collate" => args.pos.first().cloned().unwrap_or_else(Val::any),
            "get_worker_info" => Val::any(),
            "DataLoader" => {
                let loader = self.lib_object(path, args.clone(), None);
                let workers = args.get(5, "num_workers").map_or(Some(0), Val::as_int);
                self.rec.workers.insert(workers.unwrap_or(-1));
                loader
            }
            _ => self.lib_object(path, args.clone(), None),
        }
    }

    /// A DataLoader is iterated: one batch.
    pub(super) fn load(&mut self, id: Id) -> Val {
        let Obj::Lib(lib) = self.heap.get(id) else { return Val::any() };
        let args = lib.args.clone();
        self.rec.operation("torch.dataloader");
        let workers = args.get(5, "num_workers").cloned().unwrap_or_else(|| Val::from(0));
        let several = self.truth(&workers);
        if several != Some(false) {
            self.rec.operation("torch.dataloader.workers");
        }
        let shuffle = args.get(2, "shuffle").cloned().unwrap_or_else(|| false.into());
        let generator = Args {
            kw: args.kw.iter().filter(|(n, _)| n.as_str() == "generator").cloned().collect(),
            ..Args::default()
        };
        if self.truth(&shuffle) != Some(false) {
            self.rec.operation("torch.rng.permutation");
            self.torch_draw(&generator);
        }
        for sampler in [args.get(3, "sampler"), args.get(4, "batch_sampler")]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
        {
            self.sample(&sampler);
        }
        if let Some(init) = args.named("worker_init_fn").cloned() {
            let outer = std::mem::replace(&mut self.worker, true);
            self.call_back(&init, &[Val::of(Hint::Int)]);
            self.worker = outer;
        }
        let dataset = args.get(0, "dataset").cloned().unwrap_or_else(Val::any);
        let outer = self.worker;
        self.worker = several == Some(true);
        let item = self.dataset_item(&dataset);
        self.worker = outer;
        let collate = args.named("collate_fn").filter(|c| !c.is_none()).cloned();
        if let Some(collate) = collate {
            let items = self.list(Vec::new(), Some(item));
            return self.call(&collate, &Args::of(vec![items]));
        }
        let batch = args.get(1, "batch_size").map_or(Some(1), Val::as_int);
        let drop = args.named("drop_last").cloned().and_then(|d| self.truth(&d)) == Some(true);
        self.collate(&item, batch.filter(|_| drop), 4)
    }

    fn sample(&mut self, sampler: &Val) {
        let Some(lib) = self.lib(sampler).cloned() else {
            let items = self.iterate(sampler);
            let _ = items;
            return;
        };
        match lib.path.rsplit('.').next() {
            Some("RandomSampler" | "SubsetRandomSampler" | "DistributedSampler") => {
                self.rec.operation("torch.rng.permutation");
                if !lib.path.contains("distributed") {
                    self.torch_draw(&lib.args);
                }
            }
            Some("WeightedRandomSampler") => {
                self.rec.operation("torch.rng.bernoulli");
                self.torch_draw(&lib.args);
            }
            Some("BatchSampler") => {
                if let Some(inner) = lib.args.pos.first().cloned() {
                    self.sample(&inner);
                }
            }
            _ => {}
        }
    }

    /// One item of a dataset.
    pub(super) fn dataset_item(&mut self, dataset: &Val) -> Val {
        if let Some(lib) = self.lib(dataset).cloned() {
            match lib.path.rsplit('.').next() {
                Some("TensorDataset") => {
                    let mut items = Vec::new();
                    for arg in &lib.args.pos {
                        items.push(self.item(arg, &Val::of(Hint::Int)));
                    }
                    return Val::tuple(items);
                }
                Some("Subset" | "ConcatDataset" | "ChainDataset") => {
                    let inner = lib.args.pos.first().cloned().unwrap_or_else(Val::any);
                    if self.lib(&inner).is_none() && !self.is_instance(&inner) {
                        let items = self.iterate(&inner);
                        let mut all = Vec::new();
                        for one in items.known.iter().chain(&items.more) {
                            all.push(self.dataset_item(one));
                        }
                        return Val::one_of(all);
                    }
                    return self.dataset_item(&inner);
                }
                _ => return self.item(dataset, &Val::of(Hint::Int)),
            }
        }
        if self.is_instance(dataset) {
            let get = self.attr(dataset, "__getitem__");
            if self.is_function(&get) {
                let len = self.attr(dataset, "__len__");
                self.call_back(&len, &[]);
                return self.call(&get, &Args::of(vec![Val::of(Hint::Int)]));
            }
            let items = self.iterate(dataset);
            return Val::one_of(items.known.into_iter().chain(items.more));
        }
        self.item(dataset, &Val::of(Hint::Int))
    }

    /// What default_collate makes of items: tensors with one more dimension in front.
    fn collate(&mut self, item: &Val, batch: Option<i64>, depth: usize) -> Val {
        if depth == 0 {
            return Val::any();
        }
        match &item.k {
            K::Tuple(items) => {
                let items: Vec<Val> =
                    items.to_vec().iter().map(|i| self.collate(i, batch, depth - 1)).collect();
                return self.list(items, None);
            }
            K::Union(parts) => {
                let parts = parts.to_vec();
                return Val::one_of(
                    parts.iter().map(|p| self.collate(p, batch, depth - 1)).collect::<Vec<_>>(),
                );
            }
            K::Ref(id) => match &*self.heap.take(*id) {
                Obj::List { items, more: None, .. } => {
                    let items: Vec<Val> = items.iter().map(|i| self.collate(i, batch, depth - 1)).collect();
                    return self.list(items, None);
                }
                Obj::Dict { items, .. } => {
                    let pairs: Vec<Val> = items
                        .iter()
                        .map(|(k, v)| Val::tuple(vec![k.clone(), self.collate(v, batch, depth - 1)]))
                        .collect();
                    let list = self.list(pairs, None);
                    return self.make_dict(&list);
                }
                _ => {}
            },
            K::Str(_) | K::Any(Hint::Str) => return self.list(Vec::new(), Some(Val::of(Hint::Str))),
            _ => {}
        }
        self.use_scalar(item);
        // Python's floats become float64 (torch.utils.data.default_collate).
        let one = self.array_like(item, Dtype::F64, 1);
        let shape = one.shape.map(|s| [batch].into_iter().chain(s).collect());
        self.array("torch", Array::new(one.dtype, shape)).with(item.t)
    }
}
