//! The forms of an explanation: what each holds, that it fits, and that nothing from a file acts in it.

use std::process::Command;

use driftlock::explain::{Catalogue, explain, report};
use driftlock::render;
use driftlock::snapshot::value::is_unprintable;
use snapbox::Data;

use super::{diff, host, json, put, snapshot, two};
use crate::common::{driftlock, folder, root};

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&render::schema::diff()).expect("the schema is a schema")
}

fn check(validator: &jsonschema::Validator, report: &serde_json::Value) {
    let errors: Vec<String> =
        validator.iter_errors(report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}

fn machines() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("fixtures/hosts")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_schema_is_current() {
    // Update with SNAPSHOTS=overwrite cargo test --test it the_schema_is_current
    let file = root().join("docs/reference/diff.schema.json");
    let text = Data::read_from(&file, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::assert_data_eq!(render::json::text(&render::schema::diff()), text);
}

/// The keys of the contract, which never go away, and the schema that is made from the types.
#[test]
fn json_has_the_contract_and_fits_the_schema() {
    let dir = folder();
    two(dir.path());
    let validator = validator();
    let mut report = json(dir.path(), &["a.lock", "b.lock"]);
    check(&validator, &report);
    let keys = |value: &serde_json::Value, wanted: &[&str]| {
        let table = value.as_object().unwrap();
        let missing: Vec<_> = wanted.iter().filter(|k| !table.contains_key(**k)).collect();
        assert!(missing.is_empty(), "{missing:?} of {value:#}");
    };
    assert_eq!(report["schema"], "driftlock/diff/1");
    keys(&report, &["schema", "a", "b", "scope", "verdict", "causes", "hazards", "changes"]);
    for side in ["a", "b"] {
        keys(&report[side], &["path", "label", "fingerprint"]);
        assert!(report[side]["fingerprint"].as_str().unwrap().starts_with("sha256:"));
    }
    assert_eq!(report["a"]["path"], "a.lock");
    keys(&report["scope"], &["frameworks", "devices", "from"]);
    keys(&report["verdict"], &["outcome", "level", "summary", "unknown"]);
    assert_eq!(report["verdict"]["outcome"], "different");
    assert_eq!(report["verdict"]["level"], "rounding");
    let cause =
        ["rank", "rule", "title", "effect", "confidence", "facts", "why", "remedy", "evidence", "sources"];
    keys(&report["causes"][0], &cause);
    keys(&report["causes"][0]["sources"][0], &["title", "url"]);
    assert_eq!(report["causes"][0]["rank"], 1);
    for change in report["changes"].as_array().unwrap() {
        keys(change, &["fact", "kind", "a", "b", "standing", "rules"]);
    }
    // Hazards: the same, and their side.
    let arrange = |threads: i64| {
        let facts = [("torch.version", "2.11.0".into()), ("cpu.threads.torch", threads.into())];
        snapshot(&["torch", "cpu", "env"], &facts)
    };
    put(dir.path(), "c.lock", &arrange(4));
    put(dir.path(), "d.lock", &arrange(1));
    let hazardous = json(dir.path(), &["c.lock", "d.lock"]);
    check(&validator, &hazardous);
    let hazard = hazardous["hazards"].as_array().unwrap().iter().find(|h| h["side"] == "a");
    keys(hazard.expect("a hazard of the first side"), &cause);

    report["verdict"]["outcome"] = "perhaps".into();
    assert!(!validator.is_valid(&report), "the schema refuses a word that is none of ours");
    report["verdict"]["outcome"] = "same".into();
    check(&validator, &report);
    report["verdict"]["anything"] = "more keys are allowed".into();
    check(&validator, &report);
    report["causes"][0].as_object_mut().unwrap().remove("effect");
    assert!(!validator.is_valid(&report), "the schema refuses what lacks a key");
    let none = json(dir.path(), &["a.lock", "a.lock"]);
    check(&validator, &none);
    assert!(none["verdict"].get("level").is_none());
}

#[test]
fn every_pair_of_recorded_machines_fits_schema_and_width() {
    let names = machines();
    let (validator, rules) = (validator(), Catalogue::built_in());
    let snapshots: Vec<_> = names.iter().map(|n| host(n)).collect();
    for (i, (name, a)) in names.iter().zip(&snapshots).enumerate() {
        let (other, b) = (&names[(i + 1) % names.len()], &snapshots[(i + 1) % names.len()]);
        let explanation = explain(a, b, &rules, &[], None);
        let report = report::report(&explanation, report::side(name, a), report::side(other, b));
        check(&validator, &serde_json::to_value(&report).unwrap());
        // Whoever reads a report need not have this repository.
        let mut sources = report.causes.iter().chain(&report.hazards).flat_map(|c| &c.sources);
        assert!(sources.all(|s| s.url.starts_with("https://")), "{name}");
        for (all, width) in [(false, 80), (true, 80), (false, 60)] {
            let text = render::diff::human::text(&explanation, &report, all, width);
            fits(&anstream::adapter::strip_str(&text).to_string(), usize::from(width));
        }
    }
}

/// What a change says of its rules agrees with the list of causes: the same rules, in the same order.
#[test]
fn rules_of_a_change_stand_in_the_order_of_the_causes() {
    let (names, rules) = (machines(), Catalogue::built_in());
    let snapshots: Vec<_> = names.iter().map(|n| host(n)).collect();
    let mut several = 0;
    for (a, b) in snapshots.iter().zip(snapshots.iter().cycle().skip(1)) {
        let explanation = explain(a, b, &rules, &[], None);
        let report = report::report(&explanation, report::side("a", a), report::side("b", b));
        let causes: Vec<&str> = report.causes.iter().map(|c| c.rule.as_str()).collect();
        for change in report.changes.iter().filter(|c| c.standing == driftlock::explain::Standing::Cause) {
            let places: Vec<_> =
                change.rules.iter().map(|id| causes.iter().position(|cause| cause == id)).collect();
            assert!(places.is_sorted() && places.iter().all(Option::is_some), "{}: {places:?}", change.fact);
            several += usize::from(places.len() > 1);
        }
    }
    assert!(several > 10, "{several} changes with several rules: too few to prove anything");
}

/// No line is wider, unless by a single word that cannot be broken.
fn fits(text: &str, width: usize) {
    for line in text.lines() {
        let longest = line.split_whitespace().map(|w| w.chars().count()).max().unwrap_or(0);
        let indent = line.chars().take_while(|c| *c == ' ').count().max(13);
        let wide = line.chars().count() > width;
        assert!(!wide || longest + indent > width, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn human_fits_eighty_columns_and_has_no_colours_when_piped() {
    let dir = folder();
    put(dir.path(), "a.lock", &host("dgx-h100"));
    put(dir.path(), "b.lock", &host("conda-mkl"));
    for args in [&["a.lock", "b.lock"][..], &["a.lock", "b.lock", "--all"]] {
        let (code, out, _) = diff(dir.path(), args);
        assert_eq!(code, 1);
        assert!(!out.contains('\u{1b}'));
        fits(&out, 80);
    }
}

/// On a pseudo-terminal, as Python's `pty.spawn` makes it: it copies until the command closed its side.
#[test]
fn colours_on_a_terminal_unless_no_color() {
    let dir = folder();
    two(dir.path());
    let on_terminal = |set: &[(&str, &str)]| {
        let mut spawn = Command::new("python3");
        spawn.args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])", env!("CARGO_BIN_EXE_driftlock")]);
        spawn.args(["diff", "a.lock", "b.lock"]).current_dir(dir.path());
        // `CI`, too: anstream takes the terminal of a CI job for one that shows colours, whatever TERM says.
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
            spawn.env_remove(name);
        }
        spawn.env("TERM", "xterm-256color").envs(set.iter().copied());
        let output = spawn.output().expect("python3");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let colours = on_terminal(&[]);
    assert!(colours.contains("\u{1b}[1m\u{1b}[31mdifferent"), "{colours:?}");
    let plain = on_terminal(&[("NO_COLOR", "1")]);
    assert!(plain.contains("different: ") && !plain.contains('\u{1b}'), "{plain:?}");
    let dumb = on_terminal(&[("TERM", "dumb")]);
    assert!(!dumb.contains('\u{1b}'), "{dumb:?}");
    // Without a terminal, NO_COLOR changes nothing.
    let mut piped = driftlock();
    piped.args(["diff", "a.lock", "b.lock"]).env("NO_COLOR", "1").current_dir(dir.path());
    assert!(!String::from_utf8(piped.output().unwrap().stdout).unwrap().contains('\u{1b}'));
}

/// What acts in a terminal, in HTML, in Markdown or in its tables.
const HOSTILE: [&str; 9] = [
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)> &lt;b&gt;",
    "a | b \\| c",
    "`code` ``` fence",
    "![x](https://example.org/track.png) [y](javascript:alert(1))",
    "two\nlines\r\n\n# heading\n- list",
    "@everyone #1 \u{202e}reversed\u{2028}",
    "*bold* _it_ ~~no~~ $x$ www.example.org",
];

fn hostile(dir: &std::path::Path) {
    let side = |turn: usize| {
        let mut facts: Vec<(String, driftlock::snapshot::Value)> = vec![
            ("torch.version".to_owned(), HOSTILE[turn % HOSTILE.len()].into()),
            ("cpu.threads.torch".to_owned(), HOSTILE[(turn + 1) % HOSTILE.len()].into()),
            ("cpu.isa".to_owned(), HOSTILE.iter().skip(turn).copied().collect::<Vec<_>>().into()),
        ];
        for (i, _) in HOSTILE.iter().enumerate() {
            let value = HOSTILE[(i + turn) % HOSTILE.len()];
            let name = driftlock::snapshot::FactPath::new(["env", &format!("OMP_{value}{i}")]).to_string();
            facts.push((name, value.into()));
            facts.push((format!("python.packages.p{i}.version"), value.into()));
        }
        let facts: Vec<(&str, _)> = facts.iter().map(|(p, v)| (p.as_str(), v.clone())).collect();
        let mut out = snapshot(&["torch", "env", "cpu", "python"], &facts);
        out.meta.insert("meta.label".parse().unwrap(), HOSTILE.join(" ").as_str().into());
        out.unknown.insert("gpu".parse().unwrap(), HOSTILE.join(" "));
        out.sections.insert("gpu".to_owned());
        out
    };
    put(dir, "<b>|`a\u{1b}.lock", &side(0));
    put(dir, "b.lock", &side(1));
}

#[test]
fn nothing_from_a_file_acts() {
    let dir = folder();
    hostile(dir.path());
    let text = |format: &str, more: &[&str]| {
        let args = [&["<b>|`a\u{1b}.lock", "b.lock", "--format", format], more].concat();
        let (code, out, messages) = diff(dir.path(), &args);
        assert_eq!((code, messages.as_str()), (1, ""), "{format}");
        assert!(!out.chars().any(|c| c != '\n' && is_unprintable(c)), "{format}: {out:?}");
        out
    };
    text("human", &[]);
    text("human", &["--all"]);
    text("human", &["--fix"]);
    let unified = text("unified", &[]);
    // Every line of the unified form is a line of a snapshot, or of the form.
    assert!(unified.lines().all(|l| l.is_empty() || l.starts_with(['+', '-', ' ', '@'])), "{unified}");

    let json: serde_json::Value = serde_json::from_str(&text("json", &[])).unwrap();
    check(&validator(), &json);
    assert_eq!(json["a"]["label"], HOSTILE.join(" "), "JSON holds the values as they are");

    let html = text("html", &[]);
    for tag in html.split('<').skip(1) {
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let ours = "a article b body br code dd details div dl dt h1 h2 h3 head header html main meta p span style summary \
                    section table tbody td th thead title tr ul li";
        assert!(ours.split(' ').any(|t| t == name) || tag.starts_with("!doctype"), "<{tag}");
        let inside = tag.split('>').next().unwrap();
        assert!(
            !inside.contains(" on") && !inside.contains("src=") && !inside.contains("javascript:"),
            "<{tag}"
        );
    }
    for markdown in [text("markdown", &[]), text("markdown", &["--all"])] {
        for table in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
            let columns = |line: &str| line.matches('|').count();
            let lines: Vec<&str> = table.lines().collect();
            assert!(lines.iter().all(|l| columns(l) == columns(lines[0])), "{table}");
        }
        // Outside code spans there is neither markup nor a mention.
        for line in markdown.lines().filter(|l| !l.starts_with('<')) {
            let outside: String = line.split('`').step_by(2).collect();
            assert!(!outside.contains(['<', '>']) && !outside.contains("!["), "{line}");
            assert!(!outside.contains("](") || outside.contains("](https://"), "{line}");
            assert!(!outside.contains("@everyone") && !outside.contains(" #1 "), "{line}");
            assert!(!outside.contains("www.example") && !outside.contains("://example"), "{line}");
        }
    }
}

#[test]
fn a_finding_is_in_every_form() {
    let dir = folder();
    two(dir.path());
    let rule = json(dir.path(), &["a.lock", "b.lock"])["causes"][0]["rule"].as_str().unwrap().to_owned();
    for format in ["human", "markdown", "html", "json"] {
        let (_, out, _) = diff(dir.path(), &["a.lock", "b.lock", "--format", format]);
        for word in ["different", &rule, "env.OMP_NUM_THREADS", "a label"] {
            assert!(out.contains(word), "{format} lacks {word}: {out}");
        }
    }
    let (code, unified, _) = diff(dir.path(), &["a.lock", "b.lock", "--format", "unified"]);
    assert_eq!(code, 1);
    for line in ["--- a.lock", "+++ b.lock", "-OMP_NUM_THREADS = \"1\"", "+OMP_NUM_THREADS = \"2\"", "@@ "] {
        assert!(unified.lines().any(|l| l.starts_with(line)), "{line}: {unified}");
    }
    assert!(!unified.contains("[meta]"));
    let (code, none, _) = diff(dir.path(), &["a.lock", "a.lock", "--format", "unified"]);
    assert_eq!((code, none.as_str()), (0, ""));
}
