//! The names by which this machine and its user are known, and how they are kept out of text.

mod needle;

use std::borrow::Cow;
use std::path::Path;

use crate::host::Host;
use needle::{DEVICES, Needle, Starts, Whole, device_uuid};

/// Host names, user name, home folder, UUIDs, serial numbers, MAC and IP addresses of a machine.
///
/// Private facts hold these as digests. Everywhere else (a path in a variable, a remote's address, an error's words)
/// [`Identities::scrub`] puts a placeholder in their place, whether or not the capture is anonymous, so that equal
/// set-ups of two people on two machines compare equal.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// What to look for and what stands in its place, longest first.
    needles: Vec<Needle>,
    /// Which two bytes can begin a needle or a GPU's UUID: one bit for each pair, so that a text without any is
    /// passed over at one look per byte.
    starts: Starts,
}

/// Names that are given to many machines and users, or that are words of what is recorded: replacing them would
/// damage facts and hide nobody. A home folder named by one is replaced all the same.
const GENERIC: &str = "\
    admin administrator airflow amd anaconda apache apple arch azureuser bin build builder centos ci \
    click conda container core cpu cuda daemon dask data debian default desktop dev developer docker \
    ec2-user fedora flask gitlab gitpod gke gpu guest home host intel jax jenkins jetson jovyan jupyter \
    kaggle keras kubernetes lab laptop lib linux localdomain localhost login mac main mambauser master \
    miniconda ml mpi nobody node none numpy nvidia ollama opc oracle pandas pi pip podman prod python \
    pytorch raspberrypi ray rich rocky rocm root runner sagemaker-user scipy server slurm src system \
    tensorflow test torch tpu train training triton ubuntu user vagrant vm vscode worker workspace";

/// Names that people and machines have and that are values too: replaced only within a path or an address.
const WORDS: &str = "\
    all amber ampere any arm art auto avx base bash best blackwell blas boot cache clang code env etc \
    even fast fft file flat full gcc git gnu grace grant high hopper inf iris jade java kepler last \
    level line list llvm long low mark math max maxwell mean min mini mkl mnt mode name nan nano nccl \
    next nova off omp opt orin page pascal path perl proc rank real ring rose ruby run rust sam seed \
    short size sky srv sse std sum sys temp tesla thor time titan tmp tree true turing usr var vim volta \
    will work x86 xavier zero zsh";

/// What firmware holds where nobody wrote a serial number.
const NO_SERIAL: [&str; 9] = [
    "to be filled by o.e.m.",
    "default string",
    "not specified",
    "not applicable",
    "system serial number",
    "0123456789",
    "unknown",
    "none",
    "empty",
];

/// What ends a user's name in a path.
const NOT_IN_A_USERS_NAME: [char; 18] =
    ['/', '\\', ' ', '\t', '\n', '\r', '"', '\'', '`', ':', ';', ',', '<', '>', '(', ')', '&', '|'];

impl Identities {
    /// The identities of this host.
    pub fn of(host: &dyn Host) -> Self {
        let mut found = Self::default();
        let system = host.system();

        let homes = [system.home.clone(), host.env("HOME").map(Into::into)];
        for home in homes.into_iter().flatten() {
            found.home(&home);
            if let Ok(resolved) = host.canonicalize(&home) {
                found.home(&resolved);
            }
        }
        let names = ["USER", "LOGNAME", "SUDO_USER", "USERNAME"].map(|name| host.env(name));
        for user in names.into_iter().flatten().chain(system.user) {
            found.name(&user, "{user}");
        }
        let hosts = [Some(system.hostname), host.env("HOSTNAME"), host.maybe("/etc/hostname")];
        for name in hosts.into_iter().flatten() {
            found.host(&name);
        }
        for path in ["/etc/machine-id", "/var/lib/dbus/machine-id", "/proc/sys/kernel/random/boot_id"] {
            found.uuid(host.maybe(path).as_deref());
        }
        found.uuid(host.maybe("/sys/class/dmi/id/product_uuid").as_deref());
        for file in
            ["product_serial", "board_serial", "chassis_serial", "chassis_asset_tag", "board_asset_tag"]
        {
            found.serial(host.maybe(Path::new("/sys/class/dmi/id").join(file)).as_deref());
        }
        found.serial(host.maybe("/proc/device-tree/serial-number").as_deref());
        for interface in host.names("/sys/class/net") {
            let file = format!("/sys/class/net/{interface}/address");
            found.mac(host.maybe(file).as_deref().unwrap_or_default());
        }
        for address in system.addresses {
            found.add(&address, "{ip}", Whole::Address);
        }
        found.finish()
    }

