//! Fictitious names for a recording: the same name always becomes the same other one, so that what belonged together
//! still does (a device and the variable that selects it, a home folder and the paths below it).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use serde::ser::Error as _;
use toml::Value;

use crate::host::Host;
use crate::host::recorded::Recorded;
use crate::redact::{Identities, Redacted, env_value, secret};

/// Endings of variables that name machines or addresses, whose values are replaced whole.
const MACHINE_NAMES: [&str; 6] = ["HOSTNAME", "_HOST", "NODENAME", "NODELIST", "_ADDR", "IPADDR"];

/// Folders whose files hold no settings of the user's, so that a line that looks like a secret is none.
const NOT_THE_USERS: [&str; 6] = ["/proc", "/sys", "/usr", "/etc", "/opt", "/var"];

/// The recording with fictitious names and without secrets.
///
/// # Errors
///
/// An answer that TOML cannot hold.
pub(super) fn apply(mut answers: Recorded, host: &dyn Host) -> Result<Recorded, toml::ser::Error> {
    let mut mask = Mask::of(host, &answers);
    // First the whole UUIDs of the devices: a variable may hold the beginning of one.
    for device in answers.nvml.iter().flat_map(|nvml| &nvml.devices) {
        for uuid in device.uuid.iter().chain(device.mig.iter().filter_map(|mig| mig.uuid.as_ref())) {
            mask.text(uuid);
        }
    }
    for (name, value) in &mut answers.env {
        if MACHINE_NAMES.iter().any(|end| name.ends_with(end)) {
            *value = mask.machine(value);
        }
        *value = mask.abbreviated(env_value(name, value).text());
    }
    for (path, text) in &mut answers.files {
        if path.ends_with("direct_url.json") {
            *text = secret::text(text).into_owned();
        } else if !NOT_THE_USERS.iter().any(|folder| path.starts_with(folder)) && !is_package_data(path) {
            *text = without_secrets(text);
        }
        if path.file_name().is_some_and(|name| is_serial(&name.to_string_lossy())) {
            *text = mask.serial(text.trim());
        }
    }
    let outputs = answers.command.iter_mut().flat_map(|c| [&mut c.output.stdout, &mut c.output.stderr]);
    let git = answers.git.iter_mut().flat_map(|git| {
        let patch = git.work.as_mut().and_then(|work| work.patch.as_mut());
        git.remotes.values_mut().chain(patch)
    });
    for text in outputs.chain(git) {
        *text = secret::text(text).into_owned();
    }
    answers.system.hostname = mask.machine(&answers.system.hostname);
    if let Some(user) = answers.system.user.as_mut().filter(|user| *user != "root") {
        "someone".clone_into(user);
    }
    let masked = mask.value(Value::try_from(&answers)?);
    masked.try_into().map_err(toml::ser::Error::custom)
}

/// Files of `/sys/class/dmi/id` and of the device tree that hold the numbers of one machine.
fn is_serial(file: &str) -> bool {
    file.ends_with("_serial") || file.ends_with("_asset_tag") || file == "serial-number"
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
        let (name, value) = line.split_once([':', '=']).unwrap_or((line, ""));
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == '"');
        let value = value.trim_matches(|c: char| c.is_whitespace() || "\"',".contains(c));
        match env_value(name, value) {
            Redacted::Secret(digest) if !value.is_empty() => {
                out.push_str(&line.replacen(value, &digest, 1));
            }
            _ => out.push_str(line),
        }
    }
    out
}

/// The ids of containers and their layers, as a container sees them in its own mounts and control groups.
fn container_ids(answers: &Recorded) -> BTreeSet<String> {
    let texts = ["/proc/self/cgroup", "/proc/self/mountinfo"].map(|path| answers.files.get(Path::new(path)));
    let words = texts.into_iter().flatten().flat_map(|text| text.split(|c: char| !c.is_ascii_hexdigit()));
    words.filter(|word| word.len() == 64).map(str::to_owned).collect()
}

