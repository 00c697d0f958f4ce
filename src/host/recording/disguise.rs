//! Fictitious names for a recording: the same name always becomes the same other one, so that what belonged together
//! still does (a device and the variable that selects it, a home folder and the paths below it).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use toml::Value;

use crate::host::Host;
use crate::host::recorded::Recorded;
use crate::redact::{DisplayUrl, Redacted, env_value};

/// Endings of variables that name machines or addresses, whose values are replaced whole.
const MACHINE_NAMES: [&str; 6] = ["HOSTNAME", "_HOST", "NODENAME", "NODELIST", "_ADDR", "IPADDR"];

/// Folders whose files hold no settings of the user's, so that a line that looks like a secret is none.
const NOT_THE_USERS: [&str; 6] = ["/proc", "/sys", "/usr", "/etc", "/opt", "/var"];

/// Whether a variable that nobody asked for by name may be in a recording.
pub(super) fn may_keep(name: &str) -> bool {
    let _ = name;
    true
}

/// The recording with fictitious names and without secrets.
///
/// # Errors
///
/// An answer that TOML cannot hold.
pub(super) fn apply(mut answers: Recorded, host: &dyn Host) -> Result<Recorded, toml::ser::Error> {
    let mut mask = Mask::of(host, &answers);
    for (name, value) in &mut answers.env {
        if MACHINE_NAMES.iter().any(|end| name.ends_with(end)) {
            *value = mask.machine(value);
        }
        *value = env_value(name, value).text().to_owned();
    }
    for (path, text) in &mut answers.files {
        if !NOT_THE_USERS.iter().any(|folder| path.starts_with(folder)) && !is_package_data(path) {
            *text = without_secrets(text);
        }
        if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().ends_with("serial"))
        {
            *text = mask.serial(text.trim());
        }
    }
    answers.system.addresses = answers.system.addresses.iter().map(|a| mask.machine(a)).collect();
    answers.system.hostname = mask.text(&answers.system.hostname);
    if let Some(user) = &mut answers.system.user {
        *user = mask.text(user);
    }
    let masked = mask.value(Value::try_from(&answers)?);
    masked.try_into().map_err(serde::ser::Error::custom)
}

/// Metadata of installed packages, whose keys are not the user's.
fn is_package_data(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part == "site-packages" || part == "dist-packages" || part == "conda-meta"
    })
}

/// Settings, one a line as `name = value` or `name: value`, with values that look like secrets replaced.
fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let end = line.find([':', '=']).unwrap_or(line.len());
        let (name, value) = (
            line[..end].trim_matches(|c: char| c.is_whitespace() || c == '"'),
            line.get(end + 1..),
        );
        let bare = value
            .unwrap_or_default()
            .trim_matches(|c: char| c.is_whitespace() || "\"',".contains(c));
        match env_value(name, bare) {
            Redacted::Secret(digest) if !bare.is_empty() => out.push_str(&line.replacen(bare, &digest, 1)),
            _ => out.push_str(line),
        }
    }
    out
}

/// What is replaced by what.
struct Mask {
    /// Home folder and its stand-in.
    home: Option<(String, String)>,
    /// Login name, where it says more than a role.
    user: Option<String>,
    /// Words and what stands for them, longest first.
    words: Vec<(String, String)>,
    /// UUIDs, MAC addresses, serials and addresses met so far, each kind numbered from 1.
    met: BTreeMap<(&'static str, String), usize>,
}

impl Mask {
    fn of(host: &dyn Host, answers: &Recorded) -> Self {
        let system = host.system();
        let home = system
            .home
            .map(|home| home.display().to_string())
            .filter(|home| home != "/" && home != "/root");
        let user = system.user.filter(|user| user != "root");
        let stand_in = home.is_some().then(|| "/home/user".to_owned());
        let mut mask = Self {
            home: home.zip(stand_in),
            user,
            words: Vec::new(),
            met: BTreeMap::new(),
        };
        let name = system.hostname;
        let short = name.split('.').next().unwrap_or_default().to_owned();
        let mut words: Vec<(String, String)> = [name, short]
            .into_iter()
            .filter(|n| !n.is_empty() && n != "localhost")
            .map(|n| (n, "host".into()))
            .collect();
        words.extend(
            system
                .addresses
                .iter()
                .map(|address| (address.clone(), mask.machine(address))),
        );
        for path in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
            if let Some(id) = answers
                .files
                .get(Path::new(path))
                .map(|id| id.trim())
                .filter(|id| !id.is_empty())
            {
                words.push((id.to_owned(), format!("{:032x}", 1)));
            }
        }
        words.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        words.dedup();
        mask.words = words;
        mask
    }

