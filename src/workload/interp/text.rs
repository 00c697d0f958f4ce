//! Text: f-strings, `%`, `format`, and the methods of `str`.

use rustpython_ruff_python_ast::{ExprFString, FStringPart, InterpolatedStringElement};

use super::Interp;
use crate::workload::value::{Args, Hint, K, Taint, Val};

impl<'a> Interp<'a> {
    pub(in crate::workload) fn fstring(&mut self, f: &'a ExprFString) -> Val {
        let (mut text, mut taint): (Option<String>, Taint) = (Some(String::new()), 0);
        for part in f.value.iter() {
            match part {
                FStringPart::Literal(s) => push(&mut text, Some(s.as_str())),
                FStringPart::FString(f) => {
                    for element in &*f.elements {
                        match element {
                            InterpolatedStringElement::Literal(l) => push(&mut text, Some(l)),
                            InterpolatedStringElement::Interpolation(i) => {
                                let value = self.eval(&i.expression);
                                taint |= self.reach(&value, true).0;
                                let mut spec: Option<String> = Some(String::new());
                                if let Some(s) = &i.format_spec {
                                    for element in &*s.elements {
                                        match element {
                                            InterpolatedStringElement::Literal(l) => push(&mut spec, Some(l)),
                                            InterpolatedStringElement::Interpolation(i) => {
                                                let value = self.eval(&i.expression);
                                                let shown = show(&value, "");
                                                push(&mut spec, shown.as_deref());
                                            }
                                        }
                                    }
                                }
                                if spec.as_deref().is_some_and(|s| s.ends_with('n')) {
                                    self.rec.operation("python.locale.numeric");
                                }
                                let plain = i.debug_text.is_none()
                                    && matches!(
                                        i.conversion,
                                        rustpython_ruff_python_ast::ConversionFlag::None
                                    );
                                let shown = spec.filter(|_| plain).and_then(|spec| show(&value, &spec));
                                push(&mut text, shown.as_deref());
                            }
                        }
                    }
                }
            }
        }
        text.map_or_else(|| Val::of(Hint::Str), Val::str).with(taint)
    }

    /// `format % values`.
    pub(in crate::workload) fn percent(&mut self, format: &str, values: &Val) -> Val {
        let taint = self.reach(values, true).0;
        let values = match &values.k {
            K::Tuple(items) => items.to_vec(),
            K::Ref(_) | K::Any(_) => return Val::of(Hint::Str).with(taint),
            _ => vec![values.clone()],
        };
        percent(format, &values).map_or_else(|| Val::of(Hint::Str), Val::str).with(taint)
    }

    /// A method of a text; `None` where it is no method that can be worked out.
    pub(in crate::workload) fn str_method(&mut self, text: Option<&str>, name: &str, args: &Args) -> Val {
        let taint = args.all().cloned().collect::<Vec<_>>().iter().fold(0, |t, v| t | self.reach(v, false).0);
        self.str_method_plain(text, name, args).with(taint)
    }

