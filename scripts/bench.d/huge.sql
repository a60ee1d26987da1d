-- One table of :rows consumers, with the keys and indexes that Kong gives it.
SET synchronous_commit = off;
CREATE TABLE consumers (id uuid NOT NULL, created_at timestamptz, username text, custom_id text, tags text[], ws_id uuid, updated_at timestamptz);
INSERT INTO consumers
SELECT md5('consumer' || i)::uuid, to_timestamp(1685577600 + i * 7919 % 60000000), 'consumer-' || i || '@customer-' || i % 997 || '.example.com',
       CASE WHEN i % 3 = 0 THEN 'crm:' || lpad(i::text, 12, '0') || ':' || substr(md5('custom' || i), 1, 12) END,
       CASE WHEN i % 2 = 0 THEN ARRAY['prod', 'team-' || i % 97] END, '7d0e3c52-91b8-4f6a-a3c4-2f58d1b6e907', to_timestamp(1685577600 + i * 7919 % 60000000)
  FROM generate_series(1::bigint, :rows) AS i;
SET maintenance_work_mem = '256MB';
ALTER TABLE consumers ADD CONSTRAINT consumers_pkey PRIMARY KEY (id), ADD UNIQUE (ws_id, username), ADD UNIQUE (ws_id, custom_id);
CREATE INDEX consumers_username_idx ON consumers (lower(username));
CREATE INDEX consumers_tags_idx ON consumers USING gin (tags);
