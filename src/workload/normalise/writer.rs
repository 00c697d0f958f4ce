//! The canonical byte stream: nodes in parentheses, texts with their length in front, so that no two trees share one.

/// Collects the stream.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// Begins a node.
    pub(super) fn open(&mut self, tag: &str) {
        self.out.push(b'(');
        self.out.extend_from_slice(tag.as_bytes());
    }

    /// Ends a node.
    pub(super) fn close(&mut self) {
        self.out.push(b')');
    }

    /// A part that is not there.
    pub(super) fn none(&mut self) {
        self.out.push(b'-');
    }

    /// A word of the grammar: an operator, a flag.
    pub(super) fn word(&mut self, word: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(word.as_bytes());
    }

    /// Any bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.push(b' ');
        self.out.extend_from_slice(bytes.len().to_string().as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(bytes);
    }

    /// Any text.
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The stream.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}