    /// How many of this kind were met before and with this one; the same text has the same number.
    fn number(&mut self, kind: &'static str, text: &str) -> usize {
        let next = self.met.keys().filter(|(k, _)| *k == kind).count() + 1;
        *self.met.entry((kind, text.to_owned())).or_insert(next)
    }

    /// A host name or address of the documentation ranges (RFC 5737, RFC 3849).
    fn machine(&mut self, text: &str) -> String {
        match text.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => text.to_owned(),
            Ok(IpAddr::V4(_)) => format!("192.0.2.{}", self.number("ipv4", text).min(254)),
            Ok(IpAddr::V6(_)) => format!("2001:db8::{:x}", self.number("ipv6", text)),
            Err(_) if text == "localhost" || text.is_empty() => text.to_owned(),
            Err(_) => "host".to_owned(),
        }
    }

    fn serial(&mut self, text: &str) -> String {
        format!("{:010}", self.number("serial", text))
    }

    /// Every text and every key below a value.
    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Table(table) => {
                let table = table.into_iter().map(|(key, value)| match value {
                    Value::String(text) if key == "serial" => (key, Value::String(self.serial(&text))),
                    value => (self.text(&key), self.value(value)),
                });
                Value::Table(table.collect())
            }
            other => other,
        }
    }

    /// One text.
    fn text(&mut self, text: &str) -> String {
        if self.user.as_deref() == Some(text) {
            return "user".to_owned();
        }
        let mut out = text.to_owned();
        if let Some((home, stand_in)) = &self.home {
            out = replace(
                &out,
                home,
                stand_in,
                |c| c == '/' || c.is_alphanumeric(),
                is_of_name,
            );
        }
        if let Some(user) = &self.user {
            // A login name may be any word, so it counts only as a part of a path or address.
            out = replace(&out, &format!("/{user}"), "/user", |_| false, is_of_name);
            out = replace(&out, &format!("{user}@"), "user@", is_of_name, |_| false);
        }
        for (word, stand_in) in &self.words {
            out = replace(&out, word, stand_in, is_of_name, is_of_name);
        }
        let out = self.numbered("uuid", &out, &UUID, |n| {
            let digits: String = format!("{n:08x}").chars().rev().collect();
            // The first digit tells them apart, as abbreviated UUIDs in CUDA_VISIBLE_DEVICES need.
            format!("{digits}-0000-4000-8000-000000000000")
        });
        let out = self.numbered("mac", &out, &MAC, |n| {
            format!("02:00:00:00:{:02x}:{:02x}", n >> 8 & 0xff, n & 0xff)
        });
        without_credentials(&out)
    }

    /// Every run of `shape` replaced by `stand_in` of its number.
    fn numbered(
        &mut self,
        kind: &'static str,
        text: &str,
        shape: &[u8],
        stand_in: impl Fn(usize) -> String,
    ) -> String {
        let bytes = text.as_bytes();
        let hit = |at: usize| {
            let run = bytes.get(at..at + shape.len())?;
            let edge = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_hexdigit() && *b != b':');
            let fits = run
                .iter()
                .zip(shape)
                .all(|(b, s)| if *s == b'x' { b.is_ascii_hexdigit() } else { b == s });
            let alone =
                edge(at.checked_sub(1).and_then(|i| bytes.get(i))) && edge(bytes.get(at + shape.len()));
            (fits && alone).then(|| String::from_utf8_lossy(run).to_lowercase())
        };
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        let mut at = 0;
        while at + shape.len() <= bytes.len() {
            match hit(at) {
                Some(found) => {
                    out.push_str(&text[from..at]);
                    out.push_str(&stand_in(self.number(kind, &found)));
                    at += shape.len();
                    from = at;
                }
                None => at += 1,
            }
        }
        out.push_str(&text[from..]);
        out
    }
}

