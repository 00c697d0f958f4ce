//! What differs between the outputs of two runs.

use std::path::Path;

use driftlock::exit::Exit;
use driftlock::outputs::compare::{Level, Report, Standing, TensorDiff, command, exact, sketches};
use driftlock::outputs::{self, Options};

use super::{folder, read, run};

/// Two folders written by `code`, which sees `a` and `b`; and exact figures by numpy where it prints them.
fn sides(code: &str) -> Option<(crate::common::TempDir, String)> {
    let dir = folder();
    // torch takes seconds to start.
    let torch = if code.contains("torch") { ", torch" } else { "" };
    let head = format!(
        "import json, os, numpy as np{torch}\nrng = np.random.default_rng(0)\nfor d in 'ab': os.mkdir(d)\n"
    );
    let told = run(dir.path(), &format!("{head}{code}"))?;
    Some((dir, told))
}

fn both(dir: &Path) -> (Report, Report) {
    let (a, b) = (dir.join("a"), dir.join("b"));
    (sketches(&read(&a), &read(&b)), exact(&a, &b, &Options::default()).unwrap())
}

fn only(report: &Report) -> &TensorDiff {
    assert_eq!(report.files.len(), 1, "{report:#?}");
    assert_eq!(report.files[0].tensors.len(), 1, "{report:#?}");
    &report.files[0].tensors[0]
}

#[test]
fn exact_figures_are_numpys() {
    let code = "
x = rng.standard_normal((300, 70)).astype('f4')
y = x.copy(); y[7, 3] = np.nextafter(y[7, 3], np.float32(9)); y[8] *= np.float32(1.001); y[9, 0] = np.nan
np.savez('a/x.npz', x=x, same=x); np.savez('b/x.npz', x=y, same=x)
d = np.abs(x.astype('f8') - y); m = np.maximum(np.abs(x), np.abs(y)).astype('f8'); ok = np.isfinite(y)
u = np.abs(x.view('i4').astype('i8') - y.view('i4'))[ok]
rel = (d / m)[ok]; d = d[ok]
bits = x.view('u4') != y.view('u4')
print(json.dumps(dict(max_abs=d.max(), mean_abs=d.mean(), max_rel=rel.max(), mean_rel=rel.mean(), max_ulp=int(u.max()),
  mean_ulp=u.mean(), differing=int(bits.sum()), first=[int(i) for i in np.argwhere(bits)[0]], nonfinite=1)))";
    let Some((dir, told)) = sides(code) else { return };
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let (_, report) = both(dir.path());
    let figures = only(&report).figures.clone().unwrap();
    let close = |key: &str, ours: f64| {
        let theirs = told[key].as_f64().unwrap();
        assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{key}: {ours} {theirs}");
    };
    close("max_abs", figures.max_abs);
    close("mean_abs", figures.mean_abs);
    close("max_rel", figures.max_rel);
    close("mean_rel", figures.mean_rel);
    close("mean_ulp", figures.mean_ulp.unwrap());
    assert_eq!(told["max_ulp"].as_u64(), figures.max_ulp);
    assert_eq!(told["differing"].as_u64(), Some(figures.differing));
    assert_eq!(told["nonfinite"].as_u64(), Some(figures.nonfinite));
    assert_eq!(told["first"], serde_json::json!(figures.first));
    assert_eq!(report.files[0].equal, 1);
    assert_eq!(report.level, Some(Level::Precision), "{}", report.why);
}

#[test]
fn magnitudes_speak_for_levels_in_both_ways() {
    let cases = [
        ("y = x + x * 2**-23 * rng.choice([-1, 1], x.shape).astype('f4')", Some(Level::Rounding)),
        ("y = x * (1 + 1e-3 * rng.standard_normal(x.shape).astype('f4'))", Some(Level::Precision)),
        ("y = x + 0.2 * rng.standard_normal(x.shape).astype('f4')", None),
        ("y = rng.standard_normal(x.shape).astype('f4')", Some(Level::Stream)),
        ("y = x * 100", Some(Level::Code)),
        ("y = x[::-1].copy()", Some(Level::Order)),
        ("y = x.astype('f8')", Some(Level::Code)),
        ("y = x.reshape(-1)", Some(Level::Code)),
    ];
    let each = cases.iter().enumerate().map(|(i, (change, _))| {
        format!(
            "x = rng.standard_normal((40, 50)).astype('f4')\n{change}\nfor d, v in [('a', x), ('b', y)]:\n    os.makedirs('{i}/' + d); np.save('{i}/' + d + '/w.npy', v)\n"
        )
    });
    let code: String = each.collect();
    let Some((dir, _)) = sides(&code) else { return };
    for (i, (change, level)) in cases.into_iter().enumerate() {
        let (estimate, exact) = both(&dir.path().join(i.to_string()));
        assert_eq!(exact.level, level, "exact, {change}: {exact:#?}");
        assert_eq!(estimate.level, level, "estimate, {change}: {estimate:#?}");
        assert!(!exact.same && !estimate.same);
        let (p, q) = (estimate.relative.unwrap_or(0.0), exact.relative.unwrap_or(0.0));
        assert!(p <= 2.0 * q && q <= 2.0 * p, "{change}: estimated {p}, is {q}");
    }
}

