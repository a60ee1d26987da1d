//! A chunk's header, encoded and decoded: whose rows these are, what they amount to, and where each
//! column's blocks are.
//!
//! ```text
//! 0 magic | 8 archive | 24 writer | 40 number | 48 table | 52 encoding | 53 reserved | 54 columns | 56 rows | 64 raw_bytes
//! 72 body_bytes | 80 digest | 96 body_blake3 | 128 raw_crc | 132 body_crc | 136 columns × 20 bytes | crc
//!
//! column: 0 form | 1 transform | 2 lengths_codec | 3 data_codec | 4 value_bytes | 8 lengths_stored | 12 data_raw | 16 data_stored
//! ```
//!
//! Format 1 has another magic, no writer, and the codecs of a column before a reserved byte. The
//! column count stands at a fixed place, so that a chunk says where it ends to a reader that has
//! seen nothing else.

use bincode::{Decode, Encode};
use uuid::Uuid;

use super::block::BlockCodec;
use super::codec;
use super::error::damaged;
use super::header::Format;
use super::limits::{COLUMNS_MAX, raw_bytes_max};
use super::manifest::RowEncoding;
use super::transform::Transform;
use crate::error::Result;
use crate::pgcopy::{Digest, Form};

const MAGIC: [u8; 8] = *b"SBKCHNK2";
const MAGIC_1: [u8; 8] = *b"SBKCHUNK";

/// The magic of a format's chunks.
pub(super) fn magic(format: Format) -> [u8; 8] {
    match format {
        Format::One => MAGIC_1,
        Format::Two => MAGIC,
    }
}

/// What is said of the rows, apart from where their blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkHeader {
    pub archive: Uuid,
    /// Who wrote it; in format 1, nobody is named.
    pub writer: Uuid,
    /// Its number among the writer's chunks, from 0; in format 1, its place in the archive.
    pub number: u64,
    pub table: u32,
    pub encoding: RowEncoding,
    pub columns: u16,
    pub rows: u64,
    pub raw_bytes: u64,
    pub body_bytes: u64,
    pub digest: Digest,
    pub body_blake3: [u8; 32],
    pub raw_crc: u32,
    pub body_crc: u32,
}

/// Where a column's two blocks are: they follow each other, after those of the columns before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ColumnBlocks {
    pub form: Form,
    /// What was done to the values before they were compressed.
    pub transform: Transform,
    pub lengths_codec: BlockCodec,
    pub data_codec: BlockCodec,
    pub lengths_stored: u32,
    pub data_raw: u32,
    /// The bytes of the data block before it was compressed.
    pub data_block: u32,
    pub data_stored: u32,
}

#[derive(Encode, Decode)]
struct Layout {
    magic: [u8; 8],
    archive: [u8; 16],
    writer: [u8; 16],
    number: u64,
    table: u32,
    encoding: u8,
    reserved: u8,
    columns: u16,
    rows: u64,
    raw_bytes: u64,
    body_bytes: u64,
    digest: u128,
    body_blake3: [u8; 32],
    raw_crc: u32,
    body_crc: u32,
}

#[derive(Encode, Decode)]
struct ColumnLayout {
    form: u8,
    transform: u8,
    lengths_codec: u8,
    data_codec: u8,
    value_bytes: u32,
    lengths_stored: u32,
    data_raw: u32,
    data_stored: u32,
}

const FIXED_BYTES: usize = 136;
const WRITER: std::ops::Range<usize> = 24..40;
const COLUMN_BYTES: usize = 20;
const CRC_BYTES: usize = 4;

/// The bytes before the first column's descriptor.
fn fixed_bytes(format: Format) -> usize {
    match format {
        Format::One => FIXED_BYTES - WRITER.len(),
        Format::Two => FIXED_BYTES,
    }
}

/// The size on disk of the header of a chunk of so many columns.
pub(super) fn header_bytes(format: Format, columns: usize) -> u64 {
    (fixed_bytes(format) + columns * COLUMN_BYTES + CRC_BYTES) as u64
}

/// A form's number, and the bytes of every value where it has them.
fn form_parts(form: Form) -> (u8, u32) {
    match form {
        Form::Null => (0, 0),
        Form::Fixed(length) => (1, length),
        Form::FixedOrNull(length) => (2, length),
        Form::U8 => (3, 0),
        Form::U16 => (4, 0),
        Form::U32 => (5, 0),
    }
}

