//! The comparison of what the target holds with the archive: rows are read back, counted and
//! digested, and the sums compared with those that the archive has of its tables.

use super::differing;
use super::load::Loader;
use super::read_rows::{OfRows, doing, of_copy};
use crate::error::{Error, Kind, Result};
use crate::pg::copy::CopyOuts;
use crate::pg::session::Session;
use crate::pgcopy::Digest;
use crate::progress::Level;
use crate::restore::plan::comparison::Comparison;
use crate::sql::ident;

/// How many rows, and the sum of their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    digest: Digest,
}

impl OfRows for Sum {
    fn row(&mut self, _: &[u8], digest: Digest) {
        self.rows += 1;
        self.digest += digest;
    }
}

impl Sum {
    /// The archive's.
    fn of_archive(loader: &Loader, comparison: &Comparison) -> Self {
        let mut sum = Self::default();
        for table in &comparison.tables {
            let totals = &loader.archive.index.tables[table.0 as usize];
            sum.rows += totals.rows;
            sum.digest += totals.digest;
        }
        sum
    }
}

/// Compares each.
///
/// # Errors
/// [`Kind::Incomplete`] where rows differ: the first table that does, with some of its rows.
pub(super) async fn compare(
    loader: &Loader,
    session: &Session,
    comparisons: &[Comparison],
) -> Result<()> {
    let hidden = hidden(session, comparisons).await?;
    let compared: Vec<&Comparison> =
        comparisons.iter().filter(|one| !hidden.contains(&one.name)).collect();
    for name in &hidden {
        let text = format!(
            "{name} is not compared with the archive: its row security (FORCE) hides rows from \
             this role"
        );
        loader.progress.message(Level::Warning, &text);
    }
    let statements = compared.iter().map(|one| (doing(one), one.copy.clone()));
    let encoding = loader.encoding.as_deref();
    let mut copies = CopyOuts::begin(session, statements, encoding, loader.stall_timeout).await?;
    let mut unequal = None;
    for comparison in &compared {
        let Some(copy) = copies.next().await? else { break };
        let mut sum = Sum::default();
        of_copy(loader, copy, comparison, &Sum::default(), |more: Sum| {
            sum.rows += more.rows;
            sum.digest += more.digest;
        })
        .await?;
        if unequal.is_none() && sum != Sum::of_archive(loader, comparison) {
            unequal = Some((*comparison, sum));
        }
    }
    copies.end().await?;
    let Some((comparison, found)) = unequal else { return Ok(()) };
    let archived = Sum::of_archive(loader, comparison);
    let told = match differing::tell(loader, session, comparison).await? {
        Some(told) => told,
        None => format!(
            "it had {} rows with the digest {} when it was read, the archive has {} with {}",
            found.rows, found.digest, archived.rows, archived.digest
        ),
    };
    let doing = format!("compare {} with the archive", comparison.name);
    Err(Error::new(Kind::Incomplete, doing, told).hint(
        "somebody, or a trigger, has written into it since its rows were loaded: end other \
         sessions, and restore again",
    ))
}

/// The names of those whose rows a policy would hide from this role.
async fn hidden(session: &Session, comparisons: &[Comparison]) -> Result<Vec<String>> {
    let names: Vec<String> = comparisons
        .iter()
        .filter(|one| one.relation.is_some())
        .map(|one| format!("({})", ident::literal(&one.name)))
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT t.name FROM (VALUES {}) t (name) \
         WHERE pg_catalog.row_security_active(t.name::pg_catalog.regclass)",
        names.join(", ")
    );
    let rows = session.query("look for row security", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgcopy::{RowEncoding, each_row};

    fn sum(rows: &str) -> Sum {
        let mut sum = Sum::default();
        each_row(RowEncoding::Text, 2, rows.as_bytes(), |row, digest| sum.row(row, digest))
            .unwrap();
        sum
    }

    #[test]
    fn a_sum_counts_rows_and_sees_each_value_but_no_order() {
        let both = sum("1\ta\n2\tb\n");
        assert_eq!(both.rows, 2);
        assert_eq!(both, sum("2\tb\n1\ta\n"), "the order does not matter");
        assert_eq!(sum(""), Sum::default());
        for other in ["1\ta\n", "1\ta\n2\tc\n", "1\tb\n2\ta\n", "1\ta\n2\t\\N\n", "1\ta\n1\ta\n"] {
            assert_ne!(both, sum(other), "{other}");
        }
        let twice = sum("1\ta\n1\ta\n2\tb\n");
        assert_ne!((both.rows, both.digest), (twice.rows, twice.digest), "a row that is doubled");
    }
}