/// What is replaced by what.
struct Mask {
    /// What else this machine and its user are known by.
    identities: Identities,
    /// Home folders, longest first.
    homes: Vec<String>,
    /// Login name.
    user: Option<String>,
    /// Words and what stands for them, longest first.
    words: Vec<(String, String)>,
    /// UUIDs, MAC addresses, serials and addresses met so far, each kind numbered from 1.
    met: BTreeMap<(&'static str, String), usize>,
}

impl Mask {
    fn of(host: &dyn Host, answers: &Recorded) -> Self {
        let mut mask = Self {
            identities: Identities::of(host),
            homes: Vec::new(),
            user: None,
            words: Vec::new(),
            met: BTreeMap::new(),
        };
        let system = host.system();
        // Names that many machines and people share hide nobody, and replacing them would damage what is recorded.
        let hides = |text: &str| mask.identities.scrub(text) != text;

        let homes = [system.home, host.env("HOME").map(Into::into)];
        let homes = homes.into_iter().flatten().map(|home| home.display().to_string());
        let homes: BTreeSet<String> =
            homes.filter(|home| home.starts_with("/home/") || (home != "/root" && hides(home))).collect();
        let user = system.user.filter(|user| user != "root" && hides(&format!("/{user}/")));
        let name = system.hostname;
        let short = name.split('.').next().unwrap_or_default().to_owned();
        let names = [name, short].into_iter().filter(|name| hides(name));
        let mut words: Vec<(String, String)> = names.map(|name| (name, "somewhere".to_owned())).collect();
        for path in ["/etc/machine-id", "/var/lib/dbus/machine-id"] {
            let id = answers.files.get(Path::new(path)).map(|id| id.trim());
            words.extend(id.filter(|id| !id.is_empty()).map(|id| (id.to_owned(), format!("{:032x}", 1))));
        }
        for (n, id) in container_ids(answers).into_iter().enumerate() {
            words.push((id, format!("{:0<64}", format!("{:x}", n + 1))));
        }
        for address in system.addresses {
            words.push((address.clone(), mask.machine(&address)));
        }
        words.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        words.dedup();
        mask.homes = homes.into_iter().rev().collect();
        mask.user = user;
        mask.words = words;
        // Homes have their stand-in, and a path that begins with `~` is none.
        let mut homeless = answers.clone();
        homeless.system.home = None;
        homeless.env.remove("HOME");
        mask.identities = Identities::of(&homeless);
        mask
    }

    /// How many of this kind were met before and with this one; the same text has the same number.
    fn number(&mut self, kind: &'static str, text: &str) -> usize {
        let next = self.met.keys().filter(|(k, _)| *k == kind).count() + 1;
        *self.met.entry((kind, text.to_owned())).or_insert(next)
    }

    /// A host name, or an address of the documentation ranges (RFC 5737, RFC 3849).
    fn machine(&mut self, text: &str) -> String {
        match text.parse::<IpAddr>() {
            Ok(ip) if ip.is_loopback() || ip.is_unspecified() => text.to_owned(),
            Ok(IpAddr::V4(_)) => format!("192.0.2.{}", self.number("ipv4", text).min(254)),
            Ok(IpAddr::V6(_)) => format!("2001:db8::{:x}", self.number("ipv6", text)),
            Err(_) if text == "localhost" || text.is_empty() => text.to_owned(),
            Err(_) => "somewhere".to_owned(),
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
            return "someone".to_owned();
        }
        let mut out = text.to_owned();
        for home in &self.homes {
            out = replace(&out, home, "/home/someone", |c| c == '/' || c.is_alphanumeric(), is_of_name);
        }
        if let Some(user) = &self.user {
            // A login name may be any word, so it counts only as a part of a path or address.
            out = replace(&out, &format!("/{user}"), "/someone", |_| false, is_of_name);
            out = replace(&out, &format!("{user}@"), "someone@", is_of_name, |_| false);
        }
        for (word, stand_in) in &self.words {
            out = replace(&out, word, stand_in, is_of_name, is_of_name);
        }
        let out = self.numbered("uuid", &out, &UUID, uuid);
        let out = self
            .numbered("mac", &out, &MAC, |n| format!("02:00:00:00:{:02x}:{:02x}", (n >> 8) & 0xff, n & 0xff));
        // What has no stand-in of its own, such as a domain, becomes a placeholder.
        mask_rest(&self.identities, &out)
    }

