//! argparse: what a parser was told, and what it makes of a command line.

use rustpython_ruff_python_ast::name::Name;

use super::heap::Names;
use super::value::{Args, Id, K, Val};

/// Where the chosen subcommand goes, and the parser of each.
pub(super) type Commands = (Option<Name>, Vec<(String, Id)>);

/// An `ArgumentParser`.
#[derive(Clone, Debug, Default)]
pub(super) struct Parser {
    pub(super) actions: Vec<Action>,
    /// `set_defaults`.
    pub(super) defaults: Names,
    /// `add_subparsers`: the destination, and the parsers by name.
    pub(super) commands: Option<Commands>,
    /// An argument was defined in a way that is not known.
    pub(super) vague: bool,
}

/// One `add_argument`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Action {
    /// `-n`, `--name`; empty for a positional argument.
    pub(super) flags: Vec<String>,
    pub(super) dest: Name,
    pub(super) kind: Kind,
    pub(super) nargs: Nargs,
    pub(super) default: Val,
    /// The function that converts the text.
    pub(super) convert: Option<Val>,
    /// `const=`.
    pub(super) constant: Val,
}

/// What an action does with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Store,
    /// `store_const`, `store_true`, `store_false`: `constant`.
    Const,
    Append,
    AppendConst,
    Count,
    /// `BooleanOptionalAction`.
    Either,
    /// `help`, `version`.
    Exit,
    /// A class of the program's own.
    Other,
}

/// How many words an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nargs {
    One,
    Exactly(usize),
    Optional,
    Any,
    Some,
    Rest,
}

/// What the command line gives an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Words(Vec<String>),
    /// The option alone; false for the `--no-` form.
    Flag(bool),
}

/// A command line as the parser sees it.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) given: Vec<(usize, Given)>,
    /// What belongs to nobody.
    pub(super) rest: Vec<String>,
    /// The sub-command's name, its parser and its words.
    pub(super) command: Option<(String, Id, Vec<String>)>,
}

impl Action {
    /// From the arguments of `add_argument`; `None` where they are not known.
    pub(super) fn new(args: &Args) -> Option<Self> {
        if args.more {
            return None;
        }
        let names: Vec<String> =
            args.pos.iter().map(|a| a.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        let flags: Vec<String> = names.iter().filter(|n| n.starts_with('-')).cloned().collect();
        let long = flags.iter().find(|f| f.starts_with("--")).or_else(|| flags.first());
        let dest = match args.named("dest") {
            Some(dest) => dest.as_str()?.to_owned(),
            None => long.or_else(|| names.first())?.trim_start_matches('-').replace('-', "_"),
        };
        let constant = args.named("const").cloned().unwrap_or(Val::NONE);
        let mut default = args.named("default").cloned().unwrap_or(Val::NONE);
        let (kind, constant) = match args.named("action") {
            None => (Kind::Store, constant),
            Some(action) => match (&action.k, action.as_str()) {
                (_, Some("store")) => (Kind::Store, constant),
                (_, Some(word @ ("store_true" | "store_false"))) => {
                    if default.is_none() {
                        default = (word == "store_false").into();
                    }
                    (Kind::Const, (word == "store_true").into())
                }
                (_, Some("store_const")) => (Kind::Const, constant),
                (_, Some("append" | "extend")) => (Kind::Append, constant),
                (_, Some("append_const")) => (Kind::AppendConst, constant),
                (_, Some("count")) => (Kind::Count, constant),
                (_, Some("help" | "version")) => (Kind::Exit, constant),
                (K::Sym(path), _) if path.ends_with("BooleanOptionalAction") => (Kind::Either, constant),
                _ => (Kind::Other, constant),
            },
        };
        let nargs = match args.named("nargs").map(|n| &n.k) {
            None | Some(K::None) => Nargs::One,
            Some(K::Int(n)) => Nargs::Exactly(usize::try_from(*n).ok()?),
            Some(K::Str(s)) => match &**s {
                "?" => Nargs::Optional,
                "*" => Nargs::Any,
                "+" => Nargs::Some,
                "..." => Nargs::Rest,
                _ => return None,
            },
            Some(K::Sym(s)) if s.ends_with("REMAINDER") => Nargs::Rest,
            Some(_) => return None,
        };
        let convert = args.named("type").filter(|t| !t.is_none()).cloned();
        Some(Self { flags, dest: dest.into(), kind, nargs, default, convert, constant })
    }

    fn takes_words(&self) -> bool {
        matches!(self.kind, Kind::Store | Kind::Append | Kind::Other)
    }
}

impl Parser {
    pub(super) fn join(&self, other: &Self) -> Self {
        let mut joined = if self.actions.len() >= other.actions.len() { self.clone() } else { other.clone() };
        joined.vague |= other.vague || self.vague || self.actions != other.actions;
        joined
    }

