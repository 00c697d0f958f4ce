//! argparse: parsers, and the namespace that they make of the real command line.

use crate::workload::heap::{Names, Obj};
use crate::workload::interp::Interp;
use crate::workload::parser::{Action, Given, Kind, Nargs, Parser};
use crate::workload::value::{Args, Hint, Id, K, Val};

impl<'a> Interp<'a> {
    /// A new parser; `parents` give it their arguments.
    pub(super) fn new_parser(&mut self, args: &Args) -> Val {
        let mut parser = Parser { vague: args.more, ..Parser::default() };
        if let Some(parents) = args.named("parents").cloned() {
            let parents = self.iterate(&parents);
            parser.vague |= parents.more.is_some();
            for parent in &parents.known {
                if let K::Ref(id) = parent.k
                    && let Obj::Parser(other) = self.heap.get(id)
                {
                    parser.actions.extend(other.actions.iter().cloned());
                    parser.vague |= other.vague;
                }
            }
        }
        self.heap.new_object(Obj::Parser(parser)).into()
    }

    /// A method of a parser.
    pub(in crate::workload) fn parser_method(&mut self, id: Id, name: &str, args: &Args) -> Val {
        match name {
            "add_argument" => {
                let action = Action::new(args);
                if let Obj::Parser(parser) = self.heap.get_mut(id) {
                    match action {
                        Some(action) => parser.actions.push(action),
                        None => parser.vague = true,
                    }
                }
                Val::any()
            }
            // Groups only order the help text.
            "add_argument_group" | "add_mutually_exclusive_group" => id.into(),
            "set_defaults" => {
                if let Obj::Parser(parser) = self.heap.get_mut(id) {
                    parser.defaults.extend(args.kw.iter().cloned());
                    for action in &mut parser.actions {
                        if let Some((_, value)) = args.kw.iter().find(|(n, _)| *n == action.dest) {
                            action.default = value.clone();
                        }
                    }
                }
                Val::NONE
            }
            "add_subparsers" => {
                let dest = args.named("dest").and_then(|d| d.as_str()).map(Into::into);
                if let Obj::Parser(parser) = self.heap.get_mut(id) {
                    parser.commands = Some((dest, Vec::new()));
                }
                self.lib_object("argparse.$commands", Args::of(vec![id.into()]), None)
            }
            "parse_args" | "parse_known_args" | "parse_intermixed_args" => {
                let given = args.get(0, "args").filter(|a| !a.is_none()).cloned();
                let space = self.parse_arguments(id, given.as_ref(), name == "parse_known_args");
                if name == "parse_known_args" {
                    let rest = self.list(Vec::new(), Some(Val::of(Hint::Str)));
                    return Val::tuple(vec![space, rest]);
                }
                space
            }
            "error" | "exit" => {
                self.stop();
                Val::any()
            }
            "get_default" => {
                let dest = args.pos.first().and_then(Val::as_str).map(str::to_owned);
                match self.heap.get(id) {
                    Obj::Parser(p) => {
                        let found = p.actions.iter().find(|a| Some(a.dest.as_str()) == dest.as_deref());
                        found.map_or_else(Val::any, |a| a.default.clone())
                    }
                    _ => Val::any(),
                }
            }
            "format_help" | "format_usage" => Val::of(Hint::Str),
            _ => Val::any(),
        }
    }

    /// `add_parser` of what `add_subparsers` gave.
    pub(super) fn add_command(&mut self, commands: &Val, args: &Args) -> Val {
        let owner = self.lib(commands).and_then(|l| l.args.pos.first().cloned());
        let made = self.new_parser(args);
        if let (Some(Val { k: K::Ref(owner), .. }), K::Ref(id)) = (owner, &made.k)
            && let Obj::Parser(parser) = self.heap.get_mut(owner)
        {
            let name = args.pos.first().and_then(Val::as_str).map(str::to_owned);
            match (&mut parser.commands, name) {
                (Some((_, list)), Some(name)) => list.push((name, *id)),
                _ => parser.vague = true,
            }
        }
        made
    }

