//! What a product means by some of its tables and columns, where that decides how a restore is
//! done. Knows no product.

/// What is known of the databases of one product; by default nothing.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Whether the rows of a table of this name come when everything else stands, because they
    /// declare the database usable.
    pub loads_last: fn(&str) -> bool,
    /// Whether rows are looked up by a column of this name from the first moment on.
    pub is_searched: fn(&str) -> bool,
    /// Whether a table of this name with these columns holds nothing but what ends by itself, such
    /// as locks.
    pub is_fleeting: fn(&str, &[String]) -> bool,
    /// What is said when a database with such a table may be used.
    pub may_start: &'static str,
    /// The product.
    pub name: &'static str,
    /// The table by which a database of the product is known.
    pub known_by: Option<&'static str>,
    /// Whether some version of it makes a table of this name with these columns.
    pub makes_table: fn(&str, &[String]) -> bool,
    /// Whether some version of it makes a trigger function of this name.
    pub makes_function: fn(&str) -> bool,
}

/// What a product has just made in a database, and nobody has used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// The schema of all of it, unquoted.
    pub schema: String,
    /// Its tables, unquoted.
    pub tables: Vec<String>,
    /// Its trigger functions, which have no declared arguments, unquoted.
    pub functions: Vec<String>,
    /// A query of one text a row: what shows that somebody has used it. None is nothing.
    pub used: String,
}

/// The schema in which a product looks for its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its name, unquoted.
    pub schema: String,
    /// The product's setting that says so, and where it was read.
    pub said_by: String,
    /// The setting's name.
    pub setting: &'static str,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            loads_last: |_| false,
            is_searched: |_| false,
            is_fleeting: |_, _| false,
            may_start: "the database may be used now",
            name: "",
            known_by: None,
            makes_table: |_, _| false,
            makes_function: |_| false,
        }
    }
}

impl Profile {
    /// What is said when a database with these tables may be used.
    pub fn words<'a>(&self, mut tables: impl Iterator<Item = &'a str>) -> &'static str {
        if tables.any(self.loads_last) { self.may_start } else { Self::default().may_start }
    }
}
