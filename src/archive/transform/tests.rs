//! Whole columns: which transform they get, and that it is undone.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::pgcopy::{RowEncoding, split};

/// A column of these values, as rows of it are split.
fn column(rows: &[Option<Vec<u8>>]) -> Column {
    let row = |value: &Option<Vec<u8>>| {
        let length = value.as_ref().map_or(-1, |value| value.len() as i32);
        let value = value.as_deref().unwrap_or_default();
        [&[0, 1], &length.to_be_bytes()[..], value].concat()
    };
    let raw: Bytes = rows.iter().flat_map(row).collect::<Vec<_>>().into();
    let split = split(RowEncoding::Binary, 1, &raw, Vec::new()).expect("whole rows");
    split.columns.columns.into_iter().next().expect("one column")
}

/// There and back; gives what was chosen.
fn round_trip(rows: &[Option<Vec<u8>>]) -> Transform {
    let column = column(rows);
    let mut scratch = vec![7; 64 + 32 * rows.len() + 2 * column.data.len()];
    let Prepared { transform, form, lengths, data, .. } =
        apply(&column, rows.len() as u64, &mut scratch);
    let (rows, data_raw) = (rows.len() as u64, column.data.len() as u32);
    let block_bytes = if transform.keeps_size() { data_raw } else { data.len() as u32 };
    assert_eq!(data.len() as u32, block_bytes);
    assert_eq!(lengths.len() as u64, form.lengths_bytes(rows));
    transform.check(form, block_bytes, data_raw).expect("it was just made");
    let made = if transform.makes_lengths() { rows as usize } else { 0 };
    let (mut back_lengths, mut back_data) = (vec![9; made], vec![9; data_raw as usize]);
    let packed = Packed { transform, form, rows, lengths, data };
    let form = undo(&packed, &mut back_lengths, &mut back_data).expect("it was just made");
    let back = Column {
        form,
        lengths: if made > 0 { back_lengths } else { lengths.to_vec() }.into(),
        data: back_data.into(),
    };
    assert!(column.values(rows).eq(back.values(rows)));
    assert_eq!(back.data, column.data);
    transform
}

fn check(expect: Transform, value: impl Fn(u64) -> Vec<u8>) {
    let rows: Vec<_> = (0..5000).map(|row| Some(value(row))).collect();
    assert_eq!(round_trip(&rows), expect);
    let some: Vec<_> =
        rows.iter().enumerate().map(|(row, value)| value.clone().filter(|_| row % 7 > 0)).collect();
    assert_eq!(round_trip(&some), expect);
    let few: Vec<_> = rows[..40].to_vec();
    assert_eq!(round_trip(&few), Transform::None);
}

/// As if by chance.
fn noise(row: u64) -> u64 {
    u64::from_le_bytes(*blake3::hash(&row.to_le_bytes()).as_bytes().first_chunk().expect("32"))
}

fn numeric(cents: u64) -> Vec<u8> {
    let digits = [cents / 1_000_000, cents / 100 % 10_000, cents % 100 * 100];
    let first = digits.iter().position(|digit| *digit > 0).unwrap_or(2);
    let end = digits.iter().rposition(|digit| *digit > 0).map_or(first, |at| at + 1);
    let digits: Vec<u16> = digits[first..end].iter().map(|digit| *digit as u16).collect();
    let weight = if digits.is_empty() { 0 } else { 1 - first as i16 };
    [digits.len() as u16, weight as u16, 0, 2]
        .iter()
        .chain(&digits)
        .flat_map(|part| part.to_be_bytes())
        .collect()
}

#[test]
fn each_sort_of_values_gets_its_transform() {
    check(Transform::OneValue, |_| b"constant".to_vec());
    check(Transform::OneValue, |_| vec![b' '; 84]);
    check(Transform::Differences, |row| (row as u32).to_be_bytes().to_vec());
    check(Transform::Differences, |row| {
        ((1 << 50) + row * 1_000_000 + noise(row) % 999).to_be_bytes().to_vec()
    });
    check(Transform::Planes, |row| (noise(row) as u32 % 100_000).to_be_bytes().to_vec());
    check(Transform::Planes, |row| format!("Clerk#{:09}", noise(row) % 1000).into_bytes());
    check(Transform::Dictionary, |row| {
        [&b"red"[..], b"green", b"blue", b""][noise(row) as usize % 4].to_vec()
    });
    check(Transform::Dictionary, |row| {
        blake3::hash(&[noise(row) as u8 % 200]).as_bytes()[..16].to_vec()
    });
    check(Transform::Alphabet, |row| blake3::hash(&row.to_le_bytes()).to_hex().as_bytes().to_vec());
    check(Transform::Alphabet, |row| {
        let digits = blake3::hash(&row.to_le_bytes()).to_hex();
        digits.as_bytes()[..50 + row as usize % 15].to_vec()
    });
    check(Transform::Alphabet, |row| {
        format!("{}\n", blake3::hash(&row.to_le_bytes()).to_hex()).into_bytes()
    });
    check(Transform::None, |row| blake3::hash(&row.to_le_bytes()).to_hex()[..40].into());
    check(Transform::Numbers, |row| numeric(noise(row) % 10_000_000));
    check(Transform::None, |row| noise(row).to_be_bytes().to_vec());
    check(Transform::None, |row| blake3::hash(&row.to_le_bytes()).as_bytes()[..16].to_vec());
    check(Transform::None, |row| vec![noise(row) as u8 % 3]);
    check(Transform::None, |row| format!("{} of many words", noise(row)).into_bytes());
    check(Transform::None, |_| Vec::new());
}

