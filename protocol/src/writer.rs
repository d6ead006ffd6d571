//! Writing Kafka's primitive types into a frame.

/// A gap in a frame: bytes that the frame's length counts but that its sender keeps elsewhere, in a
/// file for example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where the missing bytes belong, as an index into the bytes that were written.
    pub at: usize,
    /// How many are missing.
    pub len: usize,
}

/// Collects one frame.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    gaps: Vec<Gap>,
}

impl Writer {
    /// An empty frame with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), gaps: Vec::new() }
    }

    /// Appends bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends an unsigned integer of seven bits a byte, low bits first.
    pub fn put_unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Leaves a gap of `len` bytes that the sender of the frame fills.
    pub fn put_gap(&mut self, len: usize) {
        self.gaps.push(Gap { at: self.bytes.len(), len });
    }

    /// The bytes written, and the gaps in them by ascending place.
    pub fn into_parts(self) -> (Vec<u8>, Vec<Gap>) {
        (self.bytes, self.gaps)
    }

    /// Bytes so far, gaps included.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.gaps.iter().map(|gap| gap.len).sum::<usize>()
    }

    /// Whether nothing has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.gaps.is_empty()
    }

    /// Overwrites the first four bytes, which were left for it, with the length
    /// of all that follows them.
    pub(crate) fn set_length(&mut self) {
        let length = i32::try_from(self.len() - 4)
            .expect("a frame is below 2 GiB: its records are bounded by the fetch");
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
    }

    /// Appends a length: `length + 1` as a varint in flexible versions, as `fixed` writes it in the
    /// older ones.
    pub(crate) fn put_length(
        &mut self,
        length: Option<usize>,
        flexible: bool,
        fixed: impl FnOnce(&mut Self, i32),
    ) {
        let length =
            length.map_or(-1, |length| i32::try_from(length).expect("nothing in a frame is 2 GiB long"));
        if flexible {
            self.put_unsigned_varint((length + 1).cast_unsigned());
        } else {
            fixed(self, length);
        }
    }
}
