-- Tables with 50 grants each, so many that there are :rows grants.
SELECT format('CREATE ROLE bench_%s', n) FROM generate_series(1, 50) AS n WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = format('bench_%s', n)) \gexec
SELECT format('CREATE TABLE t%s (id integer)', lpad(n::text, 6, '0')) FROM generate_series(1, :rows / 50) AS n \gexec
SELECT format('GRANT %s ON t%s TO bench_%s', CASE WHEN r % 5 = 0 THEN 'SELECT, INSERT' ELSE 'SELECT' END, lpad(n::text, 6, '0'), r)
  FROM generate_series(1, :rows / 50) AS n, generate_series(1, 50) AS r \gexec
