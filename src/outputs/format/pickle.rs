//! A pickle as a tree, and never as a program: a stack machine that knows pickle's opcodes (PEP 307, PEP 3154, PEP
//! 574, `pickletools`) and none of Python. What a pickle would import or call becomes a node that names it.

use std::collections::HashMap;
use std::ops::Range;

/// A node of a tree; [`Tree`] holds them.
pub type Id = u32;

/// What an opcode makes.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A whole number that is longer.
    Big,
    /// A double.
    Float(f64),
    /// Text: where it stands in the pickle.
    Str(Range<usize>),
    /// Bytes: where they stand in the pickle.
    Bytes(Range<usize>),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    /// A dictionary, in its order.
    Dict(Vec<(Id, Id)>),
    /// A name that Python would import: module and name, where they stand.
    Global(Range<usize>, Range<usize>),
    /// What the reader is to look up by this id.
    Persistent(Id),
    /// A call that Python would make, and what it would then put into the result.
    Call {
        /// What would be called.
        callee: Id,
        /// With what.
        args: Id,
        /// What the object's `__setstate__` would get.
        state: Option<Id>,
        /// What would be appended.
        list: Vec<Id>,
        /// What would be set by key.
        dict: Vec<(Id, Id)>,
    },
    /// Something that is not followed (an extension code).
    Opaque,
}

/// A pickle, taken apart.
#[derive(Clone, Debug)]
pub struct Tree<'a> {
    /// The pickle.
    pub bytes: &'a [u8],
    nodes: Vec<Node>,
    /// The node that Python would return.
    pub root: Id,
}

/// The longest pickle that is read. One of 100,000 tensors takes about 15 MB.
pub const LIMIT: u64 = 32 << 20;

/// Nodes of a tree, marks and entries of the stack. Memory grows with them.
const NODES: usize = 4 << 20;