fn form_of(number: u8, value_bytes: u32) -> Result<Form, String> {
    let form = match number {
        0 => Form::Null,
        1 => Form::Fixed(value_bytes),
        2 => Form::FixedOrNull(value_bytes),
        3 => Form::U8,
        4 => Form::U16,
        5 => Form::U32,
        other => return Err(format!("there is no form of lengths {other}")),
    };
    if form_parts(form).1 != value_bytes {
        return Err("a column's lengths are given twice".into());
    }
    Ok(form)
}

pub(super) fn encode(header: &ChunkHeader, columns: &[ColumnBlocks]) -> Vec<u8> {
    let mut out = Vec::with_capacity(header_bytes(Format::Two, columns.len()) as usize);
    let layout = Layout {
        magic: MAGIC,
        archive: header.archive.into_bytes(),
        writer: header.writer.into_bytes(),
        number: header.number,
        table: header.table,
        encoding: encoding_byte(header.encoding),
        reserved: 0,
        columns: header.columns,
        rows: header.rows,
        raw_bytes: header.raw_bytes,
        body_bytes: header.body_bytes,
        digest: header.digest.0,
        body_blake3: header.body_blake3,
        raw_crc: header.raw_crc,
        body_crc: header.body_crc,
    };
    codec::encode_into(&layout, &mut out);
    for column in columns {
        let (form, mut value_bytes) = form_parts(column.form);
        if column.transform == Transform::Dictionary {
            value_bytes = column.data_block;
        }
        let layout = ColumnLayout {
            form,
            transform: column.transform as u8,
            lengths_codec: column.lengths_codec as u8,
            data_codec: column.data_codec as u8,
            value_bytes,
            lengths_stored: column.lengths_stored,
            data_raw: column.data_raw,
            data_stored: column.data_stored,
        };
        codec::encode_into(&layout, &mut out);
    }
    codec::seal(&mut out, 0);
    out
}

fn encoding_byte(encoding: RowEncoding) -> u8 {
    match encoding {
        RowEncoding::Binary => 1,
        RowEncoding::Text => 2,
    }
}

/// The format of a chunk that begins here, and how many columns its header says it has; nothing is
/// checked yet.
pub(super) fn begins(start: &[u8]) -> Option<(Format, usize)> {
    let format =
        [Format::Two, Format::One].into_iter().find(|format| start.starts_with(&magic(*format)))?;
    // The last two bytes of the 16 before the row count.
    let at = fixed_bytes(format) - 82;
    let bytes = start.get(at..at + 2)?;
    Some((format, usize::from(u16::from_le_bytes(bytes.try_into().ok()?))))
}

/// Reads a chunk's header of this format that fills `bytes`, and checks all that can be checked
/// without the body.
pub(super) fn decode(format: Format, bytes: &[u8]) -> Result<(ChunkHeader, Vec<ColumnBlocks>)> {
    decode_clause(format, bytes).map_err(|cause| damaged("read the chunk's header", cause))
}

fn decode_clause(format: Format, bytes: &[u8]) -> Result<(ChunkHeader, Vec<ColumnBlocks>), String> {
    if !bytes.starts_with(&magic(format)) {
        return Err("there is no chunk here".into());
    }
    let content = codec::unseal(bytes)?;
    let Some((fixed, descriptors)) = content.split_at_checked(fixed_bytes(format)) else {
        return Err("it is cut short".into());
    };
    let layout: Layout = match format {
        Format::Two => codec::decode(fixed)?,
        Format::One => codec::decode(
            &[&fixed[..WRITER.start], &[0; WRITER.end - WRITER.start], &fixed[WRITER.start..]]
                .concat(),
        )?,
    };
    let encoding = match layout.encoding {
        1 => RowEncoding::Binary,
        2 => RowEncoding::Text,
        other => return Err(format!("there is no row encoding {other}")),
    };
    if layout.reserved != 0 {
        return Err("reserved bytes are not zero".into());
    }
    if usize::from(layout.columns) > COLUMNS_MAX
        || usize::from(layout.columns) * COLUMN_BYTES != descriptors.len()
    {
        return Err(format!(
            "it says {} columns and has room for {}",
            layout.columns,
            descriptors.len() / COLUMN_BYTES
        ));
    }
    let header = ChunkHeader {
        archive: Uuid::from_bytes(layout.archive),
        writer: Uuid::from_bytes(layout.writer),
        number: layout.number,
        table: layout.table,
        encoding,
        columns: layout.columns,
        rows: layout.rows,
        raw_bytes: layout.raw_bytes,
        body_bytes: layout.body_bytes,
        digest: Digest(layout.digest),
        body_blake3: layout.body_blake3,
        raw_crc: layout.raw_crc,
        body_crc: layout.body_crc,
    };
    check_size(&header)?;
    let columns = descriptors
        .chunks_exact(COLUMN_BYTES)
        .map(|bytes| decode_column(format, header.rows, bytes))
        .collect::<Result<Vec<_>, _>>()?;
    check_sums(&header, &columns)?;
    Ok((header, columns))
}

