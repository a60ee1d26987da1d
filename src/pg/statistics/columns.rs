//! The columns of the views that hold statistics, and the servers that take them.

/// The first server that takes statistics.
pub const TAKEN_FROM: u32 = 180_000;
/// The first that takes extended ones.
pub const EXTENDED_TAKEN_FROM: u32 = 190_000;

/// The columns of `pg_stats`, with the types of the arguments by which the server takes them. What
/// it calls `anyarray` it takes as text.
pub(super) const OF_COLUMNS: &[(&str, &str)] = &[
    ("null_frac", "real"),
    ("avg_width", "integer"),
    ("n_distinct", "real"),
    ("most_common_vals", "text"),
    ("most_common_freqs", "real[]"),
    ("histogram_bounds", "text"),
    ("correlation", "real"),
    ("most_common_elems", "text"),
    ("most_common_elem_freqs", "real[]"),
    ("elem_count_histogram", "real[]"),
    ("range_length_histogram", "text"),
    ("range_empty_frac", "real"),
    ("range_bounds_histogram", "text"),
];

/// The same of `pg_stats_ext`.
pub(super) const EXTENDED: &[(&str, &str)] = &[
    ("n_distinct", "pg_catalog.pg_ndistinct"),
    ("dependencies", "pg_catalog.pg_dependencies"),
    ("most_common_vals", "text[]"),
    ("most_common_freqs", "double precision[]"),
    ("most_common_base_freqs", "double precision[]"),
];
