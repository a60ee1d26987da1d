-- Materialised views: filled in the order of their reading, left empty where they were.
CREATE TABLE src (id int PRIMARY KEY, kind text, v numeric);
INSERT INTO src SELECT n, 'k' || n % 3, n FROM generate_series(1, 100) n;
CREATE MATERIALIZED VIEW z_first WITH (fillfactor = 70, toast.autovacuum_enabled = off) AS SELECT kind, sum(v) AS total FROM src GROUP BY kind;
CREATE VIEW between_them AS SELECT * FROM z_first WHERE total > 0;
CREATE MATERIALIZED VIEW a_second AS SELECT count(*) AS n FROM between_them;
CREATE MATERIALIZED VIEW empty_one AS SELECT 1 AS x WITH NO DATA;
-- Reads an empty one by a view, and could not be refreshed; it was filled when the other still was.
CREATE MATERIALIZED VIEW was_full AS SELECT 2 AS y;
CREATE VIEW over_was_full AS SELECT * FROM was_full;
CREATE MATERIALIZED VIEW "On Empty" AS SELECT * FROM over_was_full WITH NO DATA;
REFRESH MATERIALIZED VIEW was_full WITH NO DATA;
-- Needs the primary key, and so comes after the data; with it what is said of it.
CREATE MATERIALIZED VIEW by_key AS SELECT id, kind, count(*) AS n FROM src GROUP BY id;
CREATE UNIQUE INDEX by_key_id ON by_key (id);
CREATE INDEX z_first_total ON z_first (total DESC) WHERE total > 1;
ALTER MATERIALIZED VIEW z_first ALTER COLUMN kind SET STATISTICS 99, ALTER COLUMN kind SET STORAGE EXTERNAL, ALTER COLUMN kind SET (n_distinct = 3);
ALTER MATERIALIZED VIEW by_key CLUSTER ON by_key_id;
ALTER MATERIALIZED VIEW a_second OWNER TO "{owner}"; GRANT SELECT ON between_them TO "{owner}";
COMMENT ON MATERIALIZED VIEW z_first IS 'sums'; COMMENT ON COLUMN z_first.total IS 'a sum';
GRANT SELECT ON z_first TO "{reader}";