/// Checks what a chunk's header says: that so many rows fit into so many raw bytes, and those into
/// the limit. After this, sizes made of `rows` are bounded.
fn check_size(header: &ChunkHeader) -> Result<(), String> {
    let limit = raw_bytes_max(header.rows);
    if header.rows == 0 || header.raw_bytes > limit {
        return Err(format!(
            "it says {} rows of {} bytes, the limit is {limit} bytes",
            header.rows, header.raw_bytes
        ));
    }
    let columns = u64::from(header.columns);
    let row_bytes_min = match header.encoding {
        RowEncoding::Binary => 2 + 4 * columns,
        RowEncoding::Text => columns.max(1),
    };
    if header.rows > header.raw_bytes / row_bytes_min {
        return Err(format!(
            "it says {} rows in {} bytes, which is too little",
            header.rows, header.raw_bytes
        ));
    }
    Ok(())
}

fn decode_column(format: Format, rows: u64, bytes: &[u8]) -> Result<ColumnBlocks, String> {
    let mut layout: ColumnLayout = codec::decode(bytes)?;
    if format == Format::One {
        // What is the transform now was reserved, and stood behind the codecs.
        let ColumnLayout { transform, lengths_codec, data_codec, .. } = layout;
        (layout.lengths_codec, layout.data_codec, layout.transform) =
            (transform, lengths_codec, data_codec);
    }
    let codec =
        |byte| BlockCodec::from_byte(byte).ok_or_else(|| format!("there is no codec {byte}"));
    let (lengths_codec, data_codec) = (codec(layout.lengths_codec)?, codec(layout.data_codec)?);
    if format == Format::One && layout.transform != 0 {
        return Err("reserved bytes are not zero".into());
    }
    let transform = Transform::from_byte(layout.transform)
        .ok_or_else(|| format!("there is no transform {}", layout.transform))?;
    let data_block = match transform {
        _ if transform.is_never_compressed() => layout.data_stored,
        _ if transform.keeps_size() => layout.data_raw,
        _ => layout.value_bytes,
    };
    // There it is the block's size alone.
    let value_bytes = if transform == Transform::Dictionary { 0 } else { layout.value_bytes };
    let form = form_of(layout.form, value_bytes)?;
    transform.check(form, data_block, layout.data_raw)?;
    let sizes = [
        (lengths_codec, form.lengths_bytes(rows), layout.lengths_stored),
        (data_codec, u64::from(data_block), layout.data_stored),
    ];
    for (codec, raw, stored) in sizes {
        let fits = match codec {
            BlockCodec::None => u64::from(stored) == raw,
            BlockCodec::Zstd => u64::from(stored) < raw,
        };
        if !fits {
            return Err(format!("a block of {raw} bytes is stored in {stored}"));
        }
    }
    let ColumnLayout { lengths_stored, data_raw, data_stored, .. } = layout;
    Ok(ColumnBlocks {
        form,
        transform,
        lengths_codec,
        data_codec,
        lengths_stored,
        data_raw,
        data_block,
        data_stored,
    })
}

fn check_sums(header: &ChunkHeader, columns: &[ColumnBlocks]) -> Result<(), String> {
    let stored: u64 = columns
        .iter()
        .map(|column| u64::from(column.lengths_stored) + u64::from(column.data_stored))
        .sum();
    if stored != header.body_bytes {
        return Err(format!("its blocks have {stored} bytes, it says {}", header.body_bytes));
    }
    let raw: u64 = columns.iter().map(|column| u64::from(column.data_raw)).sum();
    if raw > header.raw_bytes {
        return Err(format!("its values have {raw} bytes, its rows {}", header.raw_bytes));
    }
    Ok(())
}
