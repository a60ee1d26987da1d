CREATE SCHEMA app;
CREATE TABLE app.events (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL DEFAULT now(), what text) PARTITION BY RANGE (at);
CREATE INDEX ON app.events (at);
SELECT create_parent('app.events', 'at', '1 day', p_premake := 3);
INSERT INTO app.events (at, what) SELECT now() + n * interval '1 hour', 'event ' || n FROM generate_series(1, 48) n;
UPDATE part_config SET retention = '30 days', retention_keep_table = true;
