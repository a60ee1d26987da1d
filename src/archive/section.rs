//! The manifest section: a prefix of 40 bytes, and the manifest's JSON, stored or compressed; and
//! the checks that a manifest must pass when it is read.
//!
//! ```text
//! 0 magic | 8 codec | 9 reserved | 16 stored_bytes | 24 raw_bytes | 32 stored_crc | 36 crc | 40 the manifest
//! ```

use std::collections::HashSet;

use bincode::{Decode, Encode};
use bytes::Bytes;

use super::block::{self, Block, BlockCodec, Codec};
use super::codec;
use super::error::{damaged, mib, too_large};
use super::limits::{COLUMNS_MAX, MANIFEST_BYTES_MAX, ROWS_MEMORY_BYTES, TABLES_MAX};
use super::manifest::{Detail, Manifest, Object, ObjectId, ObjectKind};
use super::metered::{self, Refused};
use crate::error::{Error, Kind, Result};

const MAGIC: [u8; 8] = *b"SBKMANIF";

const DOING: &str = "read the manifest";

/// The size of what stands before the manifest.
pub(super) const PREFIX_BYTES: usize = 40;

/// The most bytes of a manifest section.
pub(super) const SECTION_BYTES_MAX: u64 = PREFIX_BYTES as u64 + MANIFEST_BYTES_MAX;

/// What a manifest may take in memory unasked: this much, and so many times the bytes that it is
/// stored in.
const MEMORY_BYTES: u64 = 56 << 20;
const MEMORY_FACTOR: u64 = 56;

/// How many times its own size the JSON of a dump takes in memory, and more.
const JSON_FACTOR: u64 = 12;

#[derive(Encode, Decode)]
struct Prefix {
    magic: [u8; 8],
    codec: u8,
    reserved: [u8; 7],
    stored_bytes: u64,
    raw_bytes: u64,
    stored_crc: u32,
}

/// Makes the whole section.
///
/// # Errors
/// A manifest of more than [`MANIFEST_BYTES_MAX`], or one whose parts do not fit together.
pub(super) fn encode(manifest: &Manifest, codec: Codec) -> Result<Vec<u8>> {
    const WRITE: &str = "write the manifest";
    check(manifest).map_err(|cause| Error::new(Kind::Unexpected, WRITE, cause))?;
    let json = serde_json::to_vec(manifest).map_err(|error| {
        Error::new(Kind::Unexpected, WRITE, error.to_string()).with_source(error)
    })?;
    let raw_bytes = json.len() as u64;
    if raw_bytes > MANIFEST_BYTES_MAX {
        let cause = format!("it would have {raw_bytes} bytes, the limit is {MANIFEST_BYTES_MAX}");
        return Err(
            Error::new(Kind::Requirement, WRITE, cause).hint("select fewer objects (-n, -t)")
        );
    }
    let mut stored = Vec::new();
    let block_codec = block::compress(codec, &json, &mut stored);
    let prefix = Prefix {
        magic: MAGIC,
        codec: block_codec as u8,
        reserved: [0; 7],
        stored_bytes: stored.len() as u64,
        raw_bytes,
        stored_crc: crc32fast::hash(&stored),
    };
    let mut out = Vec::with_capacity(PREFIX_BYTES + stored.len());
    codec::encode_into(&prefix, &mut out);
    codec::seal(&mut out, 0);
    out.extend_from_slice(&stored);
    Ok(out)
}

/// The size of a whole section, of which `prefix` is the beginning.
pub(super) fn bytes(prefix: &[u8]) -> Result<u64> {
    let refuse = |cause: String| damaged(DOING, cause);
    let prefix: Prefix = codec::unseal(prefix).and_then(codec::decode).map_err(refuse)?;
    if prefix.magic != MAGIC || prefix.stored_bytes > MANIFEST_BYTES_MAX {
        return Err(refuse("it does not begin as a manifest".into()));
    }
    Ok(PREFIX_BYTES as u64 + prefix.stored_bytes)
}

