//! What opens to more than it says, or nests deeper than anybody needs: refused before it is opened.

use bytes::Bytes;

use super::super::block::{self, Block, BlockCodec};
use super::super::chunk::{self, ChunkHeader, ColumnBlocks};
use super::super::codec::seal;
use super::super::decode::StoredChunk;
use super::super::header::Format;
use super::super::limits::ROWS_MEMORY_BYTES;
use super::super::testing::{ARCHIVE, binary, text};
use super::super::transform::Transform;
use super::super::{Codec, encode_chunk};
use super::forgery::{Parts, check};
use crate::archive::manifest::{RowEncoding, TableId};
use crate::error::Kind;
use crate::pgcopy::Form;

#[test]
fn deep_json_is_refused_without_recursing() {
    let change = |parts: &mut Parts| {
        let json = [b"{\"source\":".to_vec(), b"[".repeat(100_000)].concat();
        let mut prefix = parts.section[..16].to_vec();
        prefix.extend((json.len() as u64).to_le_bytes());
        prefix.extend((json.len() as u64).to_le_bytes());
        prefix.extend(crc32fast::hash(&json).to_le_bytes());
        seal(&mut prefix, 0);
        parts.section = [prefix, json].concat();
    };
    check(change, "read the manifest");
}

fn frame(raw: &[u8]) -> Bytes {
    zstd::bulk::compress(raw, 19).expect("zstd takes all").into()
}

fn unzstd(stored: &Bytes, raw_bytes: u64) -> Result<Bytes, String> {
    let block = Block { codec: BlockCodec::Zstd, stored: stored.clone(), raw_bytes };
    block::decompress_alone(block).map_err(|cause| cause.into_error("read").to_string())
}

#[test]
fn a_zstd_frame_must_be_what_was_declared() {
    let refuse = |stored: &[u8], raw_bytes: u64, expect: &str| {
        let error = unzstd(&Bytes::copy_from_slice(stored), raw_bytes).expect_err(expect);
        assert!(error.contains(expect), "{error}");
    };
    let bomb = frame(&vec![0; 50 << 20]);
    assert!(bomb.len() < 10_000);
    refuse(&bomb, 1 << 20, "declares");
    let one = frame(&[7; 1000]);
    assert_eq!(unzstd(&one, 1000), Ok(Bytes::from(vec![7; 1000])));
    refuse(&one, 999, "declares");
    refuse(&one[..one.len() - 1], 1000, "not one whole zstd frame");
    refuse(&[&one[..], b"x"].concat(), 1000, "not one whole zstd frame");
    refuse(&[&one[..], &one[..]].concat(), 1000, "not one whole zstd frame");
    refuse(b"\x50\x2a\x4d\x18\x04\0\0\0abcd", 4, "not a zstd frame");
    refuse(&one[..5], 1000, "");
    // No content size; a window of 2^31 bytes; a dictionary.
    refuse(b"\x28\xb5\x2f\xfd\x00\x58\x01\x00\x00", 0, "declares None");
    refuse(b"\x28\xb5\x2f\xfd\x80\xa8\x08\0\0\0\x43\0\0x", 8, "a window of 2^31");
    refuse(b"\x28\xb5\x2f\xfd\x21\x07\x08\x43\0\0x", 8, "dictionary");
}

#[test]
fn a_bomb_in_a_chunk_is_refused_before_it_is_opened() {
    let row: &[Option<&[u8]>] = &[Some(&[0; 100]), None, None];
    let (mut made, _) = encode_chunk(
        ARCHIVE,
        TableId(0),
        RowEncoding::Binary,
        3,
        &binary(&[row, row]),
        Codec::None,
        Vec::new(),
    )
    .expect("whole rows");
    let bomb = frame(&vec![0; 1 << 30]);
    let blocks = ColumnBlocks {
        data_codec: BlockCodec::Zstd,
        data_raw: 1 << 30,
        data_stored: bomb.len() as u32,
        ..made.columns[0]
    };
    made.columns[0] = blocks;
    made.header.body_bytes = bomb.len() as u64;
    let error = chunk::decode(Format::Two, &chunk::encode(&made.header, &made.columns))
        .expect_err("more than its rows have");
    assert!(error.to_string().contains("its values have 1073741824 bytes"), "{error}");
}

#[test]
fn lengths_that_take_more_memory_than_their_rows_are_refused_before_they_are_opened() {
    let (made, _) = encode_chunk(
        ARCHIVE,
        TableId(0),
        RowEncoding::Text,
        1,
        &text(&[&[Some(b"a")], &[Some(b"b")]]),
        Codec::None,
        Vec::new(),
    )
    .expect("whole rows");
    // Empty texts, each of one byte with the line's end.
    let rows = 40 << 20;
    let lengths = frame(&vec![0; 4 * rows as usize]);
    let columns = vec![ColumnBlocks {
        form: Form::U32,
        transform: Transform::None,
        lengths_codec: BlockCodec::Zstd,
        lengths_stored: lengths.len() as u32,
        data_raw: 0,
        data_block: 0,
        data_stored: 0,
        ..made.columns[0]
    }];
    let header =
        ChunkHeader { rows, raw_bytes: rows, body_bytes: lengths.len() as u64, ..made.header };
    let head = chunk::encode(&header, &columns);
    let (header, columns) = chunk::decode(Format::Two, &head).expect("it is within all limits");
    let (body, room) = (lengths, Bytes::new());
    let stored = StoredChunk { header, columns, body, memory_max: ROWS_MEMORY_BYTES, room };
    let error = stored.check().expect_err("160 MiB of lengths");
    assert_eq!(error.kind(), Kind::Requirement, "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("--max-memory")), "{error}");
}
