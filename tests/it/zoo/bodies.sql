-- Functions whose bodies the server understands (14), so that it knows what they need.
CREATE FUNCTION cycd() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT count(a)::int FROM cyc; END; ALTER TABLE cyc ALTER b SET DEFAULT cycd();
CREATE FUNCTION grp() RETURNS SETOF services LANGUAGE sql BEGIN ATOMIC SELECT * FROM services GROUP BY id; END;
