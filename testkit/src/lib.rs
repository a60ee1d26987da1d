//! Throw-away PostgreSQL servers and Kong-shaped data.
