//! Secrets in environment variables and configuration values: told by the name, by the shape of the value, or by
//! what stands beside it in a longer text.

mod names;
mod shapes;

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

pub use names::is_secret_name;

/// A value as it may be written: in clear, or with what looks like a secret replaced. It never holds the secret, so
/// that nothing that prints it, in whatever way, can show one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// Not a secret.
    Clear(String),
    /// Held a secret; this is the text with the secret replaced.
    Secret(String),
}

impl Redacted {
    /// What may be written.
    pub fn text(&self) -> &str {
        match self {
            Self::Clear(text) | Self::Secret(text) => text,
        }
    }

    /// Whether something was replaced.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Redacted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// Decides by the variable's (or key's) name and by the value's shape. An empty value hides nothing.
pub fn env_value(name: &str, value: &str) -> Redacted {
    if is_stand_in(value) {
        return Redacted::Secret(value.to_owned());
    }
    if !value.is_empty() && names::hides(name, value) {
        return Redacted::Secret(stand_in(value));
    }
    match text(value) {
        Cow::Borrowed(value) => Redacted::Clear(value.to_owned()),
        Cow::Owned(value) => Redacted::Secret(value),
    }
}

/// `text` with every secret in it replaced: credentials in URLs, tokens of a known shape, private keys, long random
/// strings, and what follows `--api-key=`, `token:` or `Bearer`.
pub fn text(text: &str) -> Cow<'_, str> {
    let without = super::url::strip(text);
    let found = shapes::find(&without);
    if found.is_empty() {
        return without;
    }
    let mut out = String::with_capacity(without.len());
    let mut end = 0;
    for range in found {
        out.push_str(&without[end..range.start]);
        out.push_str(&stand_in(&without[range.clone()]));
        end = range.end;
    }
    out.push_str(&without[end..]);
    Cow::Owned(out)
}

/// What stands for a secret: `secret:` and 16 hexadecimal digits of its keyed digest, so that two snapshots tell
/// whether it is the same one; or `secret:redacted` where the secret could be guessed.
///
/// The key only keeps these digests apart from others: it is in this file, so whoever can list all likely secrets
/// can try them. A generated token has too many possibilities for that; a password that a person chose has not. So
/// the digest is written only of what a generator made: at least 24 characters without white space, 12 different
/// ones, letters and digits.
pub fn stand_in(secret: &str) -> String {
    if !is_unguessable(secret) {
        return "secret:redacted".to_owned();
    }
    let mut hash = Sha256::new();
    for part in ["driftlock secret v1", secret] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).fold(String::from("secret:"), |text, byte| text + &format!("{byte:02x}"))
}

