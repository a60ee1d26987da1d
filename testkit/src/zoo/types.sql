-- Types. {owner} and {reader} are roles.
CREATE SCHEMA "Ty pes";
CREATE TYPE "Ty pes"."Mood" AS ENUM ('sad', 'it''s', 'back\slash', 'happy');
ALTER TYPE "Ty pes"."Mood" ADD VALUE 'between' BEFORE 'happy';
CREATE TYPE nothing_enum AS ENUM ();
COMMENT ON TYPE "Ty pes"."Mood" IS 'how it''s';
REVOKE USAGE ON TYPE "Ty pes"."Mood" FROM PUBLIC; GRANT USAGE ON TYPE "Ty pes"."Mood" TO {reader} WITH GRANT OPTION;
ALTER TYPE nothing_enum OWNER TO {owner};

CREATE TYPE empty_composite AS ();
CREATE TYPE "Ty pes".pair AS ("Left One" varchar(10) COLLATE "C", "group" numeric(10,2)[], mood "Ty pes"."Mood", gone int);
ALTER TYPE "Ty pes".pair DROP ATTRIBUTE gone; ALTER TYPE "Ty pes".pair ADD ATTRIBUTE late timestamptz(3);
COMMENT ON TYPE "Ty pes".pair IS 'two'; COMMENT ON COLUMN "Ty pes".pair."Left One" IS 'left'; COMMENT ON COLUMN "Ty pes".pair.late IS 'late';
CREATE TYPE nested AS (p "Ty pes".pair, ps "Ty pes".pair[], e empty_composite);
ALTER TYPE nested OWNER TO {owner};
-- The name of its array type is taken.
CREATE TYPE _nested_2 AS (a int); CREATE TYPE nested_2 AS (a int, b _nested_2); CREATE TABLE arrays (a nested_2[], b _nested_2[]);

CREATE DOMAIN plain_domain AS text;
CREATE DOMAIN "Ty pes"."Posi tive" AS int DEFAULT 1 NOT NULL CONSTRAINT "above zero" CHECK (VALUE > 0) CHECK (VALUE < 1000);
COMMENT ON DOMAIN "Ty pes"."Posi tive" IS 'd'; COMMENT ON CONSTRAINT "above zero" ON DOMAIN "Ty pes"."Posi tive" IS 'c';
CREATE DOMAIN collated AS varchar(5) COLLATE "C" DEFAULT 'a''b' CHECK (VALUE <> '');
ALTER DOMAIN collated ADD CONSTRAINT later CHECK (length(VALUE) < 4) NOT VALID; COMMENT ON CONSTRAINT later ON DOMAIN collated IS 'not valid';
CREATE DOMAIN over_domain AS "Ty pes"."Posi tive" CHECK (VALUE <> 7);
CREATE DOMAIN mood_domain AS "Ty pes"."Mood"; CREATE DOMAIN array_domain AS int[] CHECK (array_ndims(VALUE) = 1); CREATE DOMAIN pair_domain AS "Ty pes".pair;
CREATE DOMAIN named_not_null AS int CONSTRAINT "Must Be" NOT NULL;
-- if 17
COMMENT ON CONSTRAINT "Must Be" ON DOMAIN named_not_null IS 'must';
-- end
GRANT USAGE ON DOMAIN plain_domain TO {reader}; REVOKE USAGE ON TYPE plain_domain FROM PUBLIC; ALTER DOMAIN plain_domain OWNER TO {owner};

CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE "Ty pes"."Text Range" AS RANGE (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);
COMMENT ON TYPE "Ty pes"."Text Range" IS 'range'; ALTER TYPE "Ty pes"."Text Range" OWNER TO {owner}; REVOKE ALL ON TYPE float_range FROM PUBLIC;
CREATE TYPE mood_range AS RANGE (subtype = "Ty pes"."Mood");
CREATE FUNCTION "Ty pes".pos_diff("Ty pes"."Posi tive", "Ty pes"."Posi tive") RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT ($1 - $2)::float8';
-- if 14
CREATE TYPE named_multi AS RANGE (subtype = int8, multirange_type_name = "Ty pes"."Multi Name");
COMMENT ON TYPE "Ty pes"."Multi Name" IS 'multi';
CREATE FUNCTION takes_multi(a "Ty pes"."Multi Name", b float_multirange) RETURNS named_multi LANGUAGE sql AS 'SELECT NULL::public.named_multi';
CREATE TABLE multis (id int PRIMARY KEY, a float_multirange, b "Ty pes"."Multi Name", c mood_range[]);
INSERT INTO multis VALUES (1, '{[1,2),[3,4)}', '{[1,5)}', ARRAY[mood_range('sad', 'happy')]), (2, '{}', NULL, NULL);
-- end
-- A range that its canonical function needs first as a shell.
CREATE TYPE canonical_range;
CREATE FUNCTION canonical_it(canonical_range) RETURNS canonical_range LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical';
CREATE TYPE canonical_range AS RANGE (subtype = int4, canonical = canonical_it, subtype_diff = int4range_subdiff);

