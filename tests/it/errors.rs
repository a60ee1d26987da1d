//! The sentences that a person reads when something is in the way, as they stand in `snapshots/`.

use std::fmt::Write;
use std::path::Path;

use testkit::{Server, newest, newest_server};

use crate::invariants::{SECRET, Scene, clear_end};
use crate::support::{Silverback, dump, is_marked, restore, temp_dir, verify};

/// Sentences under their titles, without what differs from run to run.
struct Told {
    text: String,
    names: Vec<(String, &'static str)>,
}

impl Told {
    fn new() -> Self {
        Self { text: String::new(), names: Vec::new() }
    }

    /// From here on, `name` is written so.
    fn hide(&mut self, name: &impl ToString, shown: &'static str) {
        self.names.push((name.to_string(), shown));
    }

    /// Runs, demands the exit code, and takes down what was said.
    #[track_caller]
    fn told(&mut self, title: &str, code: i32, run: Silverback) {
        let outcome = run.run().expect(code);
        clear_end(&outcome);
        // Where each run goes is told of other tests.
        let begins = ["dump ", "restore into ", "plan a restore into ", "look into ", "swap in "];
        let is_first = |line: &&str| begins.iter().any(|begin| line.starts_with(begin));
        let stderr = outcome.stderr.lines().filter(|line| !is_first(line));
        let stderr: Vec<&str> = stderr.collect();
        let mut said = format!("{}{}\n", outcome.stdout, stderr.join("\n"));
        for (name, shown) in &self.names {
            said = said.replace(name, shown);
        }
        let _ = writeln!(self.text, "## {title}: exit {code}\n{said}");
    }
}

/// A server that wants a password from everybody who comes by TCP.
fn guarded() -> Server {
    let spec = Server::spec(newest()).conf("password_encryption = 'scram-sha-256'");
    spec.password(SECRET).hba("host all all 127.0.0.1/32 scram-sha-256").start()
}

/// A dump that is not expected to come far.
fn dump_of(url: &str, dir: &Path) -> Silverback {
    Silverback::new(["dump", "-w", "-d", url, "-f"]).arg(dir.join("never.sbk"))
}

#[test]
fn no_session() {
    let server = guarded();
    let (port, dir) = (server.port(), temp_dir());
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.local_addr().expect("a listener has an address").port()
    };
    let mut told = Told::new();
    told.hide(&port, "PORT");
    told.hide(&closed, "CLOSED");
    told.hide(&server.socket_dir().display(), "SOCKETS");
    // As servers before 14 have it.
    told.hide(&"SSL off", "no encryption");
    let url =
        |user: &str, database: &str| format!("postgresql://{user}@127.0.0.1:{port}/{database}");
    let dump = |url: &str| dump_of(url, dir.path());
    told.told("no password", 4, dump(&url("postgres", "postgres")));
    told.told("wrong password", 4, dump(&url(&format!("postgres:not-{SECRET}"), "postgres")));
    told.told(
        "wrong password, from the environment",
        4,
        dump(&url("postgres", "postgres")).env("PGPASSWORD", format!("not-{SECRET}")),
    );
    told.told("no such role", 4, dump(&url(&format!("nobody:{SECRET}"), "postgres")));
    told.told("no such database", 4, dump(&url("postgres", "nothing")).env("PGPASSWORD", SECRET));
    told.told(
        "TLS is required and not offered",
        4,
        dump(&(url("postgres", "postgres") + "?sslmode=require")).env("PGPASSWORD", SECRET),
    );
    told.told(
        "nobody listens",
        4,
        dump(&format!("postgresql://postgres@127.0.0.1:{closed}/postgres")),
    );
    told.told("no such socket", 4, dump("host=/nowhere user=postgres dbname=postgres"));
    told.told(
        "no line in pg_hba.conf",
        4,
        dump(&format!(
            "host={} port={port} user=other dbname=postgres",
            server.socket_dir().display()
        )),
    );
    insta::assert_snapshot!("no_session", told.text);
}

#[test]
fn a_name_that_cannot_be_resolved_is_named() {
    let dir = temp_dir();
    let outcome = dump_of("postgresql://x@no-such-host.invalid/x?connect_timeout=5", dir.path())
        .run()
        .expect(4)
        .says("no-such-host.invalid");
    clear_end(&outcome);
}

