//! Where an object stands in the catalogs: the catalog and the row, as `pg_depend`,
//! `pg_description` and the like name it.

/// A row of a system catalog. Sub-objects (columns) are not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::pg::catalog) struct Address {
    /// The catalog's own oid in `pg_class`, fixed since PostgreSQL has it: one of [`class`], or of
    /// [`own`].
    pub(in crate::pg::catalog) class: u32,
    /// The row's oid.
    pub(in crate::pg::catalog) object: u32,
}

impl Address {
    /// Whether it names a row of a catalog.
    pub(in crate::pg::catalog) fn is_row(self) -> bool {
        (class::DEFAULT_ACL..own::FIRST_HIGH).contains(&self.class)
    }

    pub(in crate::pg::catalog) fn new(class: u32, object: u32) -> Self {
        Self { class, object }
    }
}

/// The oids of the system catalogs, from the headers of their definitions in PostgreSQL's source.
pub(in crate::pg::catalog) mod class {
    pub(in crate::pg::catalog) const ACCESS_METHOD: u32 = 2601;
    pub(in crate::pg::catalog) const ATTRDEF: u32 = 2604;
    pub(in crate::pg::catalog) const CAST: u32 = 2605;
    pub(in crate::pg::catalog) const CLASS: u32 = 1259;
    pub(in crate::pg::catalog) const COLLATION: u32 = 3456;
    pub(in crate::pg::catalog) const CONSTRAINT: u32 = 2606;
    pub(in crate::pg::catalog) const CONVERSION: u32 = 2607;
    pub(in crate::pg::catalog) const DEFAULT_ACL: u32 = 826;
    pub(in crate::pg::catalog) const EVENT_TRIGGER: u32 = 3466;
    pub(in crate::pg::catalog) const EXTENSION: u32 = 3079;
    pub(in crate::pg::catalog) const FOREIGN_DATA_WRAPPER: u32 = 2328;
    pub(in crate::pg::catalog) const FOREIGN_SERVER: u32 = 1417;
    pub(in crate::pg::catalog) const LANGUAGE: u32 = 2612;
    pub(in crate::pg::catalog) const LARGE_OBJECT: u32 = 2613;
    pub(in crate::pg::catalog) const NAMESPACE: u32 = 2615;
    pub(in crate::pg::catalog) const OPERATOR: u32 = 2617;
    pub(in crate::pg::catalog) const OPERATOR_CLASS: u32 = 2616;
    pub(in crate::pg::catalog) const OPERATOR_FAMILY: u32 = 2753;
    pub(in crate::pg::catalog) const POLICY: u32 = 3256;
    pub(in crate::pg::catalog) const PROC: u32 = 1255;
    pub(in crate::pg::catalog) const PUBLICATION: u32 = 6104;
    pub(in crate::pg::catalog) const PUBLICATION_NAMESPACE: u32 = 6237;
    pub(in crate::pg::catalog) const PUBLICATION_REL: u32 = 6106;
    pub(in crate::pg::catalog) const REWRITE: u32 = 2618;
    pub(in crate::pg::catalog) const STATISTIC_EXT: u32 = 3381;
    pub(in crate::pg::catalog) const SUBSCRIPTION: u32 = 6100;
    pub(in crate::pg::catalog) const TRANSFORM: u32 = 3576;
    pub(in crate::pg::catalog) const TRIGGER: u32 = 2620;
    pub(in crate::pg::catalog) const TS_CONFIGURATION: u32 = 3602;
    pub(in crate::pg::catalog) const TS_DICTIONARY: u32 = 3600;
    pub(in crate::pg::catalog) const TS_PARSER: u32 = 3601;
    pub(in crate::pg::catalog) const TS_TEMPLATE: u32 = 3764;
    pub(in crate::pg::catalog) const TYPE: u32 = 1247;
    pub(in crate::pg::catalog) const USER_MAPPING: u32 = 1418;
}

/// The first oid that a running server gives to an object; below are those of `initdb`.
pub(in crate::pg::catalog) const FIRST_NORMAL_OID: u32 = 16384;

/// Classes of our own, for objects that have no row of a catalog to themselves; the object's oid is
/// that of what they hang on.
pub(in crate::pg::catalog) mod own {
    pub(in crate::pg::catalog) const SEQUENCE_OWNER: u32 = 1;
    pub(in crate::pg::catalog) const SEQUENCE_VALUE: u32 = 2;
    pub(in crate::pg::catalog) const TABLE_ATTACH: u32 = 3;
    pub(in crate::pg::catalog) const INDEX_ATTACH: u32 = 4;
    pub(in crate::pg::catalog) const ROW_SECURITY: u32 = 5;
    pub(in crate::pg::catalog) const REFRESH: u32 = 6;
    pub(in crate::pg::catalog) const LARGE_OBJECTS: u32 = 7;
    pub(in crate::pg::catalog) const FORCED: u32 = 8;
    pub(in crate::pg::catalog) const FAMILY_ADDITIONS: u32 = 9;
    pub(in crate::pg::catalog) const SHELL_TYPE: u32 = 20;
    /// From here on; no catalog's oid is as high.
    pub(in crate::pg::catalog) const FIRST_HIGH: u32 = MISSING_DEFAULT;
    /// And as many more as a table has columns.
    pub(in crate::pg::catalog) const MISSING_DEFAULT: u32 = 1 << 30;
    /// Plus the catalog: privileges on what something else makes, which must not be taken for the
    /// thing itself.
    pub(in crate::pg::catalog) const PRIVILEGES: u32 = 1 << 31;
}
