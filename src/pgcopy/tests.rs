//! Round trips of both encodings, and rows that are not as they should be.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::sizes::PIECE_BYTES_MAX;
use super::{BINARY_TRAILER, Column, Columns, Digest, Form, Joined, LARGE_ROW_BYTES, Split, tell};
use crate::archive::manifest::RowEncoding::{self, Binary, Text};
use crate::error::Result;

type Row = Vec<Option<Vec<u8>>>;

fn raw(encoding: RowEncoding, rows: &[Row]) -> Bytes {
    let mut out = Vec::new();
    for row in rows {
        if encoding == Binary {
            out.extend((row.len() as u16).to_be_bytes());
            out.extend(frame(row));
        } else {
            let fields: Vec<&[u8]> =
                row.iter().map(|value| value.as_deref().unwrap_or(b"\\N")).collect();
            out.extend(fields.join(&b'\t'));
            out.push(b'\n');
        }
    }
    out.into()
}

/// Splits into a room that something else was in.
fn split(encoding: RowEncoding, columns: usize, raw: &Bytes) -> Result<Split> {
    super::split(encoding, columns, raw, vec![0xa5; 100_000])
}

/// Joins where something else was.
fn join(encoding: RowEncoding, columns: Columns) -> Result<Joined> {
    super::join(encoding, columns, vec![0xa5; 1000])
}

fn frame(row: &Row) -> Vec<u8> {
    let field = |value: &Option<Vec<u8>>| match value {
        Some(value) => [&(value.len() as u32).to_be_bytes()[..], value].concat(),
        None => vec![0xff; 4],
    };
    row.iter().flat_map(field).collect()
}

/// Rows to columns and back must give the same bytes, counts and sums, which are computed here once
/// more.
fn check(encoding: RowEncoding, width: usize, rows: &[Row]) {
    let raw = raw(encoding, rows);
    let digest: Digest = rows.iter().map(|row| Digest::of_row(&frame(row))).sum();
    let sums = (rows.len() as u64, digest, crc32fast::hash(&raw), raw.len() as u64);
    let split = split(encoding, width, &raw).expect("whole rows");
    assert_eq!((split.rows, split.digest, split.raw_crc, split.raw_bytes), sums);
    assert!(!split.trailer);
    let mut visited = (0, Digest::default(), Vec::new());
    let trailer = super::each_row(encoding, width, &raw, |row, digest| {
        visited.0 += 1;
        visited.1 += digest;
        visited.2.extend_from_slice(row);
    });
    assert!(!trailer.expect("whole rows"));
    assert_eq!((visited.0, visited.1, &visited.2[..]), (sums.0, sums.1, &raw[..]));
    for (at, column) in split.columns.columns.iter().enumerate() {
        let data: Vec<u8> = rows.iter().filter_map(|row| row[at].clone()).flatten().collect();
        assert_eq!(column.data, data);
    }
    let told = tell(encoding, split.columns.clone()).expect("columns that were just split");
    assert_eq!((told.rows, told.digest, told.raw_crc, told.raw_bytes), sums);
    let joined = join(encoding, split.columns).expect("columns that were just split");
    assert_eq!((joined.rows, joined.digest, joined.raw_crc, joined.raw_bytes), sums);
    assert!(
        joined
            .pieces
            .iter()
            .all(|piece| joined.pieces.len() == 1 || piece.len() <= PIECE_BYTES_MAX)
    );
    assert_eq!(joined.pieces.concat(), raw);
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(any::<u8>(), 0..20),
        6 => vec(any::<u8>(), 16),
        1 => vec(any::<u8>(), 250..260),
        1 => any::<u8>().prop_map(|byte| vec![byte; 70_000]),
    ]
}

fn rows(value: impl Strategy<Value = Vec<u8>> + Clone) -> impl Strategy<Value = (usize, Vec<Row>)> {
    (0_usize..6).prop_flat_map(move |width| {
        (Just(width), vec(vec(option::weighted(0.8, value.clone()), width), 0..40))
    })
}

fn escaped(mut value: Vec<u8>) -> Vec<u8> {
    for byte in &mut value {
        if b"\t\n\\".contains(byte) {
            *byte = b' ';
        }
    }
    value
}

proptest! {
    #[test]
    fn binary_rows_come_back((width, rows) in rows(value().boxed())) {
        check(Binary, width, &rows);
    }

    #[test]
    fn text_rows_come_back((width, rows) in rows(value().prop_map(escaped).boxed())) {
        check(Text, width, &rows);
    }

    #[test]
    fn garbage_never_panics(bytes in vec(prop_oneof![Just(0_u8), Just(1), Just(255), Just(b'\t'), Just(b'\n'), any::<u8>()], 0..60), width in 0_usize..4) {
        let bytes = Bytes::from(bytes);
        for encoding in [Binary, Text] {
            if let Ok(split) = split(encoding, width, &bytes) {
                let joined = join(encoding, split.columns).expect("columns that were just split");
                prop_assert_eq!(joined.pieces.concat(), &bytes[..bytes.len() - if split.trailer { 2 } else { 0 }]);
            }
        }
    }

    #[test]
    fn columns_that_do_not_fit_never_panic(
        rows in 0_u64..20, form in 0_usize..6, length in 0_u32..5, block in vec(any::<u8>(), 0..40), data in vec(any::<u8>(), 0..40),
    ) {
        let block = Bytes::from(block);
        let form = [Form::Null, Form::Fixed(length), Form::FixedOrNull(length), Form::U8, Form::U16, Form::U32][form];
        for encoding in [Binary, Text] {
            let columns = vec![Column { form, lengths: block.clone(), data: data.clone().into() }; 2];
            let _ = join(encoding, Columns { rows, columns });
        }
    }
}

