//! What the manifests of tests are made of.

use super::{Column, Grant, Manifest, Object, Source, Table};

pub(crate) fn manifest(objects: Vec<Object>, tables: Vec<Table>) -> Manifest {
    Manifest { source: source(), objects, tables, not_carried: Vec::new(), statistics: Vec::new() }
}

/// Database `kong` of a server of version 15.
pub(crate) fn source() -> Source {
    Source {
        tool: "silverback 0.1.0".to_owned(),
        server_version: "15.18".to_owned(),
        server_version_num: 150_018,
        database: "kong".to_owned(),
        encoding: "UTF8".to_owned(),
        collate: "C".to_owned(),
        ctype: "C".to_owned(),
        locale_provider: "c".to_owned(),
        collation_version: None,
        snapshot_time: "2025-01-02T03:04:05Z".to_owned(),
        snapshot_lsn: Some("0/16B3748".to_owned()),
    }
}

/// A column that may be null.
pub(crate) fn column(name: &str, type_name: &str) -> Column {
    Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        sent_as: None,
        not_null: false,
    }
}

/// Privileges on the whole of an object, which the grantee, or everybody, may not give on.
pub(crate) fn grant(grantee: Option<&str>, grantor: &str, privileges: &[&str]) -> Grant {
    Grant {
        column: None,
        grantee: grantee.map(str::to_owned),
        grantor: grantor.to_owned(),
        privileges: privileges.iter().map(|&privilege| privilege.to_owned()).collect(),
        grantable: false,
    }
}
