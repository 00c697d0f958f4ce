//! What `torch.save` writes: a ZIP archive with a pickle that describes the tensors, and a member per storage
//! (`torch/serialization.py`, `_save`; `torch/_utils.py` for the functions that rebuild tensors).

use super::pickle::{self, Id, Node, Tree};
use super::zip::{Member, members};
use super::{Entry, Found, TENSORS};
use crate::outputs::dtype::{Dtype, Number};
use crate::outputs::layout::{Layout, whole};
use crate::outputs::source::Source;

/// How a file of torch before 1.6 begins: a pickle of `torch/serialization.py`'s `MAGIC_NUMBER`.
pub const LEGACY: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

/// The tensors and the plain numbers of a file.
pub fn entries(source: &Source) -> Result<Vec<Entry>, String> {
    let members = members(source)?;
    let root = members.iter().filter_map(|m| m.name.strip_suffix("data.pkl"));
    let root = root.min_by_key(|root| root.len()).ok_or("is a ZIP archive without torch's `data.pkl`")?;
    let pickle = member(&members, &format!("{root}data.pkl"))?.place.clone()?;
    let pickle = whole(source, pickle, pickle::LIMIT)?;
    let big_endian = match member(&members, &format!("{root}byteorder")) {
        Ok(member) => whole(source, member.place.clone()?, 16)? == b"big",
        Err(_) => false,
    };
    let tree = Tree::parse(&pickle)?;
    let mut by_name: Vec<(&str, &Member)> = members.iter().map(|m| (m.name.as_str(), m)).collect();
    by_name.sort_by_key(|(name, _)| *name);
    let leaves = walk(&tree)?;
    let place = |key: &str| {
        let name = format!("{root}data/{key}");
        let at = by_name.binary_search_by_key(&name.as_str(), |(name, _)| name);
        let at = at.map_err(|_| format!("its storage `{key}` is missing"))?;
        by_name[at].1.place.clone()
    };
    Ok(leaves
        .into_iter()
        .map(|(name, leaf)| match leaf {
            Leaf::Tensor(view) => {
                let layout = place(&view.key).and_then(|place| {
                    let Some(dtype) = view.dtype.clone() else {
                        return Err(format!("elements of type `{}` are not read", view.type_name));
                    };
                    let layout = Layout {
                        dtype,
                        shape: view.shape.clone(),
                        strides: view.strides,
                        start: view.start,
                        skip: 0,
                        place,
                        big_endian,
                    };
                    layout.checked_count().map(|_| layout)
                });
                Entry::new(name, &view.type_name, view.shape, layout)
            }
            Leaf::Numbers(dtype, shape, bytes) => {
                Entry { name, dtype: dtype.name().to_owned(), shape, found: Ok(Found::Here(dtype, bytes)) }
            }
            Leaf::Unread(reason) => Entry::unread(name, reason),
        })
        .collect())
}

fn member<'a>(members: &'a [Member], name: &str) -> Result<&'a Member, String> {
    members.iter().find(|m| m.name == name).ok_or_else(|| format!("has no member `{name}`"))
}

/// What a pickle holds that can differ.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf {
    /// A tensor: a view of a storage.
    Tensor(View),
    /// A number, or a list of numbers, that stands in the pickle.
    Numbers(Dtype, Vec<u64>, Vec<u8>),
    /// A tensor that is not read, and why.
    Unread(String),
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    key: String,
    type_name: String,
    dtype: Option<Dtype>,
    shape: Vec<u64>,
    strides: Vec<u64>,
    start: u64,
}

/// Containers inside one another.
const DEPTH: usize = 64;
/// Nodes that are visited. Python's references can make a small pickle an endless tree.
const VISITS: usize = 2 << 20;
/// Bytes of all names together.
const NAMES: usize = 64 << 20;

/// The leaves of a pickle's tree, in its order, each with its name: the keys on the way to it, joined by dots.
pub fn walk(tree: &Tree<'_>) -> Result<Vec<(String, Leaf)>, String> {
    let mut walker = Walker { tree, leaves: Vec::new(), visits: 0, names: 0 };
    walker.visit(tree.root, "", 0)?;
    Ok(walker.leaves)
}

struct Walker<'a> {
    tree: &'a Tree<'a>,
    leaves: Vec<(String, Leaf)>,
    visits: usize,
    names: usize,
}

