-- Inheritance: what is local and what only comes from a parent.
CREATE TABLE par (a int NOT NULL, b text DEFAULT 'p', c int CONSTRAINT c_positive CHECK (c > 1), g int GENERATED ALWAYS AS (a * 2) STORED, CONSTRAINT ni CHECK (a <> 9) NO INHERIT);
CREATE TABLE par2 (a int, "D" text DEFAULT 'two' NOT NULL);
CREATE TABLE kid (own int, a int) INHERITS (par, par2);
CREATE TABLE kid_null () INHERITS (par); ALTER TABLE kid_null ALTER b DROP DEFAULT, ALTER c SET DEFAULT 5, ALTER b SET NOT NULL;
CREATE TABLE kid_check (CONSTRAINT c_positive CHECK (c > 1), CONSTRAINT mine CHECK (c < 100)) INHERITS (par);
CREATE TABLE grandkid (x int) INHERITS (kid);
CREATE TABLE late (z int, a int NOT NULL, b text, c int CONSTRAINT c_positive CHECK (c > 1)); 
CREATE TABLE late_par (a int NOT NULL, b text); ALTER TABLE late INHERIT late_par;
ALTER TABLE par ADD COLUMN added int; ALTER TABLE kid DROP COLUMN own;
INSERT INTO par (a, b, c) VALUES (1, 'x', 2); INSERT INTO kid (a, c, "D") VALUES (2, 3, 'd'); INSERT INTO grandkid VALUES (3, 'y', 4, DEFAULT, 'd', 5); INSERT INTO kid_null (a, b) VALUES (5, 'n');
ALTER TABLE par ADD CONSTRAINT unproven CHECK (a < 100) NOT VALID;
COMMENT ON CONSTRAINT c_positive ON kid_check IS 'local too';
CREATE UNLOGGED TABLE fleeting (id int GENERATED ALWAYS AS IDENTITY, s serial, v text) WITH (fillfactor = 80, toast.autovacuum_vacuum_threshold = 7);
INSERT INTO fleeting (v) VALUES ('a'), ('b');
CREATE TABLE none (); INSERT INTO none DEFAULT VALUES;
CREATE TABLE columns (a text, b varchar(10) COLLATE "POSIX", c text);
ALTER TABLE columns ALTER a SET STORAGE EXTERNAL, ALTER a SET STATISTICS 0, ALTER c SET (n_distinct = -0.5, n_distinct_inherited = 3), ALTER b SET STATISTICS 1000;
-- since 14
ALTER TABLE columns ALTER c SET COMPRESSION pglz;
-- since 18
CREATE TABLE virt (a int, v int GENERATED ALWAYS AS (a + 1) VIRTUAL, s int GENERATED ALWAYS AS (a + 2) STORED, d int GENERATED ALWAYS AS (a + 3)); INSERT INTO virt VALUES (1);
CREATE TABLE virt_kid () INHERITS (virt); INSERT INTO virt_kid VALUES (2);
CREATE TABLE nn (a int CONSTRAINT "Named NN" NOT NULL, b int NOT NULL NO INHERIT, c int);
ALTER TABLE nn ADD CONSTRAINT "Late NN" NOT NULL c NOT VALID; INSERT INTO nn VALUES (1, 2, 3);
COMMENT ON CONSTRAINT "Named NN" ON nn IS 'named'; COMMENT ON CONSTRAINT "Late NN" ON nn IS 'late';
CREATE TABLE nn_kid (CONSTRAINT "Kid NN" NOT NULL a) INHERITS (nn);
CREATE TABLE nn_late (c int) INHERITS (nn);
CREATE TABLE unkeyed (a int NOT NULL); CREATE TABLE keyed_kid () INHERITS (unkeyed); ALTER TABLE keyed_kid ADD PRIMARY KEY (a); INSERT INTO keyed_kid VALUES (1);
CREATE TABLE nn_root (a int, b int) PARTITION BY LIST (b); ALTER TABLE nn_root ADD CONSTRAINT "Root NN" NOT NULL a NOT VALID;
CREATE TABLE nn_part (a int, b int); INSERT INTO nn_part VALUES (NULL, 1); ALTER TABLE nn_part ADD CONSTRAINT "Part NN" NOT NULL a NOT VALID;
ALTER TABLE nn_root ATTACH PARTITION nn_part DEFAULT;
CREATE TABLE nn_proven PARTITION OF nn_root FOR VALUES IN (2); INSERT INTO nn_root VALUES (1, 2); COMMENT ON CONSTRAINT "Root NN" ON nn_proven IS 'inherited';
