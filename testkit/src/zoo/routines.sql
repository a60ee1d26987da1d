-- Functions in every form, aggregates, languages, casts, transforms.
CREATE SCHEMA "Rou tines";
CREATE FUNCTION "Rou tines"."All Of It"("In One" int DEFAULT 3, INOUT b text DEFAULT 'it''s', OUT c numeric, VARIADIC rest int[] DEFAULT '{1}') LANGUAGE plpgsql
    IMMUTABLE STRICT LEAKPROOF SECURITY DEFINER PARALLEL SAFE COST 12.5 SET search_path = "Rou tines", pg_temp, public SET work_mem = '4MB' SET application_name = 'it''s' SET DateStyle = 'ISO, DMY' AS $f$ BEGIN c := $$x$$; END $f$;
ALTER FUNCTION "Rou tines"."All Of It"(int, text, int[]) SET temp_tablespaces = '';
COMMENT ON FUNCTION "Rou tines"."All Of It"(int, text, int[]) IS 'all'; ALTER FUNCTION "Rou tines"."All Of It"(int, text, int[]) OWNER TO {owner};
REVOKE ALL ON FUNCTION "Rou tines"."All Of It"(int, text, int[]) FROM PUBLIC; GRANT EXECUTE ON FUNCTION "Rou tines"."All Of It"(int, text, int[]) TO {reader};
CREATE FUNCTION setof_rows(n int) RETURNS TABLE ("A b" int, c text) LANGUAGE sql ROWS 12 STABLE PARALLEL RESTRICTED AS 'SELECT 1, ''x''';
CREATE FUNCTION supported(int) RETURNS SETOF int LANGUAGE internal IMMUTABLE SUPPORT pg_catalog.generate_series_int4_support AS 'generate_series_int4';
CREATE FUNCTION windowed(anyelement, int) RETURNS anyelement LANGUAGE internal WINDOW IMMUTABLE AS 'window_lag_with_offset';
CREATE FUNCTION polymorphic(anyarray, VARIADIC anyarray) RETURNS anyelement LANGUAGE plpgsql AS 'BEGIN RETURN $1[1]; END';
CREATE FUNCTION variadic_any(int, VARIADIC "any") RETURNS int LANGUAGE internal AS 'pg_num_nulls';
-- if 13
CREATE FUNCTION compatible(anycompatible, anycompatiblearray) RETURNS anycompatible LANGUAGE sql AS 'SELECT $1';
-- end
CREATE FUNCTION broken_body() RETURNS int LANGUAGE sql AS $outer$ SELECT 1 -- unchanged $$; $function$ $x$
$outer$;
CREATE FUNCTION default_of(a timestamptz DEFAULT now(), b regclass DEFAULT 'pg_class'::regclass) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION in_c(text, text) RETURNS bool LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE PROCEDURE "Rou tines".proc(a int, INOUT b int DEFAULT 1) LANGUAGE plpgsql SECURITY DEFINER SET work_mem FROM CURRENT AS 'BEGIN b := a; END';
COMMENT ON PROCEDURE "Rou tines".proc IS 'p'; ALTER PROCEDURE "Rou tines".proc OWNER TO {owner}; GRANT EXECUTE ON PROCEDURE "Rou tines".proc TO {reader}; REVOKE EXECUTE ON PROCEDURE "Rou tines".proc FROM PUBLIC;
-- if 14
CREATE TABLE body_of (id int PRIMARY KEY, t text);
CREATE FUNCTION atomic(a int, b int DEFAULT 2) RETURNS SETOF body_of LANGUAGE sql STABLE BEGIN ATOMIC SELECT * FROM body_of WHERE id = a; SELECT id, upper(t) FROM body_of; END;
CREATE FUNCTION returning_it(a int) RETURNS int LANGUAGE sql RETURN a + 1;
CREATE PROCEDURE atomic_out(IN a int, OUT b int) LANGUAGE sql BEGIN ATOMIC SELECT a; END;
COMMENT ON PROCEDURE atomic_out IS 'out'; GRANT EXECUTE ON PROCEDURE atomic_out TO {reader};
CREATE PROCEDURE nothing_in_it() LANGUAGE sql BEGIN ATOMIC END;
-- Needs the key, so that it is made after the rows, as is what needs it.
CREATE FUNCTION grouped() RETURNS SETOF body_of LANGUAGE sql BEGIN ATOMIC SELECT * FROM body_of GROUP BY id; END;
CREATE VIEW of_grouped AS SELECT * FROM grouped() g;
-- end

