//! Where a tensor's elements lie, and how they are read in C order with little memory.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::dtype::Dtype;
use super::source::Source;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it begins, in bytes from the start of the file.
    pub offset: u64,
    /// Its length in the file.
    pub packed: u64,
    /// Its length unpacked; equal to `packed` where it is not deflated.
    pub len: u64,
    /// Whether it is deflated (RFC 1951).
    pub deflated: bool,
}

/// A tensor in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The type of its elements.
    pub dtype: Dtype,
    /// The sizes of its dimensions.
    pub shape: Vec<u64>,
    /// For each dimension, how many elements lie between neighbours.
    pub strides: Vec<u64>,
    /// The first element, in elements from the start of the place.
    pub start: u64,
    /// Bytes of the place before its elements begin.
    pub skip: u64,
    /// Where the elements are.
    pub place: Place,
    /// Whether the elements' bytes are in big-endian order.
    pub big_endian: bool,
}

/// Bytes of a box of elements that is gathered at once.
const BOX: u64 = 16 << 20;
/// Bytes that are read at once although not all of them are needed.
const SPAN: u64 = 16 << 20;
/// Bytes of a piece of a tensor that lies in order.
const PIECE: usize = 1 << 20;
/// Bytes of a deflated place that is unpacked as a whole because its elements are not in order.
const UNPACKED: u64 = 64 << 20;

/// The product of a shape; `None` where it is beyond 64 bits.
pub fn count(shape: &[u64]) -> Option<u64> {
    // A zero makes the product zero, whatever the other sizes.
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))
}

/// The strides of an array in C order.
pub fn c_strides(shape: &[u64]) -> Vec<u64> {
    let mut strides = vec![1_u64; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i].max(1));
    }
    strides
}

impl Layout {
    /// Its elements in C order, one after the other.
    pub fn contiguous(dtype: Dtype, shape: Vec<u64>, place: Place) -> Self {
        let strides = c_strides(&shape);
        Self { dtype, shape, strides, start: 0, skip: 0, place, big_endian: false }
    }

    /// How many elements it has, once they are known to lie within the place.
    pub fn checked_count(&self) -> Result<u64, String> {
        let beyond = || "its shape reaches beyond its bytes".to_owned();
        let count = count(&self.shape).ok_or_else(beyond)?;
        if count == 0 {
            return Ok(0);
        }
        let last = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(self.start, |at, (size, stride)| at.checked_add((size - 1).checked_mul(*stride)?));
        let size = self.dtype.size() as u64;
        let end = last.and_then(|last| last.checked_add(1)?.checked_mul(size)?.checked_add(self.skip));
        if self.strides.len() != self.shape.len() || end.is_none_or(|end| end > self.place.len) {
            return Err(beyond());
        }
        count.checked_mul(size).ok_or_else(beyond)?;
        Ok(count)
    }

    fn is_contiguous(&self) -> bool {
        let expected = c_strides(&self.shape);
        self.shape.iter().zip(&self.strides).zip(expected).all(|((size, a), b)| *size <= 1 || *a == b)
    }
}

/// The bytes of a tensor, canonical: C order, little-endian.
pub struct Stream<'a> {
    from: From<'a>,
    swap: usize,
    ready: Vec<u8>,
    taken: usize,
}

