-- Views, materialized views, rules, policies, grants, comments, statistics, event triggers.
CREATE SCHEMA app; COMMENT ON SCHEMA app IS 'the application';
CREATE TABLE app.t (id int PRIMARY KEY, name text, secret text) WITH (fillfactor = 70); INSERT INTO app.t SELECT n, 'n' || n, repeat('s', n) FROM generate_series(1, 20) n;
CREATE VIEW app.v WITH (security_barrier) AS SELECT id, name FROM app.t; CREATE RULE add AS ON INSERT TO app.v DO INSTEAD INSERT INTO app.t VALUES (new.id, new.name);
CREATE MATERIALIZED VIEW app.m AS SELECT count(*) AS n FROM app.t; CREATE UNIQUE INDEX ON app.m (n);
ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; CREATE POLICY small ON app.t FOR SELECT USING (id < 10);
GRANT SELECT (id) ON app.t TO PUBLIC; COMMENT ON COLUMN app.t.name IS 'it''s';
CREATE STATISTICS app.both (dependencies) ON id, name FROM app.t; ALTER TABLE app.t ALTER name SET STATISTICS 50;
CREATE FUNCTION app.quiet() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER quiet ON ddl_command_end EXECUTE FUNCTION app.quiet();
CREATE SEQUENCE app.s START 5 INCREMENT -2 MAXVALUE 9 MINVALUE -100 CYCLE; SELECT nextval('app.s'), nextval('app.s');
CREATE TABLE app.self (id int PRIMARY KEY, up int REFERENCES app.self DEFERRABLE INITIALLY DEFERRED); INSERT INTO app.self VALUES (1, 2), (2, 1);
