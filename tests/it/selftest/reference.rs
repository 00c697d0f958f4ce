//! docs/reference/selftest/catalogue.md is generated from the catalogues.

use std::fmt::Write as _;

use driftlock::selftest::catalogue::{Library, of};

use crate::common::root;

#[test]
fn the_reference_lists_every_operation() {
    let mut text = String::from(
        "# The operations of the self-test\n\nGenerated from `src/selftest/catalogue*.toml`. What is expected on CUDA is \
         predicted until a run confirms it ([status](../../status.md)). \"moved by\": the emulated causes that changed \
         the digest on one AVX-512 CPU with AMX and torch 2.11, at one thread except `threads`.\n",
    );
    let word = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    for library in Library::ALL {
        let catalogue = of(library);
        let _infallible = write!(
            text,
            "\n## {} (version {}, {} operations)\n\n| operation | tier | shape | documented | CUDA | CUDA, deterministic | unstable on CPU | moved by |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
            library.module(),
            catalogue.version,
            catalogue.operations.len()
        );
        for o in &catalogue.operations {
            let _infallible = writeln!(
                text,
                "| `{}` | {} | {} | {}: {} | {} | {} | {} | {} |",
                o.id,
                word(&o.tier),
                o.shape.replace('|', "\\|"),
                word(&o.documented),
                o.source.replace('|', "\\|"),
                word(&o.default),
                word(&o.deterministic),
                if o.cpu_race { "yes" } else { "" },
                o.moved_by.join(", ")
            );
        }
    }
    let path = root().join("docs/reference/selftest/catalogue.md");
    if std::env::var_os("SNAPSHOTS").is_some_and(|v| v == "overwrite") {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "write it anew: SNAPSHOTS=overwrite cargo test --test it -- selftest::reference"
    );
}