#[test]
fn every_cut_of_a_row_is_found() {
    let rows = [vec![Some(b"abc".to_vec()), None], vec![Some(Vec::new()), Some(b"de".to_vec())]];
    for encoding in [Binary, Text] {
        let whole = raw(encoding, &rows);
        let first = raw(encoding, &rows[..1]).len();
        for cut in 0..whole.len() {
            let result = split(encoding, 2, &whole.slice(..cut));
            assert_eq!(result.is_ok(), cut == 0 || cut == first, "{encoding:?} cut at {cut}");
        }
        split(encoding, 1, &whole).expect_err("more fields than columns");
        split(encoding, 3, &whole).expect_err("fewer fields than columns");
    }
}

#[test]
fn the_trailer_stands_at_the_very_end_or_nowhere() {
    let rows = raw(Binary, &[vec![Some(b"abc".to_vec())]]);
    let ended = [&rows[..], &BINARY_TRAILER].concat();
    let split_ended = split(Binary, 1, &Bytes::from(ended.clone())).expect("a trailer at the end");
    assert!(split_ended.trailer);
    assert_eq!((split_ended.rows, split_ended.raw_crc), (1, crc32fast::hash(&rows)));
    let alone = split(Binary, 1, &Bytes::from_static(&BINARY_TRAILER)).expect("a trailer alone");
    assert_eq!((alone.rows, alone.trailer, alone.raw_bytes), (0, true, 0));
    let error = split(Binary, 1, &Bytes::from([&ended[..], &rows[..]].concat()))
        .expect_err("rows after the trailer");
    assert!(error.to_string().contains("9 bytes follow it"), "{error}");
    let error = split(Binary, 1, &Bytes::from_static(b"\0\x01\xff\xff\xff\xfe"))
        .expect_err("a length of -2");
    assert!(error.to_string().contains("length -2"), "{error}");
}

#[test]
fn a_large_row_is_not_copied() {
    let row = vec![
        Some(vec![b'a'; LARGE_ROW_BYTES + 5]),
        None,
        Some(b"small".to_vec()),
        Some(vec![b'b'; 3 * PIECE_BYTES_MAX]),
    ];
    for encoding in [Binary, Text] {
        check(encoding, 4, std::slice::from_ref(&row));
        // Two rows take the usual way.
        check(encoding, 4, &[row.clone(), row.clone()]);
        let raw = raw(encoding, std::slice::from_ref(&row));
        let inside = raw.as_ptr_range();
        let columns = split(encoding, 4, &raw).expect("a whole row").columns;
        assert!(inside.contains(&columns.columns[0].data.as_ptr()));
        let joined = join(encoding, columns).expect("columns that were just split");
        assert!(joined.pieces.iter().any(|piece| inside.contains(&piece.as_ptr())));
    }
    let ended =
        Bytes::from([&raw(Binary, std::slice::from_ref(&row))[..], &BINARY_TRAILER].concat());
    assert!(split(Binary, 4, &ended).expect("a whole row").trailer);
}

#[test]
fn text_that_reads_as_something_else_is_refused() {
    split(Text, 1, &Bytes::from_static(b"a\n\\.\nb\n")).expect_err("the end mark");
    let one = |data: &'static [u8], width: usize| {
        let column = Column {
            form: Form::Fixed(data.len() as u32),
            lengths: Bytes::new(),
            data: Bytes::from_static(data),
        };
        join(Text, Columns { rows: 1, columns: vec![column; width] })
    };
    one(b"a\tb", 1).expect_err("a tab");
    one(b"a\nb", 1).expect_err("a line feed");
    one(b"\\N", 2).expect_err("NULL");
    one(b"\\.", 1).expect_err("the end mark");
    one(b"\\.", 2).expect("not alone on its line");
    let large = Column {
        form: Form::Fixed(LARGE_ROW_BYTES as u32),
        lengths: Bytes::new(),
        data: Bytes::from(vec![b'a'; LARGE_ROW_BYTES]),
    };
    let null =
        Column { form: Form::Fixed(2), lengths: Bytes::new(), data: Bytes::from_static(b"\\N") };
    join(Text, Columns { rows: 1, columns: vec![large, null] })
        .expect_err("NULL beside a large field");
}
