//! What secrets look like inside a text.

use std::ops::Range;

use super::names;

/// How a token begins, and how many characters follow at least. By their makers' documentation: Hugging Face,
/// GitHub, GitLab, OpenAI and Anthropic, Slack, NVIDIA NGC, Google, npm, PyPI, Groq, Replicate, DigitalOcean.
const PREFIXES: [(&str, usize); 24] = [
    ("hf_", 20),
    ("api_org_", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("gldt-", 16),
    ("sk-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("nvapi-", 20),
    ("AIza", 30),
    ("npm_", 30),
    ("pypi-", 40),
    ("gsk_", 30),
    ("r8_", 30),
];

/// What AWS access key ids begin with (IAM user guide, "Unique identifiers"); 16 capitals and digits follow.
const AWS: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];

/// Where the secrets of `text` stand, in order, none inside another.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = private_keys(text);
    let runs = runs(text);
    for (i, run) in runs.iter().enumerate() {
        found.extend(token(text, run));
        found.extend(json_web_token(text, run));
        found.extend(named(text, run));
        found.extend(after_scheme(text, run, runs.get(i + 1)));
        found.extend(random(text, run));
    }
    // What this function wrote before is no secret: redaction is idempotent.
    found.retain(|r| !text[..r.start].ends_with("secret:") && !text[r.clone()].starts_with("secret:"));
    found.sort_by_key(|r| (r.start, r.end));
    let mut disjoint: Vec<Range<usize>> = Vec::new();
    for range in found {
        match disjoint.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => disjoint.push(range),
        }
    }
    disjoint
}

/// PEM blocks of private keys (RFC 7468), to their end or the end of the text.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("-----BEGIN ").map(|at| from + at) {
        from = start + 1;
        let label_end = text[start + 11..].find("-----").map_or(text.len(), |at| start + 11 + at);
        if text[start..label_end].contains("PRIVATE KEY") {
            let end = text[label_end..].find("-----END ").map_or(text.len(), |at| label_end + at);
            let rest = text.get(end + 9..).unwrap_or_default();
            from = rest.find("-----").map_or(text.len(), |at| end + 9 + at + 5);
            found.push(start..from);
        }
    }
    found
}

/// The maximal runs of letters, digits, `_` and `-`.
fn runs(text: &str) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (i, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            match runs.last_mut() {
                Some(run) if run.end == i => run.end = i + 1,
                _ => runs.push(i..i + 1),
            }
        }
    }
    runs
}

/// A token of a known prefix: from the prefix to the end of the run.
fn token(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let word = &text[run.clone()];
    let starts = (0..word.len()).filter(|i| *i == 0 || !word.as_bytes()[i - 1].is_ascii_alphanumeric());
    starts.map(|i| (i, &word[i..])).find_map(|(i, rest)| {
        let known = |(prefix, least): &(&str, usize)| {
            let Some(body) = rest.strip_prefix(prefix) else {
                return false;
            };
            // `sk-` begins words too; a token has digits.
            body.len() >= *least && (*prefix != "sk-" || body.bytes().any(|b| b.is_ascii_digit()))
        };
        let capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let aws = AWS.iter().any(|p| rest.len() == 20 && rest.starts_with(p) && rest.bytes().all(capital));
        (aws || PREFIXES.iter().any(known)).then(|| run.start + i..run.end)
    })
}

/// Three parts in base64url joined by dots, the first a JSON object (`{"` encodes to `eyJ`; RFC 7519).
fn json_web_token(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let begins = text[run.clone()].rfind("eyJ").map(|at| run.start + at)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '=');
    let rest = &text[begins..];
    let length = rest.find(|c: char| !is_part(c) && c != '.').unwrap_or(rest.len());
    let mut parts = rest[..length].split('.');
    let long = |part: Option<&str>| part.is_some_and(|p| p.len() >= 10);
    (long(parts.next()) && long(parts.next())).then(|| begins..begins + length)
}

