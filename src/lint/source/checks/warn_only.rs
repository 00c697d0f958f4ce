//! `torch.use_deterministic_algorithms(True, warn_only=True)`.

use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{File, Hit};
use super::super::values::{argument, keyword};

pub(super) const RULE: &str = "deterministic-mode-only-warns";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for call in &file.calls {
        let scope = call.scope;
        let (value, what) = match call.path.as_str() {
            "torch.use_deterministic_algorithms" => {
                let on =
                    argument(call.of, "mode", 0).is_none_or(|e| file.tree.truth(e, scope) != Some(false));
                let value = keyword(call.of, "warn_only").filter(|e| file.tree.truth(e, scope) == Some(true));
                (value.filter(|_| on), "warn_only=True")
            }
            "torch.set_deterministic_debug_mode" => {
                let value = argument(call.of, "debug_mode", 0);
                let warns = |e: &&_| {
                    file.tree.integer(e, scope) == Some(1) || file.tree.text(e, scope) == Some("warn")
                };
                (value.filter(warns), "debug mode `warn`")
            }
            path if path.starts_with("lightning.pytorch.") && call.name() == "Trainer" => {
                let value = keyword(call.of, "deterministic");
                (value.filter(|e| file.tree.text(e, scope) == Some("warn")), "deterministic=\"warn\"")
            }
            _ => continue,
        };
        if let Some(value) = value {
            // The keyword's name belongs to it.
            let keyword = call.of.arguments.keywords.iter().find(|k| std::ptr::eq(&raw const k.value, value));
            let range = keyword.map_or(value.range(), |k| k.range);
            out.push(Hit { rule: RULE, range, what: what.to_owned() });
        }
    }
}
