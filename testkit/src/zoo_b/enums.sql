-- Rows that another database would spread in another way.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE moods (m mood, n int) PARTITION BY HASH (m);
CREATE TABLE moods_0 PARTITION OF moods FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE moods_1 PARTITION OF moods FOR VALUES WITH (MODULUS 3, REMAINDER 1) PARTITION BY RANGE (n);
CREATE TABLE moods_1_low PARTITION OF moods_1 FOR VALUES FROM (MINVALUE) TO (50);
CREATE TABLE moods_1_high PARTITION OF moods_1 FOR VALUES FROM (50) TO (MAXVALUE);
CREATE TABLE moods_2 (n int, m mood); ALTER TABLE moods ATTACH PARTITION moods_2 FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO moods SELECT (ARRAY['sad', 'ok', 'happy'])[1 + n % 3]::mood, n FROM generate_series(1, 99) n;
ALTER TABLE moods ADD UNIQUE (m, n);
