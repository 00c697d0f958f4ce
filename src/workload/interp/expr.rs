//! Expressions.

use rustpython_ruff_python_ast::{self as ast, BoolOp, Expr, Number, UnaryOp};
use rustpython_ruff_text_size::Ranged as _;

use super::{DEPTH, Flow, Frame, Interp};
use crate::workload::heap::{Code, Obj};
use crate::workload::value::{Args, Hint, K, Val};

impl<'a> Interp<'a> {
    /// The value of an expression.
    pub(in crate::workload) fn eval(&mut self, e: &'a Expr) -> Val {
        if self.stopping || !self.tick() {
            return Val::any();
        }
        if self.depth > DEPTH {
            self.incomplete("all", "calls or expressions are nested too deeply");
            return Val::any();
        }
        self.depth += 1;
        let value = self.expression(e);
        self.depth -= 1;
        value
    }

    fn expression(&mut self, e: &'a Expr) -> Val {
        match e {
            Expr::Name(n) => self.lookup(&n.id),
            Expr::NumberLiteral(n) => match &n.value {
                Number::Int(i) => i.as_i64().map_or_else(|| Val::of(Hint::Int), Val::from),
                Number::Float(f) => K::Float(*f).into(),
                Number::Complex { .. } => Val::any(),
            },
            Expr::StringLiteral(s) => Val::str(s.value.to_str()),
            Expr::BytesLiteral(b) => K::Bytes(b.value.bytes().collect()).into(),
            Expr::BooleanLiteral(b) => b.value.into(),
            Expr::NoneLiteral(_) => Val::NONE,
            Expr::EllipsisLiteral(_) => K::Ellipsis.into(),
            Expr::FString(f) => self.fstring(f),
            Expr::TString(t) => {
                for element in t.value.elements() {
                    if let Some(i) = element.as_interpolation() {
                        self.eval(&i.expression);
                    }
                }
                Val::any()
            }
            Expr::Tuple(t) => {
                let (items, more) = self.elements(&t.elts);
                match more {
                    None => Val::tuple(items),
                    Some(_) => self.list(items, more),
                }
            }
            Expr::List(l) => {
                let (items, more) = self.elements(&l.elts);
                self.list(items, more)
            }
            Expr::Set(s) => {
                let (items, more) = self.elements(&s.elts);
                self.set(items, more)
            }
            Expr::Dict(d) => self.dict(d),
            Expr::BinOp(b) => {
                let left = self.eval(&b.left);
                let right = self.eval(&b.right);
                self.at = b.start();
                self.binary(b.op, &left, &right)
            }
            Expr::UnaryOp(u) => {
                let value = self.eval(&u.operand);
                self.unary(u.op, &value)
            }
            Expr::BoolOp(b) => self.bool_op(b),
            Expr::Compare(c) => {
                let mut left = self.eval(&c.left);
                let mut result: Option<Val> = None;
                for (op, right) in c.ops.iter().zip(&*c.comparators) {
                    let right = self.eval(right);
                    let one = self.compare(*op, &left, &right);
                    result = Some(match result {
                        None => one,
                        Some(all) => match (self.truth(&all), self.truth(&one)) {
                            (Some(false), _) => all,
                            (Some(true), _) => one.with(all.t),
                            (None, Some(false)) => one,
                            _ => all.with(one.t),
                        },
                    });
                    left = right;
                }
                result.unwrap_or_else(Val::any)
            }
            Expr::If(i) => {
                let test = self.eval(&i.test);
                match self.truth(&test) {
                    Some(truth) => {
                        let value = self.eval(if truth { &i.body } else { &i.orelse });
                        value.with(test.t)
                    }
                    None => {
                        let (mut a, mut b) = (Val::NONE, Val::NONE);
                        self.either(
                            |s| {
                                a = s.eval(&i.body);
                                Flow::Next
                            },
                            |s| {
                                b = s.eval(&i.orelse);
                                Flow::Next
                            },
                            false,
                        );
                        a.join(&b).with(test.t)
                    }
                }
            }
            Expr::Named(n) => {
                let value = self.eval(&n.value);
                self.assign(&n.target, &value);
                value
            }
            Expr::Lambda(l) => self.function("<lambda>".into(), Code::Lambda(l), l.parameters.as_deref()),
            Expr::Call(c) => self.call_expression(c),
            Expr::Attribute(a) => {
                let object = self.eval(&a.value);
                self.at = a.start();
                self.attr(&object, a.attr.as_str())
            }
            Expr::Subscript(s) => {
                let object = self.eval(&s.value);
                let key = self.eval(&s.slice);
                self.at = s.start();
                self.item(&object, &key)
            }
            Expr::Slice(s) => {
                let mut part = |p: &'a Option<Box<Expr>>| p.as_ref().map_or(Val::NONE, |e| self.eval(e));
                let parts = [part(&s.lower), part(&s.upper), part(&s.step)];
                let taint = parts.iter().fold(0, |t, p| t | p.t);
                Val::from(K::Slice(parts.into())).with(taint)
            }
            Expr::Starred(s) => self.eval(&s.value),
            Expr::ListComp(c) => self.comprehension(&c.generators, |s| s.eval(&c.elt)),
            Expr::Generator(c) => self.comprehension(&c.generators, |s| s.eval(&c.elt)),
            Expr::SetComp(c) => {
                let list = self.comprehension(&c.generators, |s| s.eval(&c.elt));
                self.make_set(&list)
            }
            Expr::DictComp(c) => {
                let pairs = self.comprehension(&c.generators, |s| {
                    let key = s.eval(&c.key);
                    let value = s.eval(&c.value);
                    Val::tuple(vec![key, value])
                });
                self.make_dict(&pairs)
            }
            Expr::Await(a) => self.eval(&a.value),
            Expr::Yield(y) => {
                let value = y.value.as_ref().map_or(Val::NONE, |v| self.eval(v));
                if let Some(frame) = self.frame() {
                    frame.yielded.push(value);
                }
                Val::any()
            }
            Expr::YieldFrom(y) => {
                let value = self.eval(&y.value);
                let items = self.iterate(&value);
                if let Some(frame) = self.frame() {
                    frame.yielded.extend(items.known.into_iter().chain(items.more));
                }
                Val::any()
            }
            Expr::IpyEscapeCommand(_) => Val::any(),
        }
    }

