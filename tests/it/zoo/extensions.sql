-- Extensions, what an operator changed of them and of the server's own. {reader} is a role of the test.
CREATE SCHEMA x; CREATE EXTENSION hstore SCHEMA x; CREATE EXTENSION "uuid-ossp"; CREATE EXTENSION citext;
REVOKE EXECUTE ON FUNCTION x.akeys(x.hstore) FROM PUBLIC; GRANT SELECT ON pg_catalog.pg_authid TO {reader}; REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {reader}; REVOKE ALL ON LANGUAGE sql FROM PUBLIC;
CREATE TABLE h (a x.hstore, c citext UNIQUE); CREATE INDEX ON h USING gin (a); CREATE VIEW vh AS SELECT x.akeys(a) FROM h;
COMMENT ON EXTENSION hstore IS 'mine'; COMMENT ON SCHEMA public IS NULL; REVOKE USAGE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE {reader} GRANT ALL ON SEQUENCES TO PUBLIC; ALTER DEFAULT PRIVILEGES FOR ROLE {reader} REVOKE ALL ON TABLES FROM {reader};
