//! A word that other programs take, and what there is to say about it.

/// Such words.
pub(super) struct Habit {
    /// The commands that it is typed with; an empty one is none at all.
    pub(super) commands: &'static [&'static str],
    pub(super) words: &'static [&'static str],
    pub(super) cause: &'static str,
    pub(super) hint: &'static str,
}
