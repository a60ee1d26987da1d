//! What people type by mistake, or by habit of other programs: each is answered with what is wrong
//! and with what to type. `mistakes/table.txt` has them all, for one server.

use std::path::Path;
use std::process::Command;

use testkit::{Server, newest};

use crate::support::{Silverback, temp_dir};

const TABLE: &str = include_str!("mistakes/table.txt");

/// The parser's words, which say nothing to who does not know it.
const BARE: [&str; 5] = [
    "unexpected argument",
    "required arguments",
    "invalid value",
    "cannot be used with",
    "unrecognized subcommand",
];

/// A row of the table.
struct Row<'a> {
    code: i32,
    line: &'a str,
    cause: &'a str,
    hint: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows = lines.map(|line| {
        let columns: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [code, line, cause, hint] = columns[..] else { panic!("not four columns: {line}") };
        Row { code: code.parse().expect("an exit code"), line, cause, hint }
    });
    rows.collect()
}

/// Words as a shell would read them, with double quotes and backslashes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            ' ' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// A server with what is worked on: database shop, of whose objects app is the owner, and empty.
fn server() -> Server {
    let server = Server::spec(newest()).start();
    let admin = server.connect("postgres");
    admin.execute("CREATE ROLE app LOGIN; CREATE ROLE reader LOGIN");
    admin.execute("CREATE DATABASE shop OWNER app");
    admin.execute("CREATE DATABASE empty OWNER app");
    let shop = server.connect("shop");
    shop.execute(
        "SET ROLE app; CREATE TABLE customers (id int PRIMARY KEY, name text); CREATE TABLE \
         orders (id int PRIMARY KEY, customer int REFERENCES customers); INSERT INTO customers \
         SELECT g, 'c' || g FROM generate_series(1, 1000) g; INSERT INTO orders SELECT g, g % 1000 \
         + 1 FROM generate_series(1, 5000) g",
    );
    server
}

/// The files that the table speaks of.
fn make_files(server: &Server, directory: &Path) {
    let path = |name: &str| directory.join(name);
    let run = |command: &mut Command| {
        let status = command.current_dir(directory).status().expect("it runs");
        assert!(status.success(), "{command:?}");
    };
    Silverback::new(["dump", "-d", &server.url("app", "shop"), "-f"])
        .arg(path("shop.sbk"))
        .run()
        .expect(0);
    let archive = std::fs::read(path("shop.sbk")).expect("the dump wrote it");
    let write = |name: &str, bytes: &[u8]| std::fs::write(path(name), bytes).expect("written");
    write("cut.sbk", &archive[..archive.len() / 2]);
    let mut flipped = archive.clone();
    // Within the rows: after header and manifest, before index and footer.
    let at = archive.len() / 2;
    flipped[at] ^= 1;
    write("flipped.sbk", &flipped);
    write("empty.sbk", b"");
    write("words.txt", b"hello, world");
    write("shop.sbk.zst", b"\x28\xb5\x2f\xfd\x04\0\0\0");
    write("shop.sbk.age", b"age-encryption.org/v1\n");
    for (format, name) in
        [("c", "shop.dump"), ("t", "shop.tar"), ("d", "shop.dir"), ("p", "shop.sql")]
    {
        let mut command = Command::new(testkit::client_tool("pg_dump"));
        run(command.args(["-d", &server.url("app", "shop"), "-F", format, "-f", name]));
    }
    run(Command::new("gzip").args(["-k", "shop.sbk"]));
    run(Command::new("tar").args(["-cf", "other.tar", "words.txt"]));
}

#[test]
fn each_is_answered() {
    let server = server();
    let directory = temp_dir();
    make_files(&server, directory.path());
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.local_addr().expect("a listener has an address").port()
    };
    let mut wrong = Vec::new();
    for Row { code, line, cause, hint } in rows() {
        let typed = line
            .replace("{port}", &server.port().to_string())
            .replace("{closed}", &closed.to_string());
        let outcome = Silverback::new(words(&typed))
            .just_typed()
            .within(directory.path())
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", server.port().to_string())
            .env("PGUSER", "postgres")
            .run();
        let told = &outcome.stderr;
        let is_told = told.contains(cause) && told.contains(hint);
        let is_bare = BARE.iter().any(|bare| told.contains(bare));
        let is_repeated = told.contains("hunter2");
        if outcome.code != Some(code) || !is_told || is_bare || is_repeated {
            wrong.push(format!("{line}\n  exit {:?}\n  {}", outcome.code, told.trim_end()));
        }
    }
    assert!(wrong.is_empty(), "{} are not:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!directory.path().join("new.sbk").exists());
}

#[test]
fn there_are_two_hundred_of_them() {
    let mut lines: Vec<&str> = rows().iter().map(|row| row.line).collect();
    lines.sort_unstable();
    let all = lines.len();
    lines.dedup();
    assert_eq!(lines.len(), all, "one stands twice");
    assert!(all >= 200, "{all}");
}
