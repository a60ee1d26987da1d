-- Large objects: their bytes, owners, privileges and comments.
SELECT lo_create(42); COMMENT ON LARGE OBJECT 42 IS 'low number';
SELECT lo_from_bytea(70001, decode(repeat('00ff10', 200000), 'hex'));
SELECT lo_from_bytea(70002, 'short'); SELECT lo_create(70003);
SELECT lo_from_bytea(80000 + n, convert_to(repeat(n::text, n), 'UTF8')) FROM generate_series(0, 1500) n;
SELECT lo_create(90000); SELECT lo_put(90000, 5000000, 'after a hole');
ALTER LARGE OBJECT 70002 OWNER TO "{owner}"; ALTER LARGE OBJECT 70003 OWNER TO "{owner}";
GRANT SELECT ON LARGE OBJECT 70001, 70002 TO "{reader}"; GRANT UPDATE ON LARGE OBJECT 70001 TO "{reader}" WITH GRANT OPTION;
COMMENT ON LARGE OBJECT 70002 IS 'it''s short';
CREATE TABLE holds (id int, blob oid); INSERT INTO holds VALUES (1, 70001);
