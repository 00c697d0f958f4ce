//! What the analysis knows of a value.

use std::rc::Rc;

use rustpython_ruff_python_ast::name::Name;

/// An object with identity, in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) u32);

/// A value: what is known of it, and what of the surroundings it was made from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Val {
    pub(super) k: K,
    pub(super) t: Taint,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum K {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    Bytes(Rc<[u8]>),
    Ellipsis,
    Tuple(Rc<[Val]>),
    Range(i64, i64, i64),
    Slice(Rc<[Val; 3]>),
    /// An object of the heap.
    Ref(Id),
    /// A name of a library that is not looked into: `torch.nn.Conv2d`.
    Sym(Rc<str>),
    /// A method of a value that is no user's class: the object and the name.
    Bound(Rc<(Val, Name)>),
    /// One of these.
    Union(Rc<[Val]>),
    /// Anything, of this type where that is known.
    Any(Hint),
}

/// The type of a value that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Whatever,
    Bool,
    Int,
    Float,
    Str,
    Bytes,
}

/// From what of the surroundings a value was made, as a set of bits: the low ones are families of operations (see
/// [`SOURCES`]), from [`ARGUMENTS`] on each bit is one command-line argument.
pub(super) type Taint = u64;

/// The first bit of the arguments.
pub(super) const ARGUMENTS: u32 = 20;

macro_rules! sources {
    ($($name:ident = $bit:literal $family:literal $printed:literal;)*) => {
        $(pub(super) const $name: Taint = 1 << $bit;)*
        /// Bit, family, and whether merely printing the value is use of it.
        pub(super) const SOURCES: &[(Taint, &str, bool)] = &[$(($name, $family, $printed),)*];
    };
}

sources! {
    CLOCK = 0 "python.clock" false;
    LOCAL_TIME = 1 "python.time.local" false;
    HOST = 2 "python.host" false;
    USER = 3 "python.user" false;
    HOME = 4 "python.home" false;
    CWD = 5 "python.cwd" false;
    PID = 6 "python.pid" false;
    CPUS = 7 "python.cpu-count" false;
    VERSION = 8 "python.version" false;
    ADDRESS = 9 "python.id" true;
    HASH = 10 "python.hash" true;
    DOC = 11 "python.docstring" true;
    ENTROPY = 12 "python.entropy" true;
}

/// Most alternatives of a [`K::Union`]; more become [`K::Any`] with the objects kept.
const ALTERNATIVES: usize = 12;

impl Val {
    pub(super) const NONE: Self = Self { k: K::None, t: 0 };

    pub(super) fn any() -> Self {
        K::Any(Hint::Whatever).into()
    }

    pub(super) fn of(hint: Hint) -> Self {
        K::Any(hint).into()
    }

    pub(super) fn str(text: impl Into<Rc<str>>) -> Self {
        K::Str(text.into()).into()
    }

    pub(super) fn sym(path: impl Into<Rc<str>>) -> Self {
        K::Sym(path.into()).into()
    }

    pub(super) fn tuple(items: Vec<Self>) -> Self {
        K::Tuple(items.into()).into()
    }

