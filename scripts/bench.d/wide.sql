-- :rows certificates with their keys, 7 kB each: what base64 says does not compress in the table.
SET synchronous_commit = off;
CREATE FUNCTION pg_temp.pem(label text, n bigint, lines integer) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT '-----BEGIN ' || label || E'-----\n' || string_agg(left(encode(sha512((label || n || '/' || line)::bytea), 'base64'), 64), E'\n') || E'\n-----END ' || label || E'-----\n'
     FROM generate_series(1, lines) AS line $$;
CREATE TABLE certificates (id uuid PRIMARY KEY, created_at timestamptz, cert text, key text, tags text[], ws_id uuid, updated_at timestamptz);
INSERT INTO certificates
SELECT md5('certificate' || i)::uuid, to_timestamp(1685577600 + i), pg_temp.pem('CERTIFICATE', i, 78), pg_temp.pem('PRIVATE KEY', i, 26),
       CASE WHEN i % 3 = 0 THEN ARRAY['team-' || i % 97] END, '7d0e3c52-91b8-4f6a-a3c4-2f58d1b6e907', to_timestamp(1685577600 + i)
  FROM generate_series(1::bigint, :rows) AS i;
CREATE INDEX certificates_tags_idx ON certificates USING gin (tags);
