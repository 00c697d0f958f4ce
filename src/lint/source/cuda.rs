//! Whether a call uses a GPU by CUDA.

use rustpython_ruff_python_ast::Expr;

use super::file::{Call, File};

/// Functions of `torch.cuda` that start nothing.
const HARMLESS: [&str; 12] = [
    "torch.cuda.is_available",
    "torch.cuda.manual_seed",
    "torch.cuda.manual_seed_all",
    "torch.cuda.device_count",
    "torch.cuda.seed",
    "torch.cuda.seed_all",
    "torch.cuda.is_initialized",
    "torch.cuda.amp.autocast",
    "torch.cuda.amp.GradScaler",
    "torch.cuda.get_arch_list",
    "torch.cuda.is_bf16_supported",
    "torch.cuda.initial_seed",
];

/// Whether a text names a CUDA device.
fn is_device(text: &str) -> bool {
    text == "cuda" || text.starts_with("cuda:")
}

/// Whether an expression may be a CUDA device: `"cuda:0"`, `torch.device("cuda")`, `"cuda" if … else "cpu"`, or a name
/// that is bound to such.
pub(super) fn names_cuda<'a>(file: &File<'a>, expr: &'a Expr, scope: u32) -> bool {
    names_cuda_below(file, expr, scope, 6)
}

fn names_cuda_below<'a>(file: &File<'a>, expr: &'a Expr, scope: u32, depth: u32) -> bool {
    if depth == 0 {
        return false;
    }
    let (expr, scope) = file.tree.behind(expr, scope);
    match expr {
        Expr::StringLiteral(text) => is_device(text.value.to_str()),
        Expr::FString(_) => file.written(expr).contains("\"cuda") || file.written(expr).contains("'cuda"),
        Expr::If(of) => {
            [&of.body, &of.orelse].into_iter().any(|e| names_cuda_below(file, e, scope, depth - 1))
        }
        Expr::BoolOp(of) => of.values.iter().any(|e| names_cuda_below(file, e, scope, depth - 1)),
        Expr::Call(call) if file.tree.path(&call.func, scope).as_deref() == Some("torch.device") => {
            let args = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|k| &k.value));
            args.into_iter().any(|e| names_cuda_below(file, e, scope, depth - 1))
        }
        _ => false,
    }
}

/// Whether a call puts something on the GPU.
pub(super) fn uses_cuda<'a>(file: &File<'a>, call: &Call<'a>) -> bool {
    if call.path.starts_with("torch.cuda.") {
        return !HARMLESS.contains(&call.path.as_str());
    }
    let is_method = call.of.func.is_attribute_expr();
    if is_method && call.name() == "cuda" {
        return true;
    }
    let given = call.of.arguments.args.iter().filter(|_| is_method && call.name() == "to");
    let device =
        call.of.arguments.keywords.iter().filter(|k| k.arg.as_ref().is_some_and(|a| a.as_str() == "device"));
    given.chain(device.map(|k| &k.value)).any(|e| names_cuda(file, e, call.scope))
}
