-- In the manner of a ledger that was written in the database: a schema for each company, domains over domains, long functions.
CREATE SCHEMA base;
CREATE SCHEMA api;
CREATE DOMAIN base.amount AS numeric(20, 4) DEFAULT 0 CHECK (VALUE IS NOT NULL);
CREATE DOMAIN base.price AS base.amount CONSTRAINT not_negative CHECK (VALUE >= 0);
CREATE DOMAIN base.unit_price AS base.price DEFAULT 1 CONSTRAINT reasonable CHECK (VALUE < 1000000000);
CREATE DOMAIN base.unit_prices AS base.unit_price[] CHECK (cardinality(VALUE) <= 12);
CREATE DOMAIN base.currency AS character(3) NOT NULL DEFAULT 'EUR' CHECK (VALUE = upper(VALUE));
COMMENT ON CONSTRAINT reasonable ON DOMAIN base.unit_price IS 'Nobody sells that.';
CREATE TYPE base.money AS (amount base.amount, currency character(3));
CREATE TYPE base.line AS (account text, debit base.money, credit base.money, tags text[]);
CREATE DOMAIN base.lines AS base.line[] CHECK (VALUE IS NULL OR cardinality(VALUE) > 1);
CREATE TYPE base.state AS ENUM ('draft', 'posted', 'Reversed "again"', 'it''s void');
ALTER TYPE base.state ADD VALUE 'checked' BEFORE 'posted';
CREATE SEQUENCE base.numbers AS integer START 1000 MINVALUE 1000 CYCLE;

