//! What a database or an archive of Kong holds: which versions can have made it, whether its
//! migrations are done, its tables by what their rows are, and what ought to be looked at.
//!
//! ```text
//! live::read | archived::read ─► Facts ─► Info::of
//! ```
//!
//! Does not know how it is printed.

pub mod archived;
mod conclusion;
mod entity;
pub mod facts;
pub mod live;
mod notes;
mod schema;
mod value;
pub mod version;

pub use self::conclusion::Info;
pub use self::entity::Entity;
pub use self::facts::{Facts, Request};
pub use self::notes::Note;
pub use self::version::{Told, Version};
