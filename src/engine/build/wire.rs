//! Messages of Protocol Buffers, as far as BuildKit's session and its progress need them
//! (protobuf.dev, "Encoding").

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// A number; 0 is what a field has that is left out.
    pub(super) fn number(mut self, field: u32, value: u64) -> Self {
        if value != 0 {
            self.key(field, 0);
            self.varint(value);
        }
        self
    }

    /// A text, bytes, or a message in the message; empty is what a field has that is left out.
    pub(super) fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        if !value.is_empty() {
            self.key(field, 2);
            self.varint(value.len() as u64);
            self.0.extend_from_slice(value);
        }
        self
    }

    /// The message.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            if value == 0 {
                return self.0.push(low & 0x7f);
            }
            self.0.push(low | 0x80);
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number.
    Number(u64),
    /// A text, bytes, or a message.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The number, or 0.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Number(value) => value,
            Self::Bytes(_) => 0,
        }
    }

    /// The bytes, or none.
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(value) => value,
            Self::Number(_) => &[],
        }
    }

    /// The text; what is none is marked.
    pub(super) fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// The fields of a message, in the order in which they lie there; a message that is cut off ends early.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Of this message.
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Bytes(self.take(8)?),
            2 => {
                let count = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(count)?)
            }
            5 => Value::Bytes(self.take(4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let message = Writer::default()
            .number(1, 300)
            .number(2, 0)
            .bytes(4, "é".as_bytes())
            .number(6, (-1_i64).cast_unsigned())
            .finish();
        assert_eq!(message[..3], [0x08, 0xac, 0x02]);
        let fields: Vec<_> = Fields::of(&message).collect();
        let expected = [
            (1, Value::Number(300)),
            (4, Value::Bytes("é".as_bytes())),
            (6, Value::Number(u64::MAX)),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_message_that_is_cut_off_ends_early() {
        let message = Writer::default().number(1, 1).bytes(2, b"abc").finish();
        for end in 2..message.len() {
            assert_eq!(Fields::of(&message[..end]).count(), 1, "{end}");
        }
        assert_eq!(Fields::of(&[0xff; 12]).count(), 0);
    }
}
