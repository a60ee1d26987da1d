//! Everything that knows Kong.
