//! TF32 or bfloat16 for float32 matrix products.

use rustpython_ruff_text_size::Ranged as _;

use super::super::file::{Assignment, File, Hit};
use super::super::values::argument;

pub(super) const RULE: &str = "tf32-allowed";

/// Switches that are off unless a program sets them.
const SWITCHES: [&str; 2] = ["torch.backends.cuda.matmul.allow_tf32", "torch.backends.mkldnn.allow_tf32"];

/// The newer form: a text.
const PRECISIONS: [&str; 5] = [
    "torch.backends.fp32_precision",
    "torch.backends.cuda.matmul.fp32_precision",
    "torch.backends.mkldnn.fp32_precision",
    "torch.backends.mkldnn.matmul.fp32_precision",
    "torch.backends.cudnn.fp32_precision",
];

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for Assignment { target, value, scope, .. } in file.assignments.iter().copied() {
        let Some(path) = target.is_attribute_expr().then(|| file.tree.path(target, scope)).flatten() else {
            continue;
        };
        let on = SWITCHES.contains(&path.as_str()) && file.tree.truth(value, scope) == Some(true);
        let reduced = PRECISIONS.contains(&path.as_str())
            && matches!(file.tree.text(value, scope), Some("tf32" | "bf16"));
        if on || reduced {
            let what = format!("{} = {}", file.written(target), file.written(value));
            out.push(Hit { rule: RULE, range: target.range(), what });
        }
    }
    for call in file.calls_of("torch.set_float32_matmul_precision") {
        if let Some(value) = argument(call.of, "precision", 0)
            && let Some(precision @ ("high" | "medium")) = file.tree.text(value, call.scope)
        {
            let what = format!("set_float32_matmul_precision(\"{precision}\")");
            out.push(Hit { rule: RULE, range: call.of.range(), what });
        }
    }
}