CREATE TYPE only_a_shell; COMMENT ON TYPE only_a_shell IS 'empty'; ALTER TYPE only_a_shell OWNER TO {owner};
CREATE TYPE "Ty pes"."Unit";
CREATE FUNCTION "Ty pes".unit_in(cstring, oid, int4) RETURNS "Ty pes"."Unit" LANGUAGE internal STABLE STRICT AS 'varcharin';
CREATE FUNCTION "Ty pes".unit_out("Ty pes"."Unit") RETURNS cstring LANGUAGE internal STABLE STRICT AS 'varcharout';
CREATE FUNCTION "Ty pes".unit_recv(internal, oid, int4) RETURNS "Ty pes"."Unit" LANGUAGE internal STABLE STRICT AS 'varcharrecv';
CREATE FUNCTION "Ty pes".unit_send("Ty pes"."Unit") RETURNS bytea LANGUAGE internal STABLE STRICT AS 'varcharsend';
CREATE FUNCTION "Ty pes".unit_typmod_in(cstring[]) RETURNS int4 LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodin';
CREATE FUNCTION "Ty pes".unit_typmod_out(int4) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'varchartypmodout';
CREATE FUNCTION "Ty pes".unit_analyze(internal) RETURNS bool LANGUAGE internal AS 'pg_is_in_recovery';
CREATE TYPE "Ty pes"."Unit" (INTERNALLENGTH = VARIABLE, INPUT = "Ty pes".unit_in, OUTPUT = "Ty pes".unit_out, RECEIVE = "Ty pes".unit_recv, SEND = "Ty pes".unit_send,
    TYPMOD_IN = "Ty pes".unit_typmod_in, TYPMOD_OUT = "Ty pes".unit_typmod_out, ANALYZE = "Ty pes".unit_analyze, COLLATABLE = true, CATEGORY = 'x', PREFERRED = true, DELIMITER = ';',
    ALIGNMENT = double, STORAGE = main, DEFAULT = 'it''s');
COMMENT ON TYPE "Ty pes"."Unit" IS 'base'; ALTER TYPE "Ty pes"."Unit" OWNER TO {owner}; GRANT USAGE ON TYPE "Ty pes"."Unit" TO {reader}; REVOKE USAGE ON TYPE "Ty pes"."Unit" FROM PUBLIC;
CREATE TABLE units (a "Ty pes"."Unit"(7) COLLATE "C", b "Ty pes"."Unit"[]); INSERT INTO units VALUES ('seven', ARRAY['x'::"Ty pes"."Unit"]);
CREATE TYPE int_like;
CREATE FUNCTION int_like_in(cstring) RETURNS int_like LANGUAGE internal IMMUTABLE STRICT AS 'int4in'; CREATE FUNCTION int_like_out(int_like) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE int_like (INTERNALLENGTH = 4, INPUT = int_like_in, OUTPUT = int_like_out, PASSEDBYVALUE, ALIGNMENT = int4, DEFAULT = 42);
CREATE FUNCTION int_like_array(int_like[]) RETURNS int_like LANGUAGE sql AS 'SELECT $1[1]';
CREATE TYPE points; CREATE FUNCTION points_in(cstring) RETURNS points LANGUAGE internal IMMUTABLE STRICT AS 'point_in'; CREATE FUNCTION points_out(points) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'point_out';
CREATE TYPE points (INTERNALLENGTH = 16, INPUT = points_in, OUTPUT = points_out, ELEMENT = float8, ALIGNMENT = double);
-- if 14
ALTER TYPE points SET (STORAGE = plain);
CREATE TYPE sub; CREATE FUNCTION sub_in(cstring) RETURNS sub LANGUAGE internal IMMUTABLE STRICT AS 'jsonb_in'; CREATE FUNCTION sub_out(sub) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'jsonb_out';
CREATE TYPE sub (INPUT = sub_in, OUTPUT = sub_out, SUBSCRIPT = jsonb_subscript_handler);
-- end

CREATE TABLE typed_pairs OF "Ty pes".pair; CREATE TABLE typed_more OF "Ty pes".pair (PRIMARY KEY ("Left One"), mood WITH OPTIONS DEFAULT 'sad' NOT NULL, CHECK (late > 'epoch')) WITH (fillfactor = 50);
INSERT INTO typed_more VALUES ('a', '{1.25,NULL}', 'happy', '2020-01-01'); COMMENT ON COLUMN typed_pairs.mood IS 'm';
CREATE TABLE typed_parted OF _nested_2 PARTITION BY RANGE (a); CREATE TABLE typed_part PARTITION OF typed_parted FOR VALUES FROM (1) TO (10);
CREATE TABLE uses (id int PRIMARY KEY, d over_domain, c collated, m mood_domain, mr mood_range, fr float_range, p pair_domain, ns nested[], i int_like, pt points, cr canonical_range, tr "Ty pes"."Text Range", ad array_domain);
INSERT INTO uses (id, d, c, m, mr, fr, p, ns, i, pt, cr, tr, ad) VALUES (1, 5, 'ab', 'it''s', '[sad,happy)', '(1.5,)', ROW('x', '{1}', 'sad', now()), ARRAY[ROW(NULL, NULL, ROW())::nested], '7', '(1,2)', '[1,5]', '[a,b)', '{1,2}'),
    (2, 6, NULL, 'back\slash', 'empty', 'empty', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE nothing_at_all (); CREATE TABLE lost_all (a int); INSERT INTO lost_all VALUES (1), (2); ALTER TABLE lost_all DROP COLUMN a;
