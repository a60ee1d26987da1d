//! Which columns of the system catalogs this build knows, and whose rows are whose there. Does not
//! know what a server has.

use std::collections::{BTreeMap, BTreeSet};

use crate::pg::catalog::assemble::sweep::{PASSING_SCHEMAS, schema_column};
use crate::pg::catalog::draft::address::FIRST_NORMAL_OID;

/// Names of columns by catalog.
pub type KnownColumns = BTreeMap<String, BTreeSet<String>>;

/// The columns that this build carries, reads, or leaves for a reason, of every catalog that holds
/// a user's objects.
pub fn known_columns() -> KnownColumns {
    parse(include_str!("known_columns.txt"))
}

fn parse(text: &str) -> KnownColumns {
    let mut known = KnownColumns::new();
    let mut catalog = String::new();
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default()) {
        let mut words = line.split_whitespace().filter(|word| !word.ends_with(':'));
        if !line.starts_with(' ') {
            words.next().unwrap_or_default().clone_into(&mut catalog);
        }
        if !catalog.is_empty() {
            known.entry(catalog.clone()).or_default().extend(words.map(str::to_owned));
        }
    }
    known
}

/// Catalogs without a column `oid` whose rows are no objects of a user, nor parts of one:
/// dependencies, statistics, the rows of large objects, and what is of the whole server.
pub(in crate::pg::catalog) const NO_OBJECTS: &[&str] = &[
    "pg_auth_members",
    "pg_depend",
    "pg_init_privs",
    "pg_largeobject",
    "pg_pltemplate",
    "pg_replication_origin",
    "pg_shdepend",
    "pg_statistic",
    "pg_statistic_ext_data",
    "pg_subscription_rel",
];

/// Whose a catalog's rows (`o`) are, as SQL.
#[derive(Debug)]
pub(in crate::pg::catalog) struct Rows {
    /// The catalog, as an oid, of the object that a row belongs to.
    pub(in crate::pg::catalog) class: String,
    /// That object's oid.
    pub(in crate::pg::catalog) object: &'static str,
    /// The number of the column that a row is about, or 0.
    pub(in crate::pg::catalog) part: &'static str,
    /// Whether a row is `initdb`'s.
    pub(in crate::pg::catalog) is_initdb: String,
    /// Whether a row is a user's, or an extension's.
    pub(in crate::pg::catalog) is_user: String,
}

/// The database that the session is in.
const HERE: &str =
    "(SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

/// Says whose the rows of a catalog are that [`known_columns`] names.
pub(in crate::pg::catalog) fn rows(catalog: &str) -> Rows {
    let (of, object, part) = match catalog {
        "pg_aggregate" => ("pg_proc", "o.aggfnoid::oid", "0"),
        "pg_attrdef" => ("pg_class", "o.adrelid", "o.adnum"),
        "pg_attribute" => ("pg_class", "o.attrelid", "o.attnum"),
        "pg_db_role_setting" => ("pg_database", "o.setdatabase", "0"),
        "pg_enum" => ("pg_type", "o.enumtypid", "0"),
        "pg_foreign_table" => ("pg_class", "o.ftrelid", "0"),
        "pg_index" => ("pg_class", "o.indexrelid", "0"),
        "pg_inherits" => ("pg_class", "o.inhrelid", "0"),
        "pg_largeobject_metadata" => ("pg_largeobject", "o.oid", "0"),
        "pg_partitioned_table" => ("pg_class", "o.partrelid", "0"),
        "pg_range" => ("pg_type", "o.rngtypid", "0"),
        "pg_sequence" => ("pg_class", "o.seqrelid", "0"),
        "pg_ts_config_map" => ("pg_ts_config", "o.mapcfg", "0"),
        "pg_description" | "pg_seclabel" => ("", "o.objoid", "o.objsubid"),
        "pg_shdescription" | "pg_shseclabel" => ("", "o.objoid", "0"),
        itself => (itself, "o.oid", "0"),
    };
    let class = if of.is_empty() {
        "o.classoid".to_owned()
    } else {
        format!("'pg_catalog.{of}'::pg_catalog.regclass::oid")
    };
    // In which schema a row is, or that of its relation, which may be temporary or hold what TOAST
    // keeps.
    let schema_of = |relation: &str| {
        format!("(SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = {relation})")
    };
    let schema = match (catalog, of) {
        ("pg_policy", _) => schema_of("o.polrelid"),
        ("pg_rewrite", _) => schema_of("o.ev_class"),
        ("pg_trigger", _) => schema_of("o.tgrelid"),
        (_, "pg_class") if catalog != "pg_class" => schema_of(object),
        _ => schema_column(catalog).map_or_else(|| "0".to_owned(), |column| format!("o.{column}")),
    };
    let (more_initdb, more_user) = match catalog {
        "pg_attribute" => (String::new(), " AND o.attnum > 0 AND NOT o.attisdropped".to_owned()),
        "pg_namespace" => (String::new(), " AND o.nspname !~ '^pg_(temp|toast_temp)_'".to_owned()),
        "pg_trigger" => (String::new(), " AND NOT o.tgisinternal".to_owned()),
        "pg_subscription" => (String::new(), format!(" AND o.subdbid = {HERE}")),
        // Of the server's databases only this one is a user's, even if `initdb` made it.
        "pg_database" | "pg_db_role_setting" | "pg_shdescription" | "pg_shseclabel" => {
            let class = if of.is_empty() {
                " AND o.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass"
            } else {
                ""
            };
            (format!(" AND {object} <> {HERE}{class}"), format!(" AND {object} = {HERE}{class}"))
        }
        _ => (String::new(), String::new()),
    };
    let from = if more_initdb.is_empty() { FIRST_NORMAL_OID } else { 1 };
    Rows {
        class,
        object,
        part,
        is_initdb: format!("{object} BETWEEN 1 AND {}{more_initdb}", FIRST_NORMAL_OID - 1),
        is_user: format!("{object} >= {from} AND {schema} NOT IN ({PASSING_SCHEMAS}){more_user}"),
    }
}

#[cfg(test)]
mod tests {
    use super::known_columns;

    #[test]
    fn the_list_is_read() {
        let known = known_columns();
        let columns =
            |catalog: &str| known[catalog].iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        assert_eq!(columns("pg_cast"), "castcontext castfunc castmethod castsource casttarget oid");
        assert_eq!(
            columns("pg_aggregate").split(' ').count(),
            22,
            "lines that go on, and those that name another reason"
        );
        assert!(
            known
                .iter()
                .all(|(catalog, columns)| catalog.starts_with("pg_") && !columns.is_empty())
        );
    }

    /// A column is `read` only where the catalogs' files name it.
    #[test]
    fn what_the_list_calls_read_is_read() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pg/catalog");
        let (mut source, mut directories) =
            (String::new(), vec![std::path::PathBuf::from(directory)]);
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory of the catalogs") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs")
                    && !path.ends_with("known.rs")
                {
                    source += &std::fs::read_to_string(path).expect("a source file");
                }
            }
        }
        let words: std::collections::HashSet<&str> =
            source.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let mut is_read = false;
        for line in include_str!("known_columns.txt")
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default())
        {
            for word in line.split_whitespace().filter(|_| line.starts_with(' ')) {
                if word.ends_with(':') {
                    is_read = word == "read:";
                } else if is_read {
                    assert!(words.contains(word), "{word} is named in no query");
                }
            }
        }
    }
}