CREATE FUNCTION base.is_balanced(lines base.line[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT coalesce(sum(((l.debit).amount)::numeric - ((l.credit).amount)::numeric), 0) = 0 FROM unnest(lines) l $$;
CREATE FUNCTION base.next_number(prefix text DEFAULT 'INV', OUT number text, OUT made timestamptz) LANGUAGE plpgsql SECURITY DEFINER SET search_path = base, pg_temp COST 10 AS $fn$
DECLARE
  raw bigint := nextval('base.numbers');
  digits CONSTANT int := 8;
BEGIN
  number := prefix || '-' || lpad(raw::text, digits, '0');
  made := now();
EXCEPTION
  WHEN numeric_value_out_of_range THEN
    RAISE WARNING 'no number: % (%)', SQLERRM, SQLSTATE;
    number := NULL;
END
$fn$;
CREATE FUNCTION base.stamp() RETURNS trigger LANGUAGE plpgsql AS $_$
DECLARE
  old_row jsonb := CASE TG_OP WHEN 'INSERT' THEN NULL ELSE to_jsonb(OLD) END;
BEGIN
  EXECUTE format('INSERT INTO %I.history (table_name, operation, before, after, at) VALUES ($1, $2, $3, $4, now())', TG_TABLE_SCHEMA)
    USING TG_TABLE_NAME, TG_OP, old_row, CASE TG_OP WHEN 'DELETE' THEN NULL ELSE to_jsonb(NEW) END;
  RETURN coalesce(NEW, OLD);
END
$_$;
CREATE FUNCTION base.first_of(anyarray, VARIADIC others anyarray) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(($1)[1], (others)[1])';
CREATE AGGREGATE base.total(base.amount) (SFUNC = numeric_add, STYPE = numeric, INITCOND = '0', COMBINEFUNC = numeric_add, PARALLEL = SAFE);

-- A schema for each company, all alike.
DO $do$
DECLARE
  company text;
BEGIN
  FOR number IN 1..12 LOOP
    company := 'company_' || lpad(number::text, 2, '0');
    EXECUTE format('CREATE SCHEMA %I', company);
    EXECUTE format('CREATE TABLE %I.history (id bigserial, table_name name, operation text, before jsonb, after jsonb, at timestamptz)', company);
    EXECUTE format('CREATE TABLE %I.accounts (code text PRIMARY KEY, parent text REFERENCES %1$I.accounts DEFERRABLE, title text NOT NULL, currency base.currency, opened date DEFAULT CURRENT_DATE, CHECK (code <> parent))', company);
    EXECUTE format('CREATE TABLE %I.entries (id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY, number text DEFAULT (base.next_number(%2$L)).number, state base.state DEFAULT ''draft'', '
      'lines base.lines CONSTRAINT balanced CHECK (base.is_balanced(lines)), day date NOT NULL, '
      'total base.amount, "from" text, quarter int GENERATED ALWAYS AS ((EXTRACT(month FROM day)::int - 1) / 3 + 1) STORED)', company, 'C' || number);
    EXECUTE format('CREATE TABLE %I.products (id int PRIMARY KEY, sku text UNIQUE, price base.unit_price, prices base.unit_prices, cost base.money DEFAULT ROW(0, ''EUR''), size numrange, EXCLUDE USING gist (size WITH &&) DEFERRABLE)', company);
    EXECUTE format('CREATE TABLE %I.services (hours interval DAY TO SECOND (0), PRIMARY KEY (id)) INHERITS (%1$I.products)', company);
    EXECUTE format('CREATE INDEX ON %I.entries (state, day DESC) WHERE state <> ''draft''', company);
    EXECUTE format('CREATE INDEX entries_tags ON %I.entries USING gin ((to_tsvector(''simple''::regconfig, coalesce(number, ''''))))', company);
    EXECUTE format('CREATE TRIGGER stamp AFTER INSERT OR DELETE OR UPDATE ON %I.entries FOR EACH ROW WHEN (pg_trigger_depth() < 2) EXECUTE FUNCTION base.stamp()', company);
    EXECUTE format('CREATE VIEW %I.balance AS SELECT l.account, sum((l.debit).amount::numeric) AS debit, sum((l.credit).amount::numeric) AS credit FROM %1$I.entries e, unnest(e.lines) l(account, debit, credit, tags) GROUP BY ROLLUP (l.account)', company);
    EXECUTE format('CREATE VIEW %I.open_entries AS SELECT id, number, day, "from" FROM %1$I.entries WHERE state = ''draft''', company);
    EXECUTE format('CREATE RULE post AS ON DELETE TO %I.open_entries DO INSTEAD UPDATE %1$I.entries SET state = ''it''''s void'' WHERE id = old.id', company);
    EXECUTE format('ALTER TABLE %I.entries ENABLE ROW LEVEL SECURITY', company);
    EXECUTE format('CREATE POLICY own ON %I.entries FOR UPDATE USING (state = ''draft'') WITH CHECK (state IN (''draft'', ''posted''))', company);
    EXECUTE format('INSERT INTO %I.accounts (code, title) SELECT ''4'' || lpad(n::text, 3, ''0''), ''Account '' || n FROM generate_series(1, 20) n', company);
    EXECUTE format('UPDATE %I.accounts SET parent = ''4001'' WHERE code > ''4010''', company);
    EXECUTE format('INSERT INTO %I.entries (lines, day, total, "from") SELECT ARRAY[ROW(''4001'', ROW(n, ''EUR''), ROW(0, ''EUR''), ''{a,b}''), ROW(''4002'', ROW(0, ''EUR''), ROW(n, ''EUR''), NULL)]::base.line[], '
      'date ''2024-01-01'' + n, n, ''post'' FROM generate_series(1, 30) n', company);
    EXECUTE format('INSERT INTO %I.products VALUES (1, ''a'', 9.5, ''{1,2.5}'', ROW(1, ''USD''), ''[1,2)'')', company);
    EXECUTE format('INSERT INTO %I.services VALUES (2, ''b'', 7, NULL, ROW(0, NULL)::base.money, ''[3,4)'', ''1 2:03:04'')', company);
  END LOOP;
EXCEPTION WHEN check_violation THEN
  RAISE;
END
$do$;

-- All companies in one view, and functions over it.
DO $do$
DECLARE
  parts text;
BEGIN
  SELECT string_agg(format('SELECT %L::text AS company, e.id, e.number, e.day, e.total FROM %I.entries e', nspname, nspname), ' UNION ALL ' ORDER BY nspname) INTO parts
    FROM pg_namespace WHERE nspname ~ '^company_';
  EXECUTE 'CREATE VIEW api.all_entries AS ' || parts;
END
$do$;
CREATE MATERIALIZED VIEW api.totals AS SELECT company, date_trunc('month', day::timestamp) AS month, base.total(total) AS total FROM api.all_entries GROUP BY GROUPING SETS ((company, date_trunc('month', day::timestamp)), (company));
CREATE INDEX ON api.totals (company, month);
CREATE FUNCTION api.entries(company text, since date DEFAULT '-infinity') RETURNS TABLE (id bigint, number text, day date) LANGUAGE plpgsql STABLE ROWS 50 AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT id, number, day FROM api.all_entries a WHERE a.company = entries.company AND day >= since;
  IF NOT FOUND THEN
    RAISE NOTICE USING MESSAGE = 'nothing since ' || since, DETAIL = format('%s of %s', 0, company);
  END IF;
END
$$;
CREATE FUNCTION api.entries(api.all_entries) RETURNS SETOF api.all_entries LANGUAGE sql STABLE AS 'SELECT ($1).*';
CREATE PROCEDURE api.close(INOUT company text, VARIADIC months int[]) LANGUAGE plpgsql AS $$
DECLARE
  month int;
  cursor_ CURSOR (least int) FOR SELECT 1 WHERE least > 0;
BEGIN
  <<months>>
  FOREACH month IN ARRAY months LOOP
    CONTINUE months WHEN month NOT BETWEEN 1 AND 12;
    EXECUTE format('UPDATE %I.entries SET state = ''posted'' WHERE EXTRACT(month FROM day) = $1', company) USING month;
  END LOOP;
  REFRESH MATERIALIZED VIEW api.totals;
END
$$;
COMMENT ON PROCEDURE api.close(text, int[]) IS E'Ends months.\nTwice does no harm: it''s \\safe\\.';
COMMENT ON COLUMN api.all_entries.total IS 'In the company''s currency';
REVOKE ALL ON FUNCTION base.next_number(text) FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA api GRANT SELECT ON TABLES TO PUBLIC;
GRANT SELECT (company, total) ON api.all_entries TO PUBLIC;
REFRESH MATERIALIZED VIEW api.totals;
