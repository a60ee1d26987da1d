-- Large objects: empty, small, with a hole.
SELECT lo_create(4711); COMMENT ON LARGE OBJECT 4711 IS 'empty';
SELECT lo_from_bytea(4712, decode(repeat('00ff', 5000), 'hex'));
SELECT lo_create(4713); SELECT lo_put(4713, 100000, 'at the end');
CREATE TABLE holds (id int PRIMARY KEY, lo oid); INSERT INTO holds VALUES (1, 4712), (2, 4713);
