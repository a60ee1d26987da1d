//! What the commands of a page meet: a directory, a server, and the programs that they call.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use regex::Regex;
use testkit::{Server, kong};

use super::blocks::{Block, steps};
use crate::support::temp_dir;

/// Programs of other machines and of other people: what is sent to them arrives in a file, so that
/// it is known that it was sent.
const STANDINS: [(&str, &str); 5] = [
    ("ssh", "#!/bin/sh\nshift\nexec sh -c \"$*\"\n"),
    ("age", "#!/bin/sh\nexec cat\n"),
    (
        "aws",
        "#!/bin/sh\n[ \"$1 $2 $3\" = 's3 cp -' ] && exec cat > \"$(basename \"$4\")\"\nexit 2\n",
    ),
    // What the build makes is there already.
    ("cargo", "#!/bin/sh\n[ \"$*\" = 'install --path .' ]\n"),
    ("systemctl", "#!/bin/sh\nexit 0\n"),
];

/// A page's surroundings.
pub(super) struct Scene {
    page: String,
    server: Server,
    directory: tempfile::TempDir,
    programs: tempfile::TempDir,
}

impl Scene {
    /// Starts a server with what the pages speak of: role kong, databases kong and shop with rows,
    /// some that are empty; and, but for the pages that make them, their archives.
    pub(super) fn new(page: &str) -> Self {
        // The pages speak of what the newest has, whichever versions are tested.
        let newest = *testkit::installed().last().expect("a server is installed");
        let server = Server::spec(newest).start();
        let admin = server.connect("postgres");
        admin.execute("CREATE ROLE kong LOGIN CREATEDB");
        for name in [
            "kong",
            "shop",
            "kong_restored",
            "kong_copy",
            "shop_copy",
            "shop_new",
            "archive_of_shop",
        ] {
            admin.execute(&format!("CREATE DATABASE {name} OWNER kong TEMPLATE template0"));
        }
        let owner = server.connect("kong");
        owner.execute("SET SESSION AUTHORIZATION kong");
        kong::load_by(&owner, "public");
        kong::seed_by(&server.connect("kong"), "public", 200);
        server.connect("shop").execute(SHOP);
        let (directory, programs) = (temp_dir(), temp_dir());
        let scene = Self { page: page.to_owned(), server, directory, programs };
        scene.make_programs();
        // The documents dump into these names themselves.
        if !matches!(page, "README.md" | "dump.md" | "connecting.md" | "choosing.md") {
            scene.succeed("silverback dump -q -d kong -f kong.sbk", "what the page begins with");
            scene.succeed("silverback dump -q -d shop -f shop.sbk", "what the page begins with");
        }
        scene
    }

    fn make_programs(&self) {
        for (name, text) in STANDINS {
            self.write_program(name, text);
        }
        for (name, path) in [
            ("silverback", PathBuf::from(env!("CARGO_BIN_EXE_silverback"))),
            ("psql", testkit::client_tool("psql")),
        ] {
            let text = format!("#!/bin/sh\nexec '{}' \"$@\"\n", path.display());
            self.write_program(name, &text);
        }
        for name in ["demo", "test"] {
            let path = super::root().join("scripts").join(name);
            let mode = path.metadata().expect("the script is there").permissions().mode();
            assert!(mode & 0o111 != 0, "{name} can be run");
            std::fs::create_dir_all(self.directory.path().join("scripts")).expect("made");
            // They build, fetch servers and run for minutes.
            std::fs::copy("/bin/true", self.directory.path().join("scripts").join(name))
                .expect("copied");
        }
    }

