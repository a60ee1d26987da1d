-- A database in another encoding (LATIN1), with rows that are no UTF-8.
CREATE TABLE "Größe" (id int PRIMARY KEY, "Wörter" text, je text[]); COMMENT ON TABLE "Größe" IS 'naïve';
INSERT INTO "Größe" SELECT n, 'schön ' || n, ARRAY['ä', 'é'] FROM generate_series(1, 30) n;
