//! Judges every archive that a test's run makes: by `verify`, and by the Python reader where it is
//! not too large for it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use silverback::limits::Limits;
use silverback::progress::Silent;
use silverback::storage::Source;
use silverback::verify;

/// The Python reader would be slow with more.
const PYTHON_BYTES_MAX: u64 = 4 << 20;

/// How to get it.
const HOW: &str = "a Python with some packages is needed:\n  \
    python3 -m venv target/venv\n  \
    target/venv/bin/pip install zstandard xxhash blake3 prometheus_client\n  \
    export SILVERBACK_TEST_PYTHON=$PWD/target/venv/bin/python";

/// The archive that a finished run with these arguments says it has made.
pub(crate) fn made_by(arguments: &[&OsStr]) -> Option<PathBuf> {
    let text = |argument: &&OsStr| argument.to_string_lossy().into_owned();
    let arguments: Vec<String> = arguments.iter().map(text).collect();
    let dump = arguments.iter().position(|argument| argument == "dump")?;
    let options = &arguments[dump + 1..];
    let file = options.iter().enumerate().find_map(|(at, option)| match option.as_str() {
        "-f" | "--file" => options.get(at + 1).map(String::as_str),
        option => option
            .strip_prefix("--file=")
            .or_else(|| option.strip_prefix("-f").filter(|rest| !rest.is_empty())),
    });
    assert!(
        file.is_some() || options.iter().any(|option| option == "--help" || option == "-?"),
        "which file does {options:?} write?"
    );
    file.map(PathBuf::from).filter(|file| file.is_file())
}

/// Demands that nothing is wrong with an archive.
#[track_caller]
pub(crate) fn judge(path: &Path) {
    let report = Source::open(path)
        .and_then(|source| verify::run(source, &Limits::default(), &Silent))
        .unwrap_or_else(|error| panic!("verify {}: {error}", path.display()));
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(report.ok, "verify finds in {}:\n{}", path.display(), findings.join("\n"));
    if report.totals.file_bytes <= PYTHON_BYTES_MAX {
        static READER: OnceLock<Mutex<Reader>> = OnceLock::new();
        let mut reader = READER
            .get_or_init(|| Mutex::new(Reader::start()))
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let answer = reader.ask(path);
        assert_eq!(answer, "[0, []]", "read.py of {}", path.display());
    }
}

/// The Python that has what `read.py` and other tests need.
pub(crate) fn python() -> Command {
    let Some(python) = std::env::var_os("SILVERBACK_TEST_PYTHON") else {
        panic!("SILVERBACK_TEST_PYTHON is not set. {HOW}");
    };
    Command::new(python)
}

/// A file of `format-spec/`.
pub(crate) fn spec(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("format-spec").join(file)
}

/// Demands that the Python has what it needs, and that it did not break down.
#[track_caller]
pub(crate) fn check_python(told: &str) {
    assert!(!told.contains("ModuleNotFoundError"), "{told}\n{HOW}");
    assert!(!told.contains("Traceback"), "{told}");
}

/// One process for all archives of a test run; it ends when its input does, with the tests.
struct Reader {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    fn start() -> Self {
        const SCRIPT: &str = "import json, sys\nimport read\nfor line in sys.stdin:\n    \
            print(json.dumps(read.check(json.loads(line))), flush=True)\n";
        let mut command = python();
        command
            .args(["-c", SCRIPT])
            .env("PYTHONPATH", spec(""))
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut process =
            process.unwrap_or_else(|error| panic!("{command:?} does not run: {error}. {HOW}"));
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, questions, answers }
    }

    /// The exit code that `read.py` would have, and what it finds.
    fn ask(&mut self, path: &Path) -> String {
        let question = serde_json::to_string(path).expect("a path of a test is UTF-8");
        let mut answer = String::new();
        let asked = writeln!(self.questions, "{question}")
            .and_then(|()| self.answers.read_line(&mut answer));
        if asked.is_err() || answer.is_empty() {
            let ended = self.process.wait();
            *self = Self::start();
            panic!(
                "read.py broke down over {} ({ended:?}); see what it says above. {HOW}",
                path.display()
            );
        }
        answer.trim_end().to_owned()
    }
}

#[test]
fn the_archive_of_a_dump_is_seen_however_it_is_named() {
    let folder = crate::support::temp_dir();
    let file = folder.path().join("x.sbk");
    let name = file.to_str().expect("UTF-8");
    let (long, short) = (format!("--file={name}"), format!("-f{name}"));
    let ways: [&[&str]; 4] = [
        &["env", "dump", "-f", name, "-q"],
        &["dump", "--file", name],
        &["dump", &long],
        &["dump", &short],
    ];
    for there in [None, Some(file.clone())] {
        for words in ways {
            assert_eq!(
                made_by(&words.iter().map(OsStr::new).collect::<Vec<_>>()),
                there,
                "{words:?}"
            );
        }
        std::fs::write(&file, "").expect("the folder is ours");
    }
    assert_eq!(made_by(&[OsStr::new("restore"), file.as_os_str()]), None);
}

#[test]
#[should_panic(expected = "verify finds in")]
fn an_archive_that_is_damaged_fails_the_test_that_made_it() {
    let folder = crate::support::temp_dir();
    let file = folder.path().join("x.sbk");
    let mut bytes =
        std::fs::read(spec("vectors/zstd.sbk")).expect("the vector is part of the repository");
    bytes[200] ^= 1;
    std::fs::write(&file, bytes).expect("the folder is ours");
    judge(&file);
}

#[test]
fn both_readers_judge_archive_after_archive() {
    for name in ["plain.sbk", "zstd.sbk", "plain.sbk"] {
        judge(&spec("vectors").join(name));
    }
}