/// Whether this text stands for a secret already: what a recorded machine holds in the secret's place.
fn is_stand_in(text: &str) -> bool {
    let digits = text.strip_prefix("secret:").unwrap_or_default();
    digits == "redacted" || (digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_unguessable(secret: &str) -> bool {
    let mut seen = [false; 256];
    let (mut different, mut letters, mut digits) = (0, 0, 0);
    for byte in secret.bytes() {
        different += usize::from(!std::mem::replace(&mut seen[usize::from(byte)], true));
        letters += usize::from(byte.is_ascii_alphabetic());
        digits += usize::from(byte.is_ascii_digit());
    }
    // A dozen different characters with a tenth of digits: far from any phrase that people type.
    let spaced = secret.bytes().any(|b| b.is_ascii_whitespace());
    secret.len() >= 24 && different >= 12 && letters >= 4 && digits * 10 >= secret.len() && !spaced
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 36 characters of the alphabet that tokens are made of.
    const BODY: &str = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6";

    #[test]
    fn a_secret_by_its_name_is_replaced_whole() {
        let long = env_value("WANDB_API_KEY", BODY);
        assert!(
            long.is_secret() && long.text().starts_with("secret:") && long.text().len() == 7 + 16,
            "{long}"
        );
        assert_eq!(long, env_value("OTHER_TOKEN", BODY), "the same secret, the same digest");
        assert_ne!(long, env_value("WANDB_API_KEY", &BODY.to_lowercase()));
        for guessable in [
            "hunter2",
            "correct horse battery staple",
            "correcthorsebatterystaple",
            "1234567890123456789012345",
        ] {
            assert_eq!(env_value("DB_PASSWORD", guessable).text(), "secret:redacted");
        }
        assert_eq!(env_value("API_KEY", ""), Redacted::Clear(String::new()));
    }

    #[test]
    fn what_is_no_secret_stays() {
        let clear = [
            ("OMP_NUM_THREADS", "8"),
            ("TOKENIZERS_PARALLELISM", "false"),
            ("KEYBOARD", "us"),
            ("XLA_FLAGS", "--xla_gpu_deterministic_ops=true --xla_dump_to=~/dump"),
            ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
            ("CUDA_VISIBLE_DEVICES", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6"),
            ("PYTHON_SHA256", "56bfef1fdfc1221ce6720e43a661e3eb41785dd914ce99698d8c7896af4bdaa1"),
            ("PATH", "/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/bin"),
            ("NVIDIA_REQUIRE_CUDA", "cuda>=12.4 brand=tesla,driver>=470,driver<471"),
            ("num_key_value_heads", "8"),
            ("max_tokens", "4096"),
            ("pad_token", "<pad>"),
            ("eos_token", "<|endoftext|>"),
            ("JAX_LEGACY_PRNG_KEY", "allow"),
            ("sort_key", "loss"),
            ("GIT_AUTHOR_NAME", "Ada"),
            ("model", "meta-llama/Llama-3.1-70B-Instruct-AWQ-INT4"),
            ("torch", "2.11.0+cu130"),
            ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2_Usable,-AVX512F_Usable"),
        ];
        for (name, value) in clear {
            assert_eq!(env_value(name, value), Redacted::Clear(value.to_owned()), "{name}");
        }
    }

    #[test]
    fn secrets_inside_longer_text_go_and_the_rest_stays() {
        let cases = [
            (format!("--lr=0.1 --api-key={BODY} --epochs=3"), "--lr=0.1 --api-key=", " --epochs=3"),
            ("--wandb-token hunter2 --epochs 3".to_owned(), "--wandb-token ", " --epochs 3"),
            (format!("Authorization: Bearer {BODY}"), "Authorization: Bearer ", ""),
            (format!("{{\"password\": \"{BODY}\", \"lr\": 1}}"), "{\"password\": \"", "\", \"lr\": 1}"),
            (format!("x hf_{BODY} y"), "x ", " y"),
            (
                "a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b".to_owned(),
                "a ",
                " b",
            ),
        ];
        for (input, before, after) in cases {
            let out = text(&input);
            assert!(out.starts_with(before) && out.ends_with(after) && out.contains("secret:"), "{out}");
            assert!(!out.contains(BODY) && !out.contains("hunter2") && !out.contains("MIIE"), "{out}");
        }
    }

    #[test]
    fn nothing_prints_the_secret() {
        let value = env_value("MY_SECRET", BODY);
        let json = serde_json::to_string(&value).unwrap_or_default();
        for shown in [format!("{value}"), format!("{value:?}"), json] {
            assert!(!shown.contains(BODY) && shown.contains("secret:"), "{shown}");
        }
    }

    mod properties {
        use proptest::prelude::*;

        use super::super::*;

        /// Tokens as their makers write them.
        fn token() -> impl Strategy<Value = String> {
            prop_oneof![
                "hf_[A-Za-z0-9]{34}",
                "gh[pousr]_[A-Za-z0-9]{36}",
                "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
                "(AKIA|ASIA)[A-Z0-9]{16}",
                "sk-(proj-|ant-api03-)?[A-Za-z0-9_]{30,60}[0-9]",
                "glpat-[A-Za-z0-9_]{20}",
                "xox[abprs]-[0-9]{10,12}-[A-Za-z0-9]{24}",
                "nvapi-[A-Za-z0-9_]{60,64}",
                "AIza[A-Za-z0-9_]{35}",
                "eyJ[A-Za-z0-9_]{20,60}\\.eyJ[A-Za-z0-9_]{20,80}\\.[A-Za-z0-9_-]{43}",
            ]
        }

        proptest! {
            #[test]
            fn known_tokens_never_appear(
                token in token(),
                before in "([a-z]{0,8}[ =:,;\"'(/@])?",
                after in "([ ,;\"')/&?#][a-z0-9 =]{0,8})?",
            ) {
                let value = format!("{before}{token}{after}");
                let out = env_value("XLA_FLAGS", &value);
                prop_assert!(out.is_secret() && !out.text().contains(&token), "{}", out);
            }

            #[test]
            fn passwords_in_urls_never_appear(
                user in "[a-z]{1,8}", password in "[A-Za-z0-9!$*+.,;:@/?#%-]{1,20}Q9z", path in "(/[a-z.]{1,8}){0,3}",
            ) {
                prop_assume!(!password.contains(['/', '?', '#', '@']));
                let out = env_value("X", &format!("see https://{user}:{password}@example.org{path} now"));
                prop_assert!(out.is_secret() && !out.text().contains(&password), "{}", out);
                prop_assert!(out.text().contains("example.org"));
            }

            #[test]
            fn named_secrets_never_appear(value in "\\PC{1,60}", name in "[A-Z]{0,6}_?(API_KEY|TOKEN|SECRET|PASSWORD|PASSWD)") {
                prop_assume!(!"secret:redacted0123456789abcdef".contains(&value));
                let out = env_value(&name, &value);
                prop_assert!(out.is_secret() && !out.text().contains(&value), "{}", out);
            }

            #[test]
            fn any_text_is_survived(text in "\\PC*") {
                let once = super::super::text(&text).into_owned();
                prop_assert_eq!(super::super::text(&once), once.as_str(), "redaction is idempotent");
            }
        }
    }

    #[test]
    fn what_stands_for_a_secret_stays_as_it_is() {
        for secret in ["hunter2", "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3g"] {
            let once = env_value("API_KEY", secret);
            assert_eq!(env_value("API_KEY", once.text()), once);
        }
        assert_eq!(env_value("API_KEY", "secret:hunter2").text(), "secret:redacted");
    }
}