/// The value of a name that announces a secret: `--api-key=x`, `"password": "x"`, `token: x`, `--token x`.
fn named(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let name = text[run.clone()].trim_start_matches('-');
    let is_flag = run.len() > name.len() && text[run.clone()].starts_with('-');
    let rest = &text[run.end..];
    let trimmed = rest.trim_start_matches(['"', '\'']);
    let after_sign = trimmed.trim_start_matches(' ').strip_prefix(['=', ':']);
    let value = match after_sign {
        Some(value) => value.trim_start_matches([' ', '"', '\'']),
        None if is_flag && rest.starts_with(' ') => rest.trim_start_matches([' ', '"', '\'']),
        None => return None,
    };
    let start = text.len() - value.len();
    let value =
        &value[..value.find([' ', '\t', '\n', '"', '\'', ',', ';', '&', ')', '}']).unwrap_or(value.len())];
    let next_flag = after_sign.is_none() && value.starts_with('-');
    // `Authorization: Bearer x`: the scheme is no secret, what follows it is found on its own.
    let scheme = matches!(value.to_ascii_lowercase().as_str(), "bearer" | "basic");
    let hidden = !value.is_empty() && !next_flag && !scheme && names::hides(name, value);
    hidden.then(|| start..start + value.len())
}

/// The credentials after an HTTP authentication scheme (RFC 7235): `Bearer x`, `Basic x`.
fn after_scheme(text: &str, run: &Range<usize>, next: Option<&Range<usize>>) -> Option<Range<usize>> {
    let (scheme, next) = (&text[run.clone()], next?);
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic");
    let rest = &text[next.start..];
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    let length = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    (known && length >= 8 && &text[run.end..next.start] == " ").then(|| next.start..next.start + length)
}

/// A long run that a generator made: small letters, capitals and digits that take turns. Digests are hexadecimal
/// (one case), names and versions stay with one kind of character for longer.
fn random(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let word = text[run.clone()].as_bytes();
    if !(32..=4096).contains(&word.len()) || text[run.clone()].starts_with("sha") {
        return None;
    }
    let kind = |b: &u8| match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let mut counts = [0_usize; 4];
    for byte in word {
        counts[kind(byte)] += 1;
    }
    let turns = word.windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    let mixed = counts[..3].iter().all(|n| n * 10 >= word.len()) && counts[3] * 8 <= word.len();
    (mixed && turns * 5 >= word.len() * 2).then(|| run.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn shapes() {
        assert_eq!(secrets("id AKIAIOSFODNN7EXAMPLE, AKIAIOSFODNN7EXAMPLES"), ["AKIAIOSFODNN7EXAMPLE"]);
        assert_eq!(
            secrets("x=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"),
            ["Qm9vIGZvbyBiYXIgYmF6IHF1eCBxdXV4IDEyMzQ1"]
        );
        assert_eq!(
            secrets("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d z"),
            ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d"]
        );
        assert_eq!(secrets("-----BEGIN PRIVATE KEY-----\nabc"), ["-----BEGIN PRIVATE KEY-----\nabc"]);
        assert_eq!(secrets("curl -H 'Authorization: Basic dXNlcjpwYXNz'"), ["dXNlcjpwYXNz"]);
    }

    #[test]
    fn no_shapes() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
            "sk-learn-contrib-for-everyone-else",
            "sha256-47DEQpj8HBSaTImW5JCeuQeRkm5NMpJWZG3hSuFU1234",
            "nvidia_cusparselt_cu13_12_9_manylinux2014_x86_64",
            "CUTLASS_ENABLE_TENSOR_CORE_MMA_SM90A_FP8_FAST_ACCUM",
            "TORCH_CUDA_ARCH_LIST=8.0;8.6;9.0;10.0;12.0+PTX",
            "the keys: a, b; the basic idea; a bearer of news",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert_eq!(secrets(text), Vec::<&str>::new(), "{text}");
        }
    }
}
