use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// As if by chance, of these letters.
fn text(letters: &[u8], bytes: usize) -> Vec<u8> {
    let noise = (0_u64..).flat_map(|at| *blake3::hash(&at.to_le_bytes()).as_bytes());
    noise.map(|byte| letters[usize::from(byte) % letters.len()]).take(bytes).collect()
}

const HEX: &[u8] = b"0123456789abcdef";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn certificates() -> Vec<u8> {
    let lines = text(BASE64, 64 * 3000);
    let lines: Vec<&[u8]> = lines.chunks(64).collect();
    let one = |lines: &[&[u8]]| {
        let (begin, end) = (&b"-----BEGIN CERTIFICATE-----\n"[..], b"-----END CERTIFICATE-----\n");
        [begin, &lines.join(&b'\n'), b"\n", end].concat()
    };
    lines.chunks(60).flat_map(one).collect()
}

/// There and back; gives the bytes of the block.
fn round_trip(alphabet: &Alphabet, values: &[u8]) -> Option<usize> {
    let mut block = vec![7; values.len()];
    let bytes = alphabet.apply(values, &mut block)?;
    let mut back = vec![9; values.len()];
    undo(&block[..bytes], &mut back).expect("it was just made");
    assert!(back == values);
    Some(bytes)
}

#[test]
fn text_of_few_letters_comes_back_smaller() {
    for (values, share) in [
        (text(HEX, 100_000), 0.501),
        (text(BASE64, 100_001), 0.752),
        (text(&BASE64[..62], 16 << 10), 0.756),
        (certificates(), 0.756),
    ] {
        let alphabet = Alphabet::of(&values).expect("few letters");
        let bytes = round_trip(&alphabet, &values).expect("smaller");
        assert!((bytes as f32) < share * values.len() as f32, "{bytes} of {}", values.len());
    }
}

#[test]
fn what_a_compressor_makes_smaller_is_left_to_it() {
    let words = text(b"  eeeeeeettttaaaooiinnsshhrrdlu", 100_000);
    let twice = [text(BASE64, 8000), text(BASE64, 8000)].concat().repeat(6);
    let noise: Vec<u8> = text(&(0..=255).collect::<Vec<_>>(), 100_000);
    let uuids: Vec<u8> = text(HEX, 320_000)
        .chunks(32)
        .flat_map(|digits| [&digits[..8], b"-", &digits[8..12], b"-", &digits[12..]].concat())
        .collect();
    let short = text(HEX, BYTES_MIN - 1);
    for values in [words, twice, noise, uuids, short, vec![b'a'; 100_000], Vec::new()] {
        assert!(Alphabet::of(&values).is_none());
    }
}

#[test]
fn blocks_that_no_values_have_are_refused() {
    let values = [text(HEX, 40), b"-".repeat(9), text(HEX, 41)].concat();
    let mut counts = [0; 256];
    for letter in HEX {
        counts[usize::from(*letter)] = 1;
    }
    let mut block = vec![0; 200];
    let bytes = Alphabet::of_most(4, &counts).apply(&values, &mut block).expect("smaller");
    let block = &block[..bytes];
    let check = |block: &[u8], bytes: usize| undo(block, &mut vec![0; bytes]);
    check(block, values.len()).expect("as it was made");
    for bytes in [0, 1, values.len() - 1, values.len() + 1] {
        check(block, bytes).expect_err("another length");
    }
    for end in 0..block.len() {
        check(&block[..end], values.len()).expect_err("cut");
    }
    for (at, byte) in [(0, 5), (0, 8), (17, 255), (20, 1), (block.len() - 1, 0x7f)] {
        let mut block = block.to_vec();
        block[at] = byte;
        check(&block, values.len()).expect_err("forged");
    }
    let endless = [block, &[0, 1, 0xff, 0xff, 0xff, 0xff, 0xff]].concat();
    check(&endless, values.len()).expect_err("forged");
}

#[test]
fn too_little_room_is_told() {
    let values = text(HEX, 100_000);
    let alphabet = Alphabet::of(&values).expect("few letters");
    for room in [0, 4, 20, 21, 30_000, 50_000] {
        assert_eq!(alphabet.apply(&values, &mut vec![0; room]), None, "{room}");
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(
        values in vec(prop_oneof![9 => 0..20_u8, 1 => any::<u8>()], 0..5000),
        bits in prop_oneof![Just(4), Just(6)],
    ) {
        let mut counts = [0; 256];
        for byte in values.iter().take(1000) { counts[usize::from(*byte)] += 1; }
        round_trip(&Alphabet::of_most(bits, &counts), &values);
    }

    #[test]
    fn no_bytes_do_harm(block in vec(any::<u8>(), 0..200), bytes in 0..300_usize) {
        let _ = undo(&block, &mut vec![0; bytes]);
        let _ = undo(&[&[4], &block[..]].concat(), &mut vec![0; bytes]);
    }
}
