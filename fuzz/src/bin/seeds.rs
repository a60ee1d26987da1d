//! Writes small valid inputs into `corpus/`, one folder for each target.

use std::fs;
use std::io;

use silverback::archive::Codec;
use silverback::archive::manifest::RowEncoding;
use silverback_fuzz::{archive, chunks, rows};

fn main() -> io::Result<()> {
    let put = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(format!("corpus/{target}"))?;
        fs::write(format!("corpus/{target}/{name}"), bytes)
    };
    for (name, codec) in [("none", Codec::None), ("zstd", Codec::Zstd(3))] {
        put("open_archive", name, &archive(codec))?;
        for (number, chunk) in chunks(codec).iter().enumerate() {
            put("chunk_decode", &format!("{name}{number}"), chunk)?;
        }
    }
    // The first byte is the number of columns.
    for (target, encoding) in
        [("split_binary", RowEncoding::Binary), ("split_text", RowEncoding::Text)]
    {
        put(target, "rows", &[&[3][..], &rows(encoding)].concat())?;
    }
    Ok(())
}