#[test]
fn a_file_that_was_only_packed_anew_is_no_difference() {
    let code = "
x = rng.standard_normal(100)
np.savez('a/x.npz', x=x); np.savez_compressed('b/x.npz', x=x)
open('a/same', 'w').write('1'); open('b/same', 'w').write('1')";
    let Some((dir, _)) = sides(code) else { return };
    let (estimate, exact) = both(dir.path());
    for report in [&estimate, &exact] {
        assert!(report.same && report.equal == 1 && report.level.is_none(), "{report:#?}");
        assert_eq!(report.files[0].standing, Standing::Repacked);
    }
    let (text, exit) = outputs::command(
        &dir.path().join("a"),
        &dir.path().join("b"),
        Default::default(),
        &Options::default(),
    )
    .unwrap();
    assert_eq!(exit, Exit::Clean);
    assert!(text.starts_with("every output is equal"), "{text}");
}

#[test]
fn tensors_files_and_forms_that_are_missing() {
    let code = "
torch.save({'a': torch.ones(2), 'b': torch.ones(2), 's': torch.eye(2).to_sparse()}, 'a/m.pt')
torch.save({'a': torch.ones(2), 'c': torch.ones(2), 's': torch.eye(2).to_sparse() * 2}, 'b/m.pt')
open('a/left', 'w').write('1'); open('b/right', 'w').write('1')
open('a/t', 'w').write('1'); open('b/t', 'w').write('2')";
    let Some((dir, _)) = sides(code) else { return };
    let (estimate, exact) = both(dir.path());
    for report in [&estimate, &exact] {
        let standings: Vec<(&str, Standing)> =
            report.files.iter().map(|f| (f.name.as_str(), f.standing)).collect();
        assert_eq!(
            standings,
            [
                ("left", Standing::OnlyA),
                ("m.pt", Standing::Changed),
                ("right", Standing::OnlyB),
                ("t", Standing::Changed),
            ]
        );
        let tensors: Vec<(&str, Standing)> =
            report.files[1].tensors.iter().map(|t| (t.name.as_str(), t.standing)).collect();
        assert_eq!(tensors, [("b", Standing::OnlyA), ("c", Standing::OnlyB), ("s", Standing::Unknown)]);
        assert_eq!(report.level, Some(Level::Code));
    }
}

#[test]
fn columns_are_compared_value_by_value() {
    let code = "
v = [0.5 + i / 1000 for i in range(500)]
for side, by in [('a', 0.0), ('b', 1e-3)]:
    open(side + '/m.csv', 'w').write('step,loss\\n' + ''.join(f'{i},{x + (by if i == 400 else 0)!r}\\n' for i, x in enumerate(v)))
    json.dump({'loss': [x + (by if i == 7 else 0) for i, x in enumerate(v)], 'name': 'x'}, open(side + '/m.json', 'w'))";
    let Some((dir, _)) = sides(code) else { return };
    let (_, report) = both(dir.path());
    for (file, at) in report.files.iter().zip([400, 7]) {
        assert_eq!(file.tensors.len(), 1, "{file:#?}");
        let figures = file.tensors[0].figures.as_ref().unwrap();
        assert_eq!((figures.differing, figures.compared), (1, 500));
        assert_eq!(figures.first, Some(vec![at]));
        assert!((figures.max_abs - 1e-3).abs() < 1e-12);
    }
}

#[test]
fn the_table_fits_the_terminal_and_the_json_reads_back() {
    let code = "
m = {f'encoder.layers.{i}.self_attention.output_projection.weight': torch.randn(8, 8) for i in range(30)}
torch.save(m, 'a/m.pt'); torch.save({k: v + 1e-4 for k, v in m.items()}, 'b/m.pt')";
    let Some((dir, _)) = sides(code) else { return };
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let (text, exit) = outputs::command(&a, &b, command::Format::Human, &Options::default()).unwrap();
    assert_eq!(exit, Exit::Found);
    assert!(text.contains("and 10 more"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let (json, _) = outputs::command(&a, &b, command::Format::Json, &Options::default()).unwrap();
    let back: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(back.schema, "driftlock/outputs/1");
    assert_eq!(back, exact(&a, &b, &Options::default()).unwrap());
    assert!(exact(&a, &dir.path().join("none"), &Options::default()).is_err());
    assert!(exact(&a, &b.join("m.pt"), &Options::default()).is_err());
    let two = exact(&a.join("m.pt"), &b.join("m.pt"), &Options::default()).unwrap();
    assert_eq!(two.files, back.files);
}
