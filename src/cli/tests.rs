use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use super::*;
use crate::limits::Limits;
use crate::progress::{Level, Progress, TableTotal};

/// Keeps what is written.
#[derive(Clone, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A small run, as a pipeline would tell it.
pub(crate) fn scenario(progress: &dyn Progress) {
    progress.phase("lock 1 table");
    progress.message(Level::Detail, "host from PGHOST");
    progress.message(Level::Info, "3 workers");
    progress.tables(&[TableTotal { name: "public.routes".to_owned(), rows: 8, bytes: 2000 }]);
    progress.advance(0, 10, 1000);
    progress.steps(1, 2);
    progress.message(Level::Warning, "event trigger \"x\n\" is not carried");
    progress.table_done(0);
}

#[test]
fn the_commands_are_well_formed() {
    repeatable(Cli::command()).debug_assert();
}

fn read_words(words: &str) -> clap::error::Result<Cli> {
    read(&words.split(' ').map(OsString::from).collect::<Vec<_>>())
}

#[test]
fn flags_may_be_repeated() {
    for words in [
        "dump -f x -v -v",
        "dump -f x -q -q -O -O -x --no-acl",
        "dump -f x -s --schema-only -w -w",
        "restore x -a -a --no-check --check --check",
        "restore x -c --if-exists --if-exists",
        "restore x -c -c --clean --clean=schemas",
        "dump -f x -b -b -B -B",
        "verify x -qq",
        "list x --json --json",
        "kong info -v -v",
        "swap -v -v",
        "unlock -q -q",
    ] {
        read_words(&format!("silverback {words}")).expect(words);
    }
    // Of a value that is given twice, one would count in silence.
    assert!(read_words("silverback dump -f x -f y").is_err());
    assert!(read_words("silverback dump -f x -d a -d b").is_err());
}

#[test]
fn every_command_tells_the_programs_version() {
    for command in ["", "dump", "kong info"] {
        let words = format!("silverback {command} --version").replace("  ", " ");
        let told = read_words(&words).expect_err("a version").to_string();
        assert_eq!(told, concat!("silverback ", env!("CARGO_PKG_VERSION"), "\n"), "{command}");
    }
}

fn help(command: &str) -> String {
    let words = ["silverback"].into_iter().chain(command.split_whitespace()).chain(["--help"]);
    // The width of the terminal that runs the test must not show.
    let mut cli = Cli::command().term_width(100);
    cli.try_get_matches_from_mut(words).unwrap_err().render().to_string()
}

#[test]
fn help_of_all() {
    insta::assert_snapshot!(help(""));
}

#[test]
fn help_of_dump() {
    insta::assert_snapshot!(help("dump"));
}

#[test]
fn help_of_restore() {
    insta::assert_snapshot!(help("restore"));
}

#[test]
fn help_of_swap() {
    insta::assert_snapshot!(help("swap"));
}

#[test]
fn help_of_verify() {
    insta::assert_snapshot!(help("verify"));
}

#[test]
fn help_of_list() {
    insta::assert_snapshot!(help("list"));
}

#[test]
fn help_of_cat() {
    insta::assert_snapshot!(help("cat"));
}

#[test]
fn help_of_globals() {
    insta::assert_snapshot!(help("globals"));
}

#[test]
fn help_of_unlock() {
    insta::assert_snapshot!(help("unlock"));
}

#[test]
fn help_of_kong_info() {
    insta::assert_snapshot!(help("kong info"));
}

#[test]
fn help_tells_how_much_memory_is_taken() {
    let mib = |jobs| Limits::default().memory_for(NonZeroUsize::new(jobs).expect("not 0")) >> 20;
    let told = format!("default: {}MiB for each session, at most {}MiB", mib(1), mib(1000));
    for command in ["dump", "restore"] {
        let words: Vec<String> = help(command).split_whitespace().map(str::to_owned).collect();
        assert!(words.join(" ").contains(&told), "{command}: {told}");
    }
}

#[test]
fn helps_have_no_full_stops() {
    for command in
        ["", "dump", "restore", "verify", "list", "cat", "globals", "unlock", "kong", "kong info"]
    {
        for line in help(command).lines() {
            assert!(!line.ends_with('.') || line.ends_with("..."), "{line}");
        }
    }
}

#[test]
fn wrong_use() {
    let check = |words: &str, expect: &str| {
        let error = read_words(words).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{words}");
        assert!(error.to_string().contains(expect), "{words}: {error}");
    };
    check("silverback dump", "--file");
    check("silverback dump --no-such -f x", "--no-such");
    check("silverback dump -f x -j 0", "-j");
    check("silverback dump -f x -s -a", "cannot be used with");
    check("silverback dump -f x -q -v", "cannot be used with");
    check("silverback dump -f x -t a.b.c.d", "more than three parts");
    check("silverback dump -f x --max-memory 1", "at least 16MiB");
    check("silverback dump -f x --stall-timeout 60", "60s");
    check("silverback restore", "<ARCHIVE>");
    check("silverback verify", "<ARCHIVE>");
    check("silverback list a --json --sql", "cannot be used with");
    check("silverback kong", "info");
    check("silverback kong info -q -v", "cannot be used with");
    check("silverback undump", "undump");
}
