//! Expressions.

use rustpython_ruff_python_ast::{
    ArgOrKeyword, Arguments, BoolOp, Comprehension, Expr, FStringPart, InterpolatedElement,
    InterpolatedStringElement, Number, UnaryOp,
};
use rustpython_ruff_text_size::Ranged;

use super::printer::Printer;

/// What the parser puts in place of a lone surrogate, which Rust's text cannot hold.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

impl<'a> Printer<'a> {
    pub(super) fn exprs(&mut self, exprs: &'a [Expr]) {
        self.out.open("list");
        exprs.iter().for_each(|e| self.expr(e));
        self.out.close();
    }

    pub(super) fn maybe_expr(&mut self, expr: Option<&'a Expr>) {
        match expr {
            Some(expr) => self.expr(expr),
            None => self.out.none(),
        }
    }

    pub(super) fn expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => return self.name(name.id.as_str()),
            Expr::BoolOp(op) => {
                self.out.open(if op.op == BoolOp::And { "and" } else { "or" });
                op.values.iter().for_each(|v| self.expr(v));
            }
            Expr::Named(named) => {
                self.out.open(":=");
                self.expr(&named.target);
                self.expr(&named.value);
            }
            Expr::BinOp(op) => {
                self.out.open("binary");
                self.out.word(op.op.as_str());
                self.expr(&op.left);
                self.expr(&op.right);
            }
            Expr::UnaryOp(op) => {
                self.out.open(match op.op {
                    UnaryOp::Invert => "~",
                    UnaryOp::Not => "not",
                    UnaryOp::UAdd => "+",
                    UnaryOp::USub => "minus",
                });
                self.expr(&op.operand);
            }
            Expr::Lambda(lambda) => {
                self.out.open("lambda");
                match &lambda.parameters {
                    Some(parameters) if !parameters.is_empty() => {
                        self.parameters(parameters, self.scopes.opened_by(lambda));
                    }
                    _ => self.out.none(),
                }
                self.within(lambda, |p| p.expr(&lambda.body));
            }
            Expr::If(choice) => {
                self.out.open("choose");
                self.expr(&choice.test);
                self.expr(&choice.body);
                self.expr(&choice.orelse);
            }
            Expr::Dict(dict) => {
                self.out.open("dict");
                for item in &dict.items {
                    self.maybe_expr(item.key.as_ref());
                    self.expr(&item.value);
                }
            }
            Expr::Set(set) => {
                self.out.open("set");
                set.elts.iter().for_each(|e| self.expr(e));
            }
            Expr::ListComp(comp) => {
                self.out.open("list-of");
                self.comprehension(comp, &[&comp.elt], &comp.generators);
            }
            Expr::SetComp(comp) => {
                self.out.open("set-of");
                self.comprehension(comp, &[&comp.elt], &comp.generators);
            }
            Expr::DictComp(comp) => {
                self.out.open("dict-of");
                self.comprehension(comp, &[&comp.key, &comp.value], &comp.generators);
            }
            Expr::Generator(comp) => {
                self.out.open("generator");
                self.comprehension(comp, &[&comp.elt], &comp.generators);
            }
            Expr::Await(wait) => {
                self.out.open("await");
                self.expr(&wait.value);
            }
            Expr::Yield(give) => {
                self.out.open("yield");
                self.maybe_expr(give.value.as_deref());
            }
            Expr::YieldFrom(give) => {
                self.out.open("yield-from");
                self.expr(&give.value);
            }
            Expr::Compare(compare) => {
                self.out.open("compare");
                self.expr(&compare.left);
                for (op, right) in compare.ops.iter().zip(&compare.comparators) {
                    self.out.word(op.as_str());
                    self.expr(right);
                }
            }
            Expr::Call(call) => {
                self.out.open("call");
                self.expr(&call.func);
                self.arguments(&call.arguments);
            }
            Expr::FString(text) => {
                self.out.open("f");
                let parts = text.value.iter();
                let mut pending = String::new();
                for part in parts {
                    match part {
                        FStringPart::Literal(literal) => pending.push_str(&literal.value),
                        FStringPart::FString(f) => self.elements(f.elements.iter(), &mut pending),
                    }
                }
                self.literal(&mut pending);
                if self.text.get(text.range().to_std_range()).is_none_or(escapes_surrogate) {
                    self.verbatim(text);
                }
            }
            Expr::TString(text) => {
                // The parts and the text of each expression are values (PEP 750).
                self.out.open("t");
                for part in text.value.iter() {
                    self.out.open("part");
                    let mut pending = String::new();
                    self.elements(part.elements.iter(), &mut pending);
                    self.literal(&mut pending);
                    self.verbatim(part);
                    self.out.close();
                }
            }
            Expr::StringLiteral(text) => {
                self.out.open("s");
                let value = text.value.to_str();
                self.out.text(value);
                if value.contains(REPLACEMENT) {
                    self.verbatim(text);
                }
            }
            Expr::BytesLiteral(bytes) => {
                self.out.open("b");
                let whole: Vec<u8> = bytes.value.bytes().collect();
                self.out.bytes(&whole);
            }
            Expr::NumberLiteral(number) => {
                let bits = |x: f64| format!("{:016x}", x.to_bits());
                match &number.value {
                    Number::Int(int) => {
                        self.out.open("i");
                        self.out.text(&decimal(&int.to_string()));
                    }
                    Number::Float(float) => {
                        self.out.open("x");
                        self.out.word(&bits(*float));
                    }
                    Number::Complex { real, imag } => {
                        self.out.open("j");
                        self.out.word(&bits(*real));
                        self.out.word(&bits(*imag));
                    }
                }
            }
            Expr::BooleanLiteral(truth) => self.out.open(if truth.value { "True" } else { "False" }),
            Expr::NoneLiteral(_) => self.out.open("None"),
            Expr::EllipsisLiteral(_) => self.out.open("..."),
            Expr::Attribute(attribute) => {
                self.out.open(".");
                self.expr(&attribute.value);
                self.out.text(attribute.attr.as_str());
            }
            Expr::Subscript(subscript) => {
                self.out.open("[]");
                self.expr(&subscript.value);
                self.expr(&subscript.slice);
            }
            Expr::Starred(starred) => {
                self.out.open("*");
                self.expr(&starred.value);
            }
            Expr::List(list) => return self.exprs(&list.elts),
            Expr::Tuple(tuple) => {
                self.out.open("tuple");
                tuple.elts.iter().for_each(|e| self.expr(e));
            }
            Expr::Slice(slice) => {
                self.out.open("slice");
                self.maybe_expr(slice.lower.as_deref());
                self.maybe_expr(slice.upper.as_deref());
                self.maybe_expr(slice.step.as_deref());
            }
            Expr::IpyEscapeCommand(command) => {
                self.out.open("ipython");
                self.out.text(&command.value);
            }
        }
        self.out.close();
    }

    /// Arguments in the order of the text, which is not always that of evaluation.
    pub(super) fn arguments(&mut self, arguments: &'a Arguments) {
        self.out.open("arguments");
        for argument in arguments.arguments_source_order() {
            match argument {
                ArgOrKeyword::Arg(expr) => self.expr(expr),
                ArgOrKeyword::Keyword(keyword) => {
                    self.out.open("keyword");
                    match &keyword.arg {
                        Some(name) => self.out.text(name.as_str()),
                        None => self.out.none(),
                    }
                    self.expr(&keyword.value);
                    self.out.close();
                }
            }
        }
        self.out.close();
    }

    fn comprehension<T>(&mut self, node: &'a T, elements: &[&'a Expr], generators: &'a [Comprehension]) {
        if let Some(first) = generators.first() {
            self.expr(&first.iter);
        }
        self.within(node, |p| {
            for (i, generator) in generators.iter().enumerate() {
                p.out.open(if generator.is_async { "async-for" } else { "for" });
                p.expr(&generator.target);
                if i > 0 {
                    p.expr(&generator.iter);
                }
                generator.ifs.iter().for_each(|test| p.expr(test));
                p.out.close();
            }
            elements.iter().for_each(|element| p.expr(element));
        });
    }

    /// Writes the text that has gathered between two expressions of an f-string.
    fn literal(&mut self, pending: &mut String) {
        if !pending.is_empty() {
            self.out.open("s");
            self.out.text(pending);
            self.out.close();
            pending.clear();
        }
    }

    fn elements(
        &mut self,
        elements: impl Iterator<Item = &'a InterpolatedStringElement>,
        pending: &mut String,
    ) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => pending.push_str(&literal.value),
                InterpolatedStringElement::Interpolation(element) => {
                    if let Some(debug) = &element.debug_text {
                        // `f"{x = }"` shows the text of the expression.
                        pending.push_str(&debug.leading);
                        pending.push_str(
                            self.text.get(element.expression.range().to_std_range()).unwrap_or_default(),
                        );
                        pending.push_str(&debug.trailing);
                    }
                    self.literal(pending);
                    self.interpolation(element);
                }
            }
        }
    }

    fn interpolation(&mut self, element: &'a InterpolatedElement) {
        self.out.open("{}");
        self.expr(&element.expression);
        // With `=` and nothing else the value is shown by repr().
        let shown = element.debug_text.is_some();
        self.out.word(match element.conversion.to_byte() {
            Some(b's') => "s",
            Some(b'a') => "a",
            Some(_) => "r",
            None if shown && element.format_spec.is_none() => "r",
            None => "",
        });
        match &element.format_spec {
            Some(spec) => {
                self.out.open("format");
                let mut pending = String::new();
                self.elements(spec.elements.iter(), &mut pending);
                self.literal(&mut pending);
                self.out.close();
            }
            None => self.out.none(),
        }
        self.out.close();
    }
}