    /// The action of an option as it is written, abbreviations included; whether it is the `--no-` form.
    fn option(&self, flag: &str) -> Option<(usize, bool)> {
        let exact = |f: &dyn Fn(&Action) -> bool| self.actions.iter().position(f);
        if let Some(i) = exact(&|a| a.flags.iter().any(|x| x == flag)) {
            return Some((i, true));
        }
        if let Some(rest) = flag.strip_prefix("--no-") {
            let positive = format!("--{rest}");
            if let Some(i) = exact(&|a| a.kind == Kind::Either && a.flags.contains(&positive)) {
                return Some((i, false));
            }
        }
        let near: Vec<usize> = (0..self.actions.len())
            .filter(|i| flag.starts_with("--") && self.actions[*i].flags.iter().any(|f| f.starts_with(flag)))
            .collect();
        (near.len() == 1).then(|| (near[0], true))
    }

    /// Takes `argv` apart. Rules: docs.python.org/3/library/argparse.html; positional arguments are dealt out once,
    /// at the end. `None` where Python would end with a usage message.
    pub(super) fn parse(&self, argv: &[String]) -> Option<Parsed> {
        let mut out = Parsed::default();
        let mut free: Vec<String> = Vec::new();
        let negative_options = self.actions.iter().flat_map(|a| &a.flags).any(|f| looks_negative(f));
        let is_option = |word: &str| {
            word.len() > 1
                && word.starts_with('-')
                && (negative_options || !looks_negative(word))
                && !word.contains(' ')
        };
        let positional: Vec<usize> =
            (0..self.actions.len()).filter(|i| self.actions[*i].flags.is_empty()).collect();
        let mut argv = argv.to_vec();
        let mut i = 0;
        while i < argv.len() {
            let word = &argv[i].clone();
            i += 1;
            if word == "--" {
                free.extend(argv[i..].iter().cloned());
                break;
            }
            if !is_option(word) {
                if let Some((_, commands)) = &self.commands
                    && free.len() >= positional.len()
                {
                    let (_, id) = commands.iter().find(|(name, _)| name == word)?;
                    out.command = Some((word.clone(), *id, argv[i..].to_vec()));
                    break;
                }
                free.push(word.clone());
                if positional.get(free.len() - 1).is_some_and(|p| self.actions[*p].nargs == Nargs::Rest) {
                    free.extend(argv[i..].iter().cloned());
                    break;
                }
                continue;
            }
            let (flag, attached) = match word.split_once('=') {
                Some((flag, value)) if word.starts_with("--") => (flag.to_owned(), Some(value.to_owned())),
                _ => (word.clone(), None),
            };
            let (index, yes, attached) = match self.option(&flag) {
                Some((index, yes)) => (index, yes, attached),
                None if !word.starts_with("--") && word.is_char_boundary(2) && word.len() > 2 => {
                    // `-n3`, or several flags in one word: `-xv`.
                    let Some((index, _)) = self.option(&word[..2]) else {
                        out.rest.push(word.clone());
                        continue;
                    };
                    if self.actions[index].takes_words() {
                        (index, true, Some(word[2..].trim_start_matches('=').to_owned()))
                    } else {
                        out.given.push((index, Given::Flag(true)));
                        i -= 1;
                        argv[i] = format!("-{}", &word[2..]);
                        continue;
                    }
                }
                None => {
                    out.rest.push(word.clone());
                    continue;
                }
            };
            let action = &self.actions[index];
            if action.kind == Kind::Exit {
                return None;
            }
            if !action.takes_words() {
                out.given.push((index, Given::Flag(yes)));
                continue;
            }
            let mut words: Vec<String> = attached.clone().into_iter().collect();
            if attached.is_none() {
                let most = match action.nargs {
                    Nargs::One | Nargs::Optional => 1,
                    Nargs::Exactly(n) => n,
                    _ => usize::MAX,
                };
                while i < argv.len()
                    && words.len() < most
                    && (!is_option(&argv[i]) || action.nargs == Nargs::Rest)
                    && argv[i] != "--"
                {
                    words.push(argv[i].clone());
                    i += 1;
                }
            }
            let least = match action.nargs {
                Nargs::One | Nargs::Some => 1,
                Nargs::Exactly(n) => n,
                _ => 0,
            };
            if words.len() < least {
                return None;
            }
            out.given.push((index, Given::Words(words)));
        }
        self.deal(&positional, free, &mut out).then_some(out)
    }

