-- Constraints and indexes.
CREATE TABLE keyed (id int, a int, b text, c int4range, CONSTRAINT pk PRIMARY KEY (id) INCLUDE (b) WITH (fillfactor = 70), CONSTRAINT u UNIQUE (a, b) DEFERRABLE INITIALLY DEFERRED, UNIQUE (b, a) INCLUDE (id) DEFERRABLE);
INSERT INTO keyed SELECT n, n, n::text, int4range(n, n + 1) FROM generate_series(1, 50) n;
ALTER TABLE keyed ADD CONSTRAINT ex EXCLUDE USING gist (c WITH &&) WHERE (id > 0) DEFERRABLE;
ALTER TABLE keyed ADD CONSTRAINT ck CHECK (a > 0) NO INHERIT; ALTER TABLE keyed ADD CONSTRAINT nv CHECK (a > 10) NOT VALID;
CREATE TABLE refers (id int, x int, CONSTRAINT f1 FOREIGN KEY (id) REFERENCES keyed ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, CONSTRAINT f2 FOREIGN KEY (x) REFERENCES keyed NOT VALID);
INSERT INTO refers VALUES (1, 2);
CREATE TABLE left_one (id int PRIMARY KEY, r int); CREATE TABLE right_one (id int PRIMARY KEY, l int REFERENCES left_one); ALTER TABLE left_one ADD FOREIGN KEY (r) REFERENCES right_one;
INSERT INTO left_one VALUES (1, NULL); INSERT INTO right_one VALUES (1, 1); UPDATE left_one SET r = 1;
CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree); INSERT INTO tree VALUES (1, 1), (2, 1);
CREATE INDEX i_expr ON keyed (lower(b) COLLATE "C" DESC NULLS LAST, (a + 1)) INCLUDE (id) WHERE a > 3; ALTER INDEX i_expr ALTER COLUMN 1 SET STATISTICS 33;
CREATE INDEX i_ops ON keyed (b text_pattern_ops, a); CREATE INDEX i_hash ON keyed USING hash (b) WITH (fillfactor = 60); CREATE INDEX i_brin ON keyed USING brin (id) WITH (pages_per_range = 4);
CREATE INDEX i_gin ON keyed USING gin ((ARRAY[a])) WITH (fastupdate = off);
CREATE TABLE texts (t tsvector);
CREATE UNIQUE INDEX i_ri ON keyed (a) ; ALTER TABLE keyed ALTER a SET NOT NULL; ALTER TABLE keyed REPLICA IDENTITY USING INDEX i_ri; ALTER TABLE keyed CLUSTER ON i_ops;
CREATE TABLE nothing (id int); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
COMMENT ON CONSTRAINT ex ON keyed IS 'excludes'; COMMENT ON CONSTRAINT f1 ON refers IS 'refers'; COMMENT ON INDEX i_expr IS 'expression'; COMMENT ON INDEX pk IS 'the key''s index';
-- since 13
CREATE INDEX i_opts ON texts USING gist (t tsvector_ops (siglen = 200));
-- since 15
CREATE TABLE nnd (a int, b int, CONSTRAINT nnd_u UNIQUE NULLS NOT DISTINCT (a)); CREATE UNIQUE INDEX nnd_i ON nnd (b) NULLS NOT DISTINCT; INSERT INTO nnd VALUES (NULL, NULL);
CREATE TABLE set_some (a int, b int, FOREIGN KEY (a) REFERENCES keyed ON DELETE SET NULL (a));
-- since 18
CREATE TABLE rooms (room int4range, at daterange, note text, CONSTRAINT rooms_pk PRIMARY KEY (room, at WITHOUT OVERLAPS)); INSERT INTO rooms VALUES ('[1,2)', '[2024-01-01,2024-02-01)');
CREATE TABLE stays (room int4range, at daterange, CONSTRAINT stays_u UNIQUE (room, at WITHOUT OVERLAPS), CONSTRAINT stays_fk FOREIGN KEY (room, PERIOD at) REFERENCES rooms (room, PERIOD at)); INSERT INTO stays VALUES ('[1,2)', '[2024-01-03,2024-01-05)');
ALTER TABLE keyed ADD CONSTRAINT lax CHECK (a > 1000) NOT ENFORCED; CREATE TABLE lax_refers (id int, CONSTRAINT lax_fk FOREIGN KEY (id) REFERENCES keyed NOT ENFORCED); INSERT INTO lax_refers VALUES (4711);
