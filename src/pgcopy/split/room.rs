//! The second pass: the buffer of all columns while it is filled.

use std::ops::Range;

use bytes::Bytes;

use super::super::columns::{Column, Form, NULL};
use super::format::Value;
use super::seen::Seen;

/// Where the columns go.
pub(super) struct Room {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<Place>,
}

/// Where a column's two blocks are, and how far they are filled.
pub(super) struct Place {
    form: Form,
    lengths: Range<usize>,
    data: Range<usize>,
    length_at: usize,
    data_at: usize,
}

/// Copies of a constant size are many times cheaper than those of any size: a value up to this long
/// is copied with what follows it, which the next value writes over. Behind each block there is
/// room for that.
const SHORT_BYTES: usize = 32;

impl Room {
    /// Cuts `bytes`, or fresh memory if they do not suffice, for what was seen of so many rows.
    pub(super) fn new(mut bytes: Vec<u8>, rows: u64, seen: Vec<Seen>) -> Self {
        let mut end = 0;
        let mut block = |bytes: u64| {
            let start = end;
            end = start + bytes as usize + SHORT_BYTES;
            start..start + bytes as usize
        };
        let place = |mut seen: Seen| {
            let form = seen.finish(rows);
            let (lengths, data) = (block(form.lengths_bytes(rows)), block(seen.bytes));
            Place { form, length_at: lengths.start, data_at: data.start, lengths, data }
        };
        let places: Vec<Place> = seen.into_iter().map(place).collect();
        if bytes.len() < end {
            bytes = vec![0; end];
        }
        for place in places.iter().filter(|place| matches!(place.form, Form::FixedOrNull(_))) {
            bytes[place.lengths.clone()].fill(0);
        }
        Self { bytes, places }
    }

    pub(super) fn finish(self) -> (Bytes, Vec<Column>) {
        let bytes = Bytes::from(self.bytes);
        let column = |Place { form, lengths, data, .. }| Column {
            form,
            lengths: bytes.slice(lengths),
            data: bytes.slice(data),
        };
        let columns = self.places.into_iter().map(column).collect();
        (bytes, columns)
    }
}

impl Place {
    /// Appends to a column's place in the buffer the value of `row`; called once for each row in
    /// order.
    #[inline]
    pub(super) fn put(&mut self, room: &mut [u8], row: u64, value: Value<'_>) {
        match self.form {
            Form::Null => return,
            Form::Fixed(_) => {}
            Form::FixedOrNull(_) => {
                room[self.length_at + (row / 8) as usize] |=
                    u8::from(value.length != NULL) << (row % 8);
            }
            // All four bytes, of which the next length writes over those that are not of the form:
            // NULL's are the same in every width.
            Form::U8 => self.put_length(room, value, 1),
            Form::U16 => self.put_length(room, value, 2),
            Form::U32 => self.put_length(room, value, 4),
        }
        let size = value.size();
        match value.from.first_chunk::<SHORT_BYTES>() {
            Some(short) if size <= SHORT_BYTES => {
                room[self.data_at..][..SHORT_BYTES].copy_from_slice(short);
            }
            _ => room[self.data_at..][..size].copy_from_slice(&value.from[..size]),
        }
        self.data_at += size;
    }

    #[inline]
    fn put_length(&mut self, room: &mut [u8], value: Value<'_>, width: usize) {
        room[self.length_at..][..4].copy_from_slice(&value.length.to_le_bytes());
        self.length_at += width;
    }
}
