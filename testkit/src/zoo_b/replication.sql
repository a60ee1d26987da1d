-- Publications, and subscriptions that connect nowhere.
CREATE SCHEMA "Pub Schema";
CREATE TABLE p1 (id int PRIMARY KEY, "B" text, c int);
CREATE TABLE "Pub Schema".p2 (id int PRIMARY KEY);
CREATE PUBLICATION pub_all FOR ALL TABLES;
CREATE PUBLICATION pub_none;
CREATE PUBLICATION "Pub Some" FOR TABLE p1, "Pub Schema".p2 WITH (publish = 'insert, delete');
COMMENT ON PUBLICATION pub_none IS 'nothing';
ALTER PUBLICATION pub_none OWNER TO "{owner}";
CREATE SUBSCRIPTION "Sub" CONNECTION 'dbname=nowhere user=it''s' PUBLICATION pub_all, "Pub Some" WITH (connect = false, slot_name = NONE);
CREATE SUBSCRIPTION sub_two CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE, synchronous_commit = local);
COMMENT ON SUBSCRIPTION "Sub" IS 'a subscription';
-- since 13
CREATE PUBLICATION pub_root WITH (publish = '', publish_via_partition_root = true);
-- since 14
ALTER SUBSCRIPTION sub_two SET (binary = true, streaming = on);
CREATE SUBSCRIPTION sub_off CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE, streaming = off);
-- since 15
CREATE PUBLICATION pub_filtered FOR TABLE p1 (id, c) WHERE (id > 1 AND c <> 3);
CREATE PUBLICATION pub_schema FOR TABLES IN SCHEMA "Pub Schema", public;
CREATE PUBLICATION pub_both FOR TABLE p1, TABLES IN SCHEMA "Pub Schema";
CREATE SUBSCRIPTION sub_three CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE, two_phase = true, disable_on_error = true);
-- since 16
CREATE SUBSCRIPTION sub_four CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE, streaming = parallel, origin = none, password_required = false, run_as_owner = true);
-- since 17
CREATE SUBSCRIPTION sub_five CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE, failover = true);
-- since 18
CREATE TABLE gen (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED);
CREATE PUBLICATION pub_generated FOR TABLE gen WITH (publish_generated_columns = stored);
-- since 19
CREATE PUBLICATION pub_sequences FOR ALL SEQUENCES;
CREATE PUBLICATION "Pub Except" FOR ALL TABLES EXCEPT (TABLE p1, "Pub Schema".p2), ALL SEQUENCES;
CREATE FUNCTION connected(oid, oid, internal) RETURNS text LANGUAGE c AS '$libdir/postgres_fdw', 'postgres_fdw_connection';
CREATE FOREIGN DATA WRAPPER connecting CONNECTION connected;
CREATE SERVER "Publisher" FOREIGN DATA WRAPPER connecting;
CREATE USER MAPPING FOR PUBLIC SERVER "Publisher";
CREATE SUBSCRIPTION sub_server SERVER "Publisher" PUBLICATION x WITH (connect = false, slot_name = NONE, max_retention_duration = 7);
CREATE SUBSCRIPTION sub_waits CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, slot_name = NONE, wal_receiver_timeout = '5s');
