-- Members of operator families: in a family of its own, loose and in a class, and in families of the server's, loose and in a class.
CREATE TYPE stamp AS (n bigint);
CREATE FUNCTION stamp_lt(stamp, stamp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n < ($2).n';
CREATE OPERATOR < (LEFTARG = stamp, RIGHTARG = stamp, FUNCTION = stamp_lt);
CREATE FUNCTION stamp_lt(stamp, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n < $2';
CREATE OPERATOR < (LEFTARG = stamp, RIGHTARG = bigint, FUNCTION = stamp_lt);
CREATE FUNCTION stamp_le(stamp, stamp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n <= ($2).n';
CREATE OPERATOR <= (LEFTARG = stamp, RIGHTARG = stamp, FUNCTION = stamp_le);
CREATE FUNCTION stamp_le(stamp, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n <= $2';
CREATE OPERATOR <= (LEFTARG = stamp, RIGHTARG = bigint, FUNCTION = stamp_le);
CREATE FUNCTION stamp_eq(stamp, stamp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n = ($2).n';
CREATE OPERATOR = (LEFTARG = stamp, RIGHTARG = stamp, FUNCTION = stamp_eq);
CREATE FUNCTION stamp_eq(stamp, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n = $2';
CREATE OPERATOR = (LEFTARG = stamp, RIGHTARG = bigint, FUNCTION = stamp_eq);
CREATE FUNCTION stamp_ge(stamp, stamp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n >= ($2).n';
CREATE OPERATOR >= (LEFTARG = stamp, RIGHTARG = stamp, FUNCTION = stamp_ge);
CREATE FUNCTION stamp_ge(stamp, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n >= $2';
CREATE OPERATOR >= (LEFTARG = stamp, RIGHTARG = bigint, FUNCTION = stamp_ge);
CREATE FUNCTION stamp_gt(stamp, stamp) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n > ($2).n';
CREATE OPERATOR > (LEFTARG = stamp, RIGHTARG = stamp, FUNCTION = stamp_gt);
CREATE FUNCTION stamp_gt(stamp, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).n > $2';
CREATE OPERATOR > (LEFTARG = stamp, RIGHTARG = bigint, FUNCTION = stamp_gt);
CREATE FUNCTION stamp_cmp(stamp, stamp) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.btint8cmp(($1).n, ($2).n)';
CREATE FUNCTION stamp_cmp(stamp, bigint) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.btint8cmp(($1).n, $2)';
CREATE OPERATOR FAMILY stamp_ops USING btree;
CREATE OPERATOR CLASS stamp_ops DEFAULT FOR TYPE stamp USING btree FAMILY stamp_ops AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 stamp_cmp(stamp, stamp);
ALTER OPERATOR FAMILY stamp_ops USING btree ADD
    OPERATOR 1 < (stamp, bigint),
    OPERATOR 2 <= (stamp, bigint),
    OPERATOR 3 = (stamp, bigint),
    OPERATOR 4 >= (stamp, bigint),
    OPERATOR 5 > (stamp, bigint),
    FUNCTION 1 (stamp, bigint) stamp_cmp(stamp, bigint);
CREATE OPERATOR CLASS stamp_int_ops FOR TYPE stamp USING btree FAMILY pg_catalog.integer_ops AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 stamp_cmp(stamp, stamp);
ALTER OPERATOR FAMILY pg_catalog.integer_ops USING btree ADD
    OPERATOR 1 < (stamp, bigint),
    OPERATOR 2 <= (stamp, bigint),
    OPERATOR 3 = (stamp, bigint),
    OPERATOR 4 >= (stamp, bigint),
    OPERATOR 5 > (stamp, bigint),
    FUNCTION 1 (stamp, bigint) stamp_cmp(stamp, bigint);
-- Only its types tell whose this is.
ALTER OPERATOR FAMILY pg_catalog.integer_ops USING hash ADD FUNCTION 1 (stamp, stamp) pg_catalog.hashint8(bigint);
