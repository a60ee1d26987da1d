//! The catalogs: one file per object kind, with its query and its SQL; ordering by dependency.
