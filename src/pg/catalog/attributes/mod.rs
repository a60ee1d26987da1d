//! What is said of objects of any kind: privileges, comments, labels, extensions that they go with.

pub(super) mod comments;
pub(super) mod extension_needs;
pub(super) mod grants;
