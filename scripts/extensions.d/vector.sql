CREATE TABLE v (id serial PRIMARY KEY, v vector(3));
INSERT INTO v (v) SELECT ARRAY[n, n + 1, n + 2]::vector FROM generate_series(1, 100) n;
CREATE INDEX ON v USING hnsw (v vector_l2_ops);
