-- Partitions in every form.
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE ranged (id int NOT NULL, at date NOT NULL, v text DEFAULT 'd', CONSTRAINT vv CHECK (v <> 'bad')) PARTITION BY RANGE (at, id);
CREATE TABLE ranged_old PARTITION OF ranged FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2024-01-01', MINVALUE);
CREATE TABLE ranged_new (v text DEFAULT 'other', extra int, at date NOT NULL, id int NOT NULL, CONSTRAINT vv CHECK (v <> 'bad'), CONSTRAINT own CHECK (id > 0)) WITH (fillfactor = 60);
ALTER TABLE ranged_new DROP COLUMN extra;
ALTER TABLE ranged ATTACH PARTITION ranged_new FOR VALUES FROM ('2024-01-01', MINVALUE) TO (MAXVALUE, MAXVALUE);
INSERT INTO ranged SELECT n, '2023-12-01'::date + n, 'r' || n FROM generate_series(1, 90) n;
CREATE TABLE listed (k text, n int) PARTITION BY LIST (lower(k));
CREATE TABLE listed_ab PARTITION OF listed FOR VALUES IN ('a', 'b');
CREATE TABLE listed_null PARTITION OF listed FOR VALUES IN (NULL);
CREATE TABLE "Listed Sub" PARTITION OF listed DEFAULT PARTITION BY HASH (n);
CREATE TABLE listed_sub_0 PARTITION OF "Listed Sub" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE listed_sub_1 PARTITION OF "Listed Sub" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO listed SELECT CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 'A' WHEN 2 THEN 'b' ELSE 'z' END, n FROM generate_series(1, 40) n;
-- Indexes and keys, attached level by level.
ALTER TABLE ranged ADD CONSTRAINT ranged_key PRIMARY KEY (at, id);
CREATE INDEX own_index ON ranged_old (v); CREATE INDEX ranged_v ON ranged (v);
CREATE INDEX lonely ON ONLY ranged (id);
CREATE UNIQUE INDEX ranged_u ON ranged (id, at) INCLUDE (v);
CREATE INDEX listed_n ON listed (n) WHERE n > 3;
ALTER TABLE ranged_new CLUSTER ON ranged_new_pkey; ALTER TABLE ranged_old REPLICA IDENTITY USING INDEX ranged_old_pkey; ALTER TABLE ranged REPLICA IDENTITY FULL;
COMMENT ON INDEX ranged_v IS 'whole'; COMMENT ON INDEX own_index IS 'part';
-- Foreign keys from and to partitioned tables.
CREATE TABLE child (at date, id int, CONSTRAINT to_ranged FOREIGN KEY (at, id) REFERENCES ranged ON DELETE CASCADE DEFERRABLE);
INSERT INTO child SELECT at, id FROM ranged LIMIT 5;
CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 90);
ALTER TABLE ranged ADD CONSTRAINT to_parent FOREIGN KEY (id) REFERENCES parent;
-- Triggers that differ in a partition.
CREATE TRIGGER tr AFTER INSERT ON ranged FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER st AFTER INSERT ON ranged FOR EACH STATEMENT EXECUTE FUNCTION touch();
ALTER TABLE ranged_old DISABLE TRIGGER tr; ALTER TABLE ranged_new ENABLE ALWAYS TRIGGER tr;
CREATE TRIGGER off AFTER DELETE ON ranged FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE ranged DISABLE TRIGGER off;
-- Generated and not inherited alike.
CREATE TABLE gen_root (a int, b int GENERATED ALWAYS AS (a * 2) STORED) PARTITION BY RANGE (a);
CREATE TABLE gen_part PARTITION OF gen_root DEFAULT; INSERT INTO gen_root VALUES (4);
CREATE TABLE empty_root (a int) PARTITION BY LIST (a);
CREATE TABLE not_valid (a int) PARTITION BY LIST (a); CREATE TABLE not_valid_1 PARTITION OF not_valid DEFAULT; INSERT INTO not_valid VALUES (-1);
ALTER TABLE not_valid ADD CONSTRAINT late CHECK (a > 0) NOT VALID;
-- since 17
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY (START 7), k int) PARTITION BY LIST (k);
CREATE TABLE numbered_1 PARTITION OF numbered FOR VALUES IN (1); CREATE TABLE numbered_2 PARTITION OF numbered DEFAULT;
INSERT INTO numbered (k) SELECT n % 2 FROM generate_series(1, 10) n;
