//! Which names of variables and keys announce a secret.

/// Words that mean a secret whatever stands around them.
const ALWAYS: [&str; 11] = [
    "PASSWORD",
    "PASSWORDS",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "SECRETS",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
    "JWT",
    "BEARER",
];

/// Words that mean a secret in a variable's name, and something else in many a hyperparameter's: `pad_token`,
/// `num_key_value_heads`, `max_tokens`.
const MOSTLY: [&str; 11] =
    ["KEY", "KEYS", "TOKEN", "TOKENS", "AUTH", "OAUTH", "OAUTH2", "COOKIE", "COOKIES", "DSN", "PWD"];

/// Ends of words written together: `PGPASSWORD`, `AUTHTOKEN`, `AWSSECRETKEY`.
const ENDS: [&str; 8] =
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY"];

/// Names that hold one of these words and no secret: settings of JAX's random keys and of Hugging Face Hub, the
/// shell's working directory.
const HARMLESS: [&str; 5] =
    ["HF_HUB_DISABLE_IMPLICIT_TOKEN", "JAX_DEBUG_KEY_REUSE", "JAX_LEGACY_PRNG_KEY", "OLDPWD", "PWD"];

/// What stands before `key` where it opens something.
const KEY_KINDS: [&str; 16] = [
    "access",
    "account",
    "api",
    "auth",
    "encryption",
    "license",
    "master",
    "private",
    "secret",
    "service",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
    "subscription",
];

/// Whether a name announces a secret, by its words: `HF_TOKEN`, `aws-secret-access-key`, `apiKey`; not
/// `TOKENIZERS_PARALLELISM` or `KEYBOARD`.
pub fn is_secret_name(name: &str) -> bool {
    hides(name, "a value that is no number")
}

/// Whether `name` announces that `value` is a secret. Names in capitals are variables and judged by any word; names
/// with small letters are keys and options, where the last word counts and a number, a truth value or a special
/// token (`<pad>`) is none.
pub(super) fn hides(name: &str, value: &str) -> bool {
    if HARMLESS.contains(&name) {
        return false;
    }
    let words = words(name);
    let is_option = name.bytes().any(|b| b.is_ascii_lowercase());
    let plain = is_plain(value);
    if words.iter().any(|w| {
        ALWAYS.contains(&w.as_str()) || ENDS.iter().any(|end| w.len() > end.len() && w.ends_with(end))
    }) {
        // A password of digits alone is still one; `use_password: true` is a switch.
        return !(is_option && is_switch(value));
    }
    if !is_option {
        let plural = |w: &str| matches!(w, "KEYS" | "TOKENS");
        return words.iter().any(|w| MOSTLY.contains(&w.as_str()) && !(plural(w) && plain));
    }
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    match last.as_str() {
        "KEY" | "KEYS" => {
            !plain && before.last().is_some_and(|w| KEY_KINDS.contains(&w.to_lowercase().as_str()))
        }
        last => MOSTLY.contains(&last) && !plain,
    }
}

/// The words of a name in capitals: parted by whatever is no letter or digit, and where a small letter meets a
/// capital (`apiKey`).
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        let ends = !c.is_ascii_alphanumeric() || (small && c.is_ascii_uppercase());
        if ends && words.last().is_some_and(|w| !w.is_empty()) {
            words.push(String::new());
        }
        small = c.is_ascii_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_uppercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

/// A truth value, or nothing.
fn is_switch(value: &str) -> bool {
    let words = ["", "true", "false", "yes", "no", "on", "off", "none", "null", "~"];
    words.contains(&value.trim().to_ascii_lowercase().as_str())
}

/// A number, a truth value, nothing, or a tokenizer's special token.
fn is_plain(value: &str) -> bool {
    let value = value.trim();
    let bracketed = |open, close| value.starts_with(open) && value.ends_with(close);
    is_switch(value)
        || value.parse::<f64>().is_ok()
        || (value.len() <= 40 && (bracketed('<', '>') || bracketed('[', ']')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let secret = [
            "HF_TOKEN",
            "WANDB_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "DB_PASSWORD",
            "MYSQL_PWD",
            "PGPASSWORD",
            "SENTRY_DSN",
            "SESSION_COOKIE",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "BASIC_AUTH",
            "SLURM_JWT",
            "apiKey",
            "api-key",
            "aws_secret_access_key",
            "auth_token",
            "openai.api_key",
            "password",
            "MY_APIKEY",
        ];
        let open = [
            "TOKENIZERS_PARALLELISM",
            "KEYBOARD",
            "OMP_NUM_THREADS",
            "GIT_AUTHOR_NAME",
            "MONKEY_PATCH",
            "PWD",
            "OLDPWD",
            "JAX_DEBUG_KEY_REUSE",
            "key_dim",
            "num_key_value_heads",
            "sort_key",
            "tokenizer",
            "author",
            "NCCL_IB_PKEY",
            "XAUTHORITY",
            "token_type_ids",
        ];
        assert_eq!(secret.iter().filter(|n| !is_secret_name(n)).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(open.iter().filter(|n| is_secret_name(n)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn a_variable_is_judged_by_its_name_alone_and_an_option_by_its_value_too() {
        assert!(hides("DOOR_TOKEN", "12345") && hides("DOOR_PASSWORD", "12345"));
        assert!(!hides("eos_token", "2") && !hides("VLLM_MAX_TOKENS", "512"));
        assert!(hides("password", "12345678") && !hides("use_password", "true"));
        assert!(hides("use_auth_token", "abc") && !hides("use_auth_token", "true"));
    }
}
