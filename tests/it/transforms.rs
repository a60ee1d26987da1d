//! `format-spec/vectors/transforms-2.sbk` and `alphabet-2.sbk`: each transform, read by the program
//! and by `read.py`.

use bytes::Bytes;
use silverback::archive::manifest::RowEncoding;
use silverback::archive::{Archive, Codec, StoredChunk};

use crate::archives::spec;
use crate::format_spec::{
    Row, Rows, check_vector, lines, manifest, raw, read_py, some, vector, write,
};

const ROWS: u64 = 130;

/// As if by chance.
fn noise(row: u64) -> u64 {
    u64::from_le_bytes(*blake3::hash(&row.to_le_bytes()).as_bytes().first_chunk().expect("32"))
}

/// As PostgreSQL sends 0.01 times this; above 1 and below 100,000,000, and not whole.
fn numeric(cents: u64) -> Vec<u8> {
    let digits = [cents / 1_000_000, cents / 100 % 10_000, cents % 100 * 100];
    let first = digits.iter().position(|digit| *digit > 0).expect("not 0");
    let digits: Vec<u16> = digits[first..].iter().map(|digit| *digit as u16).collect();
    let sign = if cents.is_multiple_of(3) { 0x4000 } else { 0 };
    [digits.len() as u16, 1 - first as u16, sign, 2]
        .iter()
        .chain(&digits)
        .flat_map(|part| part.to_be_bytes())
        .collect()
}

/// The vector's rows, a table for each transform. They never change.
fn rows() -> Rows {
    let table = |name, columns: &'static [&'static str], row: fn(u64) -> Row| {
        (name, RowEncoding::Binary, columns, vec![(0..ROWS).map(row).collect()])
    };
    vec![
        table("planes", &["four", "clerk", "some"], |row| {
            let number = (noise(row) as u32 % 60_000).to_be_bytes();
            let clerk = format!("Clerk#{:09}", noise(row) % 1000);
            vec![some(number), some(clerk), (row % 5 > 0).then(|| number.to_vec())]
        }),
        table("differences", &["two", "four", "eight", "some"], |row| {
            let at = (800_000_000_000_000 + row * 1_000_000 + noise(row) % 99).to_be_bytes();
            vec![
                some((row as u16 * 300).to_be_bytes()),
                some((row as u32 + 70_000).to_be_bytes()),
                some(at),
                (row % 5 > 0).then(|| (1000 - row as i32 * 9).to_be_bytes().to_vec()),
            ]
        }),
        table("one_value", &["one", "some"], |row| {
            vec![some("one value"), (row % 5 > 0).then(|| vec![b' '; 84])]
        }),
        table("dictionary", &["word", "some", "id"], |row| {
            let word = ["red", "green", "blue", ""][noise(row) as usize % 4];
            let id = *blake3::hash(&[noise(row) as u8 % 7]).as_bytes();
            vec![some(word), (row % 5 > 0).then(|| word.into()), some(&id[..16])]
        }),
        table("numbers", &["price", "some"], |row| {
            let price = numeric(noise(row) % 9_999_999 / 100 * 100 + 101 + noise(row) % 98);
            vec![some(&price), (row % 5 > 0).then_some(price)]
        }),
    ]
}

/// So many characters of these, as if by chance.
fn text(letters: &[u8], row: u64, characters: u64) -> Vec<u8> {
    (0..characters).map(|at| letters[noise(row << 16 | at) as usize % letters.len()]).collect()
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The rows of `alphabet-2.sbk`. They never change.
fn alphabet_rows() -> Rows {
    let row = |row: u64| {
        let digits = text(b"0123456789abcdef", row, 80);
        let lines = [text(BASE64, row, 64), text(BASE64, row + ROWS, 60)];
        let key = text(&BASE64[..62], row, 66 + row % 9);
        let some = text(b"0123456789ABCDEF", row, 96);
        vec![
            Some(digits),
            Some(lines.join(&b'\n')),
            Some(key),
            (!row.is_multiple_of(5)).then_some(some),
        ]
    };
    let columns = &["hexadecimal", "base64", "keys", "some"];
    vec![("alphabet", RowEncoding::Binary, columns, vec![(0..ROWS).map(row).collect()])]
}

/// The transform byte of each column of each chunk.
fn transforms(bytes: &[u8], columns: &[usize]) -> Vec<Vec<u8>> {
    let index = Archive::open(bytes.to_vec(), "vector").expect("a vector is an archive").index;
    let of = |(chunk, columns): (usize, &usize)| {
        let descriptors = index.chunks[chunk].offset as usize + 136;
        (0..*columns).map(|column| bytes[descriptors + 20 * column + 1]).collect()
    };
    columns.iter().enumerate().map(of).collect()
}

#[test]
fn the_vectors_have_each_transform_and_are_read() {
    let expect = [vec![1; 3], vec![2; 4], vec![3; 2], vec![4; 3], vec![5; 2]];
    check("transforms-2.sbk", &rows(), &expect);
    check("alphabet-2.sbk", &alphabet_rows(), &[vec![6; 4]]);
}

fn check(name: &str, rows: &Rows, expect: &[Vec<u8>]) {
    let columns: Vec<usize> = expect.iter().map(Vec::len).collect();
    let bytes = vector(name);
    assert_eq!(transforms(&bytes, &columns), expect);
    let archive = Archive::open(bytes, "vector").expect("a vector is an archive");
    archive.check_root().expect("a vector is whole");
    assert_eq!(archive.manifest, manifest(rows));
    for (number, (_, encoding, _, chunks)) in rows.iter().enumerate() {
        let joined = archive.read_chunk(number).and_then(StoredChunk::decode);
        let expect: Bytes = raw(*encoding, &chunks[0]);
        assert!(joined.expect("a vector is whole").whole() == expect, "{number}");
    }
}

#[test]
fn read_py_prints_the_vectors() {
    for (name, rows) in [("transforms-2", rows()), ("alphabet-2", alphabet_rows())] {
        let output = read_py(&spec("vectors").join(format!("{name}.sbk")), &["--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        check_vector(&output.stdout, &format!("{name}.jsonl"));
        let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        let printed: Vec<serde_json::Value> =
            printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(printed[..printed.len() - 1] == lines(&rows));
    }
}

/// What is stored as it is tells no transform; what is compressed may, and is the same to a reader.
#[test]
fn only_what_is_compressed_is_transformed() {
    let none = write(&rows(), Codec::None);
    assert!(transforms(&none, &[3, 4, 2, 3, 2]).concat().iter().all(|byte| *byte == 0));
    let zstd = write(&rows(), Codec::Zstd(1));
    assert!(transforms(&zstd, &[3, 4, 2, 3, 2]).concat().iter().all(|byte| *byte > 0));
}
