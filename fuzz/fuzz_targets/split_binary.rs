//! COPY BINARY to columns and back: the first byte is the number of columns.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use silverback::archive::manifest::RowEncoding;
use silverback::pgcopy::{join, split};

fuzz_target!(|bytes: &[u8]| {
    let Some((&columns, raw)) = bytes.split_first() else {
        return;
    };
    let raw = Bytes::copy_from_slice(raw);
    if let Ok(split) = split(RowEncoding::Binary, usize::from(columns), &raw, Vec::new()) {
        let (rows, digest, raw_crc) = (split.rows, split.digest, split.raw_crc);
        let joined = join(RowEncoding::Binary, split.columns, Vec::new())
            .expect("columns that were just split");
        assert_eq!((joined.rows, joined.digest, joined.raw_crc), (rows, digest, raw_crc));
        assert_eq!(joined.pieces.concat(), raw[..split.raw_bytes as usize]);
    }
});
