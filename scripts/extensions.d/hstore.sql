CREATE TABLE h (id serial PRIMARY KEY, v hstore);
INSERT INTO h (v) SELECT hstore('k' || n, n::text) FROM generate_series(1, 100) n;
CREATE INDEX ON h USING gin (v);
