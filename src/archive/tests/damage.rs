//! Accidents: bits flipped, ends cut, bytes added.

use super::super::testing::{read_all, small};
use super::super::{Archive, Codec, header::Header};
use super::CODECS;
use crate::error::Kind;

fn check(bytes: Vec<u8>, what: &str) -> String {
    let error = read_all(bytes).expect_err(what);
    assert_eq!(error.kind(), Kind::Archive, "{what}: {error}");
    error.to_string()
}

/// Of each byte one bit, another with each byte; all of them with `SILVERBACK_TEST_EVERY`.
#[test]
fn every_flipped_byte_is_found() {
    let every = std::env::var_os("SILVERBACK_TEST_EVERY").is_some();
    for codec in CODECS {
        let (bytes, _) = small(codec).expect("a small archive");
        for bit in (0..bytes.len() * 8).filter(|bit| every || bit % 8 == bit / 8 % 8) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(flipped, &format!("bit {bit} of {codec:?}"));
        }
    }
}

/// Archives of format 1 are read for ever, and what is wrong with them is found as before.
#[test]
fn format_1_is_read_and_its_flips_and_cuts_are_found() {
    let bytes: &[u8] = include_bytes!("../../../format-spec/vectors/zstd.sbk");
    assert_eq!(read_all(bytes.to_vec()).expect("an archive of format 1").len(), 3);
    for at in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        check(flipped, &format!("byte {at}"));
        check(bytes[..at].to_vec(), &format!("cut at {at}"));
    }
}

#[test]
fn every_overwritten_byte_is_found() {
    let (bytes, _) = small(Codec::None).expect("a small archive");
    for at in 0..bytes.len() {
        for value in [0, 0xff, b'\n'] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if changed != bytes {
                check(changed, &format!("byte {at} as {value}"));
            }
        }
    }
}

#[test]
fn every_cut_is_called_a_cut() {
    let (bytes, _) = small(Codec::Zstd(1)).expect("a small archive");
    for cut in 0..bytes.len() {
        let error = check(bytes[..cut].to_vec(), "cut");
        assert!(
            error.contains(if cut == 0 { "the file is empty" } else { "cut short" }),
            "cut at {cut}: {error}"
        );
    }
}

#[test]
fn every_inserted_and_removed_byte_is_found() {
    let (bytes, _) = small(Codec::Zstd(1)).expect("a small archive");
    for at in 0..=bytes.len() {
        check([&bytes[..at], b"x", &bytes[at..]].concat(), &format!("inserted at {at}"));
        if at < bytes.len() {
            check([&bytes[..at], &bytes[at + 1..]].concat(), &format!("removed at {at}"));
        }
    }
}

#[test]
fn garbage_after_the_end_is_called_that() {
    let (bytes, _) = small(Codec::None).expect("a small archive");
    for more in [1, 7, 128, 1000, 60_000] {
        let error = check([&bytes[..], &vec![0; more]].concat(), "garbage");
        assert!(error.contains(&format!("{more} bytes follow the end")), "{error}");
    }
    check([&bytes[..], &bytes[..]].concat(), "twice");
    let error = check([&bytes[..bytes.len() - 900], &vec![0; 900]].concat(), "an end of zeros");
    assert!(error.contains("cut short"), "{error}");
}

#[test]
fn a_stranger_is_called_a_stranger() {
    let error = check(b"PGDMP\x01\x0e\x00 and so on".repeat(20), "another program's");
    assert!(error.contains("not a silverback archive"), "{error}");
    let (bytes, _) = small(Codec::None).expect("a small archive");
    let text_mode: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != b'\r').collect();
    let error = check(text_mode, "text mode");
    assert!(error.contains("text mode"), "{error}");
}

#[test]
fn damage_to_one_chunk_leaves_the_others() {
    let (mut bytes, _) = small(Codec::None).expect("a small archive");
    let index = Archive::open(bytes.clone(), "test").expect("it was just written").index;
    let last_of_first = index.chunks[1].offset as usize - 1;
    bytes[last_of_first] ^= 1;
    let archive = Archive::open(bytes, "test").expect("what describes it is whole");
    archive.check_root().expect("no header is damaged");
    let error = archive.read_chunk(0).expect_err("damaged").to_string();
    assert!(error.contains("read chunk 0 of test (public.routes, at byte"), "{error}");
    assert!(error.contains("checksum of its blocks"), "{error}");
    for whole in 1..3 {
        archive.read_chunk(whole).expect("whole").decode().expect("whole");
    }
    assert_eq!(archive.read_chunk(3).expect_err("there is none").kind(), Kind::Unexpected);
}

#[test]
fn the_header_alone_is_cut_short() {
    let (bytes, _) = small(Codec::None).expect("a small archive");
    for cut in [1, 8, Header::BYTES - 1, Header::BYTES, Header::BYTES + 127, Header::BYTES + 144] {
        let error = check(bytes[..cut].to_vec(), "cut");
        assert!(error.contains("cut short"), "{error}");
    }
}