    /// The elements of a display, `*x` spread out: those known, and what more there is.
    fn elements(&mut self, elts: &'a [Expr]) -> (Vec<Val>, Option<Val>) {
        let (mut items, mut more): (Vec<Val>, Option<Val>) = (Vec::new(), None);
        for e in elts {
            if let Expr::Starred(s) = e {
                let value = self.eval(&s.value);
                let spread = self.iterate(&value);
                if more.is_none() {
                    items.extend(spread.known);
                } else {
                    more = Some(Val::one_of(more.into_iter().chain(spread.known)));
                }
                if spread.more.is_some() {
                    more = Some(Val::one_of(more.into_iter().chain(spread.more)));
                }
                continue;
            }
            let value = self.eval(e);
            match &mut more {
                None => items.push(value),
                Some(more) => *more = more.join(&value),
            }
        }
        (items, more)
    }

    fn dict(&mut self, d: &'a ast::ExprDict) -> Val {
        let id = self.heap.new_object(Obj::Dict {
            items: Vec::new(),
            more: None,
            factory: None,
            order: Default::default(),
        });
        let dict = Val::from(id);
        for item in &d.items {
            match &item.key {
                Some(key) => {
                    let key = self.eval(key);
                    let value = self.eval(&item.value);
                    self.set_item(&dict, &key, value);
                }
                None => {
                    let other = self.eval(&item.value);
                    self.update(&dict, &other);
                }
            }
        }
        dict
    }

    fn bool_op(&mut self, b: &'a ast::ExprBoolOp) -> Val {
        let mut taint = 0;
        let mut open: Vec<Val> = Vec::new();
        let last = b.values.len().saturating_sub(1);
        for (i, e) in b.values.iter().enumerate() {
            let value = self.eval(e);
            taint |= value.t;
            let truth = self.truth(&value);
            if i == last {
                open.push(value);
                break;
            }
            let decides = b.op == BoolOp::Or;
            match truth {
                Some(t) if t == decides => {
                    open.push(value);
                    break;
                }
                Some(_) => {}
                None => open.push(value),
            }
        }
        // What is undecided cannot be true where `and` goes on to something false.
        Val::one_of(open).with(taint)
    }

    fn unary(&mut self, op: UnaryOp, value: &Val) -> Val {
        let taint = value.t;
        let result: Val = match (op, &value.k) {
            (UnaryOp::Not, _) => self.truth(value).map_or_else(|| Val::of(Hint::Bool), |t| (!t).into()),
            (UnaryOp::USub, K::Int(n)) => n.checked_neg().map_or_else(|| Val::of(Hint::Int), Val::from),
            (UnaryOp::USub, K::Float(f)) => K::Float(-f).into(),
            (UnaryOp::USub, K::Bool(b)) => Val::from(-i64::from(*b)),
            (UnaryOp::Invert, K::Int(n)) => Val::from(!n),
            (UnaryOp::UAdd, _) => value.clone(),
            (_, K::Union(parts)) => {
                let parts = parts.to_vec();
                Val::one_of(parts.iter().map(|p| self.unary(op, p)).collect::<Vec<_>>())
            }
            (_, K::Any(hint)) => Val::of(*hint),
            (_, K::Ref(_)) => self.unary_lib(value),
            _ => Val::any(),
        };
        result.with(taint)
    }