    /// A list of devices in which a UUID may be cut short, as `CUDA_VISIBLE_DEVICES` allows.
    fn abbreviated(&self, list: &str) -> String {
        let items = list.split(',').map(|item| {
            let Some((kind, digits)) = item.split_once('-').filter(|(kind, _)| ["GPU", "MIG"].contains(kind))
            else {
                return item.to_owned();
            };
            let whole = self.met.iter().find(|((of, text), _)| *of == "uuid" && text.starts_with(digits));
            match whole {
                // A whole one is replaced with all others.
                Some((_, n)) if (1..UUID.len()).contains(&digits.len()) => {
                    format!("{kind}-{}", uuid(*n).get(..digits.len()).unwrap_or_default())
                }
                _ => item.to_owned(),
            }
        });
        items.collect::<Vec<_>>().join(",")
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
            let fits = |(byte, wanted): (&u8, &u8)| match wanted {
                b'x' => byte.is_ascii_hexdigit(),
                other => byte == other,
            };
            let alone =
                edge(at.checked_sub(1).and_then(|i| bytes.get(i))) && edge(bytes.get(at + shape.len()));
            (alone && run.iter().zip(shape).all(fits)).then(|| String::from_utf8_lossy(run).to_lowercase())
        };
        let (mut out, mut from, mut at) = (String::with_capacity(text.len()), 0, 0);
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

/// The stand-in of a UUID. The first digit tells them apart, as abbreviated UUIDs need.
fn uuid(number: usize) -> String {
    let digits: String = format!("{number:08x}").chars().rev().collect();
    format!("{digits}-0000-4000-8000-000000000000")
}

const UUID: [u8; 36] = *b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
const MAC: [u8; 17] = *b"xx:xx:xx:xx:xx:xx";

/// The text with a placeholder for every identity that is left. A device's UUID has its stand-in already, and a
/// placeholder would cut its ties.
fn mask_rest(identities: &Identities, text: &str) -> String {
    let device = ["GPU-", "MIG-"].iter().any(|begin| text.contains(begin));
    if device { text.to_owned() } else { identities.scrub(text).into_owned() }
}

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn host() -> Recorded {
        let mut host = Recorded { cwd: "/users/lovelace/x".into(), ..Recorded::default() };
        host.system.hostname = "quark-07.cluster.example.org".to_owned();
        host.system.user = Some("lovelace".to_owned());
        host.system.home = Some("/users/lovelace".into());
        host.system.addresses = vec!["10.4.7.21".to_owned()];
        host
    }

    #[test]
    fn names_are_replaced_and_what_only_looks_like_them_is_not() {
        let mut mask = Mask::of(&host(), &host());
        for (clear, masked) in [
            ("/users/lovelace/venv/bin", "/home/someone/venv/bin"),
            ("/users/lovelace", "/home/someone"),
            ("/users/lovelaces", "/users/lovelaces"),
            ("/scratch/lovelace/run", "/scratch/someone/run"),
            ("lovelace", "someone"),
            ("ssh lovelace@quark-07", "ssh someone@somewhere"),
            ("quark-07.cluster.example.org up", "somewhere up"),
            ("quark-071", "quark-071"),
            ("nvidia-curand 10.4.7.211", "nvidia-curand 10.4.7.211"),
            ("10.4.7.21:29500", "192.0.2.1:29500"),
            ("link/ether 3c:ec:ef:12:34:56", "link/ether 02:00:00:00:00:01"),
        ] {
            assert_eq!(mask.text(clear), masked);
        }
    }

    #[test]
    fn the_same_uuid_keeps_its_stand_in_and_the_first_digit_tells_two_apart() {
        let mut mask = Mask::of(&host(), &host());
        let first = mask.text("root=UUID=8d6e4b8c-9d6f-4b7e-8f2a-3c1d5e7f9a0b");
        let second = mask.text("root=UUID=11111111-9d6f-4b7e-8f2a-3c1d5e7f9a0b");
        assert_eq!(first, "root=UUID=10000000-0000-4000-8000-000000000000");
        assert_eq!(second, "root=UUID=20000000-0000-4000-8000-000000000000");
        assert_eq!(mask.text("8D6E4B8C-9d6f-4b7e-8f2a-3c1d5e7f9a0b"), "10000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn a_home_that_is_called_as_its_stand_in_stays_a_path() {
        for home in ["/root", "/home/someone"] {
            let mut host = host();
            host.system.user = Some("root".to_owned());
            host.system.home = Some(home.into());
            host.cwd = format!("{home}/project").into();
            let masked = apply(host.clone(), &host).unwrap();
            assert_eq!(masked.cwd, host.cwd);
        }
    }

    #[test]
    fn secrets_do_not_reach_a_recording() {
        let token = format!("hf_{}", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3g");
        let mut host = host();
        host.env.insert("HF_TOKEN".to_owned(), token.clone());
        host.env.insert("MASTER_ADDR".to_owned(), "10.9.9.9".to_owned());
        let settings = format!("lr: 0.1\napi_key: \"{token}\"\n");
        host.files.insert("/users/lovelace/x/conf.yaml".into(), settings);
        let masked = apply(host.clone(), &host).unwrap();
        let text = toml::to_string(&masked).unwrap();
        for hidden in [token.as_str(), "10.9.9.9", "lovelace", "quark-07"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        let settings = &masked.files[Path::new("/home/someone/x/conf.yaml")];
        assert!(settings.starts_with("lr: 0.1\napi_key: \"secret:"), "{settings}");
    }
}