    /// Deals the free words out to the positional arguments, as greedily as those that follow allow.
    fn deal(&self, positional: &[usize], free: Vec<String>, out: &mut Parsed) -> bool {
        let least = |i: &usize| match self.actions[*i].nargs {
            Nargs::One | Nargs::Some => 1,
            Nargs::Exactly(n) => n,
            _ => 0,
        };
        let mut free = std::collections::VecDeque::from(free);
        for (at, index) in positional.iter().enumerate() {
            let later: usize = positional[at + 1..].iter().map(least).sum();
            let spare = free.len().saturating_sub(later);
            let take = match self.actions[*index].nargs {
                Nargs::One => 1,
                Nargs::Exactly(n) => n,
                Nargs::Optional => spare.min(1),
                _ => spare,
            };
            if take > free.len() || take < least(index) {
                return false;
            }
            let words: Vec<String> = free.drain(..take).collect();
            if !words.is_empty() {
                out.given.push((*index, Given::Words(words)));
            }
        }
        out.rest.extend(free);
        true
    }
}

/// `-1`, `-.5e3`: a value, where no option looks like it.
fn looks_negative(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') && rest.parse::<f64>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parser() -> Parser {
        let action = |names: &[&str], kw: &[(&str, Val)]| {
            let args = Args {
                pos: names.iter().map(|n| Val::str(*n)).collect(),
                kw: kw.iter().map(|(n, v)| (Name::from(*n), v.clone())).collect(),
                more: false,
            };
            Action::new(&args).unwrap()
        };
        let actions = vec![
            action(&["-n", "--num-epochs"], &[]),
            action(&["-v", "--verbose"], &[("action", Val::str("store_true"))]),
            action(&["-q"], &[("action", Val::str("count"))]),
            action(&["--size"], &[("nargs", Val::from(2))]),
            action(&["model"], &[]),
            action(&["files"], &[("nargs", Val::str("*"))]),
        ];
        Parser { actions, ..Parser::default() }
    }

    fn of(line: &str) -> Option<Vec<(String, Given)>> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let parser = parser();
        let parsed = parser.parse(&words)?;
        Some(parsed.given.into_iter().map(|(i, g)| (parser.actions[i].dest.to_string(), g)).collect())
    }

    fn words(words: &[&str]) -> Given {
        Given::Words(words.iter().map(|w| (*w).to_owned()).collect())
    }

    #[test]
    fn the_usual_forms() {
        let model = ("model".to_owned(), words(&["m"]));
        assert_eq!(of("m --num-epochs 3"), Some(vec![("num_epochs".into(), words(&["3"])), model.clone()]));
        assert_eq!(of("m --num=-3"), Some(vec![("num_epochs".into(), words(&["-3"])), model.clone()]));
        assert_eq!(of("-n -3 m"), Some(vec![("num_epochs".into(), words(&["-3"])), model.clone()]));
        assert_eq!(of("-n3 m"), Some(vec![("num_epochs".into(), words(&["3"])), model.clone()]));
        assert_eq!(of("--size 1 2 m"), Some(vec![("size".into(), words(&["1", "2"])), model.clone()]));
        let flag = |name: &str| (name.to_owned(), Given::Flag(true));
        assert_eq!(of("-vq m"), Some(vec![flag("verbose"), flag("q"), model.clone()]));
        assert_eq!(of("m a b"), Some(vec![model, ("files".into(), words(&["a", "b"]))]));
        assert_eq!(of("--num-epochs"), None);
        assert_eq!(of("-v"), None, "the model is missing");
    }
}
