CREATE EXTENSION timescaledb;
SELECT timescaledb_pre_restore();
