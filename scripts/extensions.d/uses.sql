-- Columns, indexes, functions, views, servers and keys that use an extension, whatever it is; what it does not allow is left out.
-- The extension's name is in sbk.extension.
CREATE TABLE uses (id serial PRIMARY KEY);
CREATE FUNCTION pg_temp.try(sql text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE sql; RETURN true; EXCEPTION WHEN others THEN RETURN false; END $$;
CREATE FUNCTION pg_temp.members(class regclass) RETURNS SETOF oid LANGUAGE sql AS $$
    SELECT d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = class AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = current_setting('sbk.extension') ORDER BY 1 $$;
SELECT count(pg_temp.try(format('ALTER TABLE uses ADD COLUMN c%s %s', n, format_type(oid, NULL)))), count(pg_temp.try(format('ALTER TABLE uses ADD COLUMN a%s %s[]', n, format_type(oid, NULL))))
  FROM (SELECT t.oid, row_number() OVER (ORDER BY t.oid) AS n FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE t.oid IN (SELECT pg_temp.members('pg_type')) AND t.typtype IN ('b', 'c', 'd', 'e', 'r', 'm') AND t.typisdefined AND t.typcategory <> 'A' AND coalesce(c.relkind = 'c', true) LIMIT 60) t;
SELECT count(pg_temp.try(format('CREATE INDEX ON uses USING %I (%I %s)', m.amname, a.attname, (SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = o.opcnamespace) || '.' || quote_ident(o.opcname))))
  FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod JOIN LATERAL (SELECT attname FROM pg_attribute WHERE attrelid = 'uses'::regclass AND atttypid = o.opcintype AND NOT attisdropped LIMIT 1) a ON true
 WHERE o.oid IN (SELECT pg_temp.members('pg_opclass'));
SELECT count(pg_temp.try(format('CREATE VIEW uses_function_%s AS SELECT %L::regprocedure AS f', n, f::regprocedure)))
  FROM (SELECT f, row_number() OVER () AS n FROM pg_temp.members('pg_proc') AS f LIMIT 3) f;
SELECT count(pg_temp.try(format('CREATE VIEW uses_relation_%s AS SELECT * FROM %s', n, c::regclass)))
  FROM (SELECT c.oid AS c, row_number() OVER (ORDER BY c.oid) AS n FROM pg_class c WHERE c.oid IN (SELECT pg_temp.members('pg_class')) AND c.relkind IN ('r', 'v', 'p') LIMIT 2) c;
SELECT count(pg_temp.try(format('CREATE TABLE refers_%s (LIKE %s)', n, k.conrelid::regclass))), count(pg_temp.try(format('ALTER TABLE refers_%s ADD FOREIGN KEY (%s) REFERENCES %s', n,
         (SELECT string_agg(quote_ident(attname), ', ' ORDER BY array_position(k.conkey, attnum)) FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = ANY (k.conkey)), k.conrelid::regclass)))
  FROM (SELECT k.*, row_number() OVER (ORDER BY k.oid) AS n FROM pg_constraint k WHERE k.contype = 'p' AND k.conrelid IN (SELECT pg_temp.members('pg_class')) LIMIT 2) k;
SELECT count(pg_temp.try(format('CREATE SERVER uses_%s FOREIGN DATA WRAPPER %I', fdwname, fdwname))), count(pg_temp.try(format('CREATE FOREIGN TABLE uses_table_%s (a int) SERVER %I', fdwname, 'uses_' || fdwname)))
  FROM pg_foreign_data_wrapper WHERE oid IN (SELECT pg_temp.members('pg_foreign_data_wrapper'));
SET check_function_bodies = off;
SELECT count(pg_temp.try(format('CREATE FUNCTION uses_%s() RETURNS int LANGUAGE %I AS %L', lanname, lanname, '#!/bin/sh'))) FROM pg_language WHERE oid IN (SELECT pg_temp.members('pg_language'));
SELECT pg_temp.try('INSERT INTO uses DEFAULT VALUES');
