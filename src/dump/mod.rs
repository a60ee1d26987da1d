//! Dump: lock, snapshot, catalog, plan, copy, encode, write.
