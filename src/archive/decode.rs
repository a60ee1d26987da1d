//! A stored chunk to its rows. CPU work only; runs on any thread.

use std::ops::Range;

use bytes::Bytes;

use super::block::{self, Block, BlockCodec, Unreadable};
use super::chunk::{ChunkHeader, ColumnBlocks};
use super::error::damaged;
use super::manifest::RowEncoding;
use super::room;
use super::transform::{self, Packed, Transform};
use crate::error::Result;
use crate::pgcopy::{Column, Columns, Form, Joined, join, tell};

/// A chunk as it is stored, its header and checksums already checked.
#[derive(Clone, Debug)]
pub struct StoredChunk {
    pub(super) header: ChunkHeader,
    pub(super) columns: Vec<ColumnBlocks>,
    pub(super) body: Bytes,
    /// The memory that several rows may take; a single one takes what it takes.
    pub(super) memory_max: u64,
    /// What `body` is a slice of, if it is kept for the next chunk.
    pub(super) room: Bytes,
}

impl StoredChunk {
    /// Decompresses and joins, and compares checksum, rows, bytes and digest with what the header
    /// says.
    pub fn decode(self) -> Result<Joined> {
        self.decode_into(Vec::new())
    }

    /// Decodes a stored chunk; the rows lie in `out`, whose content does not matter, or in fresh
    /// memory if it is too small.
    pub fn decode_into(self, out: Vec<u8>) -> Result<Joined> {
        self.decode_with(|encoding, columns| join(encoding, columns, out))
    }

    /// The same without keeping the rows.
    pub fn check(self) -> Result<Joined> {
        self.decode_with(tell)
    }

    fn decode_with(
        self,
        join: impl FnOnce(RowEncoding, Columns) -> Result<Joined>,
    ) -> Result<Joined> {
        const DOING: &str = "decode a chunk";
        let Self { header, columns: descriptors, body, memory_max, room: stored } = self;
        let (columns, room) = open(header.rows, &descriptors, body, memory_max)
            .map_err(|cause| cause.into_error(DOING))?;
        let joined = join(header.encoding, columns)?;
        room::keep(&room::COLUMNS, room);
        room::keep(&room::STORED, stored);
        if joined.raw_bytes != header.raw_bytes {
            return Err(damaged(
                DOING,
                format!("its rows have {} bytes, expected {}", joined.raw_bytes, header.raw_bytes),
            ));
        }
        if joined.raw_crc != header.raw_crc {
            return Err(damaged(
                DOING,
                format!(
                    "its rows' checksum is {:08x}, expected {:08x}",
                    joined.raw_crc, header.raw_crc
                ),
            ));
        }
        if joined.digest != header.digest {
            return Err(damaged(
                DOING,
                format!("its digest is {}, expected {}", joined.digest, header.digest),
            ));
        }
        Ok(joined)
    }
}

/// Where a block lies that is not compressed any more.
enum Place {
    /// In the archive as it was.
    Stored(Bytes),
    /// In the room of all columns.
    Room(Range<usize>),
}

/// Decompresses the blocks and undoes what was done to the values before. Gives the columns too in
/// one piece, but those that are stored as they were.
///
/// # Errors
/// Nothing is allocated for a chunk of which a block's own header disagrees, nor for one that would
/// take more memory than it may.
fn open(
    rows: u64,
    descriptors: &[ColumnBlocks],
    body: Bytes,
    memory_max: u64,
) -> Result<(Columns, Bytes), Unreadable> {
    let stored_bytes = body.len() as u64;
    let blocks = blocks(rows, descriptors, body)?;
    blocks.iter().flatten().try_for_each(block::check)?;
    let (mut bytes, mut scratch_bytes) = (0, 0);
    for (pair, column) in blocks.iter().zip(descriptors) {
        let (made, scratch) = memory(rows, column, pair);
        bytes += made;
        scratch_bytes = scratch_bytes.max(scratch);
    }
    // In text, lengths may take four times the bytes that the rows have.
    let needed = stored_bytes + bytes + scratch_bytes;
    if rows > 1 && needed > memory_max {
        return Err(Unreadable::TooLarge(needed, memory_max));
    }
    let mut room = room::take_for(&room::COLUMNS, bytes)?;
    let mut scratch = room::take_for(&room::SCRATCH, scratch_bytes)?;
    let mut rest = Rest { bytes: &mut room, at: 0 };
    let mut places = Vec::with_capacity(blocks.len());
    for (pair, column) in blocks.into_iter().zip(descriptors) {
        places.push(open_column(rows, column, pair, &mut scratch, &mut rest)?);
    }
    room::put_back(&room::SCRATCH, scratch);
    let room = Bytes::from(room);
    let cut = |place| match place {
        Place::Stored(stored) => stored,
        Place::Room(range) => room.slice(range),
    };
    let column = |(form, lengths, data)| Column { form, lengths: cut(lengths), data: cut(data) };
    Ok((Columns { rows, columns: places.into_iter().map(column).collect() }, room.clone()))
}

