//! Which objects a command is about: `pg_dump`'s patterns, applied to a manifest alike by dump and restore.