impl<'a> Tree<'a> {
    /// Takes a pickle apart.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let mut machine = Machine {
            bytes,
            at: 0,
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        let root = machine.run().map_err(|what| format!("has a pickle that is damaged: {what}"))?;
        Ok(Self { bytes, nodes: machine.nodes, root })
    }

    /// The node of an id.
    pub fn node(&self, id: Id) -> &Node {
        self.nodes.get(id as usize).unwrap_or(&Node::Opaque)
    }

    /// Text that stands in the pickle.
    pub fn text(&self, range: &Range<usize>) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.bytes.get(range.clone()).unwrap_or_default())
    }

    /// The module and the name of a [`Node::Global`].
    pub fn global(&self, id: Id) -> Option<(String, String)> {
        match self.node(id) {
            Node::Global(module, name) => {
                Some((self.text(module).into_owned(), self.text(name).into_owned()))
            }
            _ => None,
        }
    }

    /// The items of a tuple or list.
    pub fn items(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// A whole number.
    pub fn int(&self, id: Id) -> Option<i64> {
        match self.node(id) {
            Node::Int(number) => Some(*number),
            Node::Bool(truth) => Some(i64::from(*truth)),
            _ => None,
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// For each mark, how long the stack was.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

type Step<T> = Result<T, &'static str>;

const ENDS: &str = "it ends before its last opcode";
const EMPTY: &str = "an opcode finds nothing on the stack";

impl<'a> Machine<'a> {
    fn run(&mut self) -> Step<Id> {
        loop {
            let [opcode] = self.take()?;
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode)?;
            if self.stack.len() > NODES || self.marks.len() > NODES {
                return Err("it is larger than any that is read");
            }
        }
    }

    fn step(&mut self, opcode: u8) -> Step<()> {
        match opcode {
            b'(' => self.marks.push(self.stack.len()),
            b'0' => match self.marks.last() {
                Some(mark) if *mark == self.stack.len() => drop(self.marks.pop()),
                _ => drop(self.pop()?),
            },
            b'1' => drop(self.popped()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            // Numbers and truths.
            b'N' => self.push(Node::None)?,
            0x88 => self.push(Node::Bool(true))?,
            0x89 => self.push(Node::Bool(false))?,
            b'J' => {
                let number = i32::from_le_bytes(self.take()?);
                self.push(Node::Int(i64::from(number)))?;
            }
            b'K' => {
                let [number] = self.take()?;
                self.push(Node::Int(i64::from(number)))?;
            }
            b'M' => {
                let number = u16::from_le_bytes(self.take()?);
                self.push(Node::Int(i64::from(number)))?;
            }
            b'I' | b'L' => {
                let line = self.line()?;
                let text = std::str::from_utf8(self.part(&line)).unwrap_or_default();
                let node = match (opcode, text) {
                    (b'I', "00") => Node::Bool(false),
                    (b'I', "01") => Node::Bool(true),
                    (_, text) => text.trim_end_matches('L').parse().map_or(Node::Big, Node::Int),
                };
                self.push(node)?;
            }
            0x8a => {
                let [len] = self.take()?;
                self.long(u64::from(len))?;
            }
            0x8b => {
                let len = u32::from_le_bytes(self.take()?);
                self.long(u64::from(len))?;
            }
            b'F' => {
                let line = self.line()?;
                let text = std::str::from_utf8(self.part(&line)).unwrap_or_default();
                let number = text.trim().parse().map_err(|_| "a number is no number")?;
                self.push(Node::Float(number))?;
            }
            b'G' => {
                let number = f64::from_be_bytes(self.take()?);
                self.push(Node::Float(number))?;
            }
            // Text and bytes.
            b'S' | b'V' => {
                let line = self.line()?;
                self.push(Node::Str(line))?;
            }
            b'X' | b'T' | b'B' => {
                let len = u32::from_le_bytes(self.take()?);
                self.blob(u64::from(len), opcode != b'B')?;
            }
            b'U' | b'C' | 0x8c => {
                let [len] = self.take()?;
                self.blob(u64::from(len), opcode != b'C')?;
            }
            0x8d | 0x8e | 0x96 => {
                let len = u64::from_le_bytes(self.take()?);
                self.blob(len, opcode == 0x8d)?;
            }
            // Containers.
            b')' => self.push(Node::Tuple(Vec::new()))?,
            b']' | 0x8f => self.push(Node::List(Vec::new()))?,
            b'}' => self.push(Node::Dict(Vec::new()))?,
            b't' => {
                let items = self.popped()?;
                self.push(Node::Tuple(items))?;
            }
            b'l' | 0x91 => {
                let items = self.popped()?;
                self.push(Node::List(items))?;
            }
            b'd' => {
                let items = pairs(&self.popped()?);
                self.push(Node::Dict(items))?;
            }
            0x85..=0x87 => {
                let from = self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or(EMPTY)?;
                let items = self.cut(from)?;
                self.push(Node::Tuple(items))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.extend(vec![item])?;
            }
            b'e' | 0x90 => {
                let items = self.popped()?;
                self.extend(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(vec![(key, value)])?;
            }
            b'u' => {
                let items = pairs(&self.popped()?);
                self.set(items)?;
            }
            // What Python would import and call.
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Node::Global(module, name))?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let node = match (self.node(module)?.clone(), self.node(name)?.clone()) {
                    (Node::Str(module), Node::Str(name)) => Node::Global(module, name),
                    _ => Node::Opaque,
                };
                self.push(node)?;
            }
            b'R' | 0x81 => {
                let (args, callee) = (self.pop()?, self.pop()?);
                self.call(callee, args)?;
            }
            0x92 => {
                let (_keywords, args, callee) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(callee, args)?;
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                let items = self.popped()?;
                let args = self.make(Node::Tuple(items))?;
                let callee = self.make(Node::Global(module, name))?;
                self.call(callee, args)?;
            }
            b'o' => {
                let mut items = self.popped()?.into_iter();
                let callee = items.next().ok_or(EMPTY)?;
                let args = self.make(Node::Tuple(items.collect()))?;
                self.call(callee, args)?;
            }
            b'b' => {
                let (state, object) = (self.pop()?, self.top()?);
                if let Some(Node::Call { state: of, .. }) = self.nodes.get_mut(object as usize) {
                    *of = Some(state);
                }
            }
            b'P' => {
                let line = self.line()?;
                let id = self.make(Node::Str(line))?;
                self.push(Node::Persistent(id))?;
            }
            b'Q' => {
                let id = self.pop()?;
                self.push(Node::Persistent(id))?;
            }
            0x82..=0x84 => {
                self.skip(1 << (opcode - 0x82))?;
                self.push(Node::Opaque)?;
            }
            // The memo.
            b'p' => {
                let line = self.line()?;
                let key = self.index(&line)?;
                self.remember(key)?;
            }
            b'q' => {
                let [key] = self.take()?;
                self.remember(u64::from(key))?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.take()?);
                self.remember(u64::from(key))?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'g' => {
                let line = self.line()?;
                let key = self.index(&line)?;
                self.recall(key)?;
            }
            b'h' => {
                let [key] = self.take()?;
                self.recall(u64::from(key))?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.take()?);
                self.recall(u64::from(key))?;
            }
            // Framing.
            0x80 => {
                self.skip(1)?;
            }
            0x95 => {
                self.skip(8)?;
            }
            0x97 | 0x98 => return Err("it needs buffers from outside"),
            _ => return Err("it has an opcode that is not pickle's"),
        }
        Ok(())
    }

    fn part(&self, range: &Range<usize>) -> &'a [u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    fn skip(&mut self, count: u64) -> Step<Range<usize>> {
        let end = usize::try_from(count).ok().and_then(|n| self.at.checked_add(n)).ok_or(ENDS)?;
        let range = self.at..end;
        self.bytes.get(range.clone()).ok_or(ENDS)?;
        self.at = end;
        Ok(range)
    }

    fn take<const N: usize>(&mut self) -> Step<[u8; N]> {
        let range = self.skip(N as u64)?;
        self.part(&range).first_chunk().copied().ok_or(ENDS)
    }

    /// Up to the next line feed, without it.
    fn line(&mut self) -> Step<Range<usize>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = memchr::memchr(b'\n', rest).ok_or(ENDS)?;
        let range = self.at..self.at + len;
        self.at += len + 1;
        Ok(range)
    }

    fn index(&self, line: &Range<usize>) -> Step<u64> {
        let text = std::str::from_utf8(self.part(line)).ok();
        text.and_then(|text| text.parse().ok()).ok_or("a name of the memo is no number")
    }

    /// A whole number of `len` bytes, little-endian, two's complement.
    fn long(&mut self, len: u64) -> Step<()> {
        let range = self.skip(len)?;
        let bytes = self.part(&range);
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut full = [if negative { 0xff } else { 0 }; 8];
        let node = match full.get_mut(..bytes.len()) {
            Some(part) => {
                part.copy_from_slice(bytes);
                Node::Int(i64::from_le_bytes(full))
            }
            None => Node::Big,
        };
        self.push(node)
    }

    fn blob(&mut self, len: u64, text: bool) -> Step<()> {
        let range = self.skip(len)?;
        self.push(if text { Node::Str(range) } else { Node::Bytes(range) })
    }

    fn make(&mut self, node: Node) -> Step<Id> {
        if self.nodes.len() >= NODES {
            return Err("it is larger than any that is read");
        }
        self.nodes.push(node);
        Id::try_from(self.nodes.len() - 1).map_err(|_| "it is larger than any that is read")
    }

    fn push(&mut self, node: Node) -> Step<()> {
        let id = self.make(node)?;
        self.stack.push(id);
        Ok(())
    }

    fn node(&self, id: Id) -> Step<&Node> {
        self.nodes.get(id as usize).ok_or(EMPTY)
    }

    fn pop(&mut self) -> Step<Id> {
        // What lies below a mark belongs to whoever set it.
        if self.marks.last().is_some_and(|mark| *mark >= self.stack.len()) {
            return Err(EMPTY);
        }
        self.stack.pop().ok_or(EMPTY)
    }

    fn top(&self) -> Step<Id> {
        self.stack.last().copied().ok_or(EMPTY)
    }

    fn cut(&mut self, from: usize) -> Step<Vec<Id>> {
        if from > self.stack.len() || self.marks.last().is_some_and(|mark| from < *mark) {
            return Err(EMPTY);
        }
        Ok(self.stack.split_off(from))
    }

    /// Everything above the last mark.
    fn popped(&mut self) -> Step<Vec<Id>> {
        let mark = self.marks.pop().ok_or("an opcode finds no mark")?;
        if mark > self.stack.len() {
            return Err(EMPTY);
        }
        Ok(self.stack.split_off(mark))
    }

    fn extend(&mut self, items: Vec<Id>) -> Step<()> {
        let top = self.top()?;
        match self.nodes.get_mut(top as usize) {
            Some(Node::List(list) | Node::Call { list, .. }) => list.extend(items),
            Some(Node::Opaque) => {}
            _ => return Err("it appends to what is no list"),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<(Id, Id)>) -> Step<()> {
        let top = self.top()?;
        match self.nodes.get_mut(top as usize) {
            Some(Node::Dict(dict) | Node::Call { dict, .. }) => dict.extend(items),
            Some(Node::Opaque) => {}
            _ => return Err("it sets items of what is no dictionary"),
        }
        Ok(())
    }

    /// Notes a call that Python would make. Nothing is called.
    fn call(&mut self, callee: Id, args: Id) -> Step<()> {
        self.push(Node::Call { callee, args, state: None, list: Vec::new(), dict: Vec::new() })
    }

    fn remember(&mut self, key: u64) -> Step<()> {
        let top = self.top()?;
        if self.memo.len() >= NODES {
            return Err("it is larger than any that is read");
        }
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Step<()> {
        let id = *self.memo.get(&key).ok_or("it recalls what it never remembered")?;
        self.stack.push(id);
        Ok(())
    }
}

/// Keys and values that follow one another; a key without a value is dropped.
fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    items.as_chunks::<2>().0.iter().map(|[key, value]| (*key, *value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_call_is_noted_and_not_made() {
        let bytes = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.";
        let tree = Tree::parse(bytes).unwrap();
        let Node::Call { callee, args, .. } = tree.node(tree.root) else { panic!("no call") };
        assert_eq!(tree.global(*callee), Some(("os".to_owned(), "system".to_owned())));
        assert_eq!(tree.items(*args).map(<[Id]>::len), Some(1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _any = Tree::parse(&bytes);
        }

        #[test]
        fn any_opcodes_are_read_or_refused(
            ops in prop::collection::vec(prop::sample::select(b"(012NKJ)]}tldaesuRobq\x94h\x81\x85\x86\x87Q\x88\x93I\n0G.\x01X\x00".to_vec()), 0..200),
        ) {
            if let Ok(tree) = Tree::parse(&ops) {
                let _any = super::super::torch::walk(&tree);
            }
        }
    }
}
