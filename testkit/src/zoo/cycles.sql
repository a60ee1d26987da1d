-- Views and rules, and objects that need each other in a circle.
CREATE SCHEMA "Cyc les";
CREATE TABLE "Cyc les".base (id int PRIMARY KEY, name text, qty numeric(8,2)); INSERT INTO "Cyc les".base VALUES (1, 'a', 1.5), (2, NULL, 2);
CREATE VIEW "Cyc les".empty AS SELECT;
CREATE VIEW "Cyc les".options WITH (security_barrier = true, check_option = cascaded) AS SELECT id, name COLLATE "C" AS "Na me" FROM "Cyc les".base WHERE id > 0;
ALTER VIEW "Cyc les".options ALTER "Na me" SET DEFAULT 'none'; ALTER VIEW "Cyc les".options OWNER TO {owner}; GRANT SELECT ON "Cyc les".options TO {reader};
CREATE RECURSIVE VIEW "Cyc les".counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
-- if 15
CREATE VIEW "Cyc les".invoker WITH (security_invoker = true) AS SELECT * FROM "Cyc les".base;
-- end
-- Groups by the key, which is made after the rows.
CREATE VIEW "Cyc les".grouped WITH (security_barrier) AS SELECT id, name, qty, count(*) AS n, name COLLATE "C" AS c FROM "Cyc les".base GROUP BY id;
COMMENT ON VIEW "Cyc les".grouped IS 'grouped'; COMMENT ON COLUMN "Cyc les".grouped.n IS 'how many'; ALTER VIEW "Cyc les".grouped OWNER TO {owner}; GRANT SELECT (id) ON "Cyc les".grouped TO {reader}; GRANT SELECT ON "Cyc les".base TO {owner}; GRANT USAGE, CREATE ON SCHEMA "Cyc les" TO {owner};
CREATE VIEW "Cyc les".on_grouped AS SELECT g.*, g AS whole FROM "Cyc les".grouped g;
CREATE FUNCTION "Cyc les".takes_grouped("Cyc les".grouped) RETURNS int LANGUAGE sql AS 'SELECT $1.id';
-- Two views that only a rewritten one could join.
CREATE VIEW "Cyc les".first AS SELECT 1 AS a, 'x'::text AS b; CREATE VIEW "Cyc les".second AS SELECT a, b FROM "Cyc les".first; CREATE OR REPLACE VIEW "Cyc les".first AS SELECT a, b FROM "Cyc les".second;
-- A view and a function on its rows.
CREATE VIEW "Cyc les".self AS SELECT id, name FROM "Cyc les".base; CREATE FUNCTION "Cyc les".of_self("Cyc les".self) RETURNS text LANGUAGE sql AS 'SELECT $1.name'; CREATE OR REPLACE VIEW "Cyc les".self AS SELECT id, name, "Cyc les".of_self(NULL) AS f FROM "Cyc les".base;
-- A table and what its check, its default and its index call.
CREATE TABLE "Cyc les".checked (id int, t text);
CREATE FUNCTION "Cyc les".is_good("Cyc les".checked) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.id > 0'; ALTER TABLE "Cyc les".checked ADD CONSTRAINT good CHECK ("Cyc les".is_good(checked.*)); COMMENT ON CONSTRAINT good ON "Cyc les".checked IS 'good';
CREATE FUNCTION "Cyc les".default_of("Cyc les".checked DEFAULT NULL) RETURNS text LANGUAGE sql AS 'SELECT ''x''::text'; ALTER TABLE "Cyc les".checked ALTER t SET DEFAULT "Cyc les".default_of(); INSERT INTO "Cyc les".checked VALUES (1);
-- A domain and what its check calls.
CREATE DOMAIN "Cyc les".dom AS int; CREATE FUNCTION "Cyc les".dom_ok(int, "Cyc les".dom[] DEFAULT NULL) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'; ALTER DOMAIN "Cyc les".dom ADD CONSTRAINT ok CHECK ("Cyc les".dom_ok(VALUE)); COMMENT ON CONSTRAINT ok ON DOMAIN "Cyc les".dom IS 'ok'; ALTER DOMAIN "Cyc les".dom ADD CONSTRAINT simple CHECK (VALUE < 100);
CREATE TABLE "Cyc les".of_dom (a "Cyc les".dom); INSERT INTO "Cyc les".of_dom VALUES (5);
-- Rules.
CREATE RULE ins AS ON INSERT TO "Cyc les".first DO INSTEAD INSERT INTO "Cyc les".base (id, name) VALUES (new.a, new.b) RETURNING base.id, base.name;
CREATE RULE "Upd" AS ON UPDATE TO "Cyc les".base DO ALSO (INSERT INTO "Cyc les".checked VALUES (new.id); NOTIFY changed); ALTER TABLE "Cyc les".base ENABLE REPLICA RULE "Upd"; COMMENT ON RULE "Upd" ON "Cyc les".base IS 'upd';
CREATE RULE del AS ON DELETE TO "Cyc les".self DO INSTEAD NOTHING; COMMENT ON RULE "_RETURN" ON "Cyc les".self IS 'return';
-- if 14
-- Functions that the server reads into: what they need is known.
CREATE FUNCTION "Cyc les".count_checked() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT count(*)::int FROM "Cyc les".checked; END; ALTER TABLE "Cyc les".checked ALTER id SET DEFAULT "Cyc les".count_checked();
CREATE FUNCTION "Cyc les".by_key() RETURNS SETOF "Cyc les".base LANGUAGE sql BEGIN ATOMIC SELECT * FROM "Cyc les".base GROUP BY id; END;
CREATE TABLE "Cyc les".needs_late (a int DEFAULT 1); CREATE FUNCTION "Cyc les".late() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT max(id) FROM (SELECT id, name FROM "Cyc les".base GROUP BY id) x; END; ALTER TABLE "Cyc les".needs_late ALTER a SET DEFAULT "Cyc les".late();
-- end
-- Given its parent afterwards, so that its columns stand in another order.
CREATE TABLE "Cyc les".parent (a int NOT NULL, b text); CREATE TABLE "Cyc les".child (b text, a int NOT NULL); ALTER TABLE "Cyc les".child INHERIT "Cyc les".parent; INSERT INTO "Cyc les".child VALUES ('x', 1);
