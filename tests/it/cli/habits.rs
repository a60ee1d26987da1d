//! What fingers type that know `pg_dump`, `psql` and the like.

use serde_json::json;

use super::super::support::{Silverback, assert_same, restore, temp_dir};
use super::{archive, damage, json_lines};

#[test]
fn a_database_is_named_as_pg_dump_takes_it() {
    let server = testkit::newest_server();
    let source = server.database("cli_positional");
    source.execute("CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 1000) g");
    let folder = temp_dir();
    let (host, port) = (server.socket_dir().display().to_string(), server.port().to_string());
    let conninfo = format!("host={host} port={port} user=postgres dbname={}", source.name());
    let named = ["-h", &host, "-p", &port, "-U", "postgres", source.name()];
    for (at, words) in [&named[..], &[&source.url()], &[&conninfo]].into_iter().enumerate() {
        let file = folder.path().join(format!("{at}.sbk"));
        let dump = Silverback::new(["dump"]).args(words).arg("-f").arg(&file);
        dump.run().expect(0).says("dumped 1 table, 1,000 rows: ");
        let copy = server.database(&format!("cli_positional_{at}"));
        restore(&file, &copy).run().expect(0);
        assert_same(&source, &copy);
    }
    let check = |words: &[&str], says: &str| {
        Silverback::new(["dump", "-f", "/nowhere/x"]).args(words).run().expect(2).says(says);
    };
    check(&["shop", "-d", "shop"], "the database is named twice");
    check(&[""], "it is empty");
    check(&["a:b@c"], "without its postgresql://");
}

#[test]
fn what_other_programs_take_is_answered() {
    let check = |words: &str, says: &str, hint: &str| {
        let outcome = Silverback::new(words.split_whitespace()).run().expect(2);
        let lines: Vec<_> = outcome.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{words}: {}", outcome.stderr);
        outcome.says(says).says("hint: ").says(hint);
    };
    check("dump -c -f x", "that is an option of restore", "silverback restore");
    check("dump -f x -I a", "that is an option of restore", "silverback restore");
    check("dump -f x --include-foreign-data=s", "foreign tables", "leave it out");
    check("dump -f x --inserts", "not statements", "leave it out");
    check("restore -B x.sbk", "that is an option of dump", "restore -l");
    check("restore -f x.sbk", "no archive is named", "silverback restore -d");
    check("list -f x.sbk", "the archive is named without it", "leave -f out");
    check("dump -h -f x", "-h is the host", "--help or -?");
    check("-h", "-h is the host", "--help");
    check("version", "no such command", "silverback --version");
    check("dump -f x -j abc", "write a number from 1 to 256", "silverback dump --help");
    let port = "dump -h localhost -p 70000 -f /nowhere/x";
    let outcome = Silverback::new(port.split_whitespace()).run().expect(2);
    outcome.says("it is not a number from 1 to 65535");
    let words = ["restore", "--log-format", "json", "-d", "x"];
    let line = json_lines(&Silverback::new(words).run().expect(2).stderr).remove(0);
    assert!(line["cause"].as_str().expect("text").contains("no archive is named"), "{line}");
}

#[test]
fn several_archives_are_verified_and_each_is_told() {
    let (folder, other) = (temp_dir(), temp_dir());
    let (whole, bad) = (archive(folder.path()), archive(other.path()));
    damage(&bad, 3000);
    let missing = folder.path().join("missing.sbk");
    let verify = |options: &[&str], paths: &[&std::path::Path]| {
        Silverback::new(["verify"]).args(options).args(paths).run()
    };
    let outcome = verify(&[], &[&whole, &whole]).expect(0);
    assert_eq!(outcome.stdout.matches("is intact: 2 tables, 4,000 rows").count(), 2);
    let outcome = verify(&[], &[&missing, &bad, &whole]).expect(3);
    let text = &outcome.stdout;
    assert!(text.contains("is DAMAGED") && text.contains("is intact"), "{text}");
    outcome.says("No such file").says("it is damaged: ");
    verify(&["-q"], &[&whole, &missing]).expect(8).says("No such file");
    let outcome = verify(&["--json", "--log-format", "json"], &[&bad, &missing, &whole]).expect(3);
    let reports = serde_json::Deserializer::from_str(&outcome.stdout).into_iter();
    let oks: Vec<serde_json::Value> = reports
        .map(|report: Result<serde_json::Value, _>| report.expect("JSON")["ok"].clone())
        .collect();
    assert_eq!(oks, [json!(false), json!(true)]);
    let events = json_lines(&outcome.stderr);
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "summary" || event["event"] == "error")
        .map(|event| (event["event"].as_str().expect("text"), event["ok"].as_bool()))
        .collect();
    assert_eq!(
        told,
        [("summary", Some(false)), ("error", None), ("error", None), ("summary", Some(true))]
    );
}
