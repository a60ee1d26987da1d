//! Which rows of a table are not as the archive has them: found by their digests, named by their
//! primary keys, as the server writes these.
//!
//! Values other than keys are not told: they may be secrets.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;

use super::load::Loader;
use super::read_rows::{OfRows, of_archive, of_target};
use crate::error::Result;
use crate::pg::copy::{CopyIn, Prepared};
use crate::pg::session::Session;
use crate::pgcopy::{BINARY_HEADER, BINARY_TRAILER, Digest, RowEncoding};
use crate::restore::plan::comparison::Comparison;
use crate::sql::ident;

/// Rows whose digests are kept at one time; of more, several rounds are made.
const ROWS_AT_A_TIME: u64 = 500_000;
/// So many rows of each side are read again, to be named.
const READ_AGAIN_MAX: usize = 1000;
/// So many of a sort are named.
const NAMED_MAX: usize = 3;

/// Tells how the rows differ; nothing, if by now they do not.
pub(super) async fn tell(
    loader: &Loader,
    session: &Session,
    comparison: &Comparison,
) -> Result<Option<String>> {
    let found = Found::look(loader, session, comparison).await?;
    if found.missing == 0 && found.extra == 0 {
        return Ok(None);
    }
    let all_read = found.missing.max(found.extra) <= READ_AGAIN_MAX as u64;
    let named = match &comparison.relation {
        Some(relation) if all_read => named(loader, session, comparison, relation, &found).await?,
        _ => None,
    };
    Ok(Some(match named {
        Some(named) => named,
        None => format!(
            "{} of the archive's rows are not in it, and it has {} that the archive has not",
            found.missing, found.extra
        ),
    }))
}

/// Which rows are on one side only.
#[derive(Default)]
struct Found {
    missing: u64,
    extra: u64,
    missing_digests: HashSet<u128>,
    extra_digests: HashSet<u128>,
}

/// The digests of the rows that a round is about.
#[derive(Clone, Default)]
struct Digests {
    round: u64,
    rounds: u64,
    seen: Vec<u128>,
}

impl OfRows for Digests {
    fn row(&mut self, _: &[u8], Digest(digest): Digest) {
        // The rounds part the rows by the digests' middle, the map by other bits.
        if (digest >> 64) as u64 % self.rounds == self.round {
            self.seen.push(digest);
        }
    }
}

impl Found {
    async fn look(loader: &Loader, session: &Session, comparison: &Comparison) -> Result<Self> {
        let tables = comparison.tables.iter();
        let rows: u64 =
            tables.map(|table| loader.archive.index.tables[table.0 as usize].rows).sum();
        let rounds = rows / ROWS_AT_A_TIME + 1;
        let mut found = Self::default();
        for round in 0..rounds {
            let begin = Digests { round, rounds, seen: Vec::new() };
            let mut more: HashMap<u128, i64> = HashMap::new();
            of_archive(loader, comparison, &begin, |some: Digests| {
                for digest in some.seen {
                    *more.entry(digest).or_default() += 1;
                }
            })
            .await?;
            of_target(loader, session, comparison, &begin, |some: Digests| {
                for digest in some.seen {
                    let count = more.entry(digest).or_default();
                    *count -= 1;
                    if *count == 0 {
                        more.remove(&digest);
                    }
                }
            })
            .await?;
            for (digest, count) in more {
                found.note(digest, count);
            }
        }
        Ok(found)
    }

    fn note(&mut self, digest: u128, more_in_archive: i64) {
        let (count, digests) = if more_in_archive > 0 {
            (&mut self.missing, &mut self.missing_digests)
        } else {
            (&mut self.extra, &mut self.extra_digests)
        };
        *count += more_in_archive.unsigned_abs();
        if digests.len() < READ_AGAIN_MAX && more_in_archive != 0 {
            digests.insert(digest);
        }
    }
}

/// The rows that have certain digests, one of each.
#[derive(Clone, Default)]
struct Rows {
    wanted: Arc<HashSet<u128>>,
    rows: HashMap<u128, Vec<u8>>,
}

impl OfRows for Rows {
    fn row(&mut self, row: &[u8], Digest(digest): Digest) {
        if self.wanted.contains(&digest) {
            self.rows.entry(digest).or_insert_with(|| row.to_vec());
        }
    }
}

/// Names the rows by their keys, if the table has a primary key and the role may make a temporary
/// table, in which the server turns values into text.
async fn named(
    loader: &Loader,
    session: &Session,
    comparison: &Comparison,
    relation: &(String, String),
    found: &Found,
) -> Result<Option<String>> {
    let Some(key) = primary_key(session, relation, &comparison.columns).await? else {
        return Ok(None);
    };
    let begin =
        |digests: &HashSet<u128>| Rows { wanted: Arc::new(digests.clone()), rows: HashMap::new() };
    let (mut missing, mut extra) = (HashMap::new(), HashMap::new());
    of_archive(loader, comparison, &begin(&found.missing_digests), |some: Rows| {
        missing.extend(some.rows);
    })
    .await?;
    of_target(loader, session, comparison, &begin(&found.extra_digests), |some: Rows| {
        extra.extend(some.rows);
    })
    .await?;
    let mut keys = BTreeMap::new();
    for (rows, in_archive) in [(missing, true), (extra, false)] {
        let Some(texts) = texts(loader, session, comparison, relation, &key, rows).await? else {
            return Ok(None);
        };
        for text in texts {
            let entry: &mut (bool, bool) = keys.entry(text).or_default();
            if in_archive { entry.0 = true } else { entry.1 = true }
        }
    }
    Ok(Some(words(&key, &keys)))
}

