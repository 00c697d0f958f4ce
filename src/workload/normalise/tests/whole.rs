//! Whole programs: files together, layout at random.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::super::{Form, Program, normalise};
use super::{form, form_with, shown};

fn forms(files: &[(&str, &str)], imports: &[&str], followed: bool) -> Vec<Form> {
    let files: Vec<_> = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    let imports: BTreeSet<String> = imports.iter().map(|import| (*import).to_owned()).collect();
    let script = Some(Path::new("/p/train.py"));
    normalise(&Program { files: &files, script, imports: &imports, followed, docstrings: false })
}

const SCRIPT: &str = "import helper\nlr = 0.1\ndef f():\n    a = lr\n    return a\nprint(helper.g(f))\n";
const RENAMED: &str = "import helper\nrate = 0.1\ndef f():\n    b = rate\n    return b\nprint(helper.g(f))\n";

#[test]
fn variables_of_imported_files_keep_their_names() {
    let a =
        forms(&[("/p/train.py", SCRIPT), ("/p/helper.py", "n = 1\ndef g(f): return f() + n\n")], &[], true);
    let b =
        forms(&[("/p/train.py", RENAMED), ("/p/helper.py", "m = 1\ndef g(f): return f() + m\n")], &[], true);
    assert_eq!(a[0], b[0]);
    assert_ne!(a[1], b[1]);
}

#[test]
fn a_file_can_look_at_another() {
    for helper in [
        "import sys\ndef g(f): return sys._getframe(1).f_locals\n",
        "def g(f): return f.__code__.co_varnames\n",
        "import train\ndef g(f): return train.lr\n",
        "import __main__\ndef g(f): return __main__.lr\n",
        "import importlib\ndef g(f): return importlib.import_module('train').lr\n",
    ] {
        let a = forms(&[("/p/train.py", SCRIPT), ("/p/helper.py", helper)], &[], true);
        let b = forms(&[("/p/train.py", RENAMED), ("/p/helper.py", helper)], &[], true);
        assert_ne!(a[0], b[0], "{helper}");
    }
}

#[test]
fn a_library_may_look_at_names() {
    assert_eq!(form_with(SCRIPT, &["torch"]), form_with(RENAMED, &["torch"]));
    assert_ne!(form_with(SCRIPT, &["torch", "numexpr"]), form_with(RENAMED, &["torch", "numexpr"]));
    // Layout never shows.
    let spaced = SCRIPT.replace('=', " = ").replace('\n', "  # note\n");
    assert_eq!(form_with(SCRIPT, &["numexpr"]), form_with(&spaced, &["numexpr"]));
    let unknown = |text| forms(&[("/p/train.py", text)], &["torch"], false);
    assert_ne!(unknown(SCRIPT), unknown(RENAMED));
}

#[test]
fn libraries_that_read_signatures_keep_annotations_and_docstrings() {
    let (noted, bare) =
        ("def f(a: int):\n    'Adds.'\n    x = a\n    return x\n", "def f(a):\n    y = a\n    return y\n");
    assert_eq!(form_with(noted, &["torch"]), form_with(bare, &["torch"]));
    assert_ne!(form_with(noted, &["transformers"]), form_with(bare, &["transformers"]));
    let renamed = noted.replace('x', "z");
    assert_eq!(form_with(noted, &["transformers"]), form_with(&renamed, &["transformers"]));
}

#[test]
fn a_table_is_asked_with_names_of_locals() {
    let (a, b) = (
        "def f(t):\n    low = 1\n    return t.query('x > @low')\n",
        "def f(t):\n    high = 1\n    return t.query('x > @low')\n",
    );
    assert_ne!(form_with(a, &["pandas"]), form_with(b, &["pandas"]));
    assert_eq!(form_with(a, &["numpy"]), form_with(b, &["numpy"]));
}

#[test]
fn what_cannot_be_read_counts_byte_by_byte() {
    for text in ["x = (\n", "x = 1\n\u{fffd}\n", "# -*- coding: latin-1 -*-\nx = 1\n"] {
        assert!(matches!(form(text), Form::Exact(_)), "{text}: {}", shown(&form(text)));
    }
    for text in ["# -*- coding: utf-8 -*-\nx = 1\n", "# encoding is no coding\nx = 1\n", "x = 1\n"] {
        assert!(matches!(form(text), Form::Normal(_)), "{text}: {}", shown(&form(text)));
    }
    let deep = "(".repeat(10_000);
    assert!(matches!(form(&deep), Form::Exact(_)));
    // The other files are normalised all the same, but what this one says is not known.
    let a = forms(&[("/p/train.py", SCRIPT), ("/p/helper.py", "x = (\n")], &[], true);
    let b = forms(&[("/p/train.py", RENAMED), ("/p/helper.py", "x = (\n")], &[], true);
    assert!(matches!(a[0], Form::Normal(_)));
    assert_ne!(a[0], b[0]);
}

