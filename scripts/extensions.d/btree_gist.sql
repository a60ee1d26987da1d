CREATE TABLE b (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO b SELECT n, '[2026-01-01,2026-01-02)' FROM generate_series(1, 100) n;
