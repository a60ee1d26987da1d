//! Verify: every checksum, every chunk, every cross-reference; findings are collected.
