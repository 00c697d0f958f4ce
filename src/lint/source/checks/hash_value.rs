//! `hash()` of what may be text, as a seed or as the number of a bucket.

use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{File, Hit};
use super::super::seeding::{Fate, fate};

pub(super) const RULE: &str = "hash-as-value";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for call in file.calls_of("builtins.hash") {
        let [value] = &*call.of.arguments.args else { continue };
        if file.tree.is_number(value, call.scope)
            // The hash of an object is made of hashes.
            || file.tree.functions(call.id).any(|def| def.name.as_str() == "__hash__")
        {
            continue;
        }
        let use_of = match fate(file, call.id, 2) {
            Fate::Seed => "a seed",
            Fate::Bucket => "a bucket",
            Fate::Other => continue,
        };
        let what = format!("hash({}) as {use_of}", file.written(value));
        out.push(Hit { rule: RULE, range: call.of.range(), what });
    }
    // `sorted(words, key=hash)`
    for call in &file.calls {
        let sorts = call.is("builtins.sorted") || call.name() == "sort";
        if let Some(key) = call.of.arguments.find_keyword("key").filter(|_| sorts)
            && file.tree.path(&key.value, call.scope).as_deref() == Some("builtins.hash")
        {
            out.push(Hit { rule: RULE, range: key.range, what: "hash as the key of an order".to_owned() });
        }
    }
}
