//! The locale as it acts: locale(7), `LC_ALL` over `LC_category` over `LANG`, and only what is installed.

use std::path::Path;

use crate::host::Host;
use crate::probes::Sink;

/// The categories that move results: the order of strings, what is a letter and how bytes decode, the decimal sign.
const CATEGORIES: [(&str, &str); 3] =
    [("collate", "LC_COLLATE"), ("ctype", "LC_CTYPE"), ("numeric", "LC_NUMERIC")];

pub(super) fn collect(host: &dyn Host, out: &Sink) {
    let mut missing = Vec::new();
    for (fact, variable) in CATEGORIES {
        let (name, road) = asked(host, variable);
        let name = normalise(&name);
        let installed = installed(host, &name);
        out.set(&format!("locale.{fact}"), if installed { name.as_str() } else { "C" });
        out.set(&format!("locale.{fact}_found_by"), road);
        if !installed {
            missing.push(name);
        }
    }
    missing.sort();
    missing.dedup();
    if !missing.is_empty() {
        out.set("locale.missing", missing);
    }
}

/// What is asked for, and the variable that says so; an empty variable counts as unset.
fn asked(host: &dyn Host, variable: &'static str) -> (String, &'static str) {
    let set = |name: &str| host.env(name).filter(|value| !value.is_empty());
    ["LC_ALL", variable, "LANG"]
        .into_iter()
        .find_map(|name| set(name).map(|value| (value, name)))
        .unwrap_or_else(|| ("C".to_owned(), "default"))
}

/// One name for each locale: glibc finds `en_US.UTF-8` and `en_US.utf8` alike (`_nl_normalize_codeset` in
/// `intl/l10nflist.c`: small letters, no punctuation, `iso` before a number), and `POSIX` is `C`.
fn normalise(name: &str) -> String {
    let (name, modifier) =
        name.split_once('@').map_or((name, None), |(name, modifier)| (name, Some(modifier)));
    let (language, codeset) =
        name.split_once('.').map_or((name, None), |(language, set)| (language, Some(set)));
    let language = if language == "POSIX" { "C" } else { language };
    let mut out = language.to_owned();
    if let Some(codeset) = codeset {
        let set: String = codeset.chars().filter(char::is_ascii_alphanumeric).collect();
        let number = !set.is_empty() && set.bytes().all(|b| b.is_ascii_digit());
        out += &format!(".{}{}", if number { "iso" } else { "" }, set.to_ascii_lowercase());
    }
    modifier.map_or(out.clone(), |modifier| format!("{out}@{modifier}"))
}

/// Whether the C library has this locale. Told only where it is sure: glibc without an archive has a folder for each
/// locale. With an archive (or locales elsewhere: `LOCPATH`, `LOCALE_ARCHIVE` of Nix) the locale is taken to be there.
fn installed(host: &dyn Host, name: &str) -> bool {
    let elsewhere = ["LOCPATH", "LOCALE_ARCHIVE"].iter().any(|v| host.env(v).is_some());
    if matches!(name, "C" | "C.utf8") || host.system().sysname != "Linux" || elsewhere {
        return true;
    }
    let root = Path::new("/usr/lib/locale");
    if host.exists(&root.join("locale-archive")) {
        return true;
    }
    host.names(root).iter().any(|entry| normalise(entry) == name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{linux, probe, text};
    use super::*;

    #[test]
    fn names() {
        for (name, normal) in [
            ("en_US.UTF-8", "en_US.utf8"),
            ("en_US.utf8", "en_US.utf8"),
            ("de_DE.ISO-8859-15@euro", "de_DE.iso885915@euro"),
            ("de_DE@euro", "de_DE@euro"),
            ("ru_RU.8859-5", "ru_RU.iso88595"),
            ("POSIX", "C"),
            ("C.UTF-8", "C.utf8"),
            ("", ""),
            (".", "."),
        ] {
            assert_eq!(normalise(name), normal, "{name}");
        }
    }

    #[test]
    fn the_first_that_is_set_and_not_empty_acts() {
        let mut host = linux();
        host.files.insert("/usr/lib/locale/locale-archive".into(), String::new());
        host.env.insert("LANG".to_owned(), "en_US.UTF-8".to_owned());
        host.env.insert("LC_COLLATE".to_owned(), "de_DE.UTF-8".to_owned());
        host.env.insert("LC_ALL".to_owned(), String::new());
        let collected = probe(host.clone());
        assert_eq!(text(&collected, "locale.collate").as_deref(), Some("de_DE.utf8"));
        assert_eq!(text(&collected, "locale.collate_found_by").as_deref(), Some("LC_COLLATE"));
        assert_eq!(text(&collected, "locale.numeric").as_deref(), Some("en_US.utf8"));
        host.env.insert("LC_ALL".to_owned(), "POSIX".to_owned());
        assert_eq!(text(&probe(host), "locale.collate").as_deref(), Some("C"));
    }

    #[test]
    fn a_locale_that_is_not_installed_acts_as_c() {
        let mut host = linux();
        host.env.insert("LANG".to_owned(), "en_US.UTF-8".to_owned());
        host.dirs.insert("/usr/lib/locale/C.utf8".into());
        let collected = probe(host.clone());
        assert_eq!(text(&collected, "locale.collate").as_deref(), Some("C"));
        assert_eq!(text(&collected, "locale.missing").as_deref(), Some("en_US.utf8"));
        host.dirs.insert("/usr/lib/locale/en_US.utf8".into());
        let collected = probe(host);
        assert_eq!(text(&collected, "locale.collate").as_deref(), Some("en_US.utf8"));
        assert_eq!(text(&collected, "locale.missing"), None);
    }
}
