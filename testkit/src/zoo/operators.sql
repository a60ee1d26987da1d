-- Operators, their families and classes, access methods.
CREATE SCHEMA "Ope rators";
CREATE TYPE "Ope rators".num AS (n int);
CREATE FUNCTION "Ope rators".lt(a "Ope rators".num, b "Ope rators".num) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.n < $2.n';
CREATE FUNCTION "Ope rators".le(a "Ope rators".num, b "Ope rators".num) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.n <= $2.n';
CREATE FUNCTION "Ope rators".eq(a "Ope rators".num, b "Ope rators".num) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.n = $2.n';
CREATE FUNCTION "Ope rators".eq_int(a "Ope rators".num, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.n = $2';
CREATE FUNCTION "Ope rators".ne(a "Ope rators".num, b "Ope rators".num) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.n <> $2.n';
CREATE FUNCTION "Ope rators".negate(a "Ope rators".num) RETURNS "Ope rators".num LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION "Ope rators".compare(a "Ope rators".num, b "Ope rators".num) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.n - $2.n';
CREATE FUNCTION "Ope rators".compare(a "Ope rators".num, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.n - $2';
CREATE FUNCTION "Ope rators".distance(a "Ope rators".num, b "Ope rators".num) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1.0::float8';
CREATE OPERATOR "Ope rators".< (FUNCTION = "Ope rators".lt, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num, COMMUTATOR = OPERATOR("Ope rators".>), NEGATOR = OPERATOR("Ope rators".>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR "Ope rators".> (FUNCTION = "Ope rators".lt, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num, COMMUTATOR = OPERATOR("Ope rators".<), NEGATOR = OPERATOR("Ope rators".<=));
CREATE OPERATOR "Ope rators".<= (FUNCTION = "Ope rators".le, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num, NEGATOR = OPERATOR("Ope rators".>));
CREATE OPERATOR "Ope rators".= (FUNCTION = "Ope rators".eq, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num, COMMUTATOR = OPERATOR("Ope rators".=), NEGATOR = OPERATOR("Ope rators".<>), MERGES, HASHES, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR "Ope rators".<> (FUNCTION = "Ope rators".ne, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num, COMMUTATOR = OPERATOR("Ope rators".<>), NEGATOR = OPERATOR("Ope rators".=));
CREATE OPERATOR "Ope rators".= (FUNCTION = "Ope rators".eq_int, LEFTARG = "Ope rators".num, RIGHTARG = int, MERGES);
-- The other side of these stays a shell.
CREATE OPERATOR "Ope rators".@#@ (FUNCTION = "Ope rators".ne, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num, COMMUTATOR = OPERATOR("Ope rators".@##@), NEGATOR = OPERATOR("Ope rators".!@#@));
CREATE OPERATOR "Ope rators".@- (FUNCTION = "Ope rators".negate, RIGHTARG = "Ope rators".num);
CREATE OPERATOR "Ope rators".<-> (FUNCTION = "Ope rators".distance, LEFTARG = "Ope rators".num, RIGHTARG = "Ope rators".num);
CREATE OPERATOR ## (FUNCTION = int4pl, LEFTARG = int4, RIGHTARG = int4);
COMMENT ON OPERATOR "Ope rators".@- (NONE, "Ope rators".num) IS 'prefix'; COMMENT ON OPERATOR ## (int, int) IS 'hash'; ALTER OPERATOR ## (int, int) OWNER TO {owner};
CREATE VIEW operated AS SELECT 1 ## 2 AS h, ROW(1)::"Ope rators".num OPERATOR("Ope rators".=) ROW(2)::"Ope rators".num AS e;

CREATE OPERATOR FAMILY "Ope rators"."Fam ily" USING btree; COMMENT ON OPERATOR FAMILY "Ope rators"."Fam ily" USING btree IS 'fam'; ALTER OPERATOR FAMILY "Ope rators"."Fam ily" USING btree OWNER TO {owner};
CREATE OPERATOR CLASS "Ope rators"."Cla ss" DEFAULT FOR TYPE "Ope rators".num USING btree FAMILY "Ope rators"."Fam ily" AS
    OPERATOR 1 "Ope rators".<, OPERATOR 2 "Ope rators".<=, OPERATOR 3 "Ope rators".=, OPERATOR 5 "Ope rators".>, FUNCTION 1 "Ope rators".compare("Ope rators".num, "Ope rators".num);
COMMENT ON OPERATOR CLASS "Ope rators"."Cla ss" USING btree IS 'class'; ALTER OPERATOR CLASS "Ope rators"."Cla ss" USING btree OWNER TO {owner};
ALTER OPERATOR FAMILY "Ope rators"."Fam ily" USING btree ADD OPERATOR 3 "Ope rators".= ("Ope rators".num, int), FUNCTION 1 ("Ope rators".num, int) "Ope rators".compare("Ope rators".num, int);
CREATE OPERATOR FAMILY "Ope rators"."Fam ily" USING hash; CREATE OPERATOR FAMILY only_loose USING btree; ALTER OPERATOR FAMILY only_loose USING btree ADD OPERATOR 1 < (int4, int8), FUNCTION 1 (int4, int8) btint48cmp(int4, int8);
-- It makes a family of its name.
CREATE OPERATOR CLASS implied FOR TYPE int4 USING hash AS OPERATOR 1 = (int4, int4), FUNCTION 1 hashint4(int4);
CREATE OPERATOR CLASS stored FOR TYPE int4 USING gin AS STORAGE int4, OPERATOR 1 = (int4, int4), FUNCTION 1 btint4cmp(int4, int4), FUNCTION 2 gin_extract_tsvector(tsvector, internal, internal), FUNCTION 3 gin_extract_tsquery(tsvector, internal, int2, internal, internal, internal, internal), FUNCTION 4 gin_tsquery_consistent(internal, int2, tsvector, int4, internal, internal, internal, internal);
CREATE OPERATOR CLASS ordering FOR TYPE point USING gist AS OPERATOR 1 <<(point, point), OPERATOR 15 <->(point, point) FOR ORDER BY pg_catalog.float_ops, FUNCTION 1 gist_point_consistent(internal, point, int2, oid, internal), FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal), FUNCTION 8 (point, point) gist_point_distance(internal, point, int2, oid, internal), STORAGE box;
CREATE OPERATOR CLASS nothing_in_it FOR TYPE text USING btree FAMILY only_loose AS STORAGE text;
CREATE OPERATOR CLASS within_builtin FOR TYPE "Ope rators".num USING btree FAMILY pg_catalog.integer_ops AS OPERATOR 1 "Ope rators".<, FUNCTION 1 "Ope rators".compare("Ope rators".num, "Ope rators".num);
CREATE TABLE indexed (a "Ope rators".num, b int); CREATE INDEX ON indexed (a); CREATE INDEX ON indexed USING hash (b implied); CREATE INDEX ON indexed (a "Ope rators"."Cla ss" DESC);
CREATE TYPE num_range AS RANGE (subtype = "Ope rators".num, subtype_diff = "Ope rators".distance, subtype_opclass = "Ope rators"."Cla ss"); CREATE TABLE num_ranged (a num_range);
INSERT INTO indexed VALUES (ROW(1), 1), (ROW(2), 2);

CREATE ACCESS METHOD "my gist" TYPE INDEX HANDLER gisthandler; COMMENT ON ACCESS METHOD "my gist" IS 'am';
CREATE OPERATOR CLASS for_mine DEFAULT FOR TYPE box USING "my gist" AS OPERATOR 1 <<, OPERATOR 3 &&, FUNCTION 1 gist_box_consistent(internal, box, int2, oid, internal), FUNCTION 2 gist_box_union(internal, internal), FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal), FUNCTION 7 gist_box_same(box, box, internal);
CREATE TABLE boxes (a box); CREATE INDEX by_mine ON boxes USING "my gist" (a); INSERT INTO boxes VALUES ('(1,1),(0,0)');
CREATE FUNCTION "Ope rators".my_handler(internal) RETURNS table_am_handler LANGUAGE internal STRICT AS 'heap_tableam_handler';
CREATE ACCESS METHOD my_heap TYPE TABLE HANDLER "Ope rators".my_handler; CREATE TABLE heaped (a int, b text) USING my_heap WITH (fillfactor = 70); INSERT INTO heaped VALUES (1, 'x'), (2, NULL);
-- if 17
CREATE TABLE parted_am (a int) PARTITION BY LIST (a) USING my_heap; CREATE TABLE part_am PARTITION OF parted_am FOR VALUES IN (1); CREATE TABLE part_heap PARTITION OF parted_am FOR VALUES IN (2) USING heap;
-- end
-- What is loose in a family of the server's own: pg_dump forgets it, the catalogs' rows do not.
CREATE DOMAIN loose AS int; CREATE TYPE alias8; CREATE FUNCTION alias8_in(cstring) RETURNS alias8 LANGUAGE internal IMMUTABLE STRICT AS 'int8in'; CREATE FUNCTION alias8_out(alias8) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int8out'; CREATE TYPE alias8 (INPUT = alias8_in, OUTPUT = alias8_out, LIKE = int8);
CREATE FUNCTION alias8_eq(int8, alias8) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int8eq'; CREATE FUNCTION alias8_cmp(int8, alias8) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint8cmp'; CREATE OPERATOR = (FUNCTION = alias8_eq, LEFTARG = int8, RIGHTARG = alias8, MERGES);
ALTER OPERATOR FAMILY pg_catalog.integer_ops USING btree ADD OPERATOR 3 = (int8, alias8), FUNCTION 1 (int8, alias8) alias8_cmp(int8, alias8);
