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

/// A job of a plan.
#[derive(Clone, Copy, Debug)]
pub struct JobTotal {
    /// Its estimated cost; only proportions matter.
    pub cost: u64,
    /// The cost of the longest chain of jobs that begins with it.
    pub chain: u64,
    /// The place of the table whose rows it loads.
    pub loads: Option<usize>,
}

/// The listener. Every method may be called from any thread at any time, and returns at once.
pub trait Progress: Send + Sync {
    /// The tables that will be moved; their places in the list name them later.
    fn tables(&self, _tables: &[TableTotal]) {}
    /// The jobs that will be done, of which loading rows is only a part; their places in the list
    /// name them later. Comes after [`tables`](Self::tables), or never.
    fn jobs(&self, _jobs: &[JobTotal]) {}
    /// A job begins, in the present tense: `build index public.routes_pkey`.
    fn job_begun(&self, _job: usize, _label: &str) {}
    /// A job is done, or was given up and will not be done.
    fn job_done(&self, _job: usize) {}
    /// Bytes of COPY data that came from the server, and have yet to arrive where they go.
    fn received(&self, _table: usize, _bytes: u64) {}
    /// Rows and bytes of COPY data that have arrived where they were going.
    fn advance(&self, _table: usize, _rows: u64, _bytes: u64) {}
    /// A table is complete.
    fn table_done(&self, _table: usize) {}
    /// A phase or step begins, in the present tense: "lock 35 tables".
    fn phase(&self, _text: &str) {}
    /// A count of steps within the phase, where there are no jobs.
    fn steps(&self, _done: u64, _total: u64) {}
    /// The database may be used from now on; so many jobs go on meanwhile.
    fn ready(&self, text: &str, _jobs_left: usize) {
        self.message(Level::Info, text);
    }
    /// Something to say.
    fn message(&self, _level: Level, _text: &str) {}
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