    fn str_method_plain(&mut self, text: Option<&str>, name: &str, args: &Args) -> Val {
        if name == "join" {
            let Some(items) = args.pos.first() else { return Val::any() };
            let items = self.iterate(items);
            let parts: Option<Vec<&str>> = items.known.iter().map(Val::as_str).collect();
            return match (text, parts, items.more) {
                (Some(text), Some(parts), None) => Val::str(parts.join(text)),
                _ => Val::of(Hint::Str),
            };
        }
        let splits = matches!(name, "split" | "rsplit" | "splitlines");
        let three = matches!(name, "partition" | "rpartition");
        let unknown = |s: &mut Self| match name {
            _ if splits => s.list(Vec::new(), Some(Val::of(Hint::Str))),
            _ if three => Val::tuple(vec![Val::of(Hint::Str); 3]),
            "startswith" | "endswith" | "isdigit" | "isalpha" | "isnumeric" | "isupper" | "islower"
            | "isspace" | "isalnum" | "isidentifier" | "isdecimal" => Val::of(Hint::Bool),
            "find" | "rfind" | "index" | "rindex" | "count" => Val::of(Hint::Int),
            "encode" => Val::of(Hint::Bytes),
            _ => Val::of(Hint::Str),
        };
        let Some(text) = text else { return unknown(self) };
        if args.more || !args.all().all(Val::is_const) {
            if name == "format" {
                for arg in args.all().cloned().collect::<Vec<_>>() {
                    self.reach(&arg, true);
                }
            }
            return unknown(self);
        }
        let arg = |i: usize| args.pos.get(i).and_then(Val::as_str);
        let strs = |parts: Vec<&str>| parts.into_iter().map(Val::str).collect::<Vec<_>>();
        let any_of = |v: Option<&Val>, f: &dyn Fn(&str) -> bool| match v.map(|v| &v.k) {
            Some(K::Str(s)) => Some(f(s)),
            Some(K::Tuple(items)) => Some(items.iter().filter_map(Val::as_str).any(f)),
            _ => None,
        };
        let trim = |left: bool, right: bool| {
            let set: Option<Vec<char>> = arg(0).map(|s| s.chars().collect());
            let inside = |c: char| set.as_ref().map_or(c.is_whitespace(), |s| s.contains(&c));
            let mut out = text;
            if left {
                out = out.trim_start_matches(inside);
            }
            if right {
                out = out.trim_end_matches(inside);
            }
            Val::str(out)
        };
        match (name, args.pos.len()) {
            ("lower" | "casefold", 0) => Val::str(text.to_lowercase()),
            ("upper", 0) => Val::str(text.to_uppercase()),
            ("title" | "capitalize" | "swapcase", _) => {
                let mut chars = text.chars();
                if name == "capitalize" {
                    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
                    return Val::str(first + &chars.as_str().to_lowercase());
                }
                Val::of(Hint::Str)
            }
            ("strip", _) => trim(true, true),
            ("lstrip", _) => trim(true, false),
            ("rstrip", _) => trim(false, true),
            ("startswith", 1) => any_of(args.pos.first(), &|p| text.starts_with(p))
                .map_or_else(|| Val::of(Hint::Bool), Val::from),
            ("endswith", 1) => any_of(args.pos.first(), &|p| text.ends_with(p))
                .map_or_else(|| Val::of(Hint::Bool), Val::from),
            ("removeprefix", 1) => Val::str(arg(0).and_then(|p| text.strip_prefix(p)).unwrap_or(text)),
            ("removesuffix", 1) => Val::str(arg(0).and_then(|p| text.strip_suffix(p)).unwrap_or(text)),
            ("replace", 2) => match (arg(0), arg(1)) {
                (Some(from), Some(to)) if text.len() < 1 << 16 && to.len() < 1 << 10 => {
                    Val::str(text.replace(from, to))
                }
                _ => Val::of(Hint::Str),
            },
            ("split", 0) => {
                let items = strs(text.split_whitespace().collect());
                self.list(items, None)
            }
            ("split", 1) if arg(0).is_some_and(|s| !s.is_empty()) => {
                let items = strs(text.split(arg(0).unwrap_or(",")).collect());
                self.list(items, None)
            }
            ("split", 2) if arg(0).is_some_and(|s| !s.is_empty()) => match args.pos[1].as_int() {
                Some(n) if n >= 0 => {
                    let items = strs(
                        text.splitn(usize::try_from(n).unwrap_or(0) + 1, arg(0).unwrap_or(",")).collect(),
                    );
                    self.list(items, None)
                }
                _ => unknown(self),
            },
            ("rsplit", 2) if arg(0).is_some_and(|s| !s.is_empty()) => match args.pos[1].as_int() {
                Some(n) if n >= 0 => {
                    let mut parts: Vec<&str> =
                        text.rsplitn(usize::try_from(n).unwrap_or(0) + 1, arg(0).unwrap_or(",")).collect();
                    parts.reverse();
                    let items = strs(parts);
                    self.list(items, None)
                }
                _ => unknown(self),
            },
            ("splitlines", 0) => {
                let items = strs(text.lines().collect());
                self.list(items, None)
            }
            ("partition", 1) => match arg(0).and_then(|p| text.split_once(p)) {
                Some((a, b)) => Val::tuple(strs(vec![a, arg(0).unwrap_or(""), b])),
                None => Val::tuple(strs(vec![text, "", ""])),
            },
            ("isdigit" | "isnumeric" | "isdecimal", 0) => {
                (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).into()
            }
            ("isalpha", 0) => (!text.is_empty() && text.chars().all(char::is_alphabetic)).into(),
            ("isupper", 0) => {
                (text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)).into()
            }
            ("islower", 0) => {
                (text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase)).into()
            }
            ("count", 1) => match arg(0) {
                Some(p) if !p.is_empty() => Val::from(i64::try_from(text.matches(p).count()).unwrap_or(0)),
                _ => Val::of(Hint::Int),
            },
            ("find", 1) if text.is_ascii() => {
                let at = arg(0).and_then(|p| text.find(p)).and_then(|n| i64::try_from(n).ok());
                Val::from(at.unwrap_or(-1))
            }
            ("encode", _) => {
                let utf8 = arg(0).is_none_or(|e| matches!(e.to_lowercase().as_str(), "utf-8" | "utf8"));
                if utf8 || text.is_ascii() {
                    K::Bytes(text.as_bytes().into()).into()
                } else {
                    Val::of(Hint::Bytes)
                }
            }
            ("format", _) => format(text, args).map_or_else(|| Val::of(Hint::Str), Val::str),
            ("zfill", 1) => match args.pos[0].as_int().and_then(|n| usize::try_from(n).ok()) {
                Some(n) if n < 1000 && !text.starts_with(['-', '+']) => Val::str(format!("{text:0>n$}")),
                _ => Val::of(Hint::Str),
            },
            _ => unknown(self),
        }
    }
}

