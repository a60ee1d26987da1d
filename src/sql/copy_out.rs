//! The statements that read a table's own rows, or large objects' bytes, for an archive and for a
//! comparison with one.

use super::ident;
use crate::archive::manifest::{RowEncoding, Table};

/// Bytes of a large object in one row.
const LARGE_OBJECT_ROW_BYTES: u32 = 128 << 10;

/// `COPY … TO STDOUT` of what [`own_rows`], [`rows_of_root`] or [`large_objects`] gives.
pub fn copy_out(what: &str, encoding: RowEncoding) -> String {
    let format = match encoding {
        RowEncoding::Binary => "binary",
        RowEncoding::Text => "text",
    };
    format!("COPY {what} TO STDOUT (FORMAT {format})")
}

/// What COPY reads to get a table's own rows, those of its children left out; `condition` is empty
/// or begins with `WHERE`.
pub fn own_rows(table: &Table, condition: &str) -> String {
    let columns = columns(table);
    let name = ident::qualified(&table.schema, &table.name);
    // A table without columns has no column list, and a partial read needs a query.
    if condition.is_empty() && !columns.is_empty() {
        format!("{name} ({columns})")
    } else {
        let space = if condition.is_empty() { "" } else { " " };
        format!("(SELECT {columns} FROM ONLY {name}{space}{condition})")
    }
}

/// What COPY reads to get the rows of all partitions of a partitioned table, in the columns of one.
pub fn rows_of_root(schema: &str, name: &str, partition: &Table) -> String {
    format!("(SELECT {} FROM {})", columns(partition), ident::qualified(schema, name))
}

/// What COPY reads to get large objects' bytes, as if of one table: which object, from which byte
/// on, the bytes. Of all objects, or of these.
pub fn large_objects(oids: Option<&[u32]>) -> String {
    let these = oids.map_or_else(String::new, |oids| {
        let list: Vec<String> = oids.iter().map(u32::to_string).collect();
        format!("WHERE m.oid = ANY ('{{{}}}'::pg_catalog.oid[]) ", list.join(","))
    });
    // 262144 is INV_READ, 2 SEEK_END. The descriptor is closed at once: a transaction that opens a
    // million keeps them all otherwise. OFFSET 0 keeps the planner from opening each object as
    // often as its descriptor is named.
    format!(
        "(SELECT s.oid AS loid, p.position, \
             pg_catalog.lo_get(s.oid, p.position, {LARGE_OBJECT_ROW_BYTES}) AS data \
         FROM (SELECT f.oid, pg_catalog.lo_lseek64(f.fd, 0, 2) AS bytes, \
                 pg_catalog.lo_close(f.fd) AS closed \
             FROM (SELECT m.oid, pg_catalog.lo_open(m.oid, 262144) AS fd \
                 FROM pg_catalog.pg_largeobject_metadata m {these}OFFSET 0) f OFFSET 0) s, \
           LATERAL pg_catalog.generate_series(0::int8, s.bytes - 1, {LARGE_OBJECT_ROW_BYTES}) \
               p(position) WHERE s.closed = 0)"
    )
}

fn columns(table: &Table) -> String {
    ident::list(table.columns.iter().map(|column| column.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectId;
    use crate::archive::manifest::testing::column;

    fn table(columns: &[&str]) -> Table {
        let columns = columns.iter().map(|name| column(name, "text")).collect();
        Table::new(ObjectId(0), "My", "t", columns, RowEncoding::Binary)
    }

    #[test]
    fn each_encoding_is_a_format() {
        for (encoding, format) in [(RowEncoding::Binary, "binary"), (RowEncoding::Text, "text")] {
            let expect = format!("COPY a.t (x) TO STDOUT (FORMAT {format})");
            assert_eq!(copy_out("a.t (x)", encoding), expect);
        }
    }

    #[test]
    fn own_rows_of_a_table_with_and_without_columns_and_condition() {
        let cases: [(&[&str], &str, &str); 5] = [
            (&["id"], "", "\"My\".t (id)"),
            (&["id", "Order", "user"], "", "\"My\".t (id, \"Order\", \"user\")"),
            (&["id"], "WHERE id > 0", "(SELECT id FROM ONLY \"My\".t WHERE id > 0)"),
            (&[], "", "(SELECT  FROM ONLY \"My\".t)"),
            (&[], "WHERE true", "(SELECT  FROM ONLY \"My\".t WHERE true)"),
        ];
        for (columns, condition, expect) in cases {
            assert_eq!(own_rows(&table(columns), condition), expect);
        }
    }

    #[test]
    fn rows_of_a_root_come_in_the_columns_of_a_partition() {
        let partition = table(&["b", "A"]);
        let expect = "(SELECT b, \"A\" FROM other.\"Root\")";
        assert_eq!(rows_of_root("other", "Root", &partition), expect, "not ONLY");
    }

    #[test]
    fn large_objects_all_or_some_or_none() {
        let condition = "WHERE m.oid = ANY";
        assert!(!large_objects(None).contains(condition), "all");
        for (oids, list) in
            [(&[][..], "'{}'"), (&[7][..], "'{7}'"), (&[7, u32::MAX][..], "'{7,4294967295}'")]
        {
            let some = large_objects(Some(oids));
            let expect = format!("m {condition} ({list}::pg_catalog.oid[]) OFFSET 0)");
            assert!(some.contains(&expect), "{some}");
        }
        let all = large_objects(None);
        assert_eq!(all.matches("131072").count(), 2, "the step is what is read at once");
        assert_eq!(all.matches('(').count(), all.matches(')').count());
    }
}