enum From<'a> {
    /// The elements lie in order: this many bytes are left of them.
    Ordered(Box<dyn Read + 'a>, u64),
    Boxes(Box<Boxes<'a>>),
}

impl<'a> Stream<'a> {
    /// Reads `layout`, whose [`Layout::checked_count`] is known to hold.
    pub fn new(source: &'a Source, layout: &'a Layout) -> Result<Self, String> {
        let count = layout.checked_count()?;
        let size = layout.dtype.size() as u64;
        let swap = if layout.big_endian { layout.dtype.swap_unit() } else { 1 };
        let place = layout.place;
        let from = if count == 0 || size == 0 {
            From::Ordered(Box::new(std::io::empty()), 0)
        } else if layout.is_contiguous() {
            let begin = layout.start * size + layout.skip;
            let reader: Box<dyn Read> = if place.deflated {
                let mut reader = unpack(source, place);
                std::io::copy(&mut reader.by_ref().take(begin), &mut std::io::sink()).map_err(broken)?;
                Box::new(reader)
            } else {
                Box::new(source.range(place.offset + begin, count * size))
            };
            From::Ordered(reader, count * size)
        } else {
            From::Boxes(Box::new(Boxes::new(source, layout)?))
        };
        Ok(Self { from, swap, ready: Vec::new(), taken: 0 })
    }

    /// The next piece: whole elements, empty at the end.
    pub fn piece(&mut self) -> Result<&[u8], String> {
        self.refill()?;
        self.taken = self.ready.len();
        Ok(&self.ready)
    }

    /// Fills `buffer`, or less of it at the end.
    pub fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.taken == self.ready.len() {
                self.refill()?;
                if self.ready.is_empty() {
                    break;
                }
            }
            let count = (buffer.len() - filled).min(self.ready.len() - self.taken);
            buffer[filled..filled + count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
            filled += count;
            self.taken += count;
        }
        Ok(filled)
    }

    fn refill(&mut self) -> Result<(), String> {
        self.taken = 0;
        match &mut self.from {
            From::Ordered(reader, left) => {
                // A power of two of at most 2^20 bytes holds whole elements of every number; opaque ones may be split.
                let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(PIECE);
                self.ready.resize(wanted, 0);
                reader.read_exact(&mut self.ready).map_err(broken)?;
                *left -= wanted as u64;
            }
            From::Boxes(boxes) => boxes.next(&mut self.ready)?,
        }
        if self.swap > 1 {
            self.ready.chunks_exact_mut(self.swap).for_each(<[u8]>::reverse);
        }
        Ok(())
    }
}

fn unpack<'a>(source: &'a Source, place: Place) -> std::io::Take<DeflateDecoder<super::source::Range<'a>>> {
    DeflateDecoder::new(source.range(place.offset, place.packed)).take(place.len)
}

fn broken(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "ends before its contents do".to_owned(),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            "its compressed bytes are damaged".to_owned()
        }
        _ => crate::error::reason(&error),
    }
}

/// All bytes of a place, at most `limit`.
pub fn whole(source: &Source, place: Place, limit: u64) -> Result<Vec<u8>, String> {
    if place.len > limit {
        return Err(format!("a part of {} bytes is longer than the {limit} that are read", place.len));
    }
    if !place.deflated {
        return source.bytes(place.offset, place.len, limit);
    }
    let mut bytes = Vec::new();
    unpack(source, place).read_to_end(&mut bytes).map_err(broken)?;
    if bytes.len() as u64 == place.len { Ok(bytes) } else { Err("ends before its contents do".to_owned()) }
}

/// Reads a tensor whose elements are not in order: box by box of consecutive elements, each box gathered with as few
/// reads as its strides allow.
struct Boxes<'a> {
    source: &'a Source,
    memory: Option<Vec<u8>>,
    layout: &'a Layout,
    size: usize,
    /// The dimension that the boxes divide, and how much of it each takes.
    axis: usize,
    step: u64,
    /// The indices of the next box along the dimensions up to `axis`; `None` at the end.
    index: Option<Vec<u64>>,
    span: Vec<u8>,
}

/// One dimension of a box: its size, its stride in the place, its stride in the box.
type Axis = (u64, u64, u64);