    fn write_program(&self, name: &str, text: &str) {
        let path = self.programs.path().join(name);
        std::fs::write(&path, text).expect("written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("it is ours");
    }

    /// Runs a block of the page.
    #[track_caller]
    pub(super) fn run(&self, block: &Block) {
        let at = format!("{}, line {}", self.page, block.line);
        match block.language.as_str() {
            "sh" if block.text.starts_with("#!") => {
                // A script that the page shows: its second line says where it is put.
                let name = block.text.lines().nth(1).and_then(program).expect("it has a name");
                self.write_program(&name, &self.real(&block.text));
            }
            "sh" => self.succeed(&block.text, &at),
            "console" => self.compare(block, &at),
            "sql" => {
                let text = format!(
                    "psql -q -v ON_ERROR_STOP=1 -U postgres -d kong <<'SQL'\n{}SQL\n",
                    block.text
                );
                self.succeed(&text, &at);
            }
            "cron" | "ini" => {
                for name in block.text.lines().filter_map(program) {
                    // What it makes has the second in its name.
                    std::thread::sleep(Duration::from_secs(1));
                    self.succeed(&name, &at);
                }
            }
            _ => {}
        }
    }

    /// What a page calls the server, as the real one is reached.
    fn real(&self, text: &str) -> String {
        let port = self.server.port();
        text.replace("-h db ", "-h 127.0.0.1 ")
            .replace("@db/", &format!("@127.0.0.1:{port}/"))
            .replace("host=db ", &format!("host=127.0.0.1 port={port} "))
            .replace("/usr/local/bin/", "")
            .replace("/var/backups/", &format!("{}/", self.directory.path().display()))
    }

    fn bash(&self, script: &str) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("PG") || text.starts_with("KONG_") {
                command.env_remove(name);
            }
        }
        command
            .args(["-c", &self.real(script)])
            .current_dir(self.directory.path())
            .env("PATH", format!("{}:{path}", self.programs.path().display()))
            .env("HOME", self.directory.path())
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.server.port().to_string())
            .env("PGUSER", "kong")
            .stdin(Stdio::null())
            .output()
            .expect("bash runs")
    }

    #[track_caller]
    fn succeed(&self, script: &str, at: &str) {
        let output = self.bash(&format!("set -euo pipefail\n{script}"));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{at}: {:?}\n{script}\n{told}", output.status.code());
    }

    /// Runs the commands of a console block one after the other and compares what they print.
    #[track_caller]
    fn compare(&self, block: &Block, at: &str) {
        const END: &str = "-- the end of a command --";
        let steps = steps(&block.text);
        let mut script = "exec 2>&1\nstatus=0\n".to_owned();
        for step in &steps {
            let _ = write!(script, "(exit $status); {}\nstatus=$?\necho '{END}'\n", step.command);
        }
        let output = String::from_utf8_lossy(&self.bash(&script).stdout).into_owned();
        let printed: Vec<&str> = output.split(&format!("{END}\n")).collect();
        assert_eq!(printed.len(), steps.len() + 1, "{at}:\n{output}");
        for (step, found) in steps.iter().zip(printed) {
            let found = found.replace(&format!("127.0.0.1:{}", self.server.port()), "db:5432");
            let found: Vec<String> =
                found.replace("PGPORT", "default").lines().map(plain).collect();
            let expected: Vec<String> = step.prints.iter().map(|line| plain(line)).collect();
            assert!(
                agree(&expected, &found),
                "{at}: $ {}\nshown:\n{}\nfound:\n{}",
                step.command,
                expected.join("\n"),
                found.join("\n")
            );
        }
    }
}

/// Tables and rows that the pages speak of.
const SHOP: &str = "SET SESSION AUTHORIZATION kong; \
    CREATE TABLE customers (id int PRIMARY KEY, name text); \
    CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers); \
    CREATE TABLE orders_old (id int); CREATE TABLE audit (id int); \
    INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 100) g; \
    INSERT INTO orders SELECT g, g % 100 + 1 FROM generate_series(1, 1000) g; \
    INSERT INTO audit SELECT g FROM generate_series(1, 1000) g";

/// The name of a program that is put, or called, where administrators put theirs.
fn program(line: &str) -> Option<String> {
    let (_, name) = line.split_once("/usr/local/bin/")?;
    Some(name.split([' ', ':']).next().unwrap_or_default().to_owned())
}

/// Without what differs from run to run (numbers, units, digests), and without the widths of
/// columns.
fn plain(line: &str) -> String {
    let replace = |text: &str, pattern: &str, with: &str| {
        Regex::new(pattern)
            .expect("the pattern is well-formed")
            .replace_all(text, with)
            .into_owned()
    };
    // An exit code, which is what was asked for.
    if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) {
        return line.to_owned();
    }
    let line = replace(line, r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID");
    let line = replace(&line, r"\b[0-9a-f]{64}\b", "DIGEST");
    let line = replace(&line, r"\d+([.,]\d+)*", "0");
    let line = replace(&line, r"\b0 [kMG]?B\b", "0 B");
    let line = replace(&line, r"-{3,}", "---");
    replace(&line, r"\s+", " ").trim().to_owned()
}

/// Whether lines are those that are shown, where a line of `…` stands for any number of them.
fn agree(shown: &[String], found: &[String]) -> bool {
    match (shown.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "…" => {
            agree(rest, found) || found.split_first().is_some_and(|(_, left)| agree(shown, left))
        }
        (Some((first, rest)), Some((line, left))) => first == line && agree(rest, left),
        _ => false,
    }
}

#[test]
fn numbers_and_left_out_lines_do_not_matter() {
    let check = |shown: &str, found: &str, expect: bool| {
        let lines = |text: &str| text.lines().map(plain).collect::<Vec<_>>();
        assert_eq!(agree(&lines(shown), &lines(found)), expect, "{shown} | {found}");
    };
    check("12,345 rows, 1.2 MB", "7 rows, 812 B", true);
    check("a\n…\nd", "a\nb\nc\nd", true);
    check("a\n…\nd", "a\nd", true);
    check("a\n…", "b\nc", false);
    check("a   b", "a b", true);
    check("rows", "tables", false);
}