    fn parse_arguments(&mut self, id: Id, given: Option<&Val>, lenient: bool) -> Val {
        let words = match given {
            Some(list) => {
                let items = self.iterate(list);
                let words: Option<Vec<String>> =
                    items.known.iter().map(|v| v.as_str().map(str::to_owned)).collect();
                words.filter(|_| items.more.is_none())
            }
            None => {
                let argv = self.argv();
                let items = self.iterate(&argv);
                let words: Option<Vec<String>> =
                    items.known.iter().skip(1).map(|v| v.as_str().map(str::to_owned)).collect();
                words.filter(|_| items.more.is_none())
            }
        };
        let mut space = Names::new();
        space.insert("$arguments".into(), Val::NONE);
        self.fill(id, words, &mut space, lenient, 8);
        self.heap.new_object(Obj::Instance { class: None, attrs: space }).into()
    }

    /// Puts what a parser makes of these words into a namespace; unknown words give unknown values.
    fn fill(&mut self, id: Id, words: Option<Vec<String>>, space: &mut Names, lenient: bool, depth: u32) {
        let Obj::Parser(parser) = self.heap.get(id) else { return };
        let parser = parser.clone();
        if parser.vague {
            self.incomplete("all", "an argument of the command line is defined in a way that is not known");
        }
        let parsed = words.as_ref().and_then(|w| parser.parse(w));
        let wrong = parsed.as_ref().is_none_or(|p| !lenient && !p.rest.is_empty());
        if words.is_some() && wrong && !parser.vague {
            // Python ends here with a usage message.
            self.stop();
        }
        for (name, value) in &parser.defaults {
            space.insert(name.clone(), value.clone());
        }
        for action in &parser.actions {
            if action.kind == Kind::Exit {
                continue;
            }
            let mut value = action.default.clone();
            // A default that is a text is converted like an argument (argparse: default).
            if let (Some(text), Some(convert)) = (value.as_str(), &action.convert) {
                value = self.call(convert, &Args::of(vec![Val::str(text)]));
            }
            if let (true, Nargs::Any, true) = (value.is_none(), action.nargs, action.flags.is_empty()) {
                value = self.list(Vec::new(), None);
            }
            if parsed.is_none() {
                let anything = match &action.convert {
                    Some(c) if c.as_sym() == Some("builtins.int") => Val::of(Hint::Int),
                    Some(c) if c.as_sym() == Some("builtins.float") => Val::of(Hint::Float),
                    _ => Val::any(),
                };
                value = value.join(&anything);
            }
            space.insert(action.dest.clone(), value);
        }
        let Some(parsed) = parsed else { return };
        for (index, given) in parsed.given {
            let Some(action) = parser.actions.get(index) else { continue };
            let value = match (&action.kind, given) {
                (Kind::Const, _) => action.constant.clone(),
                (Kind::Either, Given::Flag(yes)) => yes.into(),
                (Kind::Count, _) => match space.get(&action.dest).and_then(Val::as_int) {
                    Some(n) => Val::from(n + 1),
                    None => Val::from(1),
                },
                (Kind::AppendConst, _) => {
                    self.appended(space.get(&action.dest), vec![action.constant.clone()])
                }
                (kind, Given::Words(words)) => {
                    let mut values = Vec::new();
                    for word in &words {
                        values.push(match &action.convert {
                            Some(convert) => {
                                self.call(&convert.clone(), &Args::of(vec![Val::str(word.as_str())]))
                            }
                            None => Val::str(word.as_str()),
                        });
                    }
                    let one = match action.nargs {
                        Nargs::One => values.pop().unwrap_or_else(Val::any),
                        Nargs::Optional => values.pop().unwrap_or_else(|| action.constant.clone()),
                        _ => self.list(values, None),
                    };
                    match kind {
                        Kind::Append => self.appended(space.get(&action.dest), vec![one]),
                        Kind::Other => Val::any(),
                        _ => one,
                    }
                }
                (_, Given::Flag(_)) => Val::any(),
            };
            space.insert(action.dest.clone(), value);
        }
        if let Some((name, command, rest)) = parsed.command {
            if let Some((Some(dest), _)) = &parser.commands {
                space.insert(dest.clone(), Val::str(name));
            }
            if depth > 0 {
                self.fill(command, Some(rest), space, lenient, depth - 1);
            }
        } else if let Some((Some(dest), _)) = &parser.commands {
            space.insert(dest.clone(), Val::NONE);
        }
    }

    fn appended(&mut self, old: Option<&Val>, new: Vec<Val>) -> Val {
        let mut items = match old {
            Some(old) if !old.is_none() => self.iterate(&old.clone()).known,
            _ => Vec::new(),
        };
        items.extend(new);
        self.list(items, None)
    }
}