fn push(text: &mut Option<String>, part: Option<&str>) {
    match (text.as_mut(), part) {
        (Some(text), Some(part)) if text.len() < 1 << 16 => text.push_str(part),
        _ => *text = None,
    }
}

/// A value as `format(value, spec)` shows it, for the plain cases.
pub(super) fn show(value: &Val, spec: &str) -> Option<String> {
    if spec.is_empty() {
        return match &value.k {
            K::Str(s) => Some(s.to_string()),
            K::Int(n) => Some(n.to_string()),
            K::Bool(b) => Some(if *b { "True" } else { "False" }.to_owned()),
            K::None => Some("None".to_owned()),
            K::Float(f) if f.abs() >= 1e-4 && f.abs() < 1e16 => Some(format!("{f:?}")),
            _ => None,
        };
    }
    let width = spec.strip_suffix('d').unwrap_or(spec);
    let zero = width.starts_with('0');
    let width: usize = width.parse().ok().filter(|w| *w < 1000)?;
    match &value.k {
        K::Int(n) if zero => Some(format!("{n:0width$}")),
        K::Int(n) => Some(format!("{n:width$}")),
        K::Str(s) if !spec.ends_with('d') => Some(format!("{s:width$}")),
        _ => None,
    }
}

/// `%d`, `%s` and `%03d`; `None` for anything else.
fn percent(format: &str, values: &[Val]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = String::new();
        loop {
            match chars.next()? {
                '%' if spec.is_empty() => {
                    out.push('%');
                    break;
                }
                kind @ ('d' | 's' | 'i') => {
                    let value = values.next()?;
                    if kind != 's' && value.as_int().is_none() {
                        return None;
                    }
                    out.push_str(&show(value, &spec)?);
                    break;
                }
                c if c.is_ascii_digit() && spec.len() < 3 => spec.push(c),
                _ => return None,
            }
        }
    }
    values.next().is_none().then_some(out)
}

/// `str.format` with plain fields.
fn format(text: &str, args: &Args) -> Option<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if let Some(more) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
            out.push_str(&tail[..1]);
            rest = more;
            continue;
        }
        let end = tail.find('}')?;
        let (name, spec) = tail.get(1..end)?.split_once(':').unwrap_or((tail.get(1..end)?, ""));
        let value = if name.is_empty() {
            next += 1;
            args.pos.get(next - 1)
        } else if let Ok(n) = name.parse::<usize>() {
            args.pos.get(n)
        } else {
            args.named(name)
        }?;
        out.push_str(&show(value, spec)?);
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    Some(out)
}