impl Walker<'_> {
    fn visit(&mut self, id: Id, name: &str, depth: usize) -> Result<(), String> {
        self.visits += 1;
        self.names += name.len();
        if self.visits > VISITS || self.names > NAMES || self.leaves.len() > TENSORS {
            return Err("has a pickle with more in it than is told apart".to_owned());
        }
        if depth > DEPTH {
            self.leaf(name, Leaf::Unread("lies deeper than is looked at".to_owned()));
            return Ok(());
        }
        let tree = self.tree;
        match tree.node(id) {
            Node::Dict(items) => self.items(items, name, depth),
            Node::Tuple(items) | Node::List(items) => self.list(items, name, depth),
            Node::Int(_) | Node::Float(_) | Node::Bool(_) => {
                let leaf = self.numbers(&[id], Vec::new());
                self.leaf(name, leaf);
                Ok(())
            }
            Node::Call { callee, args, state, list, dict } => match self.tensor(*callee, *args, depth) {
                Some(leaf) => {
                    self.leaf(name, leaf);
                    Ok(())
                }
                None => {
                    let of = tree.global(*callee);
                    let of = of.as_ref().map(|(module, name)| (module.as_str(), name.as_str()));
                    if of == Some(("torch", "Size")) {
                        return self.visit(*args, name, depth + 1);
                    }
                    // What is set on an ordered dictionary beside its items is a state_dict's `_metadata`: the
                    // versions of modules' code.
                    let state = state.filter(|_| of != Some(("collections", "OrderedDict")));
                    self.items(dict, name, depth)?;
                    if !list.is_empty() {
                        self.list(list, name, depth)?;
                    }
                    state.map_or(Ok(()), |state| self.visit(state, name, depth + 1))
                }
            },
            _ => Ok(()),
        }
    }

    fn leaf(&mut self, name: &str, leaf: Leaf) {
        let name = if name.is_empty() { "tensor".to_owned() } else { name.to_owned() };
        self.leaves.push((name, leaf));
    }

    fn items(&mut self, items: &[(Id, Id)], name: &str, depth: usize) -> Result<(), String> {
        for (key, value) in items {
            let key = match self.tree.node(*key) {
                Node::Str(text) => self.tree.text(text).into_owned(),
                Node::Int(number) => number.to_string(),
                _ => "?".to_owned(),
            };
            self.visit(*value, &below(name, &key), depth + 1)?;
        }
        Ok(())
    }

    /// Items by their index; a list of nothing but numbers is one leaf.
    fn list(&mut self, items: &[Id], name: &str, depth: usize) -> Result<(), String> {
        let is_number =
            |id: &Id| matches!(self.tree.node(*id), Node::Int(_) | Node::Float(_) | Node::Bool(_));
        if !items.is_empty() && items.iter().all(is_number) {
            let leaf = self.numbers(items, vec![items.len() as u64]);
            self.leaf(name, leaf);
            return Ok(());
        }
        items
            .iter()
            .enumerate()
            .try_for_each(|(i, id)| self.visit(*id, &below(name, &i.to_string()), depth + 1))
    }

    fn numbers(&self, items: &[Id], shape: Vec<u64>) -> Leaf {
        let ints: Option<Vec<i64>> = items.iter().map(|id| self.tree.int(*id)).collect();
        match ints {
            Some(ints) => Leaf::Numbers(
                Dtype::Number(Number::Int64),
                shape,
                ints.iter().flat_map(|n| n.to_le_bytes()).collect(),
            ),
            None => {
                #[expect(clippy::cast_precision_loss, reason = "as Python's float() does")]
                let float = |id: &Id| match self.tree.node(*id) {
                    Node::Float(number) => *number,
                    _ => self.tree.int(*id).unwrap_or_default() as f64,
                };
                let bytes = items.iter().flat_map(|id| float(id).to_le_bytes()).collect();
                Leaf::Numbers(Dtype::Number(Number::Float64), shape, bytes)
            }
        }
    }

    /// The tensor that a call would rebuild; `None` for calls of other things.
    fn tensor(&self, callee: Id, args: Id, depth: usize) -> Option<Leaf> {
        let (module, function) = self.tree.global(callee)?;
        let args = self.tree.items(args).unwrap_or_default();
        let unread = |what: &str| Some(Leaf::Unread(what.to_owned()));
        if module.starts_with("numpy") && function == "_reconstruct" {
            return unread("a numpy array inside a pickle is not read");
        }
        if !(module == "torch" || module.starts_with("torch.")) || !function.contains("_rebuild") {
            return None;
        }
        match (function.as_str(), args) {
            ("_rebuild_tensor" | "_rebuild_tensor_v2", [storage, start, shape, strides, rest @ ..]) => {
                Some(self.view(*storage, None, [*start, *shape, *strides], rest.get(2).copied()))
            }
            ("_rebuild_tensor_v3", [storage, start, shape, strides, _, _, dtype, rest @ ..]) => {
                Some(self.view(*storage, Some(*dtype), [*start, *shape, *strides], rest.first().copied()))
            }
            // A parameter is its tensor; a subclass is what another function rebuilds.
            ("_rebuild_parameter" | "_rebuild_parameter_with_state", [tensor, ..]) if depth <= DEPTH => {
                let Node::Call { callee, args, .. } = self.tree.node(*tensor) else {
                    return unread("a parameter of something that is no tensor");
                };
                self.tensor(*callee, *args, depth + 1).or_else(|| unread("a parameter that is not known"))
            }
            ("_rebuild_from_type_v2", [function, _, args, ..]) if depth <= DEPTH => self
                .tensor(*function, *args, depth + 1)
                .or_else(|| unread("a tensor of a type that is not known")),
            ("_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor", _) => {
                unread("a sparse tensor is not read")
            }
            ("_rebuild_qtensor", _) => unread("a quantised tensor is not read"),
            (other, _) => Some(Leaf::Unread(format!("what `{other}` rebuilds is not read"))),
        }
    }

    fn view(
        &self,
        storage: Id,
        dtype: Option<Id>,
        [start, shape, strides]: [Id; 3],
        metadata: Option<Id>,
    ) -> Leaf {
        let bad = |what: &str| Leaf::Unread(format!("a tensor {what}"));
        let Node::Persistent(id) = self.tree.node(storage) else { return bad("without a storage") };
        // ("storage", type, key, location, length)
        let Some([_, class, key, ..]) = self.tree.items(*id) else { return bad("without a storage") };
        let key = match self.tree.node(*key) {
            Node::Str(text) => self.tree.text(text).into_owned(),
            _ => return bad("whose storage has no name"),
        };
        let class = dtype.unwrap_or(*class);
        let Some((_, type_name)) = self.tree.global(class) else { return bad("without a type") };
        let sizes = |id: Id| -> Option<Vec<u64>> {
            // `torch.Size((2, 3))` or a plain tuple.
            let id = match self.tree.node(id) {
                Node::Call { args, .. } => *self.tree.items(*args)?.first()?,
                _ => id,
            };
            let items = self.tree.items(id)?;
            items.iter().map(|n| self.tree.int(*n).and_then(|n| u64::try_from(n).ok())).collect()
        };
        let start = self.tree.int(start).and_then(|n| u64::try_from(n).ok());
        let (Some(start), Some(shape), Some(strides)) = (start, sizes(shape), sizes(strides)) else {
            return bad("with a shape that is not known");
        };
        if shape.len() != strides.len() || shape.len() > 64 {
            return bad("with a shape that is not known");
        }
        if let Some(Node::Dict(flags)) = metadata.map(|id| self.tree.node(id)) {
            // Lazy conjugation and negation: the storage does not hold the tensor's values.
            let set = |value: &Id| matches!(self.tree.node(*value), Node::Bool(true));
            if flags.iter().any(|(_, value)| set(value)) {
                return bad("that is stored conjugated or negated is not read");
            }
        }
        let dtype = element(&type_name);
        let type_name = dtype.as_ref().map_or(type_name, |d| d.name().to_owned());
        Leaf::Tensor(View { key, type_name, dtype, shape, strides, start })
    }
}

fn below(name: &str, key: &str) -> String {
    if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }
}

/// The element type of a storage class (`FloatStorage`) or of a dtype (`torch.float8_e5m2`).
fn element(name: &str) -> Option<Dtype> {
    use Number::*;
    let number = match name {
        "DoubleStorage" => Float64,
        "FloatStorage" => Float32,
        "HalfStorage" => Float16,
        "BFloat16Storage" => Bfloat16,
        "LongStorage" => Int64,
        "IntStorage" => Int32,
        "ShortStorage" => Int16,
        "CharStorage" => Int8,
        "ByteStorage" => Uint8,
        "BoolStorage" => Bool,
        "ComplexFloatStorage" => return Some(Dtype::Complex(Float32)),
        "ComplexDoubleStorage" => return Some(Dtype::Complex(Float64)),
        other => return Dtype::named(other),
    };
    Some(Dtype::Number(number))
}