/// What is free of the room of all columns.
struct Rest<'a> {
    bytes: &'a mut [u8],
    /// Where it begins.
    at: usize,
}

impl<'a> Rest<'a> {
    /// Takes so many bytes of it; [`memory`] has counted them.
    fn take(&mut self, bytes: usize) -> (Place, &'a mut [u8]) {
        let taken = self.bytes.split_off_mut(..bytes).expect("the room was made for all of them");
        let place = Place::Room(self.at..self.at + bytes);
        self.at += bytes;
        (place, taken)
    }
}

/// The bytes that a column takes in the room of all, and in the scratch buffer.
fn memory(rows: u64, column: &ColumnBlocks, [lengths, data]: &[Block; 2]) -> (u64, u64) {
    let data_raw = u64::from(column.data_raw);
    match column.transform {
        Transform::None => (lengths.opened_bytes() + data.opened_bytes(), 0),
        transform if transform.makes_lengths() => {
            (rows + data_raw, lengths.opened_bytes() + data.opened_bytes())
        }
        _ => (lengths.opened_bytes() + data_raw, data.opened_bytes()),
    }
}

fn open_column(
    rows: u64,
    column: &ColumnBlocks,
    [lengths, data]: [Block; 2],
    scratch: &mut [u8],
    room: &mut Rest<'_>,
) -> Result<(Form, Place, Place), String> {
    let &ColumnBlocks { form, transform, data_raw, .. } = column;
    if transform == Transform::None {
        return Ok((form, place(lengths, room)?, place(data, room)?));
    }
    if !transform.makes_lengths() {
        let block = block::open(&data, scratch)?;
        let (data, values) = room.take(data_raw as usize);
        let packed = Packed { transform, form, rows, lengths: &[], data: block };
        transform::undo(&packed, &mut [], values)?;
        return Ok((form, place(lengths, room)?, data));
    }
    let (for_lengths, for_data) = scratch.split_at_mut(lengths.opened_bytes() as usize);
    let (block, packed_lengths) =
        (block::open(&data, for_data)?, block::open(&lengths, for_lengths)?);
    let packed = Packed { transform, form, rows, lengths: packed_lengths, data: block };
    let (lengths, made) = room.take(rows as usize);
    let (data, values) = room.take(data_raw as usize);
    Ok((transform::undo(&packed, made, values)?, lengths, data))
}

/// Makes a block what it was; nothing is done if it is stored so.
fn place(block: Block, room: &mut Rest<'_>) -> Result<Place, String> {
    if block.codec == BlockCodec::None {
        return Ok(Place::Stored(block.stored));
    }
    let (place, bytes) = room.take(block.raw_bytes as usize);
    block::open(&block, bytes)?;
    Ok(place)
}

/// Cuts the body into two blocks for each column.
fn blocks(rows: u64, columns: &[ColumnBlocks], mut body: Bytes) -> Result<Vec<[Block; 2]>, String> {
    let mut take = |codec: BlockCodec, stored: u32, raw_bytes: u64| {
        let stored = stored as usize;
        if stored > body.len() {
            return Err("a block lies beyond the chunk's end".to_owned());
        }
        Ok(Block { codec, stored: body.split_to(stored), raw_bytes })
    };
    let pair = |column: &ColumnBlocks| {
        let lengths_raw = column.form.lengths_bytes(rows);
        Ok([
            take(column.lengths_codec, column.lengths_stored, lengths_raw)?,
            take(column.data_codec, column.data_stored, u64::from(column.data_block))?,
        ])
    };
    columns.iter().map(pair).collect()
}
