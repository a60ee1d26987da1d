//! Servers and files that mean harm: nothing panics, nothing takes more than it may, no password
//! goes where it must not.

mod files;
mod login;
mod rows;
