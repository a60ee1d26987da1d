-- Two tables of settings, one of which refers to the other, and a sequence: rows of a user's come back, the extension's own stay.
CREATE TABLE z_kinds (id int PRIMARY KEY, own boolean NOT NULL DEFAULT false);
CREATE TABLE a_settings (id serial PRIMARY KEY, kind int REFERENCES z_kinds, own boolean NOT NULL DEFAULT false);
INSERT INTO z_kinds VALUES (1, true);
INSERT INTO a_settings (kind, own) VALUES (1, true);
SELECT pg_extension_config_dump('z_kinds', 'WHERE NOT own');
SELECT pg_extension_config_dump('a_settings', 'WHERE NOT own');
SELECT pg_extension_config_dump('a_settings_id_seq', '');
-- Partitions and heirs may be a user's.
CREATE TABLE readings (id int, v int) PARTITION BY RANGE (id);