/// Reads a whole section, into as much memory as its size allows, or `max_memory` bytes if that is
/// more.
///
/// # Errors
/// [`Kind::Requirement`] if it needs more.
pub(super) fn decode(section: &[u8], max_memory: u64) -> Result<Manifest> {
    let refuse = |cause: String| damaged(DOING, cause);
    let Some((prefix, stored)) = section.split_at_checked(PREFIX_BYTES) else {
        return Err(refuse("it is cut short".into()));
    };
    let prefix: Prefix = codec::unseal(prefix).and_then(codec::decode).map_err(refuse)?;
    let Some(block_codec) = BlockCodec::from_byte(prefix.codec) else {
        return Err(refuse(format!("there is no codec {}", prefix.codec)));
    };
    if prefix.magic != MAGIC || prefix.reserved != [0; 7] {
        return Err(refuse("it does not begin as a manifest".into()));
    }
    if prefix.stored_bytes != stored.len() as u64 {
        return Err(refuse(format!(
            "it has {} bytes, expected {}",
            stored.len(),
            prefix.stored_bytes
        )));
    }
    if prefix.raw_bytes > MANIFEST_BYTES_MAX {
        return Err(refuse(format!(
            "it decodes to {} bytes, the limit is {MANIFEST_BYTES_MAX}",
            prefix.raw_bytes
        )));
    }
    if prefix.stored_crc != crc32fast::hash(stored) {
        return Err(refuse("its checksum does not match".into()));
    }
    let asked = if max_memory > ROWS_MEMORY_BYTES { max_memory } else { 0 };
    let memory = asked.max(MEMORY_BYTES + MEMORY_FACTOR * section.len() as u64);
    let refuse_size = |needed: u64| {
        let cause = format!(
            "it would take {} MiB of memory, {} MiB are usual for its {} bytes",
            mib(needed),
            mib(memory),
            section.len()
        );
        too_large(DOING, cause, needed)
    };
    let Some(memory_left) = memory.checked_sub(prefix.raw_bytes) else {
        return Err(refuse_size(prefix.raw_bytes * JSON_FACTOR));
    };
    let block = Block {
        codec: block_codec,
        stored: Bytes::copy_from_slice(stored),
        raw_bytes: prefix.raw_bytes,
    };
    let json = block::decompress_alone(block).map_err(|cause| cause.into_error(DOING))?;
    let manifest = metered::from_slice(&json, memory_left).map_err(|refused| match refused {
        Refused::Json(error) => refuse(error.to_string()).with_source(error),
        Refused::TooLarge => {
            refuse_size(json.len() as u64 + metered::bytes_needed(&json, size_of::<Object>()))
        }
    })?;
    check(&manifest).map_err(refuse)?;
    Ok(manifest)
}

/// The beginning of a name in the manifest, for people: a forged one may be as long as the section.
fn brief(name: &str) -> &str {
    name.char_indices().nth(300).map_or(name, |(end, _)| &name[..end])
}

/// Checks a manifest that was read: that ids are unique, that what is named is there, and the
/// limits on columns and tables.
fn check(manifest: &Manifest) -> Result<(), String> {
    let mut ids = HashSet::with_capacity(manifest.objects.len());
    if let Some(twice) = manifest.objects.iter().find(|object| !ids.insert(object.id)) {
        return Err(format!("two objects have the number {}", twice.id.0));
    }
    let known = |who: &str, id: ObjectId| {
        if ids.contains(&id) {
            Ok(())
        } else {
            Err(format!("{} names object {}, which is not there", brief(who), id.0))
        }
    };
    for object in &manifest.objects {
        let references = match &object.detail {
            Detail::ForeignKey { references, .. } => Some(*references),
            _ => None,
        };
        let named = object.depends_on.iter().copied().chain(object.of).chain(references);
        named.into_iter().try_for_each(|id| known(&object.identity, id))?;
    }
    if manifest.tables.len() as u64 > TABLES_MAX {
        return Err(format!("it has {} tables, the limit is {TABLES_MAX}", manifest.tables.len()));
    }
    // Only an extension has several tables.
    let extensions: HashSet<ObjectId> = manifest
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Extension)
        .map(|object| object.id)
        .collect();
    let mut tables = HashSet::with_capacity(manifest.tables.len());
    for table in &manifest.tables {
        let name = format!("table {}.{}", brief(&table.schema), brief(&table.name));
        known(&name, table.object)?;
        let of_extension =
            extensions.contains(&table.object).then_some((&table.schema, &table.name));
        if !tables.insert((table.object, of_extension)) {
            return Err(format!("{name} is there twice"));
        }
        if table.columns.len() > COLUMNS_MAX {
            return Err(format!(
                "{name} has {} columns, the limit is {COLUMNS_MAX}",
                table.columns.len()
            ));
        }
    }
    let mut told = HashSet::with_capacity(manifest.statistics.len());
    for statistics in &manifest.statistics {
        known("an entry of the statistics", statistics.object)?;
        if !told.insert(statistics.object) {
            return Err(format!("object {} has its statistics twice", statistics.object.0));
        }
    }
    Ok(())
}
