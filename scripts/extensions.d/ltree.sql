CREATE TABLE l (v ltree PRIMARY KEY);
INSERT INTO l SELECT ('top.n' || n)::ltree FROM generate_series(1, 100) n;
CREATE INDEX ON l USING gist (v);
