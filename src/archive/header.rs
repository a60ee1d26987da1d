//! The header: the first 64 bytes of an archive.
//!
//! ```text
//! 0 magic | 8 version | 12 critical | 16 optional | 20 archive | 36 reserved | 60 crc
//! ```
//!
//! Magic, version and CRC keep their places in every later version, so that an old reader can say
//! "newer format".

use bincode::{Decode, Encode};
use uuid::Uuid;

use super::codec;
use super::error::damaged;
use super::foreign;
use crate::error::{Error, Kind, Result};

/// The version that this crate writes. It reads this one and those before it.
const FORMAT_VERSION: u32 = 2;

/// The first and the last eight bytes of an archive. As PNG's: a byte beyond ASCII, CR LF, the DOS
/// end of file, LF. Each breaks under another kind of text-mode transfer.
pub(super) const MAGIC: [u8; 8] = *b"\x89SBK\r\n\x1a\n";

/// The critical features that are specified, by bit; none can be read yet.
const SPECIFIED: [(u32, &str); 3] = [(1, "sealed"), (2, "parts"), (4, "attachments")];

const DOING: &str = "read the header";

/// How sections are laid out, which differs by version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A chunk's number is its place, and the root covers every chunk's header.
    One,
    /// The index holds the hash of every chunk's header; tables end with a record of their own.
    Two,
}

/// What an archive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format's version.
    pub version: u32,
    /// Features that a reader must know.
    pub critical: u32,
    /// Features that a reader may ignore.
    pub optional: u32,
    /// The archive's identity, which every chunk repeats.
    pub archive: Uuid,
}

#[derive(Encode, Decode)]
struct Layout {
    magic: [u8; 8],
    version: u32,
    critical: u32,
    optional: u32,
    archive: [u8; 16],
    reserved: [u8; 24],
}

impl Header {
    /// Its size on disk.
    pub(super) const BYTES: usize = 64;

    pub(super) fn new(archive: Uuid) -> Self {
        Self { version: FORMAT_VERSION, critical: 0, optional: 0, archive }
    }

    /// How the sections after it are laid out.
    pub(super) fn format(&self) -> Format {
        if self.version == 1 { Format::One } else { Format::Two }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { version, critical, optional, archive } = *self;
        let layout = Layout {
            magic: MAGIC,
            version,
            critical,
            optional,
            archive: archive.into_bytes(),
            reserved: [0; 24],
        };
        let mut out = Vec::with_capacity(Self::BYTES);
        codec::encode_into(&layout, &mut out);
        codec::seal(&mut out, 0);
        out
    }

    /// Reads the header off the first bytes of a file, which may be fewer than [`Self::BYTES`] if
    /// the file is shorter.
    pub(super) fn decode(start: &[u8]) -> Result<Self> {
        check_magic(start)?;
        let Some(bytes) = start.get(..Self::BYTES) else {
            return Err(damaged(
                DOING,
                format!("the archive is cut short: it has {} bytes", start.len()),
            ));
        };
        let content = codec::unseal(bytes).map_err(|cause| damaged(DOING, cause))?;
        let layout: Layout = codec::decode(content).map_err(|cause| damaged(DOING, cause))?;
        if layout.version > FORMAT_VERSION {
            let cause = format!(
                "it is of a newer format: version {}, this program reads up to {FORMAT_VERSION}",
                layout.version
            );
            return Err(Error::new(Kind::Requirement, DOING, cause).hint("use a newer silverback"));
        }
        if layout.version == 0 {
            return Err(damaged(DOING, "there is no format version 0"));
        }
        if layout.critical != 0 {
            let named = SPECIFIED
                .iter()
                .filter(|(bit, _)| layout.critical & bit != 0)
                .map(|(_, name)| format!(" {name}"));
            let flags = layout.critical;
            let cause = format!(
                "it needs features that this program cannot read (critical flags {flags:#010x}{})",
                named.collect::<String>()
            );
            return Err(Error::new(Kind::Requirement, DOING, cause).hint("use a newer silverback"));
        }
        if layout.reserved != [0; 24] {
            return Err(damaged(DOING, "reserved bytes are not zero"));
        }
        let Layout { version, critical, optional, archive, .. } = layout;
        Ok(Self { version, critical, optional, archive: Uuid::from_bytes(archive) })
    }
}

/// Whether these are the first bytes of something else than an archive.
pub(super) fn is_foreign(start: &[u8]) -> bool {
    start.is_empty() || !has_magic(start) && !is_in_text_mode(start)
}

fn has_magic(start: &[u8]) -> bool {
    let shared = start.len().min(MAGIC.len());
    start[..shared] == MAGIC[..shared]
}

fn is_in_text_mode(start: &[u8]) -> bool {
    start.len() >= 4 && start[1..4] == MAGIC[1..4]
        || start.starts_with(b"\xc2\x89SBK")
        || start.starts_with(b"\xef\xbf\xbdSBK")
}

fn check_magic(start: &[u8]) -> Result<()> {
    if start.is_empty() {
        return Err(
            damaged(DOING, "the file is empty").hint("take another copy of it, or dump again")
        );
    }
    if has_magic(start) {
        return Ok(());
    }
    if is_in_text_mode(start) {
        let error = damaged(
            DOING,
            "its first bytes are damaged as a transfer in text mode would damage them",
        );
        return Err(error.hint("transfer the file again, in binary mode"));
    }
    Err(match foreign::what(start) {
        Some(what) => damaged(DOING, format!("it is not a silverback archive, but {what}")),
        None => damaged(DOING, "it is not a silverback archive")
            .hint("name an archive that silverback dump has made"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resealed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Header::new(Uuid::from_u128(7)).encode();
        bytes.truncate(60);
        change(&mut bytes);
        codec::seal(&mut bytes, 0);
        bytes
    }

    fn check(bytes: &[u8], kind: Kind, expect: &str) {
        let error = Header::decode(bytes).expect_err(expect);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(expect), "{error}");
    }

    #[test]
    fn comes_back() {
        let header = Header::new(Uuid::from_u128(7));
        assert_eq!(header.encode().len(), Header::BYTES);
        assert_eq!(Header::decode(&header.encode()).expect("it was just written"), header);
    }

    #[test]
    fn every_flip_and_cut_is_found() {
        let bytes = Header::new(Uuid::from_u128(7)).encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = Header::decode(&flipped).expect_err("flipped");
            assert_eq!(error.kind(), Kind::Archive, "{error}");
        }
        check(&[], Kind::Archive, "empty");
        for cut in 1..bytes.len() {
            check(&bytes[..cut], Kind::Archive, "cut short");
        }
    }

    #[test]
    fn strangers_are_told_apart() {
        check(b"PGDMP", Kind::Archive, "not a silverback archive, but pg_dump's custom");
        check(b"\x89SBK\n\x1a\n", Kind::Archive, "text mode");
        check(&resealed(|bytes| bytes[8] = 3), Kind::Requirement, "newer format");
        assert_eq!(
            Header::decode(&resealed(|bytes| bytes[8] = 1)).expect("format 1 is read").format(),
            Format::One
        );
        check(&resealed(|bytes| bytes[8] = 0), Kind::Archive, "no format version 0");
        check(
            &resealed(|bytes| bytes[12] = 1),
            Kind::Requirement,
            "critical flags 0x00000001 sealed",
        );
        check(&resealed(|bytes| bytes[59] = 1), Kind::Archive, "reserved");
        assert_eq!(
            Header::decode(&resealed(|bytes| bytes[19] = 128))
                .expect("optional flags are ignored")
                .optional,
            1 << 31
        );
    }
}