impl<'a> Boxes<'a> {
    fn new(source: &'a Source, layout: &'a Layout) -> Result<Self, String> {
        let size = layout.dtype.size();
        let memory = if layout.place.deflated { Some(whole(source, layout.place, UNPACKED)?) } else { None };
        let limit = (BOX / size.max(1) as u64).max(1);
        let (mut axis, mut inner) = (layout.shape.len().saturating_sub(1), 1_u64);
        while axis > 0 && inner.saturating_mul(layout.shape[axis]) <= limit {
            inner *= layout.shape[axis];
            axis -= 1;
        }
        let step = (limit / inner).max(1);
        let index = Some(vec![0; axis + 1]);
        Ok(Self { source, memory, layout, size, axis, step, index, span: Vec::new() })
    }

    fn next(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        let Some(mut index) = self.index.take() else { return Ok(()) };
        let (shape, strides) = (&self.layout.shape, &self.layout.strides);
        let along = self.step.min(shape[self.axis] - index[self.axis]);
        let sizes: Vec<u64> = [along].into_iter().chain(shape[self.axis + 1..].iter().copied()).collect();
        let outs = c_strides(&sizes);
        let mut axes: Vec<Axis> =
            sizes.iter().zip(&strides[self.axis..]).zip(outs).map(|((n, s), o)| (*n, *s, o)).collect();
        axes.retain(|(n, ..)| *n > 1);
        axes.sort_by_key(|(_, stride, _)| std::cmp::Reverse(*stride));
        let first = index.iter().zip(strides).fold(self.layout.start, |at, (i, stride)| at + i * stride);
        let total: u64 = sizes.iter().product();
        out.resize(usize::try_from(total).map_err(|e| e.to_string())? * self.size, 0);
        self.gather(&axes, first, 0, out)?;
        // The next box: a step along the axis, or from its start with the next index of a dimension above it.
        index[self.axis] += along;
        let mut at = self.axis;
        while index[at] >= shape[at] {
            if at == 0 {
                return Ok(());
            }
            index[at] = 0;
            at -= 1;
            index[at] += 1;
        }
        self.index = Some(index);
        Ok(())
    }

    fn gather(&mut self, axes: &[Axis], from: u64, to: u64, out: &mut [u8]) -> Result<(), String> {
        let span = axes.iter().fold(1_u64, |span, (n, stride, _)| span.saturating_add((n - 1) * stride));
        let count: u64 = axes.iter().map(|(n, ..)| n).product();
        let bytes = span.saturating_mul(self.size as u64);
        // Reading up to four times as much as is needed costs less than many reads.
        let dense = bytes <= 4096 || (bytes <= SPAN && span <= count.saturating_mul(4));
        if let (false, Some(((n, stride, step), inner))) = (dense, axes.split_first()) {
            return (0..*n).try_for_each(|i| self.gather(inner, from + i * stride, to + i * step, out));
        }
        let mut buffer = std::mem::take(&mut self.span);
        buffer.resize(usize::try_from(bytes).map_err(|e| e.to_string())?, 0);
        let begin = self.layout.skip + from * self.size as u64;
        match &self.memory {
            Some(memory) => {
                let at = usize::try_from(begin).map_err(|e| e.to_string())?;
                let part = memory.get(at..at + buffer.len()).ok_or("ends before its contents do")?;
                buffer.copy_from_slice(part);
            }
            None => self.source.read_at(&mut buffer, self.layout.place.offset + begin)?,
        }
        scatter(axes, &buffer, 0, to as usize, out, self.size);
        self.span = buffer;
        Ok(())
    }
}

/// Copies the elements of a box out of the bytes that hold them.
fn scatter(axes: &[Axis], from: &[u8], at: usize, to: usize, out: &mut [u8], size: usize) {
    let Some(((n, stride, step), inner)) = axes.split_first() else {
        if let (Some(to), Some(from)) =
            (out.get_mut(to * size..(to + 1) * size), from.get(at * size..(at + 1) * size))
        {
            to.copy_from_slice(from);
        }
        return;
    };
    for i in 0..*n as usize {
        scatter(inner, from, at + i * *stride as usize, to + i * *step as usize, out, size);
    }
}
