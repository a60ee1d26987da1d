//! What is read back once all is made, to be compared with the archive: tables one by one, large
//! objects, and the partitions together whose rows may have come to lie in one another.
//!
//! Does not know how rows are read, nor what becomes of a difference.

use std::collections::{BTreeMap, HashSet};

use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind, Table, TableId};
use crate::pgcopy::RowEncoding;
use crate::sql::{copy_out, ident};

/// Rows that are read back by one statement, and of which tables of the archive they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Whose rows they are; several are partitions of one table.
    pub tables: Vec<TableId>,
    /// What is named when they differ, quoted and qualified.
    pub name: String,
    /// The table that holds them, unquoted: schema and name. None for large objects.
    pub relation: Option<(String, String)>,
    /// The COPY statement.
    pub copy: String,
    /// How the rows travel.
    pub encoding: RowEncoding,
    /// Their columns.
    pub columns: Vec<String>,
}

/// What is compared of the tables whose rows are restored, and which of them cannot be, with the
/// reason. Extensions' tables are left out: their triggers decide which rows they take.
pub(in crate::restore) fn comparisons(
    objects: &[Object],
    tables: &[Table],
    restored: &[bool],
) -> (Vec<Comparison>, Vec<String>) {
    let of_extensions: HashSet<ObjectId> = objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Extension)
        .map(|object| object.id)
        .collect();
    let (mut alone, mut of_roots) = (Vec::new(), BTreeMap::<_, Vec<TableId>>::new());
    for (id, table) in (0..).map(TableId).zip(tables).filter(|(id, _)| restored[id.0 as usize]) {
        match &table.root {
            _ if of_extensions.contains(&table.object) => {}
            _ if table.is_large_objects() => alone.push(large_objects(objects, id, table)),
            Some(root) => {
                of_roots.entry((&root.schema, &root.name)).or_default().push(id);
            }
            None => {
                let condition = table.filter.as_deref().unwrap_or_default();
                let relation = (table.schema.as_str(), table.name.as_str());
                let what = copy_out::own_rows(table, condition);
                alone.push(comparison(vec![id], relation, &what, table));
            }
        }
    }
    let mut cannot = Vec::new();
    for ((schema, name), partitions) in of_roots {
        let described = |id: &TableId| &tables[id.0 as usize];
        let Some(first) = partitions.first().map(described) else { continue };
        let like_first = |id: &TableId| {
            let table = described(id);
            table
                .columns
                .iter()
                .map(|column| &column.name)
                .eq(first.columns.iter().map(|column| &column.name))
                && table.encoding == first.encoding
        };
        if partitions.iter().all(like_first) {
            let what = copy_out::rows_of_root(schema, name, first);
            alone.push(comparison(partitions, (schema, name), &what, first));
        } else {
            let name = ident::qualified(schema, name);
            cannot.push(format!("{name}: its partitions have their columns in different orders"));
        }
    }
    (alone, cannot)
}

fn comparison(
    tables: Vec<TableId>,
    (schema, name): (&str, &str),
    what: &str,
    like: &Table,
) -> Comparison {
    Comparison {
        tables,
        name: ident::qualified(schema, name),
        relation: Some((schema.to_owned(), name.to_owned())),
        copy: copy_out::copy_out(what, like.encoding),
        encoding: like.encoding,
        columns: like.columns.iter().map(|column| column.name.clone()).collect(),
    }
}

/// The bytes of the archive's own large objects: others may be in the database.
fn large_objects(objects: &[Object], id: TableId, table: &Table) -> Comparison {
    let oids: Vec<u32> = objects
        .iter()
        .filter_map(|object| match &object.detail {
            Detail::LargeObjects { oids } => Some(oids),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    Comparison {
        tables: vec![id],
        name: "large objects".to_owned(),
        relation: None,
        copy: copy_out::copy_out(&copy_out::large_objects(Some(&oids)), table.encoding),
        encoding: table.encoding,
        columns: table.columns.iter().map(|column| column.name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::TableName;
    use crate::archive::manifest::testing::column;

    fn table(id: u32, name: &str, columns: &[&str], root: Option<&str>) -> Table {
        let columns = columns.iter().map(|name| column(name, "text")).collect();
        let root = root.map(|name| TableName { schema: "s".into(), name: name.into() });
        Table { root, ..Table::new(ObjectId(id), "s", name, columns, RowEncoding::Binary) }
    }

    #[test]
    fn each_table_alone_and_partitions_of_one_root_together() {
        let tables = [
            table(0, "Plain", &["a"], None),
            table(1, "p1", &["a", "b"], Some("root")),
            table(2, "p2", &["a", "b"], Some("root")),
            table(3, "unwanted", &["a"], None),
            table(4, "q1", &["a", "b"], Some("mixed")),
            table(5, "q2", &["b", "a"], Some("mixed")),
            Table { filter: Some("WHERE a".into()), ..table(6, "few", &["a"], None) },
        ];
        let restored = [true, true, true, false, true, true, true];
        let (compared, cannot) = comparisons(&[], &tables, &restored);
        let seen: Vec<_> = compared
            .iter()
            .map(|one| (one.tables.iter().map(|id| id.0).collect::<Vec<_>>(), one.copy.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (vec![0], "COPY s.\"Plain\" (a) TO STDOUT (FORMAT binary)"),
                (vec![6], "COPY (SELECT a FROM ONLY s.few WHERE a) TO STDOUT (FORMAT binary)"),
                (vec![1, 2], "COPY (SELECT a, b FROM s.root) TO STDOUT (FORMAT binary)"),
            ]
        );
        assert_eq!(cannot, ["s.mixed: its partitions have their columns in different orders"]);
    }

    #[test]
    fn an_extensions_table_is_left_to_it_and_large_objects_are_those_of_the_archive() {
        let extension = Object::new(ObjectId(0), ObjectKind::Extension, "EXTENSION ext");
        let objects = Object {
            detail: Detail::LargeObjects { oids: vec![7, 9] },
            ..Object::new(ObjectId(1), ObjectKind::LargeObject, "LARGE OBJECT 7 to 9")
        };
        let (schema, name) = Table::LARGE_OBJECTS;
        let tables = [
            table(0, "settings", &["a"], None),
            Table { schema: schema.into(), name: name.into(), ..table(1, "", &["loid"], None) },
        ];
        let (compared, _) = comparisons(&[extension, objects], &tables, &[true, true]);
        let [one] = &compared[..] else { panic!("{compared:?}") };
        assert_eq!((one.tables[0], one.relation.as_ref()), (TableId(1), None));
        assert!(one.copy.contains("WHERE m.oid = ANY ('{7,9}'::pg_catalog.oid[])"), "{}", one.copy);
    }
}
