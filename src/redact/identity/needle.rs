//! What is looked for in a text: strings with what must stand around them, found at one look per byte.

/// An identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needle {
    pub(super) text: String,
    pub(super) placeholder: &'static str,
    pub(super) whole: Whole,
    /// Whether capitals and small letters count as one.
    pub(super) any_case: bool,
}

impl Needle {
    /// Whether it stands in `text` from `at` on, as a whole.
    pub(super) fn is_at(&self, text: &[u8], at: usize) -> bool {
        let end = at + self.text.len();
        let found = text.get(at..end).is_some_and(|part| {
            if self.any_case {
                part.eq_ignore_ascii_case(self.text.as_bytes())
            } else {
                part == self.text.as_bytes()
            }
        });
        found && self.whole.holds(text, at, end)
    }
}

/// What must stand around a needle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// No letter or digit on either side.
    Word,
    /// As [`Whole::Word`], and a `/`, `\` or `@` on one side at least: for names that are words too.
    InPath,
    /// No letter, digit, `.` or `-` on either side: `10.0.0.1` is not in `10.0.0.1.dev0`.
    Address,
    /// No letter or digit before, and nothing after that would go on with the last name of the path.
    Path,
}

/// Which two bytes can begin something: one bit for each pair.
#[derive(Clone)]
pub(super) struct Starts(Box<[u64; 1024]>);

impl Default for Starts {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl std::fmt::Debug for Starts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Starts({})", self.0.iter().map(|word| word.count_ones()).sum::<u32>())
    }
}

impl Starts {
    /// Notes how `text` begins, in either case.
    pub(super) fn add(&mut self, text: &str) {
        let [a, b, ..] = text.as_bytes() else { return };
        for a in [a.to_ascii_lowercase(), a.to_ascii_uppercase()] {
            for b in [b.to_ascii_lowercase(), b.to_ascii_uppercase()] {
                let pair = usize::from(a) << 8 | usize::from(b);
                self.0[pair >> 6] |= 1 << (pair & 63);
            }
        }
    }

    /// The first place at or after `from` where something may begin.
    pub(super) fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        text[from..]
            .windows(2)
            .position(|w| {
                let pair = usize::from(w[0]) << 8 | usize::from(w[1]);
                self.0[pair >> 6] & (1 << (pair & 63)) != 0
            })
            .map(|at| from + at)
    }
}

impl Whole {
    /// Whether it stands so in `text[start..end]`.
    fn holds(self, text: &[u8], start: usize, end: usize) -> bool {
        let before = start.checked_sub(1).and_then(|i| text.get(i)).copied();
        let after = text.get(end).copied();
        let alphanumeric = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        let is = |b: Option<u8>, set: &[u8]| b.is_some_and(|b| set.contains(&b));
        match self {
            Self::Word => !alphanumeric(before) && !alphanumeric(after),
            Self::InPath => {
                let path = is(before, b"/\\@") || is(after, b"/\\@");
                path && !alphanumeric(before) && !alphanumeric(after)
            }
            Self::Address => {
                // A full stop may end a sentence.
                let goes_on = is(after, b".") && text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
                !alphanumeric(before)
                    && !is(before, b".-")
                    && !alphanumeric(after)
                    && !is(after, b"-")
                    && !goes_on
            }
            Self::Path => !alphanumeric(before) && !alphanumeric(after) && !is(after, b"-_."),
        }
    }
}

/// How NVIDIA's UUIDs of devices and MIG instances begin.
pub(super) const DEVICES: [&str; 2] = ["GPU-", "MIG-"];

/// A UUID of a GPU or MIG instance, or the beginning of one, which `CUDA_VISIBLE_DEVICES` takes too; also the older
/// form `MIG-GPU-UUID/GI/CI` (NVIDIA MIG user guide, "CUDA Device Enumeration").
pub(super) fn device_uuid(text: &[u8], at: usize) -> Option<(usize, &'static str)> {
    let rest = text.get(at..)?;
    let prefix = DEVICES.iter().find(|p| rest.starts_with(p.as_bytes()))?;
    let digits = rest[prefix.len()..].iter().take_while(|b| b.is_ascii_hexdigit() || **b == b'-').count();
    let goes_on = rest.get(prefix.len() + digits).is_some_and(|b| b.is_ascii_alphanumeric());
    let long = digits >= 4 && !goes_on;
    long.then_some((prefix.len() + digits, if *prefix == "GPU-" { "GPU-{uuid}" } else { "MIG-{uuid}" }))
}
