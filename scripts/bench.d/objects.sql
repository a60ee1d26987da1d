-- :rows large objects of 400 bytes to 4 kB, each a few lines of text with what hardly compresses in them.
SET synchronous_commit = off;
SELECT count(lo_from_bytea((100000 + i)::oid, convert_to((SELECT string_agg('document ' || i || ', line ' || line || ': ' || md5(i || '/' || line), E'\n') FROM generate_series(1, 6 + i * 7919 % 55) AS line), 'UTF8')))
  FROM generate_series(1::bigint, :rows) AS i;