#[test]
fn a_password_is_never_told() {
    let server = guarded();
    let dir = temp_dir();
    let url = format!("postgresql://postgres:{SECRET}@127.0.0.1:{}/postgres", server.port());
    let run = |args: &[&str]| clear_end(&Silverback::new(args).run());
    let file = dir.path().join("a.sbk");
    let outcome = Silverback::new(["dump", "-v", "-d", &url, "-f"]).arg(&file).run().expect(0);
    clear_end(&outcome);
    let bytes = std::fs::read(&file).expect("the dump wrote it");
    assert!(
        !bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()),
        "the archive holds the password"
    );
    run(&[
        "dump",
        "-v",
        "--log-format",
        "json",
        "-d",
        &url,
        "-f",
        &dir.path().join("b.sbk").display().to_string(),
    ]);
    run(&["restore", "-v", "--dry-run", "-d", &url, &file.display().to_string()]);
    run(&["restore", "-v", "-d", &url, "/nowhere.sbk"]);
    // Mistakes in the address itself.
    for wrong in [
        format!("postgresql://postgres:{SECRET}@127.0.0.1:99999/postgres"),
        format!("postgresql://postgres:{SECRET}@127.0.0.1/postgres?sslmode=nonsense"),
        format!("postgresql://postgres:{SECRET}%zz@127.0.0.1/postgres"),
        format!("host=127.0.0.1 password={SECRET} nonsense=1"),
        format!("host=127.0.0.1 password='{SECRET}"),
        format!("password={SECRET} = ="),
    ] {
        let outcome = Silverback::new(["dump", "-d", &wrong, "-f", "/nowhere/x.sbk"]).run();
        assert_ne!(outcome.code, Some(0));
        clear_end(&outcome);
    }
}

#[test]
fn not_an_archive() {
    let scene = Scene::new(newest_server(), 10);
    let archive = std::fs::read(scene.archive()).expect("the dump wrote it");
    let dir = temp_dir();
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("the folder is ours");
        path
    };
    let pg_dump = |name: &str, format: &str| {
        let path = dir.path().join(name);
        let mut command = std::process::Command::new(testkit::client_tool("pg_dump"));
        assert!(
            command
                .args([format, "-d", &scene.source.url(), "-f"])
                .arg(&path)
                .status()
                .expect("pg_dump runs")
                .success()
        );
        path
    };
    let newer = |at: usize, name: &str| {
        let mut bytes = archive.clone();
        bytes[at] = 3;
        let checksum = crc32fast::hash(&bytes[..60]);
        bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
        write(name, &bytes)
    };
    let mut damaged = archive.clone();
    damaged[70] ^= 1;
    let files = [
        ("empty", 3, write("empty", b"")),
        ("gzip", 3, write("a.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0")),
        ("pg_dump -Fc", 3, pg_dump("custom.dump", "-Fc")),
        ("pg_dump", 3, pg_dump("plain.sql", "-Fp")),
        (
            "a transfer in text mode",
            3,
            write(
                "text.sbk",
                &archive.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<_>>(),
            ),
        ),
        ("cut short", 3, write("cut.sbk", &archive[..archive.len() - 10])),
        ("cut to its beginning", 3, write("stump.sbk", &archive[..100])),
        ("something at its end", 3, write("longer.sbk", &[&archive[..], b"x"].concat())),
        ("a damaged manifest", 3, write("damaged.sbk", &damaged)),
        ("newer format", 6, newer(8, "newer.sbk")),
        ("newer feature", 6, newer(12, "feature.sbk")),
        ("no file", 8, dir.path().join("missing.sbk")),
        ("a folder", 8, dir.path().to_owned()),
        ("/dev/null", 8, "/dev/null".into()),
    ];
    let target = scene.target();
    let mut told = Told::new();
    told.hide(&dir.path().display(), "DIR");
    for (title, code, file) in files {
        for run in [Silverback::new(["list"]).arg(&file), restore(&file, &target)] {
            let outcome = run.run().expect(code);
            clear_end(&outcome);
            assert!(
                outcome.stderr.contains(&file.display().to_string()),
                "it does not name the file: {outcome:#?}"
            );
        }
        clear_end(&verify(&file).run().expect(code));
        told.told(title, code, verify(&file).arg("-q"));
    }
    assert!(!is_marked(target.admin()));
    let checksums = regex::Regex::new(r"\b[0-9a-f]{8}\b").expect("the pattern is well-formed");
    let places = regex::Regex::new(r"at byte \d+").expect("the pattern is well-formed");
    let text = checksums.replace_all(&told.text, "CHECKSUM");
    insta::assert_snapshot!("not_an_archive", places.replace_all(&text, "at byte N"));
}

