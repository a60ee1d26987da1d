//! The archive file: header, manifest, chunks, index, footer. Knows neither tokio nor Postgres.

pub mod manifest;
