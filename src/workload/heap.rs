//! Objects with identity, and the two states that an undecided branch makes of them.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustpython_ruff_python_ast::name::Name;
use rustpython_ruff_python_ast::{ExprLambda, StmtFunctionDef};

use super::array::Array;
use super::value::{Args, Id, Val};

/// Names and their values: a function's locals, a module's globals, a class's or an instance's attributes.
pub(super) type Names = BTreeMap<Name, Val>;

/// What decides the order of a collection's items.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Order {
    /// The program.
    #[default]
    Own,
    /// The iteration of a set whose items hash by their text, by their address, or by the one or the other.
    Hashed { text: bool, address: bool },
    /// A folder's listing; the path where it is known.
    Listing(Option<Rc<str>>),
}

/// An object.
#[derive(Clone, Debug)]
pub(super) enum Obj<'a> {
    /// A list, or a generator's items: first `items`, then any number of `more`.
    List {
        items: Vec<Val>,
        more: Option<Val>,
        order: Order,
    },
    Dict {
        items: Vec<(Val, Val)>,
        more: Option<(Val, Val)>,
        factory: Option<Val>,
        order: Order,
    },
    Set {
        items: Vec<Val>,
        more: Option<Val>,
    },
    Names(Names),
    Module {
        name: Rc<str>,
        globals: Id,
    },
    Func(Rc<Func<'a>>),
    Class(Rc<Class>),
    /// An object of a user's class, or a plain bag of attributes.
    Instance {
        class: Option<Id>,
        attrs: Names,
    },
    /// An object of a library's class.
    Lib(Lib),
    Parser(super::parser::Parser),
}

/// A function or lambda of the program.
#[derive(Clone, Debug)]
pub(super) struct Func<'a> {
    pub(super) name: Name,
    pub(super) code: Code<'a>,
    /// The module's globals.
    pub(super) globals: Id,
    /// The number of the source file.
    pub(super) source: usize,
    /// The scopes around it, innermost last.
    pub(super) closure: Vec<Id>,
    /// The values of the defaults: positional parameters' first, then the keyword-only ones'.
    pub(super) defaults: Vec<Option<Val>>,
    /// The class whose body holds it, for `super()`.
    pub(super) class: Option<Id>,
    pub(super) generator: bool,
}

/// A function's body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Code<'a> {
    Def(&'a StmtFunctionDef),
    Lambda(&'a ExprLambda),
}

/// A class of the program.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: Name,
    pub(super) bases: Vec<Val>,
    pub(super) names: Id,
    /// `@dataclass` or a NamedTuple: the fields in order make the constructor.
    pub(super) fields: Option<Vec<(Name, Option<Val>)>>,
}

/// An object of a library's class, or what a library's function gave.
#[derive(Clone, Debug)]
pub(super) struct Lib {
    /// The class or function that made it.
    pub(super) path: Rc<str>,
    /// What it was made with.
    pub(super) args: Args,
    pub(super) attrs: Names,
    pub(super) array: Option<Array>,
}

/// Every object.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    objects: Vec<Rc<Obj<'a>>>,
    branches: Vec<Branch<'a>>,
}

#[derive(Debug)]
struct Branch<'a> {
    base: u32,
    saved: BTreeMap<Id, Rc<Obj<'a>>>,
}

/// What a branch changed.
pub(super) type Changes<'a> = BTreeMap<Id, Rc<Obj<'a>>>;

impl<'a> Heap<'a> {
    pub(super) fn new_object(&mut self, object: Obj<'a>) -> Id {
        let id = Id(u32::try_from(self.objects.len()).unwrap_or(u32::MAX));
        self.objects.push(Rc::new(object));
        id
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn get(&self, id: Id) -> &Obj<'a> {
        &self.objects[id.0 as usize]
    }

