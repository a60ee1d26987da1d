//! Words that `pg_dump`, `pg_restore`, `pg_dumpall`, `psql` and backup programs take and that have
//! no counterpart of the same name.

use super::habit::Habit;

const NO_SCRIPT: &str = "an archive holds no script that it would change";
const LEAVE: &str = "leave it out";
const PASSWORD: &str = "no option takes a password: others could read it in the list of processes";
const PASSWORD_HINT: &str = "set PGPASSWORD, write ~/.pgpass, or let -W ask for it";
const CONNECTED: &[&str] = &["dump", "restore", "swap", "unlock", "kong info"];

/// What is said of a password on the command line.
pub(super) const PASSWORDS: Habit = Habit {
    commands: CONNECTED,
    words: &["--password", "--pass", "--passwd", "--pwd"],
    cause: PASSWORD,
    hint: PASSWORD_HINT,
};

pub(super) const PEERS: &[Habit] = &[
    Habit { commands: &["dump"], words: &["-P"], cause: PASSWORD, hint: PASSWORD_HINT },
    Habit {
        commands: &["dump"],
        words: &["--include-foreign-data"],
        cause: "the rows of foreign tables belong to another server",
        hint: "leave it out, and dump that server's database",
    },
    Habit {
        commands: &["dump", "restore", "globals"],
        words: &["-S", "--superuser"],
        cause: "one role does everything, the one that connects",
        hint: "leave it out; -U names the role",
    },
    Habit {
        commands: &["dump", "restore"],
        words: &["--binary-upgrade"],
        cause: "that is for pg_upgrade alone",
        hint: LEAVE,
    },
    Habit {
        commands: &["dump", "restore"],
        words: &[
            "--disable-dollar-quoting",
            "--quote-all-identifiers",
            "--use-set-session-authorization",
            "--restrict-key",
        ],
        cause: NO_SCRIPT,
        hint: LEAVE,
    },
    Habit {
        commands: &["dump", "restore"],
        words: &["--extra-float-digits"],
        cause: "floating-point numbers are always dumped exactly",
        hint: LEAVE,
    },
    Habit {
        commands: &["dump"],
        words: &["--no-sync", "--sync-method"],
        cause: "an archive is synced before it gets its name",
        hint: LEAVE,
    },
    Habit {
        commands: &["dump", "restore"],
        words: &["--no-table-access-method", "--no-toast-compression"],
        cause: "storage is restored as it was",
        hint: "leave it out, and use ALTER TABLE after the restore",
    },
    Habit {
        commands: &["dump"],
        words: &["--sequence-data"],
        cause: "the values of sequences go with the rows",
        hint: "leave it out; -a takes rows and values, -s neither",
    },
    Habit {
        commands: &["dump"],
        words: &["--oids"],
        cause: "rows have had no OIDs since PostgreSQL 12",
        hint: LEAVE,
    },
    Habit {
        commands: &["dump"],
        words: &["-o", "--output", "--out", "--outfile", "--result-file", "--archive", "--to"],
        cause: "the archive's file is named with -f",
        hint: "write -f FILE, or -f - for standard output",
    },
    Habit {
        commands: &["dump"],
        words: &["-g", "-r", "-l", "--globals-only", "--roles-only", "--tablespaces-only"],
        cause: "roles and tablespaces belong to the server, not to a database",
        hint: "leave it out; silverback globals writes them",
    },
    Habit {
        commands: &["globals"],
        words: &["-g", "--globals-only"],
        cause: "roles and tablespaces are all that this command writes",
        hint: LEAVE,
    },
    Habit {
        commands: &["globals"],
        words: &["--no-sync"],
        cause: "a file is synced before it gets its name",
        hint: LEAVE,
    },
    Habit {
        commands: &["dump", "globals", "unlock"],
        words: &["--json"],
        cause: "what it does is told to machines in another way",
        hint: "write --log-format json",
    },
    Habit {
        commands: &["dump"],
        words: &["--rate-limit", "--limit-upload", "--limit-download", "--bwlimit"],
        cause: "that option has another name",
        hint: "write --max-rate",
    },
    Habit {
        commands: &["cat"],
        words: &["--json", "--csv"],
        cause: "the format is named with --format",
        hint: "write --format json or --format csv",
    },
    Habit {
        commands: &["globals"],
        words: &["-r", "--roles-only", "-t", "--tablespaces-only"],
        cause: "roles and tablespaces are written together",
        hint: "leave it out, and take of the SQL what is meant",
    },
    Habit {
        commands: &["globals"],
        words: &["-l", "--database"],
        cause: "the database to connect to is named with -d",
        hint: "write -d DBNAME, or leave it out: every database tells the same",
    },
    Habit {
        commands: &["dump"],
        words: &["-A", "--all", "--all-databases", "--exclude-database", "--databases"],
        cause: "one database is dumped at a time",
        hint: "run silverback dump -d DBNAME -f FILE for each",
    },
    Habit {
        commands: &["dump"],
        words: &["-z", "--gzip", "--zstd", "--lz4", "--level"],
        cause: "compression is chosen with -Z",
        hint: "write -Z zstd:LEVEL, or leave it out: an archive is compressed already",
    },
    Habit {
        commands: &["dump", "restore"],
        words: &["--exclude", "--ignore-table", "--skip-table", "--skip", "--ignore"],
        cause: "tables are left out with -T",
        hint: "write -T TABLE for each; --exclude-table-data TABLE leaves out its rows alone",
    },
    Habit {
        commands: &["dump", "restore"],
        words: &["--include", "--only", "--include-table"],
        cause: "tables are chosen with -t, schemas with -n",
        hint: "write -t TABLE for each",
    },
    Habit {
        commands: &["dump"],
        words: &["--overwrite", "--force", "-y", "--yes", "--replace"],
        cause: "a file that exists is never replaced",
        hint: "name another file, or remove it first",
    },
    Habit {
        commands: &["restore"],
        words: &["--overwrite", "--force", "-y", "--yes", "--replace", "--drop", "--delete"],
        cause: "nothing is dropped unless -c says so",
        hint: "write -c --if-exists, which drops what the archive holds before creating it",
    },
    Habit {
        commands: &["dump"],
        words: &["--encrypt", "--passphrase", "--key", "--password-file"],
        cause: "archives are not encrypted",
        hint: "pipe it through a program that encrypts: silverback dump -f - | age -r KEY > FILE",
    },
    Habit {
        commands: CONNECTED,
        words: &["--database", "--db"],
        cause: "the database is named with -d",
        hint: "write -d DBNAME",
    },
    Habit {
        commands: CONNECTED,
        words: &["-u", "--user"],
        cause: "the role is named with -U",
        hint: "write -U NAME",
    },
    Habit {
        commands: &["dump", "restore"],
        words: &["--threads", "--parallel", "--workers", "--concurrency"],
        cause: "the number of sessions is chosen with -j",
        hint: "write -j NUMBER",
    },
    Habit {
        commands: &["verify", "list"],
        words: &["-j", "--jobs", "--threads"],
        cause: "an archive is read by as many threads as there are cores",
        hint: LEAVE,
    },
    Habit {
        commands: &["dump", "restore", "verify"],
        words: &["--progress", "--no-progress"],
        cause: "progress is shown unless -q is given",
        hint: "write -q for none, --log-format json for machines",
    },
    Habit {
        commands: &["restore"],
        words: &["--on-error-stop", "--stop-on-error", "--no-data-for-failed-tables"],
        cause: "a restore stops at its first error",
        hint: "leave it out; --keep-going goes on after an error",
    },
    Habit {
        commands: &["restore"],
        words: &["--transaction-size"],
        cause: "each job is a transaction of its own, and --resume goes on after the last",
        hint: LEAVE,
    },
    Habit {
        commands: &["restore"],
        words: &["--enable-row-security"],
        cause: "rows are restored past row security, by the tables' owner",
        hint: "leave it out; it is an option of dump",
    },
    Habit {
        commands: &["restore"],
        words: &["--target", "--to", "--into"],
        cause: "the database to restore into is named with -d",
        hint: "write silverback restore -d DBNAME ARCHIVE",
    },
    Habit {
        commands: &["restore"],
        words: &["--create-db", "--createdb"],
        cause: "a database is created by -C",
        hint: "write -C, and -d postgres to connect to meanwhile",
    },
    Habit {
        commands: &["verify"],
        words: &["--read-data", "--read-data-subset", "--full"],
        cause: "verify reads everything, always",
        hint: LEAVE,
    },
    Habit {
        commands: &["list"],
        words: &["--tables", "--toc", "--schema-only"],
        cause: "list shows tables and objects; --sql prints the definitions",
        hint: "write silverback list ARCHIVE, or silverback list --sql ARCHIVE",
    },
    Habit {
        commands: &[""],
        words: &["pg_dump", "pgdump", "basebackup", "pg_basebackup", "create"],
        cause: "there is no such command",
        hint: "write silverback dump -d DBNAME -f FILE",
    },
    Habit {
        commands: &[""],
        words: &["pg_dumpall", "dumpall", "dump-all", "dump_all"],
        cause: "one database is dumped at a time",
        hint: "run silverback dump -d DBNAME -f FILE for each; silverback globals writes roles",
    },
    Habit {
        commands: &[""],
        words: &["pg_restore", "pgrestore", "recover", "apply"],
        cause: "there is no such command",
        hint: "write silverback restore -d DBNAME ARCHIVE",
    },
    Habit {
        commands: &[""],
        words: &["psql", "sql", "query", "shell"],
        cause: "there is no such command",
        hint: "psql asks a database; silverback list --sql ARCHIVE prints an archive's definitions",
    },
    Habit {
        commands: &[""],
        words: &["snapshots", "backups", "archives"],
        cause: "each archive is a file of its own",
        hint: "list the files; silverback list ARCHIVE shows what one holds",
    },
    Habit {
        commands: &[""],
        words: &["init", "stanza-create", "repo"],
        cause: "there is no repository to make: an archive is one file",
        hint: "write silverback dump -d DBNAME -f FILE",
    },
    Habit {
        commands: &[""],
        words: &["forget", "prune", "rm", "remove", "delete", "expire"],
        cause: "each archive is a file of its own",
        hint: "remove the file",
    },
    Habit {
        commands: &[""],
        words: &["diff", "compare"],
        cause: "there is no such command",
        hint: "compare the tables' digests: silverback list --json ARCHIVE",
    },
    Habit {
        commands: &[""],
        words: &["mount", "extract", "unpack"],
        cause: "there is no such command",
        hint: "restore a table with silverback restore -t TABLE -d DBNAME ARCHIVE",
    },
    Habit {
        commands: &[""],
        words: &["status"],
        cause: "there is no such command",
        hint: "write silverback restore --status, or silverback swap --status",
    },
    Habit {
        commands: &[""],
        words: &["rollback", "undo", "revert"],
        cause: "there is no such command",
        hint: "silverback swap --back undoes a swap; restore -c --if-exists brings an archive back",
    },
    Habit {
        commands: &[""],
        words: &["upgrade", "migrate", "clone", "copy"],
        cause: "there is no such command",
        hint: "dump the one database and restore into the other, of any version",
    },
];
