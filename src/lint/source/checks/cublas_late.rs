//! CUBLAS_WORKSPACE_CONFIG, set when cuBLAS may have started.

use rustpython_ruff_text_size::Ranged as _;

use super::super::cuda::uses_cuda;
use super::super::environ::settings;
use super::super::file::{File, Hit};

pub(super) const RULE: &str = "cublas-workspace-set-late";

pub(super) fn check(file: &File<'_>, out: &mut Vec<Hit>) {
    for setting in settings(file, "CUBLAS_WORKSPACE_CONFIG") {
        // In one and the same body of code what stands above runs before.
        let before = file
            .calls
            .iter()
            .filter(|call| call.scope == setting.scope && call.of.start() < setting.range.start())
            .find(|call| uses_cuda(file, call));
        if let Some(call) = before {
            let what = format!("behind {}", file.written(&call.of.func));
            out.push(Hit { rule: RULE, range: setting.range, what });
        } else if let Some(value) = setting.value
            && !matches!(value, ":4096:8" | ":16:8")
        {
            let what = format!("`{}` is neither `:4096:8` nor `:16:8`", value.escape_debug());
            out.push(Hit { rule: RULE, range: setting.range, what });
        }
    }
}
