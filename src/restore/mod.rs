//! Restore: preflight, plan, and the workers that carry it out.