/// Says which keys are on both sides, on the archive's only, and on the target's only.
fn words(key: &[String], keys: &BTreeMap<String, (bool, bool)>) -> String {
    let of_sort = |sort: (bool, bool), what: &str| {
        let texts: Vec<&String> =
            keys.iter().filter(|(_, sides)| **sides == sort).map(|(text, _)| text).collect();
        let rows = if texts.len() == 1 { "row" } else { "rows" };
        let shown: Vec<String> = texts
            .iter()
            .take(NAMED_MAX)
            .map(|text| format!("({})=({text})", key.join(", ")))
            .collect();
        let more = if texts.len() > NAMED_MAX { ", …" } else { "" };
        (!texts.is_empty())
            .then(|| format!("{} {rows} {what}: {}{more}", texts.len(), shown.join(", ")))
    };
    let sorts = [
        of_sort((true, true), "changed"),
        of_sort((true, false), "missing"),
        of_sort((false, true), "too many"),
    ];
    sorts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The columns of the table's primary key, quoted, if the rows have all of them.
async fn primary_key(
    session: &Session,
    (schema, name): &(String, String),
    columns: &[String],
) -> Result<Option<Vec<String>>> {
    let sql = format!(
        "SELECT a.attname::text FROM pg_catalog.pg_index i, \
           pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place) \
             JOIN pg_catalog.pg_attribute a ON a.attnum = k.attnum \
         WHERE i.indrelid = {}::pg_catalog.regclass AND a.attrelid = i.indrelid \
           AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place",
        ident::literal(&ident::qualified(schema, name))
    );
    let rows = session.query("look for the primary key", &sql).await?;
    let names = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>>>()?;
    let known = !names.is_empty() && names.iter().all(|name| columns.contains(name));
    Ok(known.then(|| names.iter().map(|name| ident::quote(name)).collect()))
}

/// The keys of some rows as text; none where the role may not make the table that they go through.
async fn texts(
    loader: &Loader,
    session: &Session,
    comparison: &Comparison,
    (schema, name): &(String, String),
    key: &[String],
    rows: HashMap<u128, Vec<u8>>,
) -> Result<Option<Vec<String>>> {
    const TABLE: &str = "pg_temp.silverback_rows";
    let doing = format!("name rows of {}", comparison.name);
    let columns = ident::list(comparison.columns.iter().map(String::as_str));
    session.execute(&doing, "BEGIN").await?;
    let create = format!(
        "CREATE TEMPORARY TABLE silverback_rows ON COMMIT DROP AS SELECT {columns} FROM {} WITH NO \
         DATA",
        ident::qualified(schema, name)
    );
    if session.execute(&doing, &create).await.is_err() {
        session.execute(&doing, "ROLLBACK").await?;
        return Ok(None);
    }
    let (format, ends) = match comparison.encoding {
        RowEncoding::Binary => ("binary", (BINARY_HEADER, &BINARY_TRAILER[..])),
        RowEncoding::Text => ("text", (&b""[..], &b""[..])),
    };
    let copy = format!("COPY {TABLE} ({columns}) FROM STDIN (FORMAT {format})");
    let copy = Prepared::new(session, &doing, &copy).await?;
    if let Some(encoding) = &loader.encoding {
        session.set_client_encoding(encoding).await?;
    }
    let mut copy = CopyIn::begin(session, &doing, &copy, loader.stall_timeout).await?;
    copy.send(&doing, Bytes::from_static(ends.0)).await?;
    for row in rows.into_values() {
        copy.send(&doing, row.into()).await?;
    }
    copy.send(&doing, Bytes::copy_from_slice(ends.1)).await?;
    copy.finish(&doing).await?;
    if loader.encoding.is_some() {
        session.set_client_encoding("UTF8").await?;
    }
    let key: Vec<String> = key.iter().map(|column| format!("{column}::text")).collect();
    let sql =
        format!("SELECT pg_catalog.concat_ws(', ', {}) FROM {TABLE} ORDER BY 1", key.join(", "));
    let rows = session.query(&doing, &sql).await?;
    let texts = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>>>()?;
    session.execute(&doing, "ROLLBACK").await?;
    Ok(Some(texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_by_what_became_of_them() {
        let keys = |all: &[(&str, (bool, bool))]| {
            all.iter().map(|(text, sides)| ((*text).to_owned(), *sides)).collect()
        };
        let told = words(
            &["id".to_owned(), "\"At\"".to_owned()],
            &keys(&[("1, a", (true, true)), ("2, b", (true, false)), ("3, c", (false, true))]),
        );
        assert_eq!(
            told,
            "1 row changed: (id, \"At\")=(1, a); 1 row missing: (id, \"At\")=(2, b); \
             1 row too many: (id, \"At\")=(3, c)"
        );
        let many: Vec<String> = (0..5).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(|text| (text.as_str(), (true, false))).collect();
        assert_eq!(
            words(&["id".to_owned()], &keys(&many)),
            "5 rows missing: (id)=(0), (id)=(1), (id)=(2), …"
        );
    }

    #[test]
    fn each_row_is_of_one_round() {
        let rows: Vec<u128> = (0..1000_u128).map(|n| n << 64 | n).collect();
        let mut seen = 0;
        for round in 0..7 {
            let mut digests = Digests { round, rounds: 7, seen: Vec::new() };
            for digest in &rows {
                digests.row(b"", Digest(*digest));
            }
            seen += digests.seen.len();
        }
        assert_eq!(seen, rows.len());
    }

    #[test]
    fn a_row_that_is_there_more_often_is_counted() {
        let mut found = Found::default();
        found.note(1, 2);
        found.note(2, -3);
        assert_eq!((found.missing, found.extra), (2, 3));
        assert!(found.missing_digests.contains(&1) && found.extra_digests.contains(&2));
    }
}
