CREATE TABLE swept (id int PRIMARY KEY);
INSERT INTO swept SELECT generate_series(1, 10);
SELECT cron.schedule('sweep', '0 3 1 1 *', 'DELETE FROM swept WHERE id > 5');
SELECT cron.schedule('0 4 1 1 *', 'VACUUM');
INSERT INTO cron.job_run_details (jobid, runid, job_pid, status, command) VALUES (1, 1, 1, 'succeeded', 'SELECT 1');