    /// The same, free of the heap's borrow.
    pub(super) fn take(&self, id: Id) -> Rc<Obj<'a>> {
        Rc::clone(&self.objects[id.0 as usize])
    }

    pub(super) fn get_mut(&mut self, id: Id) -> &mut Obj<'a> {
        let slot = &mut self.objects[id.0 as usize];
        if let Some(branch) = self.branches.last_mut()
            && id.0 < branch.base
        {
            branch.saved.entry(id).or_insert_with(|| Rc::clone(slot));
        }
        Rc::make_mut(slot)
    }

    /// The names of a [`Obj::Names`] or an instance; empty for others.
    pub(super) fn names(&self, id: Id) -> Option<&Names> {
        match self.get(id) {
            Obj::Names(names) | Obj::Instance { attrs: names, .. } => Some(names),
            Obj::Lib(lib) => Some(&lib.attrs),
            _ => None,
        }
    }

    pub(super) fn names_mut(&mut self, id: Id) -> Option<&mut Names> {
        match self.get_mut(id) {
            Obj::Names(names) | Obj::Instance { attrs: names, .. } => Some(names),
            Obj::Lib(lib) => Some(&mut lib.attrs),
            _ => None,
        }
    }

    /// From here on, changes can be undone.
    pub(super) fn begin(&mut self) {
        let base = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        self.branches.push(Branch { base, saved: BTreeMap::new() });
    }

    /// Undoes what changed since [`Heap::begin`] and returns it.
    pub(super) fn undo(&mut self) -> Changes<'a> {
        let Some(branch) = self.branches.pop() else { return Changes::new() };
        branch
            .saved
            .into_iter()
            .map(|(id, old)| (id, std::mem::replace(&mut self.objects[id.0 as usize], old)))
            .collect()
    }

    /// Makes the changes of one branch the state.
    pub(super) fn apply(&mut self, changes: Changes<'a>) {
        for (id, object) in changes {
            self.get_mut(id);
            self.objects[id.0 as usize] = object;
        }
    }

    /// Makes the state one in which either branch may have been taken.
    pub(super) fn apply_either(&mut self, a: &Changes<'a>, b: &Changes<'a>) {
        let ids: std::collections::BTreeSet<Id> = a.keys().chain(b.keys()).copied().collect();
        for id in ids {
            let base = self.take(id);
            let joined = join(a.get(&id).unwrap_or(&base), b.get(&id).unwrap_or(&base));
            self.get_mut(id);
            self.objects[id.0 as usize] = Rc::new(joined);
        }
    }
}

fn join_names(a: &Names, b: &Names) -> Names {
    let mut names = a.clone();
    for (name, value) in b {
        let joined = a.get(name).map_or_else(|| value.clone(), |old| old.join(value));
        names.insert(name.clone(), joined);
    }
    names
}

fn join_more(a: Option<&Val>, b: Option<&Val>) -> Option<Val> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.join(b)),
        (a, b) => a.or(b).cloned(),
    }
}

fn join_order(a: &Order, b: &Order) -> Order {
    if *a == Order::Own { b.clone() } else { a.clone() }
}

fn join<'a>(a: &Obj<'a>, b: &Obj<'a>) -> Obj<'a> {
    match (a, b) {
        (Obj::List { items: x, more: m, order: o }, Obj::List { items: y, more: n, order: p }) => {
            let items: Vec<Val> = x.iter().zip(y).map(|(x, y)| x.join(y)).collect();
            let rest = x.iter().chain(m).skip(items.len()).chain(y.iter().skip(items.len())).chain(n);
            let rest: Vec<Val> = if x.len() == y.len() {
                m.iter().chain(n).cloned().collect()
            } else {
                rest.cloned().collect()
            };
            let more = (!rest.is_empty()).then(|| Val::one_of(rest));
            Obj::List { items, more, order: join_order(o, p) }
        }
        (
            Obj::Dict { items: x, more: m, factory, order: o },
            Obj::Dict { items: y, more: n, order: p, .. },
        ) => {
            let mut items = x.clone();
            let mut sure = x.len() == y.len();
            for (key, value) in y {
                match items.iter_mut().find(|(k, _)| k.k == key.k) {
                    Some((_, old)) => *old = old.join(value),
                    None => {
                        items.push((key.clone(), value.clone()));
                        sure = false;
                    }
                }
            }
            let more = match (m, n) {
                (Some((k, v)), Some((l, w))) => Some((k.join(l), v.join(w))),
                (one, other) => one.clone().or_else(|| other.clone()),
            };
            let more = more.or_else(|| (!sure).then(|| items.last().cloned()).flatten());
            Obj::Dict { items, more, factory: factory.clone(), order: join_order(o, p) }
        }
        (Obj::Set { items: x, more: m }, Obj::Set { items: y, more: n }) => {
            if x == y {
                return Obj::Set { items: x.clone(), more: join_more(m.as_ref(), n.as_ref()) };
            }
            let all = x.iter().chain(m).chain(y).chain(n).cloned();
            Obj::Set { items: Vec::new(), more: Some(Val::one_of(all)) }
        }
        (Obj::Names(x), Obj::Names(y)) => Obj::Names(join_names(x, y)),
        (Obj::Instance { class, attrs: x }, Obj::Instance { attrs: y, .. }) => {
            Obj::Instance { class: *class, attrs: join_names(x, y) }
        }
        (Obj::Lib(x), Obj::Lib(y)) => {
            let array = match (&x.array, &y.array) {
                (Some(a), Some(b)) => Some(a.join(b)),
                (a, b) => a.clone().or_else(|| b.clone()),
            };
            Obj::Lib(Lib { attrs: join_names(&x.attrs, &y.attrs), array, ..x.clone() })
        }
        (Obj::Parser(x), Obj::Parser(y)) => Obj::Parser(x.join(y)),
        (a, _) => a.clone(),
    }
}
