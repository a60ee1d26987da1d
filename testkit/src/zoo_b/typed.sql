-- Tables of a type.
CREATE TYPE shape AS (x int, y text); CREATE TABLE typed OF shape (PRIMARY KEY (x), y WITH OPTIONS DEFAULT 'q'); CREATE TABLE typed_bare OF shape;
INSERT INTO typed VALUES (1);