const UUID: [u8; 36] = *b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const MAC: [u8; 17] = *b"xx:xx:xx:xx:xx:xx";

/// Whether a character goes on with a name, so that a word that touches it is another one.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// `text` with `word` replaced where neither the character before nor the one after belongs to a longer word.
fn replace(
    text: &str,
    word: &str,
    by: &str,
    before: impl Fn(char) -> bool,
    after: impl Fn(char) -> bool,
) -> String {
    let (mut out, mut from) = (String::with_capacity(text.len()), 0);
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        let joined = text[..at].chars().next_back().is_some_and(&before)
            || text[end..].chars().next().is_some_and(&after);
        if !joined {
            out.push_str(&text[from..at]);
            out.push_str(by);
            from = end;
        }
    }
    out.push_str(&text[from..]);
    out
}

/// The text with the credentials taken out of every URL in it.
fn without_credentials(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let is_end = |c: char| c.is_whitespace() || "\"'<>()[],".contains(c);
    text.split_inclusive(is_end)
        .map(|word| {
            let url = word.trim_end_matches(is_end);
            if url.contains("://") {
                DisplayUrl::new(url).to_string() + &word[url.len()..]
            } else {
                word.to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask() -> Mask {
        let mut host = Recorded::default();
        host.system.hostname = "gpu-07.example.org".to_owned();
        host.system.user = Some("ada".to_owned());
        host.system.home = Some("/users/ada".into());
        host.system.addresses = vec!["10.4.7.21".to_owned()];
        Mask::of(&host, &host)
    }

    #[test]
    fn names_are_replaced_and_what_only_looks_like_them_is_not() {
        let mut mask = mask();
        for (clear, masked) in [
            ("/users/ada/venv/bin", "/home/user/venv/bin"),
            ("/users/ada", "/home/user"),
            ("/users/adam", "/users/adam"),
            ("/scratch/ada/run", "/scratch/user/run"),
            ("ada", "user"),
            ("the ada architecture", "the ada architecture"),
            ("ssh ada@gpu-07", "ssh user@host"),
            ("gpu-07.example.org up", "host up"),
            ("gpu-071", "gpu-071"),
            ("nvidia-curand 10.4.7.211", "nvidia-curand 10.4.7.211"),
            ("10.4.7.21:29500", "192.0.2.1:29500"),
            ("link/ether 3c:ec:ef:12:34:56", "link/ether 02:00:00:00:00:01"),
        ] {
            assert_eq!(mask.text(clear), masked);
        }
    }

    #[test]
    fn the_same_uuid_keeps_its_stand_in_and_the_first_digit_tells_two_apart() {
        let mut mask = mask();
        let first = mask.text("GPU-8d6e4b8c-9d6f-4b7e-8f2a-3c1d5e7f9a0b");
        let second = mask.text("GPU-11111111-9d6f-4b7e-8f2a-3c1d5e7f9a0b");
        assert_eq!(first, "GPU-10000000-0000-4000-8000-000000000000");
        assert_eq!(second, "GPU-20000000-0000-4000-8000-000000000000");
        assert_eq!(
            mask.text("x GPU-8D6E4B8C-9d6f-4b7e-8f2a-3c1d5e7f9a0b"),
            format!("x {first}")
        );
    }
}