/// Whether a text could hold the escape of a lone surrogate, or what the parser puts in its place.
fn escapes_surrogate(text: &str) -> bool {
    text.contains(REPLACEMENT)
        || ["\\ud", "\\uD", "\\U0000d", "\\U0000D"].iter().any(|escape| text.contains(escape))
}

/// Digits of the longest number that is converted: beyond them, the spelling stays.
const DIGITS: usize = 5000;

/// The decimal digits of a number, of which the parser keeps the spelling beyond 64 bits: `0xFFFF_…`.
fn decimal(spelling: &str) -> String {
    let spelling = spelling.replace('_', "").to_ascii_lowercase();
    let radix = match spelling.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return spelling,
    };
    let digits = spelling.get(2..).unwrap_or_default();
    if digits.len() > DIGITS {
        return spelling;
    }
    // Nine decimal digits each, the lowest first.
    let mut parts: Vec<u64> = vec![0];
    for digit in digits.chars() {
        let mut carry = u64::from(digit.to_digit(radix).unwrap_or(0));
        for part in &mut parts {
            let value = *part * u64::from(radix) + carry;
            *part = value % 1_000_000_000;
            carry = value / 1_000_000_000;
        }
        if carry > 0 {
            parts.push(carry);
        }
    }
    let mut parts = parts.into_iter().rev();
    let first = parts.next().unwrap_or(0).to_string();
    parts.fold(first, |text, part| format!("{text}{part:09}"))
}
