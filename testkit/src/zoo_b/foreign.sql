-- Foreign data: wrappers, servers, user mappings, foreign tables.
CREATE FOREIGN DATA WRAPPER "Odd wrapper" OPTIONS (debug 'true', "Mixed Key" 'it''s');
CREATE FOREIGN DATA WRAPPER plain VALIDATOR postgresql_fdw_validator;
ALTER FOREIGN DATA WRAPPER plain OWNER TO postgres;
COMMENT ON FOREIGN DATA WRAPPER plain IS 'a wrapper';
GRANT USAGE ON FOREIGN DATA WRAPPER plain TO "{reader}";
CREATE SERVER far TYPE 'post''gres' VERSION '9.1' FOREIGN DATA WRAPPER plain OPTIONS (host 'far.example', port '5432');
CREATE SERVER "Far Two" FOREIGN DATA WRAPPER "Odd wrapper";
ALTER SERVER far OWNER TO "{owner}";
COMMENT ON SERVER far IS 'a server';
GRANT USAGE ON FOREIGN SERVER far TO "{reader}" WITH GRANT OPTION;
CREATE USER MAPPING FOR PUBLIC SERVER far;
CREATE USER MAPPING FOR "{reader}" SERVER far OPTIONS (user 'remote', password 'se''cret');
CREATE FOREIGN TABLE ft (
    id int OPTIONS (column_name 'ID') NOT NULL,
    name text COLLATE "C" DEFAULT 'x',
    gone int,
    CONSTRAINT positive CHECK (id > 0)
) SERVER "Far Two" OPTIONS (schema_name 'public', table_name 'it''s');
ALTER FOREIGN TABLE ft DROP COLUMN gone;
ALTER FOREIGN TABLE ft ALTER name SET STATISTICS 300, ALTER name SET STORAGE MAIN, ALTER id SET (n_distinct = 5);
ALTER FOREIGN TABLE ft OWNER TO "{owner}";
COMMENT ON FOREIGN TABLE ft IS 'far away'; COMMENT ON COLUMN ft.name IS 'a far column';
GRANT SELECT ON ft TO "{reader}"; GRANT UPDATE (name) ON ft TO "{reader}";
CREATE FOREIGN TABLE bare () SERVER "Far Two";
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER tg AFTER INSERT ON ft FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TABLE mixed (k int, v text) PARTITION BY LIST (k);
CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (1);
CREATE FOREIGN TABLE mixed_2 PARTITION OF mixed FOR VALUES IN (2) SERVER far;
INSERT INTO mixed VALUES (1, 'near');
CREATE TABLE base (a int, b text);
CREATE FOREIGN TABLE derived (c int) INHERITS (base) SERVER far;
CREATE VIEW over_far AS SELECT id FROM ft;
