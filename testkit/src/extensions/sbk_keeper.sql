-- Rows that a trigger swallows, because the extension has made them here already; an event trigger that looks on.
CREATE TABLE metadata (key text PRIMARY KEY, value text);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF new.key = ''installed'' THEN RETURN NULL; END IF; RETURN new; END';
INSERT INTO metadata VALUES ('installed', 'always');
CREATE TRIGGER metadata_insert BEFORE INSERT ON metadata FOR EACH ROW EXECUTE FUNCTION keep();
SELECT pg_extension_config_dump('metadata', '');
CREATE FUNCTION look_on() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM * FROM pg_event_trigger_ddl_commands(); END';
CREATE EVENT TRIGGER sbk_keeper_looks_on ON ddl_command_end EXECUTE FUNCTION look_on();
