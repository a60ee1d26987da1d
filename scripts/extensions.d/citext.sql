CREATE TABLE c (v citext PRIMARY KEY);
INSERT INTO c SELECT 'Name ' || n FROM generate_series(1, 100) n;
