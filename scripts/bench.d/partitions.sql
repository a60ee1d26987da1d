-- A partitioned table of :rows rows, ten in each partition, with a key and an index, and a table that refers to it.
CREATE TABLE events (id bigint PRIMARY KEY, at timestamptz NOT NULL, name text NOT NULL, body jsonb) PARTITION BY RANGE (id);
CREATE INDEX events_name ON events (name);
SELECT format('CREATE TABLE events_%1$s PARTITION OF events FOR VALUES FROM (%2$s) TO (%3$s)', lpad(n::text, 6, '0'), n * 10, n * 10 + 10)
  FROM generate_series(0, :rows / 10 - 1) AS n \gexec
INSERT INTO events SELECT i, to_timestamp(1685577600 + i), 'event ' || i, jsonb_build_object('i', i, 'text', md5(i::text)) FROM generate_series(0, :rows - 1) AS i;
CREATE TABLE notes (id bigint PRIMARY KEY, event bigint NOT NULL REFERENCES events, text text);
INSERT INTO notes SELECT i, i, 'note ' || i FROM generate_series(0, :rows - 1) AS i;