    #[must_use]
    pub(super) fn with(mut self, taint: Taint) -> Self {
        self.t |= taint;
        self
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.k {
            K::Str(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_int(&self) -> Option<i64> {
        match self.k {
            K::Int(n) => Some(n),
            K::Bool(b) => Some(i64::from(b)),
            _ => None,
        }
    }

    pub(super) fn as_sym(&self) -> Option<&str> {
        match &self.k {
            K::Sym(path) => Some(path),
            _ => None,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self.k, K::None)
    }

    /// Text, number, truth value or `None`: a value that is fully known and cannot change.
    pub(super) fn is_const(&self) -> bool {
        match &self.k {
            K::None
            | K::Bool(_)
            | K::Int(_)
            | K::Float(_)
            | K::Str(_)
            | K::Bytes(_)
            | K::Ellipsis
            | K::Range(..) => true,
            K::Tuple(items) => items.iter().all(Self::is_const),
            _ => false,
        }
    }

    /// The type, where it is known and plain.
    pub(super) fn hint(&self) -> Hint {
        match &self.k {
            K::Bool(_) => Hint::Bool,
            K::Int(_) => Hint::Int,
            K::Float(_) => Hint::Float,
            K::Str(_) => Hint::Str,
            K::Bytes(_) => Hint::Bytes,
            K::Any(hint) => *hint,
            K::Union(parts) => {
                let first = parts.first().map_or(Hint::Whatever, Self::hint);
                if parts.iter().all(|p| p.hint() == first) { first } else { Hint::Whatever }
            }
            _ => Hint::Whatever,
        }
    }

    /// The alternatives: the value itself where there is one.
    pub(super) fn parts(&self) -> Vec<Self> {
        match &self.k {
            K::Union(parts) => parts.iter().map(|p| p.clone().with(self.t)).collect(),
            _ => vec![self.clone()],
        }
    }

    /// One of two values.
    #[must_use]
    pub(super) fn join(&self, other: &Self) -> Self {
        let taint = self.t | other.t;
        if self.k == other.k {
            return self.clone().with(taint);
        }
        Self::one_of([self, other].into_iter().flat_map(Self::parts)).with(taint)
    }

    /// One of several values; none of none is anything.
    pub(super) fn one_of(values: impl IntoIterator<Item = Self>) -> Self {
        let (mut parts, mut taint): (Vec<Self>, Taint) = (Vec::new(), 0);
        for value in values {
            taint |= value.t;
            for mut part in value.parts() {
                part.t = 0;
                if !parts.iter().any(|p| p.k == part.k) {
                    parts.push(part);
                }
            }
        }
        if parts.len() > ALTERNATIVES {
            let hint = parts.iter().map(Self::hint).reduce(|a, b| if a == b { a } else { Hint::Whatever });
            parts.retain(|p| matches!(p.k, K::Ref(_) | K::Sym(_) | K::Bound(_)));
            parts.truncate(4 * ALTERNATIVES);
            parts.push(Self::of(hint.unwrap_or(Hint::Whatever)));
        }
        match parts.len() {
            0 => Self::any(),
            1 => parts.remove(0).with(taint),
            _ => Self { k: K::Union(parts.into()), t: taint },
        }
    }
}

impl From<K> for Val {
    fn from(k: K) -> Self {
        Self { k, t: 0 }
    }
}

impl From<Id> for Val {
    fn from(id: Id) -> Self {
        K::Ref(id).into()
    }
}

impl From<bool> for Val {
    fn from(truth: bool) -> Self {
        K::Bool(truth).into()
    }
}

impl From<i64> for Val {
    fn from(number: i64) -> Self {
        K::Int(number).into()
    }
}

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Args {
    pub(super) pos: Vec<Val>,
    pub(super) kw: Vec<(Name, Val)>,
    /// More that are not known: `*x` or `**x` of unknown `x`.
    pub(super) more: bool,
}

impl Args {
    pub(super) fn of(pos: Vec<Val>) -> Self {
        Self { pos, ..Self::default() }
    }

    /// The argument at `index`, or the one called `name`.
    pub(super) fn get(&self, index: usize, name: &str) -> Option<&Val> {
        self.named(name).or_else(|| self.pos.get(index))
    }

    pub(super) fn named(&self, name: &str) -> Option<&Val> {
        self.kw.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Val> {
        self.pos.iter().chain(self.kw.iter().map(|(_, v)| v))
    }

    pub(super) fn taint(&self) -> Taint {
        self.all().fold(0, |t, v| t | v.t)
    }

    /// The arguments with one more in front.
    #[must_use]
    pub(super) fn behind(&self, first: Val) -> Self {
        let mut args = self.clone();
        args.pos.insert(0, first);
        args
    }
}
