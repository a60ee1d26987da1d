-- A column of every built-in type, and of types made from them, with awkward values.
CREATE TYPE hue AS ENUM ('red', 'it''s', 'blue'); CREATE DOMAIN hue_domain AS hue; CREATE TYPE hue_pair AS (a hue, b int); CREATE TYPE hue_range AS RANGE (subtype = hue); CREATE DOMAIN of_domain AS numeric(5, 2); CREATE TYPE time_range AS RANGE (subtype = time);
CREATE TABLE numbers (id int PRIMARY KEY, a int2, b int4, c int8, d float4, e float8, f numeric, g numeric(20,5), h bool, i oid, j xid, k cid, l tid, m int8, n pg_lsn, o "char");
INSERT INTO numbers VALUES (1, -32768, -2147483648, -9223372036854775808, '-Infinity', 'NaN', 'NaN', -12345.67891, true, 4294967295, '4294967295', '7', '(4294967295,65535)', '9223372036854775807', 'FFFFFFFF/FFFFFFFF', '\001'),
    (2, 32767, 2147483647, 9223372036854775807, 1.1754944e-38, 4.9e-324, 1e-1000, 0, false, 0, '0', '0', '(0,0)', '0', '0/0', ''), (3, 0, 0, 0, '-0', '-0', ('1' || repeat('0', 900))::numeric, 0.00001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x'), (4, NULL, NULL, NULL, 3.4028235e38, 0.1, 0.00, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- if 13
CREATE TABLE wide_ids (id int PRIMARY KEY, m xid8); INSERT INTO wide_ids VALUES (1, '18446744073709551615'), (2, '0'), (3, NULL);
-- end
-- if 13
CREATE TABLE snapshots (a pg_snapshot); INSERT INTO snapshots VALUES ('10:20:10,14');
-- end
CREATE TABLE value_texts (id int PRIMARY KEY, a text, b varchar(5), c char(6), d name, e bytea, f json, g jsonb, h jsonpath, i uuid, j bit(3), k varbit, m refcursor, n tsvector, o tsquery);
INSERT INTO value_texts VALUES (1, E'\\N', 'äöü€', 'a', 'nämé', '\x00ff5c4e0a', '{"a" : 1,  "a":2}', '{"b": 1e400, "a": "\u20ac\\"}', '$."a"[*] ? (@ > 1)', '00000000-0000-0000-0000-000000000000', B'101', B'', 'cur', '''it''''s'':1A,2B a', '!(a:* & b:AB) <2> c'),
    (2, E'\\.', '', '', '', '', 'null', '[]', 'strict $', 'ffffffff-ffff-ffff-ffff-ffffffffffff', B'000', B'1111111111', '', '', ''), (3, E'tab\t nl\n cr\r bs\b ff\f vt\v del\x7f \\ "', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, repeat('long ', 50000), NULL, NULL, NULL, decode(repeat('00ff', 5000), 'hex'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
DO $$ BEGIN CREATE TABLE xml_documents (a xml); INSERT INTO xml_documents VALUES ('<a>ü</a>'), ('text'); EXCEPTION WHEN feature_not_supported THEN NULL; END $$;
CREATE TABLE times (id int PRIMARY KEY, a date, b time, c time(2), d timetz, e timestamp, f timestamptz, g timestamptz(0), h interval, i interval day to second(2));
INSERT INTO times VALUES (1, '4713-01-01 BC', '00:00', '23:59:59.99', '24:00:00+15:59', 'infinity', '-infinity', '2020-02-29 12:00+05', '-178000000 years', '1 day 02:03:04.56'), (2, '5874897-12-31', '24:00', NULL, '00:00:00-15:59', '294276-12-31 23:59:59.999999', '4713-01-01 00:00 BC', NULL, '1 mon -1 day 00:00:00.000001', NULL), (3, 'infinity', NULL, NULL, NULL, '-infinity', '1883-11-18 12:03:57.123456-05', NULL, '0', NULL);
CREATE TABLE places (id int PRIMARY KEY, a point, b line, c lseg, d box, e path, f polygon, g circle, h inet, i cidr, j macaddr, k macaddr8);
INSERT INTO places VALUES (1, '(NaN,-0)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', '<(0,0),5>', '192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'), (2, '(Infinity,1e-300)', NULL, NULL, NULL, '[(0,0)]', '((1,1))', '<(1,1),0>', '::ffff:1.2.3.4/128', '2001:db8::/32', NULL, NULL);
CREATE TABLE ranges (id int PRIMARY KEY, a int4range, b int8range, c numrange, d tsrange, e tstzrange, f daterange, g hue_range, h time_range, i int4range[]);
INSERT INTO ranges VALUES (1, '(,5]', 'empty', '[1.50,)', '(2020-01-01,infinity]', '[2020-01-01 00:00+00,)', '[2020-01-01,2020-02-01]', '(red,blue]', '[00:00,24:00)', '{"[1,2)",NULL,empty}'), (2, '(,)', NULL, NULL, NULL, NULL, NULL, 'empty', NULL, '{}');
-- if 14
CREATE TABLE multiranges (a int4multirange, b nummultirange[], c hue_multirange, d tstzmultirange, e datemultirange, f int8multirange, g tsmultirange); INSERT INTO multiranges VALUES ('{[1,2),[5,)}', '{"{}","{[1.5,2]}"}', '{[red,red],(it''s,)}', '{}', NULL, '{(,)}', '{[2020-01-01,2020-01-02)}');
CREATE TABLE infinities (a numeric, b numeric[]); INSERT INTO infinities VALUES ('Infinity', '{-Infinity,NaN,1}');
-- end
CREATE TABLE value_arrays (id int PRIMARY KEY, a int[], b text[], c bytea[], d timestamptz[], e numeric[][], f jsonb[], g bool[], h uuid[], i inet[], j int2vector, k oidvector, l varchar(3)[], m point[], n box[]);
INSERT INTO value_arrays VALUES (1, '[-1:1]={1,NULL,3}', '{"a,b","\"q\"","NULL",NULL,"",äö}', '{"\\x00"}', '{infinity,NULL}', '{{1,2.50},{NaN,4}}', '{"{\"a\": [1]}",null}', '{t,f,NULL}', '{}', '{::1}', '1 2 3', '1 2', '{abc}', '{"(1,2)"}', '{(1,1),(0,0);(2,2),(1,1)}'), (2, '{}', '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '', NULL, NULL, NULL);
-- What names rows of the catalogs travels by name, what depends on settings or is of a user's making, as text.
CREATE TABLE by_name (a regclass, b regtype, c regproc, d regprocedure, e regoper, f regoperator, g regnamespace, h regrole, i regconfig, j regdictionary, k regclass[]); INSERT INTO by_name VALUES ('numbers', 'hue', 'pg_catalog.now', 'pg_catalog.length(text)', '||/', '+(integer,integer)', 'public', 'postgres', 'english', 'simple', '{value_texts}');
CREATE TABLE as_text (a money, b aclitem, c hue[], d hue_pair, e hue_pair[], f numbers, g txid_snapshot, h money[]); INSERT INTO as_text VALUES ('-92233720368547758.08', 'postgres=r/postgres', '{red,"it''s",NULL}', '("it''s",1)', '{"(red,)",NULL}', (SELECT whole FROM numbers whole WHERE id = 1), '10:20:10,14', '{1.5}');
CREATE TABLE user_types (a hue, b hue_domain, c of_domain, d hue_range); INSERT INTO user_types VALUES ('it''s', 'blue', -1.5, '[red,it''s)'), (NULL, NULL, NULL, NULL);
CREATE TABLE odd_names (":" int, "\" text, "a""b" bool, "ünï" int, " " int); INSERT INTO odd_names VALUES (1, '2', true, 3, 4);
