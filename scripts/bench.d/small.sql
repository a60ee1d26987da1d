-- Tables of 10 rows each, with two indexes, so many that there are :rows rows.
SELECT format('CREATE TABLE t%1$s (id uuid PRIMARY KEY, created_at timestamptz NOT NULL, name text UNIQUE, tags text[])', lpad(n::text, 6, '0'))
  FROM generate_series(1, :rows / 10) AS n \gexec
SELECT format('INSERT INTO t%1$s SELECT md5(%2$s || ''/'' || i)::uuid, to_timestamp(1685577600 + i), ''row '' || i, ARRAY[''a'', ''b''] FROM generate_series(1, 10) AS i', lpad(n::text, 6, '0'), n)
  FROM generate_series(1, :rows / 10) AS n \gexec