#[test]
fn a_target_that_is_not_ready() {
    let scene = Scene::new(newest_server(), 10);
    let file = scene.archive();
    let mut told = Told::new();
    told.hide(&file.display(), "ARCHIVE");
    told.hide(&scene.role.name(), "OWNER");

    let target = scene.target();
    told.hide(&target.name(), "TARGET");
    target.connect().execute(
        "CREATE TABLE mine (id int); CREATE SCHEMA other; CREATE VIEW \
         other.mine AS SELECT 1 AS one",
    );
    target.connect().execute(
        "CREATE FUNCTION work() RETURNS int LANGUAGE sql AS 'SELECT 1'; \
         CREATE TYPE mood AS ENUM ('good')",
    );
    told.told("not empty", 6, restore(&file, &target));

    let many = scene.target();
    told.hide(&many.name(), "MANY");
    many.connect().execute(
        "DO $$ BEGIN FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE t%s ()', \
         i); END LOOP; END $$",
    );
    told.told("a hundred tables", 6, restore(&file, &many));

    let marked = scene.target();
    told.hide(&marked.name(), "MARKED");
    let mark = crate::support::mark("kong.sbk");
    mark.set(None).iter().for_each(|step| marked.execute(&step.sql));
    marked.execute("UPDATE silverback_restore.run SET begun = '2026-01-02 03:04:05Z'");
    told.told("half restored", 6, restore(&file, &marked));

    let (stranger, foreign) = (newest_server().role("stranger"), scene.target());
    told.hide(&stranger.name(), "STRANGER");
    told.hide(&foreign.name(), "FOREIGN");
    // As everybody may on servers before 15.
    foreign.execute("GRANT CREATE ON SCHEMA public TO PUBLIC");
    told.told(
        "somebody else's",
        6,
        Silverback::new(["restore", "-d", &foreign.url_as(stranger.name())]).arg(&file),
    );

    let bytes = newest_server().database_with(
        "bytes",
        "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    );
    let unknown = scene.path("bytes.sbk");
    dump(&bytes, &unknown).run().expect(0);
    let utf8 = scene.target();
    told.hide(&utf8.name(), "UTF");
    told.told("another encoding", 6, restore(&unknown, &utf8));

    let missing = format!("{}_missing", scene.source.name());
    told.hide(&missing, "MISSING");
    told.hide(&newest_server().port(), "PORT");
    told.told(
        "no such database",
        4,
        Silverback::new(["restore", "-d", &newest_server().url(scene.role.name(), &missing)])
            .arg(&file),
    );
    insta::assert_snapshot!("a_target_that_is_not_ready", told.text);
    drop((foreign, stranger));
}

#[test]
fn a_source_that_cannot_be_dumped() {
    let scene = Scene::new(newest_server(), 10);
    let mut told = Told::new();
    told.hide(&scene.source.name(), "SOURCE");
    told.hide(&scene.role.name(), "OWNER");
    let file = scene.path("never.sbk");
    let stranger = newest_server().role("stranger");
    told.hide(&stranger.name(), "STRANGER");
    let stranger_dump =
        || Silverback::new(["dump", "-d", &scene.source.url_as(stranger.name()), "-f"]).arg(&file);
    told.told("no privilege on a table", 6, stranger_dump());
    scene
        .source
        .execute(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", stranger.name()));
    scene.source.execute("ALTER TABLE filler ENABLE ROW LEVEL SECURITY");
    scene.source.execute(&format!("GRANT SELECT ON SEQUENCE numbers TO {}", stranger.name()));
    told.told("row security", 6, stranger_dump());
    told.told("no such table", 6, dump(&scene.source, &file).args(["-t", "nothing"]));
    let holder = scene.source.connect();
    holder.execute("BEGIN; LOCK TABLE filler IN ACCESS EXCLUSIVE MODE");
    told.hide(&holder.value("SELECT pg_backend_pid()"), "PID");
    told.told("locked", 9, dump(&scene.source, &file).args(["--lock-wait-timeout", "200"]));
    told.told(
        "another table locked",
        9,
        dump(&scene.source, &file).args(["-t", "parents", "--lock-wait-timeout", "200"]),
    );
    insta::assert_snapshot!("a_source_that_cannot_be_dumped", told.text);
    drop(holder);
    scene.source.execute(&format!("DROP OWNED BY {}", stranger.name()));
}

#[test]
fn wrong_use() {
    let mut told = Told::new();
    for args in [
        &["dump", "--no-such-flag"][..],
        &["dump", "-d", "x"],
        &["dump", "-F", "c", "-f", "/nowhere/x"],
        &["dump", "-Z", "gzip", "-f", "/nowhere/x"],
        &["dump", "-Z", "zstd:99", "-f", "/nowhere/x"],
        &["dump", "-j", "0", "-f", "/nowhere/x"],
        &["dump", "-s", "-a", "-f", "/nowhere/x"],
        &["dump", "--statistics-only", "-f", "/nowhere/x"],
        &["dump", "--stall-timeout", "soon", "-f", "/nowhere/x"],
        &["dump", "--max-memory", "much", "-f", "/nowhere/x"],
        &["restore"],
        &["restore", "-F", "c", "x"],
        &["restore", "-"],
        &["verify"],
        &["undo"],
    ] {
        told.told(&args.join(" "), 2, Silverback::new(args));
    }
    insta::assert_snapshot!("wrong_use", told.text);
}

#[test]
fn every_command_has_a_help_text() {
    for command in ["dump", "restore", "verify", "list"] {
        for flag in ["--help", "-?"] {
            let outcome = Silverback::new([command, flag]).run().expect(0);
            assert!(
                outcome.stdout.contains("Usage: silverback") && outcome.stderr.is_empty(),
                "{outcome:#?}"
            );
        }
    }
    let outcome = Silverback::new(["--help"]).run().expect(0);
    for word in ["dump", "restore", "verify", "list", "Exit codes"] {
        assert!(outcome.stdout.contains(word), "{word}: {outcome:#?}");
    }
    let outcome = Silverback::new(["--version"]).run().expect(0);
    assert!(outcome.stdout.starts_with("silverback "), "{outcome:#?}");
}
