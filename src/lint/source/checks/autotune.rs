//! `torch.backends.cudnn.benchmark = True`.

use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{Assignment, File, Hit};
use super::super::values::keyword;

pub(super) const RULE: &str = "cudnn-benchmark-true";

const PATH: &str = "torch.backends.cudnn.benchmark";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for Assignment { target, value, scope, .. } in file.assignments.iter().copied() {
        if target.is_attribute_expr()
            && file.tree.truth(value, scope) == Some(true)
            && file.tree.path(target, scope).as_deref() == Some(PATH)
        {
            out.push(Hit {
                rule: RULE,
                range: target.range(),
                what: format!("{} = True", file.written(target)),
            });
        }
    }
    for call in &file.calls {
        let is_flags = call.is("torch.backends.cudnn.flags") || call.is("torch.backends.cudnn.set_flags");
        let is_trainer = call.path.starts_with("lightning.pytorch.") && call.name() == "Trainer";
        if !is_flags && !is_trainer {
            continue;
        }
        if let Some(value) = keyword(call.of, "benchmark").or_else(|| keyword(call.of, "_benchmark"))
            && file.tree.truth(value, call.scope) == Some(true)
        {
            let what = format!("{}(benchmark=True)", file.written(&call.of.func));
            out.push(Hit { rule: RULE, range: value.range(), what });
        }
    }
    // `setattr(torch.backends.cudnn, "benchmark", True)`
    for call in file.calls_of("builtins.setattr") {
        let args = &call.of.arguments.args;
        if let [module, name, value, ..] = &**args
            && file.tree.text(name, call.scope) == Some("benchmark")
            && file.tree.truth(value, call.scope) == Some(true)
            && file.tree.path(module, call.scope).as_deref() == Some("torch.backends.cudnn")
        {
            out.push(Hit { rule: RULE, range: call.of.range(), what: "cudnn.benchmark = True".to_owned() });
        }
    }
}
