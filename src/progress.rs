//! What the pipelines tell while they work. They call; who shows it, and how, is not known here.

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Only with `-v`.
    Detail,
    /// Worth a line.
    Info,
    /// Something to look at; the work goes on.
    Warning,
}

/// A table about to be moved.
#[derive(Clone, Debug)]
pub struct TableTotal {
    /// Qualified and quoted.
    pub name: String,
    /// Rows: exact when they come from an archive, the server's guess otherwise; 0 is unknown.
    pub rows: u64,
    /// Bytes of COPY data: exact when they come from an archive, a guess otherwise.
    pub bytes: u64,
}

/// The listener. Every method may be called from any thread at any time, and returns at once.
pub trait Progress: Send + Sync {
    /// The tables that will be moved; their places in the list name them later.
    fn tables(&self, _tables: &[TableTotal]) {}
    /// Rows and bytes of COPY data that have arrived where they were going.
    fn advance(&self, _table: usize, _rows: u64, _bytes: u64) {}
    /// A table is complete.
    fn table_done(&self, _table: usize) {}
    /// A phase or step begins, in the present tense: "lock 35 tables".
    fn phase(&self, _text: &str) {}
    /// A count of steps within the phase (indexes built, constraints validated).
    fn steps(&self, _done: u64, _total: u64) {}
    /// Something to say.
    fn message(&self, _level: Level, _text: &str) {}
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
