//! How the interpreter was built: `_sysconfigdata*.py`, the variables of its Makefile, read without running it.

use super::layout::Layout;
use super::literal;
use crate::host::Host;
use crate::probes::Sink;

/// Records the build's facts below `build`.
pub(super) fn collect(host: &dyn Host, layout: &Layout, out: &Sink) {
    let Some(stdlib) = &layout.stdlib else { return };
    let names = host.names(stdlib);
    let mut files: Vec<&String> =
        names.iter().filter(|name| name.starts_with("_sysconfigdata") && name.ends_with(".py")).collect();
    // Of several, the interpreter loads `_sysconfigdata_ABIFLAGS_PLATFORM_MULTIARCH`; conda adds those of its cross
    // compilers, and Debian one without the platform.
    files.sort_by_key(|name| {
        !["__linux_", "_t_linux_", "_m_linux_", "_d_linux_"].iter().any(|part| name.contains(part))
    });
    let Some(file) = files.first() else { return };
    let text = match host.text(&stdlib.join(file)) {
        Ok(text) => text,
        Err(e) => return out.unknown("build", format!("{file}: {e}")),
    };
    let text_of = |key: &str| string(&text, key).filter(|value| !value.is_empty());
    out.set_opt("build.compiler", text_of("CC").and_then(|cc| program(&cc)));
    let flags = text_of("PY_CFLAGS")
        .map(|flags| flags.split_whitespace().filter(|f| is_flag(f)).map(str::to_owned).collect());
    out.set_opt("build.flags", flags.map(|flags: Vec<String>| flags));
    out.set_opt("build.options", text_of("CONFIG_ARGS").map(|args| options(&args)));
    out.set_opt("build.multiarch", text_of("MULTIARCH"));
    out.set_opt("build.soabi", text_of("SOABI"));
    out.set_opt("build.debug", number(&text, "Py_DEBUG").map(|n| n != 0));
    out.set_opt("build.gil_disabled", number(&text, "Py_GIL_DISABLED").map(|n| n != 0));
    out.set_opt("build.shared", number(&text, "Py_ENABLE_SHARED").map(|n| n != 0));
}

/// What stands behind `'KEY':` in the dictionary that `pprint` wrote.
///
/// ```text
/// build_time_vars = {'ABIFLAGS': '',
///  'CC': 'gcc -pthread',
///  'CFLAGS': '-Wsign-compare -DNDEBUG -g '
///            '-fwrapv -O3 -Wall',
///  'Py_DEBUG': 0,
/// ```
fn behind<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let needle = format!("'{key}':");
    text.match_indices(&needle).find_map(|(at, _)| {
        let starts_line = text.get(..at)?.trim_end_matches(' ').ends_with(['\n', '{']);
        starts_line.then(|| text.get(at + needle.len()..)).flatten()
    })
}

fn string(text: &str, key: &str) -> Option<String> {
    literal::joined(behind(text, key)?).map(|(value, _)| value)
}

fn number(text: &str, key: &str) -> Option<i64> {
    behind(text, key)?.split([',', '}']).next()?.trim().parse().ok()
}

/// The compiler's name: the last part of the command's first word.
fn program(command: &str) -> Option<String> {
    command.split_whitespace().next()?.rsplit('/').next().map(str::to_owned)
}

/// Whether a compiler flag says something about the code: paths of the build machine do not.
fn is_flag(flag: &str) -> bool {
    flag.starts_with('-') && !flag.contains('/')
}

/// The options of `configure`, without those that hold a path of the build machine.
fn options(args: &str) -> Vec<String> {
    // Each one is in single quotes; none of those that count holds a blank.
    let words = args.split_whitespace().map(|word| word.trim_matches('\''));
    let kept = words.filter(|word| ["--with", "--enable", "--disable"].iter().any(|p| word.starts_with(p)));
    let mut options: Vec<String> = kept.filter(|word| !word.contains('/')).map(str::to_owned).collect();
    options.sort();
    options.dedup();
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "build_time_vars = {'ABIFLAGS': '',\n 'CC': '/usr/bin/gcc -pthread',\n 'CFLAGS': '-g '\n           \
                        '-O3',\n 'CONFIG_ARGS': \"'--prefix=/opt/py' '--enable-shared' '--with-lto' \"\n                \
                        \"'LDFLAGS=-L/opt' '--with-openssl=/opt/ssl'\",\n 'Py_DEBUG': 0,\n 'X': \"'CC': 'no'\"}\n";

    #[test]
    fn variables_of_the_makefile() {
        assert_eq!(string(TEXT, "CFLAGS").as_deref(), Some("-g -O3"));
        assert_eq!(string(TEXT, "CC").and_then(|cc| program(&cc)).as_deref(), Some("gcc"));
        assert_eq!(string(TEXT, "ABIFLAGS").as_deref(), Some(""));
        assert_eq!(number(TEXT, "Py_DEBUG"), Some(0));
        assert_eq!(number(TEXT, "absent"), None);
        assert_eq!(
            options(&string(TEXT, "CONFIG_ARGS").unwrap_or_default()),
            ["--enable-shared", "--with-lto"]
        );
    }
}
