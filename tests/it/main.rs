//! Tests of the whole program against real servers, in one crate so that they share them.
//!
//! A server or a `pg_dump` that is missing fails the tests and says how to get it; nothing is
//! skipped. `SILVERBACK_TEST_PG=15` narrows the versions.

mod applications;
mod archives;
mod catalog;
mod check;
mod cli;
mod connect;
mod connected;
mod consistency;
mod damage;
mod defaults;
mod disk;
mod edges;
mod errors;
mod extensions;
mod faults;
mod fidelity;
mod format_1;
mod format_spec;
mod guards;
mod hostile;
mod invariants;
mod kinds;
mod kong_info;
mod kong_settings;
mod layers;
mod matrix;
mod names;
mod options;
mod pair;
mod poolers;
mod ready;
mod rename;
mod replication;
mod restore;
mod resume;
mod rollback;
mod signals;
mod stage;
mod statistics;
mod stream;
mod support;
mod swap;
mod text_values;
mod traps;
mod types;
mod unfinished;
mod unknown_columns;
mod upgrade;
mod versions;
mod ways;
mod whereto;
mod zoo;
mod zoo_b;
