-- Extended statistics.
CREATE SCHEMA "St at";
CREATE TABLE measured (a int, b int, c text, d timestamp);
INSERT INTO measured SELECT n % 7, n % 7, n::text, now() FROM generate_series(1, 500) n;
CREATE STATISTICS all_kinds ON a, b, c FROM measured;
CREATE STATISTICS "St at".one_kind (dependencies) ON a, b FROM measured;
CREATE STATISTICS some_kinds (ndistinct, mcv) ON a, c FROM measured;
ALTER STATISTICS all_kinds OWNER TO "{owner}";
COMMENT ON STATISTICS all_kinds IS 'every kind';
-- since 13
ALTER STATISTICS some_kinds SET STATISTICS 42;
ALTER STATISTICS all_kinds SET STATISTICS 0;
-- since 14
CREATE STATISTICS of_expressions ON (a + b), (lower(c)), d FROM measured;
CREATE STATISTICS of_one ON (date_trunc('day', d)) FROM measured;
