-- Tables like Kong's: UUID keys, tags, TTL, a foreign key with an action, a trigger, a sequence.
CREATE TABLE workspaces (id uuid PRIMARY KEY, name text UNIQUE, created_at timestamptz DEFAULT '2024-01-02 03:04:05+00');
CREATE TABLE consumers (id uuid PRIMARY KEY, username text UNIQUE, tags text[], ws_id uuid REFERENCES workspaces ON DELETE CASCADE, ttl timestamptz);
CREATE INDEX consumers_tags ON consumers USING gin (tags);
CREATE INDEX consumers_ttl ON consumers (ttl) WHERE ttl IS NOT NULL;
CREATE TABLE cluster_events (id bigserial PRIMARY KEY, channel text, data bytea, at timestamptz);
CREATE FUNCTION sync_tags() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER consumers_sync_tags AFTER INSERT OR UPDATE ON consumers FOR EACH ROW EXECUTE FUNCTION sync_tags();
INSERT INTO workspaces SELECT md5(n::text)::uuid, 'ws-' || n FROM generate_series(1, 3) n;
INSERT INTO consumers SELECT md5('c' || n)::uuid, 'user-' || n, CASE WHEN n % 3 = 0 THEN ARRAY['a', 'b"c', NULL] END, md5((n % 3 + 1)::text)::uuid, CASE WHEN n % 5 = 0 THEN '2020-01-01 00:00:00+00'::timestamptz END FROM generate_series(1, 500) n;
INSERT INTO cluster_events (channel, data, at) SELECT 'invalidations', decode(md5(n::text), 'hex'), 'infinity' FROM generate_series(1, 50) n;
