-- Collations, conversions, text search.
CREATE SCHEMA "Sea rch";
CREATE COLLATION "Sea rch"."Same" (provider = libc, locale = 'C'); CREATE COLLATION two_locales (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX'); CREATE COLLATION copied FROM "C";
COMMENT ON COLLATION "Sea rch"."Same" IS 'same'; ALTER COLLATION "Sea rch"."Same" OWNER TO {owner};
CREATE TABLE sorted (a text COLLATE "Sea rch"."Same" PRIMARY KEY, b varchar(3) COLLATE two_locales); INSERT INTO sorted VALUES ('a', 'b'), ('B', 'a');
CREATE DOMAIN sorted_domain AS text COLLATE copied; CREATE TYPE sorted_pair AS (a text COLLATE two_locales); CREATE TYPE sorted_range AS RANGE (subtype = text, collation = copied);
-- if 17
CREATE COLLATION built_in (provider = builtin, locale = 'C.UTF-8'); CREATE COLLATION built_in_c (provider = builtin, locale = 'C');
-- end
-- if 18
CREATE COLLATION built_in_full (provider = builtin, locale = 'PG_UNICODE_FAST');
-- end
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        CREATE COLLATION icu (provider = icu, locale = 'de-u-co-phonebk'); CREATE COLLATION case_blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false); CREATE TABLE blind (a text COLLATE case_blind UNIQUE);
        IF current_setting('server_version_num')::int >= 160000 THEN EXECUTE 'CREATE COLLATION ruled (provider = icu, locale = ''und'', rules = ''&V << w <<< W'')'; END IF;
    END IF;
END $$;

CREATE CONVERSION "Sea rch"."Latin" FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; CREATE DEFAULT CONVERSION by_default FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
COMMENT ON CONVERSION "Sea rch"."Latin" IS 'latin'; ALTER CONVERSION "Sea rch"."Latin" OWNER TO {owner};

CREATE FUNCTION "Sea rch".start(internal, int4) RETURNS internal LANGUAGE internal STRICT AS 'prsd_start';
CREATE TEXT SEARCH PARSER "Sea rch"."Par ser" (START = "Sea rch".start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH PARSER headless (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE "Sea rch"."Tem plate" (INIT = dsimple_init, LEXIZE = dsimple_lexize); CREATE TEXT SEARCH TEMPLATE bare (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY "Sea rch"."Dict" (TEMPLATE = "Sea rch"."Tem plate", accept = false); CREATE TEXT SEARCH DICTIONARY snow (TEMPLATE = snowball, language = 'german');
ALTER TEXT SEARCH DICTIONARY "Sea rch"."Dict" OWNER TO {owner}; CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = pg_catalog.simple);
CREATE TEXT SEARCH CONFIGURATION "Sea rch"."Con fig" (PARSER = "Sea rch"."Par ser"); ALTER TEXT SEARCH CONFIGURATION "Sea rch"."Con fig" ADD MAPPING FOR word, asciiword, hword_part WITH "Sea rch"."Dict", snow, simple; ALTER TEXT SEARCH CONFIGURATION "Sea rch"."Con fig" ADD MAPPING FOR url WITH plain;
CREATE TEXT SEARCH CONFIGURATION copied (COPY = pg_catalog.english); CREATE TEXT SEARCH CONFIGURATION unmapped (PARSER = headless); ALTER TEXT SEARCH CONFIGURATION copied OWNER TO {owner};
COMMENT ON TEXT SEARCH PARSER "Sea rch"."Par ser" IS 'p'; COMMENT ON TEXT SEARCH TEMPLATE "Sea rch"."Tem plate" IS 't'; COMMENT ON TEXT SEARCH DICTIONARY "Sea rch"."Dict" IS 'd'; COMMENT ON TEXT SEARCH CONFIGURATION "Sea rch"."Con fig" IS 'c';
CREATE TABLE documents (id int PRIMARY KEY, body text, words tsvector GENERATED ALWAYS AS (to_tsvector('"Sea rch"."Con fig"'::regconfig, body)) STORED); CREATE INDEX ON documents USING gin (to_tsvector('copied', body)); INSERT INTO documents (id, body) VALUES (1, 'the quick brown foxes'), (2, 'http://example.org/x');