    /// The items of a comprehension, as a list.
    fn comprehension(
        &mut self,
        generators: &'a [ast::Comprehension],
        mut element: impl FnMut(&mut Self) -> Val,
    ) -> Val {
        // The outermost iterable is evaluated outside the comprehension's own scope (language reference 6.2.4).
        let Some(first) = generators.first() else { return Val::any() };
        let iterable = self.eval(&first.iter);
        let scope = self.heap.new_object(Obj::Names(Default::default()));
        let Some(frame) = self.frames.last() else { return Val::any() };
        let mut closure = frame.closure.clone();
        closure.push(frame.scope);
        let inner = Frame {
            scope,
            globals: frame.globals,
            closure,
            source: frame.source,
            outer: Default::default(),
            returned: Vec::new(),
            yielded: Vec::new(),
            class: frame.class,
            me: frame.me.clone(),
            func: frame.func,
        };
        self.frames.push(inner);
        let (mut items, mut more) = (Vec::new(), None);
        let mut order = Default::default();
        self.generate(
            generators,
            Some(iterable),
            true,
            &mut |s, sure| {
                let value = element(s);
                if sure && more.is_none() {
                    items.push(value);
                } else {
                    more = Some(more.as_ref().map_or_else(|| value.clone(), |m: &Val| m.join(&value)));
                }
            },
            &mut order,
        );
        self.frames.pop();
        let id = self.heap.new_object(Obj::List { items, more, order });
        id.into()
    }

    fn generate(
        &mut self,
        generators: &'a [ast::Comprehension],
        first: Option<Val>,
        sure: bool,
        element: &mut dyn FnMut(&mut Self, bool),
        order: &mut crate::workload::heap::Order,
    ) {
        let Some((generator, rest)) = generators.split_first() else {
            element(self, sure);
            return;
        };
        let iterable = match first {
            Some(iterable) => iterable,
            None => self.eval(&generator.iter),
        };
        let items = self.iterate_keeping_order(&iterable, order);
        let start = self.steps;
        let mut known = items.known;
        let mut tail = items.more;
        for i in 0..known.len() {
            if self.steps - start > 8_000 {
                let left = known.split_off(i);
                tail = Some(Val::one_of(left.into_iter().chain(tail)));
                break;
            }
            let item = known[i].clone().with(iterable.t);
            self.one_round(generator, rest, &item, sure, element, order);
            if self.stopping {
                return;
            }
        }
        if let Some(item) = tail {
            let item = item.with(iterable.t);
            self.one_round(generator, rest, &item, false, element, order);
        }
    }

    fn one_round(
        &mut self,
        generator: &'a ast::Comprehension,
        rest: &'a [ast::Comprehension],
        item: &Val,
        mut sure: bool,
        element: &mut dyn FnMut(&mut Self, bool),
        order: &mut crate::workload::heap::Order,
    ) {
        self.assign(&generator.target, item);
        for test in &generator.ifs {
            let value = self.eval(test);
            self.rec.used(value.t);
            match self.truth(&value) {
                Some(true) => {}
                Some(false) => return,
                None => sure = false,
            }
        }
        self.generate(rest, None, sure, element, order);
    }

    fn call_expression(&mut self, c: &'a ast::ExprCall) -> Val {
        let f = self.eval(&c.func);
        let mut args = Args::default();
        for e in &*c.arguments.args {
            if let Expr::Starred(s) = e {
                let value = self.eval(&s.value);
                let items = self.iterate(&value);
                args.pos.extend(items.known);
                if let Some(more) = items.more {
                    args.more = true;
                    args.pos.push(more);
                }
            } else {
                let value = self.eval(e);
                args.pos.push(value);
            }
        }
        for k in &*c.arguments.keywords {
            let value = self.eval(&k.value);
            match &k.arg {
                Some(name) => args.kw.push((name.id.clone(), value)),
                None => {
                    let known = self.keywords(&value);
                    args.more |= known.1;
                    args.kw.extend(known.0);
                }
            }
        }
        if self.stopping {
            return Val::any();
        }
        self.at = c.start();
        self.call(&f, &args)
    }
}
