-- A rule, a trigger, a policy: no catalog says that they are the extension's.
CREATE TABLE jobs (id int PRIMARY KEY, who text NOT NULL DEFAULT current_user);
CREATE FUNCTION check_job() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.id < 0 THEN RAISE ''no such job''; END IF; RETURN new; END';
CREATE TRIGGER job_check BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION check_job();
COMMENT ON TRIGGER job_check ON jobs IS 'of the extension';
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_jobs ON jobs USING (who = current_user);
CREATE VIEW shown AS SELECT id FROM jobs;
CREATE RULE shown_insert AS ON INSERT TO shown DO INSTEAD INSERT INTO jobs (id) VALUES (new.id);
SELECT pg_extension_config_dump('jobs', '');
CREATE TABLE notes (id int);
CREATE STATISTICS jobs_of_whom ON id, who FROM jobs;