    /// The users that a text from another machine names by their home folders: `/home/NAME/…`, `/Users/NAME/…`,
    /// `C:\Users\NAME\…`. Of a machine that is not at hand, nothing else can be known for a name.
    pub fn told_by(text: &str) -> Self {
        let mut found = Self::default();
        let mut names = std::collections::BTreeSet::new();
        for (marker, sign) in
            [("/home/", '/'), ("/Users/", '/'), ("\\Users\\", '\\'), ("\\\\Users\\\\", '\\')]
        {
            for (at, _) in text.match_indices(marker) {
                let name = text[at + marker.len()..].split(NOT_IN_A_USERS_NAME).next().unwrap_or_default();
                if name.is_empty() || name.len() > 64 || name.starts_with('.') {
                    continue;
                }
                // A dump is of one or two people; every name costs a look at every text.
                if !names.insert((marker, name)) || names.len() > 64 {
                    continue;
                }
                if sign == '/' {
                    found.home(Path::new(&format!("{marker}{name}")));
                } else {
                    found.name(name, "{user}");
                }
            }
        }
        found.finish()
    }

    /// `text` with every identity replaced by its placeholder.
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let mut out = String::new();
        let (mut kept, mut from) = (0, 0);
        while let Some(at) = self.starts.next(bytes, from) {
            match self.at(bytes, at) {
                Some((length, placeholder)) => {
                    out.push_str(&text[kept..at]);
                    out.push_str(placeholder);
                    from = at + length;
                    kept = from;
                }
                None => from = at + 1,
            }
        }
        if kept == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[kept..]);
        Cow::Owned(out)
    }

    /// The identity that begins here: its length and placeholder.
    fn at(&self, text: &[u8], at: usize) -> Option<(usize, &'static str)> {
        let needle = self.needles.iter().find(|needle| needle.is_at(text, at));
        needle.map(|n| (n.text.len(), n.placeholder)).or_else(|| device_uuid(text, at))
    }

    fn home(&mut self, home: &Path) {
        let text = home.to_string_lossy();
        let text = text.trim_end_matches('/');
        // A service account's home that does not exist or is shared names nobody.
        if home.is_absolute() && !["", "/nonexistent", "/tmp", "/var", "/usr", "/opt"].contains(&text) {
            self.add(text, "~", Whole::Path);
            if matches!(home.parent().and_then(Path::to_str), Some("/home" | "/Users")) {
                self.name(&home.file_name().unwrap_or_default().to_string_lossy(), "{user}");
            }
        }
    }

    fn host(&mut self, name: &str) {
        self.name(name, "{host}");
        if let Some((label, domain)) = name.trim().split_once('.') {
            self.name(label, "{host}");
            if domain.contains('.') {
                self.name(domain, "{domain}");
            }
        }
    }

    fn name(&mut self, name: &str, placeholder: &'static str) {
        let name = name.trim();
        let is_of = |list: &str| list.split_ascii_whitespace().any(|word| name.eq_ignore_ascii_case(word));
        let number = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if name.len() >= 3 && !number && !is_of(GENERIC) {
            self.add(name, placeholder, if is_of(WORDS) { Whole::InPath } else { Whole::Word });
        }
    }

    /// A UUID or a machine id, with and without hyphens.
    fn uuid(&mut self, uuid: Option<&str>) {
        let Some(uuid) = uuid.map(str::trim).filter(|u| u.len() >= 32) else {
            return;
        };
        if uuid.bytes().any(|b| b.is_ascii_hexdigit() && b != b'0') {
            self.add(uuid, "{uuid}", Whole::Word);
            self.add(&uuid.replace('-', ""), "{uuid}", Whole::Word);
        }
    }

    fn serial(&mut self, serial: Option<&str>) {
        let Some(serial) = serial.map(|s| s.trim_matches(['\0', ' ', '\n'])).filter(|s| s.len() >= 5) else {
            return;
        };
        let filler = NO_SERIAL.contains(&serial.to_ascii_lowercase().as_str());
        let one_character = serial.bytes().all(|b| serial.starts_with(char::from(b)));
        if !filler && !one_character {
            self.add(serial, "{serial}", Whole::Word);
        }
    }

    fn mac(&mut self, mac: &str) {
        let digits: Vec<&str> = mac.trim().split(':').collect();
        let same = |digit: &str| digits.iter().all(|d| *d == digit);
        // Loopback and broadcast are everyone's; InfiniBand addresses have 20 bytes.
        if digits.len() >= 6 && !same("00") && !same("ff") {
            for sign in [":", "-", ""] {
                self.add(&digits.join(sign), "{mac}", Whole::Word);
            }
        }
    }

    fn add(&mut self, text: &str, placeholder: &'static str, whole: Whole) {
        if text.len() >= 3 && !self.needles.iter().any(|n| n.text == text) {
            // Names of files and users keep their case; host names, UUIDs, MAC and IPv6 addresses come in either.
            let any_case = !matches!(placeholder, "~" | "{user}" | "{serial}");
            self.needles.push(Needle { text: text.to_owned(), placeholder, whole, any_case });
        }
    }

    fn finish(mut self) -> Self {
        self.needles.sort_by(|a, b| b.text.len().cmp(&a.text.len()).then_with(|| a.text.cmp(&b.text)));
        for needle in &self.needles {
            self.starts.add(&needle.text);
        }
        for prefix in DEVICES {
            self.starts.add(prefix);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::recorded::Recorded;

    fn identities() -> Identities {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.system.hostname = "Quarktal.cluster.example.org".to_owned();
        host.system.user = Some("zwiebelfisch".to_owned());
        host.system.home = Some("/home/zwiebelfisch".into());
        host.system.addresses = vec!["10.3.9.90".to_owned(), "fd00::2".to_owned()];
        host.env.insert("SUDO_USER".to_owned(), "max".to_owned());
        let files = [
            ("/etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n"),
            ("/proc/sys/kernel/random/boot_id", "140c4a4b-bf5d-4847-9c3f-b4dda55c3888\n"),
            ("/sys/class/dmi/id/product_serial", "CZ3217XKQ9\n"),
            ("/sys/class/dmi/id/board_serial", "To Be Filled By O.E.M.\n"),
            ("/sys/class/net/eth0/address", "02:fc:00:1a:2b:3c\n"),
            ("/sys/class/net/lo/address", "00:00:00:00:00:00\n"),
        ];
        host.files.extend(files.map(|(path, text)| (path.into(), text.to_owned())));
        Identities::of(&host)
    }

    #[test]
    fn identities_are_replaced() {
        let identities = identities();
        let cases = [
            ("/home/zwiebelfisch/x:/home/zwiebelfisch", "~/x:~"),
            ("/scratch/zwiebelfisch/y", "/scratch/{user}/y"),
            ("/tmp/torchinductor_zwiebelfisch", "/tmp/torchinductor_{user}"),
            ("--dir=/home/zwiebelfisch/z", "--dir=~/z"),
            ("git@quarktal.cluster.example.org:zwiebelfisch/r.git", "git@{host}:{user}/r.git"),
            ("Quarktal, quarktal-ib0, other.cluster.example.org", "{host}, {host}-ib0, other.{domain}"),
            ("140c4a4b-bf5d-4847-9c3f-b4dda55c3888", "{uuid}"),
            ("140C4A4BBF5D48479C3FB4DDA55C3888", "{uuid}"),
            ("id=3d1219c7c4c5404aaa1f6d2a48adfda4;", "id={uuid};"),
            ("s/n CZ3217XKQ9", "s/n {serial}"),
            ("02:fc:00:1a:2b:3c 02-FC-00-1A-2B-3C", "{mac} {mac}"),
            ("tcp://10.3.9.90:29500 [fd00::2]:80. At 10.3.9.90.", "tcp://{ip}:29500 [{ip}]:80. At {ip}."),
            ("GPU-8932f937-d72c-4106-c12f-20bd9faed9f6,GPU-8932f937", "GPU-{uuid},GPU-{uuid}"),
            ("MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0", "MIG-GPU-{uuid}/1/0"),
            ("MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", "MIG-{uuid}"),
            ("/data/max/x max@h", "/data/{user}/x {user}@h"),
        ];
        for (text, scrubbed) in cases {
            assert_eq!(identities.scrub(text), scrubbed, "{text}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        let identities = identities();
        for text in [
            "",
            "a",
            "é",
            "max",
            "maxima /home/zwiebelfischen /home/zwiebelfisch-2",
            "zwiebelfische",
            "10.3.9.90.1",
            "1.10.3.9.90",
            "110.3.9.90",
            "10.3.9.901",
            "GPU-Z",
            "GPU-accelerated",
            "MIG-1g",
            "To Be Filled By O.E.M.",
            "00:00:00:00:00:00",
            "sha256:3d1219c7c4c5404aaa1f6d2a48adfda400",
            "MIG 1g.10gb",
            "GPU-",
        ] {
            let expected = text.replace("/home/zwiebelfisch-2", "/home/{user}-2");
            assert_eq!(identities.scrub(text), expected);
        }
    }

    #[test]
    fn generic_names_stay_but_a_home_never_does() {
        let mut host = Recorded { cwd: "/".into(), ..Recorded::default() };
        host.system.hostname = "localhost".to_owned();
        host.system.user = Some("root".to_owned());
        host.system.home = Some("/root".into());
        let identities = Identities::of(&host);
        assert_eq!(
            identities.scrub("root on localhost: /root/x /rootfs /a/root"),
            "root on localhost: ~/x /rootfs /a/root"
        );
        host.system.home = Some("/".into());
        assert_eq!(Identities::of(&host).scrub("/usr/lib"), "/usr/lib");
    }

    #[test]
    fn the_lists_of_names_are_sorted() {
        assert!(GENERIC.split_ascii_whitespace().is_sorted_by(|a, b| a < b), "sort it, once each");
    }

    mod properties {
        use proptest::prelude::*;

        proptest! {
            #[test]
            fn no_identity_is_left(before in "[^A-Za-z0-9]{0,3}", middle in "\\PC{0,20}", after in "[ /:,;@]?") {
                let identities = super::identities();
                for name in ["zwiebelfisch", "quarktal", "CZ3217XKQ9", "02:fc:00:1a:2b:3c"] {
                    let text = format!("{middle} {before}{name}{after}");
                    let out = identities.scrub(&text).into_owned();
                    prop_assert!(!out.contains(name), "{}", out);
                }
            }
        }
    }
}