/// One of everything that has a layout.
const PROGRAM: &[&str] = &[
    "import os , sys",
    "from a . b import ( c , d as e )",
    "@ d ( 1 )",
    "def f ( a , / , b : int = 2 , * args , c = 3 , ** kwargs ) -> int :",
    "    '''A docstring.'''",
    "    x : int = a + 0x10",
    "    for i , ( j , k ) in enumerate ( b ) :",
    "        if i < 3 and not j :",
    "            x += [ n * 2 for n in k if n ] [ 0 ]",
    "        elif k :",
    "            continue",
    "        else :",
    "            break",
    "    else :",
    "        x = { 'a' : 1 , ** c }",
    "    try :",
    "        with open ( 'f' ) as h , g ( ) :",
    "            y = lambda q , * r : q @ x",
    "    except ( A , B ) as error :",
    "        raise C ( f'{x}: {error!r:>10}' ) from error",
    "    finally :",
    "        del x",
    "    return x [ 1 : 2 , ... ]",
    "class D ( E , metaclass = F ) :",
    "    z : int = 1",
    "    async def m ( self ) :",
    "        async for w in self . s :",
    "            yield await w",
    "match os . environ :",
    "    case { 'a' : v , ** rest } if v :",
    "        print ( v , sep = '' )",
    "    case [ 1 , * others ] | D ( z = 1 ) :",
    "        pass",
    "while ( l := f ( 1 ) ) :",
    "    assert l , 'message'",
    "    global_ = yes if l else no",
];

/// The program with this many spaces between words, comments and empty lines where the bits say so.
fn laid_out(spaces: &[u8], notes: &[u8]) -> String {
    let mut out = String::new();
    let mut at = 0;
    let mut open = 0;
    for (i, line) in PROGRAM.iter().enumerate() {
        let words = line.trim_start();
        out.push_str(&" ".repeat(line.len() - words.len()));
        let mut quoted = false;
        for c in words.chars() {
            match c {
                '\'' => quoted = !quoted,
                '(' | '[' | '{' if !quoted => open += 1,
                ')' | ']' | '}' if !quoted => open -= 1,
                _ => {}
            }
            if c != ' ' || quoted {
                out.push(c);
                continue;
            }
            let wide = usize::from(spaces[at % spaces.len()]);
            at += 1;
            match wide {
                // Inside brackets a line can end anywhere, with a comment.
                5 if open > 0 => out.push_str(" # inside \n   "),
                6 => out.push_str(" \\\n  "),
                7 => out.push_str("\t \t"),
                wide => out.push_str(&" ".repeat(wide.clamp(1, 4))),
            }
        }
        let note = notes[i % notes.len()];
        if note & 1 != 0 {
            out.push_str("  # def g(x): return eval('x')  '''\"\"\" __doc__ inspect");
        }
        out.push('\n');
        // A decorator's line and the one that follows belong together, but comments may stand between them.
        if note & 2 != 0 {
            out.push_str("\n   \t\n");
        }
        if note & 4 != 0 {
            out.push_str("        # locals() _getframe getsource numba: a note at no particular depth\n");
        }
    }
    out
}

proptest! {
    #[test]
    fn layout_and_comments_never_show(
        spaces in proptest::collection::vec(1u8..8, 1..60),
        notes in proptest::collection::vec(0u8..8, 1..40),
    ) {
        let plain = form(&PROGRAM.join("\n"));
        prop_assert!(matches!(plain, Form::Normal(_)), "{}", shown(&plain));
        let text = laid_out(&spaces, &notes);
        let form = form(&text);
        prop_assert_eq!(shown(&plain), shown(&form), "{}", text);
    }

    #[test]
    fn no_text_is_too_strange(text in "[a-z(){}\\[\\]'\":=#\\\\\n \t0-9*@.,f]{0,80}") {
        let first = form(&text);
        prop_assert_eq!(first, form(&text));
    }
}

#[test]
fn a_form_changes_only_with_its_version() {
    let form = form("def f(n):\n    t = 0.5  # half\n    return [t * i for i in range(n)]\n");
    let expected = "python 1\n(body(def(n 1:f)-(parameters(p (n 1:n)--))-(body(=(list(v 0))(x 3fe0000000000000))\
        (return(list-of(call(n 5:range)(arguments(n 1:n)))(for(v 1))(binary *(v 0)(v 1)))))))";
    assert_eq!(shown(&form), expected);
}
