//! The COPY row formats: rows split into columns, columns joined into rows, the row digest. Knows neither tokio nor Postgres.
