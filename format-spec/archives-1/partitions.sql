-- Partitions of two levels, and inheritance.
CREATE TABLE events (id int, kind text, at date) PARTITION BY LIST (kind);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a') PARTITION BY RANGE (at);
CREATE TABLE events_a_old PARTITION OF events_a FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
CREATE TABLE events_a_new PARTITION OF events_a FOR VALUES FROM ('2024-01-01') TO (MAXVALUE);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_at ON events (at);
CREATE UNIQUE INDEX events_all ON events (id, kind, at);
CREATE TABLE refers (event int, kind text, at date, FOREIGN KEY (event, kind, at) REFERENCES events (id, kind, at));
INSERT INTO events SELECT n, substr('abc', n % 3 + 1, 1), date '2023-12-01' + n FROM generate_series(1, 90) n;
INSERT INTO refers SELECT id, kind, at FROM events WHERE id < 10;
CREATE TABLE parent (a int CHECK (a > 0), b text DEFAULT 'p'); CREATE TABLE child (c int) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x', 3);
