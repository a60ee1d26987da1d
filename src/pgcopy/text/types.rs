//! Types by the names that `format_type` gives them.

use super::number::Width;
use crate::error::{Error, Kind, Result};

/// A type whose values can be written as the server writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// As it was asked for.
    pub(super) name: String,
    pub(super) form: Form,
    /// The server that sent the values, such as 180001: some texts have changed.
    pub(super) version: u32,
}

/// What the bytes of a type's values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Array(Box<Form>),
    Bits,
    Bool,
    Box,
    Bytea,
    Char,
    Circle,
    Date,
    Float4,
    Float8,
    Inet,
    Integer(Width),
    Interval,
    Line,
    Lsn,
    Lseg,
    Macaddr(usize),
    Multirange(Box<Form>),
    Numeric,
    Path,
    Point,
    Polygon,
    Range(Box<Form>),
    Snapshot,
    /// The text itself.
    Text,
    /// The text behind the number of its version, which is 1.
    Versioned,
    Tid,
    Time,
    Timestamp,
    Timestamptz,
    Timetz,
    Tsvector,
    Uuid,
}

/// The words that stand before the type of what a range of a database's own is made of.
const RANGE: &str = "range of ";
const MULTIRANGE: &str = "multirange of ";

/// Deeper than any type of the server lies in another.
const DEPTH_MAX: usize = 4;

impl Type {
    /// A type by the name that `format_type` gives it, modifiers among it: `integer`,
    /// `numeric(10,2)[]`, `timestamp(3) without time zone`. Of a type of a database's own (a
    /// domain, an enumeration, a range) it is the name of what its values are in binary; that of a
    /// range is `range of integer`, or `multirange of integer`.
    ///
    /// `server_version_num` is that of the server whose values they are.
    ///
    /// # Errors
    /// [`Kind::Requirement`] for a type that is not known, with its name.
    pub fn of(name: &str, server_version_num: u32) -> Result<Self> {
        let form = form(name, DEPTH_MAX).ok_or_else(|| {
            let doing = format!("read values of type {name}");
            Error::new(Kind::Requirement, doing, "the text of its values is not known")
        })?;
        Ok(Self { name: name.to_owned(), form, version: server_version_num })
    }
}

fn form(name: &str, depth: usize) -> Option<Form> {
    let inner = |name| Some(Box::new(form(name, depth.checked_sub(1)?)?));
    if let Some(name) = name.strip_prefix(RANGE) {
        return inner(name).map(Form::Range);
    }
    if let Some(name) = name.strip_prefix(MULTIRANGE) {
        return inner(name).map(Form::Multirange);
    }
    if let Some(name) = name.strip_suffix("[]") {
        return inner(name).map(Form::Array);
    }
    let name = without_modifier(name);
    scalar(&name).or_else(|| composed(&name))
}

/// `timestamp(3) with time zone` is `timestamp with time zone`.
fn without_modifier(name: &str) -> String {
    match (name.split_once('('), name.rsplit_once(')')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => name.to_owned(),
    }
}

fn scalar(name: &str) -> Option<Form> {
    Some(match name {
        "boolean" => Form::Bool,
        "\"char\"" => Form::Char,
        "bytea" => Form::Bytea,
        "smallint" => Form::Integer(Width::I16),
        "integer" => Form::Integer(Width::I32),
        "bigint" => Form::Integer(Width::I64),
        "oid" | "xid" | "cid" => Form::Integer(Width::U32),
        "xid8" | "oid8" => Form::Integer(Width::U64),
        "real" => Form::Float4,
        "double precision" => Form::Float8,
        "numeric" => Form::Numeric,
        "text" | "name" | "json" | "character varying" | "character" | "bpchar" => Form::Text,
        "jsonb" | "jsonpath" => Form::Versioned,
        "date" => Form::Date,
        "time without time zone" => Form::Time,
        "time with time zone" => Form::Timetz,
        "timestamp without time zone" => Form::Timestamp,
        "timestamp with time zone" => Form::Timestamptz,
        // With the fields that it is restricted to.
        _ if name == "interval" || name.starts_with("interval ") => Form::Interval,
        "uuid" => Form::Uuid,
        "inet" | "cidr" => Form::Inet,
        "macaddr" => Form::Macaddr(6),
        "macaddr8" => Form::Macaddr(8),
        "bit" | "\"bit\"" | "bit varying" => Form::Bits,
        "point" => Form::Point,
        "line" => Form::Line,
        "lseg" => Form::Lseg,
        "box" => Form::Box,
        "path" => Form::Path,
        "polygon" => Form::Polygon,
        "circle" => Form::Circle,
        "tsvector" => Form::Tsvector,
        "tid" => Form::Tid,
        "pg_lsn" => Form::Lsn,
        "pg_snapshot" | "txid_snapshot" => Form::Snapshot,
        _ => return None,
    })
}

/// The server's own ranges.
fn composed(name: &str) -> Option<Form> {
    let (kind, is_multirange) = match name.strip_suffix("multirange") {
        Some(kind) => (kind, true),
        None => (name.strip_suffix("range")?, false),
    };
    let bound = match kind {
        "int4" => Form::Integer(Width::I32),
        "int8" => Form::Integer(Width::I64),
        "num" => Form::Numeric,
        "date" => Form::Date,
        "ts" => Form::Timestamp,
        "tstz" => Form::Timestamptz,
        _ => return None,
    };
    Some(if is_multirange { Form::Multirange(bound.into()) } else { Form::Range(bound.into()) })
}