CREATE FUNCTION add_up(numeric, int) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($1, 0) + coalesce($2, 0)';
CREATE FUNCTION take_off(numeric, int) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 - coalesce($2, 0)';
CREATE FUNCTION finish(numeric, int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text'; CREATE FUNCTION finish(numeric) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
CREATE AGGREGATE "Rou tines"."Total"(int) (SFUNC = add_up, STYPE = numeric, SSPACE = 64, INITCOND = '0', FINALFUNC = finish, FINALFUNC_EXTRA, FINALFUNC_MODIFY = SHAREABLE,
    COMBINEFUNC = numeric_add, MSFUNC = add_up, MINVFUNC = take_off, MSTYPE = numeric, MSSPACE = 32, MINITCOND = '0', MFINALFUNC = finish, MFINALFUNC_EXTRA, MFINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE "Rou tines"."Total"(int) IS 'total'; ALTER AGGREGATE "Rou tines"."Total"(int) OWNER TO {owner};
REVOKE ALL ON FUNCTION "Rou tines"."Total"(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION "Rou tines"."Total"(int) TO {reader};
CREATE AGGREGATE counted(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0', PARALLEL = RESTRICTED); COMMENT ON AGGREGATE counted(*) IS 'star'; REVOKE ALL ON FUNCTION counted() FROM PUBLIC;
CREATE AGGREGATE biggest(int) (SFUNC = int4larger, STYPE = int, SORTOP = >);
CREATE FUNCTION poly_step(anyarray, anyelement) RETURNS anyarray LANGUAGE sql AS 'SELECT $1'; CREATE AGGREGATE poly(anyelement) (SFUNC = poly_step, STYPE = anyarray, INITCOND = '{}');
CREATE AGGREGATE variadic_any(VARIADIC items int[]) (SFUNC = array_cat, STYPE = int[]);
CREATE AGGREGATE serial(numeric) (SFUNC = numeric_avg_accum, STYPE = internal, SERIALFUNC = numeric_avg_serialize, DESERIALFUNC = numeric_avg_deserialize, COMBINEFUNC = numeric_avg_combine, FINALFUNC = numeric_avg);
CREATE AGGREGATE percentile(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA, FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE percentile(float8 ORDER BY anyelement) IS 'ordered'; ALTER AGGREGATE percentile(float8 ORDER BY anyelement) OWNER TO {owner}; GRANT EXECUTE ON FUNCTION percentile(float8, anyelement) TO {reader};
CREATE AGGREGATE ranked(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
GRANT EXECUTE ON FUNCTION ranked("any") TO {reader};
CREATE VIEW aggregated AS SELECT "Rou tines"."Total"(a) AS t, percentile(0.5) WITHIN GROUP (ORDER BY a) AS p FROM (VALUES (1), (2)) v(a);

CREATE FUNCTION "Rou tines".handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION "Rou tines".inline_it(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION "Rou tines".validator(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE "my lang" HANDLER "Rou tines".handler INLINE "Rou tines".inline_it VALIDATOR "Rou tines".validator;
CREATE LANGUAGE bare_lang HANDLER "Rou tines".handler;
COMMENT ON LANGUAGE "my lang" IS 'mine'; ALTER LANGUAGE "my lang" OWNER TO {owner}; REVOKE USAGE ON LANGUAGE "my lang" FROM PUBLIC; GRANT USAGE ON LANGUAGE "my lang" TO {reader};
CREATE FUNCTION speaks() RETURNS int LANGUAGE "my lang" AS 'BEGIN RETURN 1; END';

CREATE TYPE casted AS (a int); CREATE TYPE casted_enum AS ENUM ('a', 'b');
CREATE FUNCTION to_casted(int) RETURNS casted LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1)::public.casted';
CREATE CAST (int AS casted) WITH FUNCTION to_casted(int) AS ASSIGNMENT; CREATE CAST (casted AS int) WITH INOUT; CREATE CAST (text AS casted_enum) WITH INOUT AS IMPLICIT;
CREATE DOMAIN bin AS bytea; CREATE TYPE coercible; CREATE FUNCTION coercible_in(cstring) RETURNS coercible LANGUAGE internal IMMUTABLE STRICT AS 'textin'; CREATE FUNCTION coercible_out(coercible) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE coercible (INPUT = coercible_in, OUTPUT = coercible_out, LIKE = text); CREATE CAST (coercible AS text) WITHOUT FUNCTION AS IMPLICIT; CREATE CAST (text AS coercible) WITHOUT FUNCTION;
CREATE FUNCTION casted_length(casted, int, bool) RETURNS casted LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE CAST (casted AS casted) WITH FUNCTION casted_length(casted, int, bool) AS IMPLICIT;
COMMENT ON CAST (int AS casted) IS 'cast'; CREATE VIEW casts AS SELECT 'a'::coercible::text || 'b' AS c, 'a'::text::casted_enum AS e;
CREATE TRANSFORM FOR casted LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal)); COMMENT ON TRANSFORM FOR casted LANGUAGE sql IS 'transform';
CREATE TRANSFORM FOR int LANGUAGE "my lang" (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE FUNCTION transformed(int) RETURNS int LANGUAGE "my lang" TRANSFORM FOR TYPE int AS 'BEGIN RETURN 1; END';
