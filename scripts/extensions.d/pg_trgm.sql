CREATE TABLE w (v text);
INSERT INTO w SELECT 'word ' || n FROM generate_series(1, 100) n;
CREATE INDEX ON w USING gin (v gin_trgm_ops);