#[test]
fn what_is_not_as_the_sample_said_is_left() {
    let rare = |usual: fn(u64) -> Vec<u8>, rare: &[u8]| {
        let mut rows: Vec<_> = (0..5000).map(|row| Some(usual(row))).collect();
        rows[4500] = Some(rare.to_vec());
        round_trip(&rows)
    };
    assert_eq!(rare(|_| vec![7; 40], &[8; 40]), Transform::Dictionary);
    assert_eq!(
        rare(|row| numeric(noise(row) % 10_000_000), b"\0\0\0\0\xc0\0\0\0"),
        Transform::None
    );
    let many: Vec<_> = (0..5000_u64)
        .map(|row| Some(if (2300..2600).contains(&row) { row * row } else { row % 9 }.to_string()))
        .map(|value| value.map(String::into_bytes))
        .collect();
    assert_eq!(round_trip(&many), Transform::None);
}

#[test]
fn random_uuids_are_told_unless_they_return() {
    let uuid = |row: u64| {
        let mut uuid = blake3::hash(&row.to_le_bytes()).as_bytes()[..16].to_vec();
        (uuid[6], uuid[8]) = (uuid[6] & 0x0f | 0x40, uuid[8] & 0x3f | 0x80);
        Some(uuid)
    };
    let check = |rows: Vec<_>, expect| {
        let column = column(&rows);
        let mut scratch = vec![0; 1 << 20];
        assert_eq!(apply(&column, rows.len() as u64, &mut scratch).is_noise, expect);
    };
    check((0..20_000).map(uuid).collect(), true);
    check((0..200).map(uuid).collect(), false);
    check((0..20_000).map(|row| uuid(noise(row) % 5000)).collect(), false);
    check((0..20_000_u64).map(|row| Some(row.to_be_bytes().repeat(2))).collect(), false);
}

#[test]
fn a_scratch_buffer_that_is_too_small_is_not_used() {
    for value in [4_usize, 5, 15] {
        let rows: Vec<_> = (0..1000_u64)
            .map(|row| Some(format!("{:01$}", noise(row) % 50, value).into_bytes()))
            .collect();
        let column = column(&rows);
        for bytes in [0, 10, 999] {
            assert_eq!(apply(&column, 1000, &mut vec![0; bytes]).transform, Transform::None);
        }
    }
}

#[test]
fn blocks_that_no_column_has_are_refused() {
    let refuse = |transform: Transform, form, block_bytes, data_raw| {
        transform.check(form, block_bytes, data_raw).expect_err("no such blocks");
    };
    for transform in Transform::ALL {
        assert_eq!(Transform::from_byte(transform as u8), Some(transform));
        if transform != Transform::None {
            refuse(transform, Form::Null, 0, 0);
            refuse(transform, Form::U16, 4, 8);
        }
    }
    assert_eq!(Transform::from_byte(7), None);
    refuse(Transform::Alphabet, Form::U16, 20, 800);
    refuse(Transform::Alphabet, Form::U16, 801, 800);
    refuse(Transform::Alphabet, Form::Null, 21, 800);
    refuse(Transform::Planes, Form::Fixed(0), 8, 8);
    refuse(Transform::Planes, Form::Fixed(3), 8, 8);
    refuse(Transform::Planes, Form::Fixed(33), 66, 66);
    refuse(Transform::Planes, Form::U8, 8, 8);
    refuse(Transform::Differences, Form::Fixed(16), 32, 32);
    refuse(Transform::Differences, Form::FixedOrNull(8), 12, 12);
    refuse(Transform::OneValue, Form::Fixed(0), 0, 8);
    refuse(Transform::OneValue, Form::Fixed(8), 8, 0);
    refuse(Transform::OneValue, Form::Fixed(8), 8, 12);
    refuse(Transform::Dictionary, Form::Fixed(8), 8, 12);
    refuse(Transform::Dictionary, Form::U8, 13, 12);
    refuse(Transform::Numbers, Form::Fixed(13), 13, 12);
    let numbers = |lengths| {
        let (transform, form, data) = (Transform::Numbers, Form::FixedOrNull(3), b"\x01\0\0");
        undo(&Packed { transform, form, rows: 1, lengths, data }, &mut [0; 1], &mut [0; 8])
    };
    numbers(b"\x03").expect_err("bits");
    numbers(b"\x01").expect("one number");
}

proptest! {
    #[test]
    fn columns_come_back(
        rows in vec(prop_oneof![
            4 => Just(None), 20 => vec(0..3_u8, 4).prop_map(Some), 1 => vec(any::<u8>(), 0..40).prop_map(Some),
        ], 64..300),
        fixed in any::<bool>(),
    ) {
        let fix = |row: Option<Vec<u8>>| row.map(|mut value| { if fixed { value.resize(8, 1); } value });
        round_trip(&rows.into_iter().map(fix).collect::<Vec<_>>());
    }
}
