//! Holds every line that a test's run prints as JSON against `docs/events.schema.json`, and that
//! file against `docs/events.md`; and lets each command print its events.
//!
//! Understands as much of JSON Schema as that file uses; another word in it is an error.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::support::{Outcome, dump, restore, temp_dir, verify};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../docs/events.schema.json")).expect("it is JSON")
});

/// Demands of a finished run that every JSON line is described.
#[track_caller]
pub(crate) fn judge(arguments: &[&OsStr], stderr: &str) {
    let is = |word: &str| arguments.iter().any(|argument| *argument == word);
    let is_json = is("--log-format=json") || (is("--log-format") && is("json"));
    for line in stderr.lines().filter(|_| is_json) {
        if let Err(wrong) = check_line(line) {
            panic!("docs/events.schema.json does not describe this line: {wrong}\n{line}");
        }
    }
}

fn check_line(line: &str) -> Result<(), String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let first = format!("{{\"time\":{},\"event\":{}", value["time"], value["event"]);
    if !line.starts_with(&first) {
        return Err("time and event do not come first".to_owned());
    }
    let constant = |event: &Value, field: &str| event["properties"][field]["const"].clone();
    let events = SCHEMA["oneOf"].as_array().expect("a list");
    let is_meant = |event: &&Value| {
        let command = constant(event, "command");
        constant(event, "event") == value["event"]
            && (command.is_null() || command == value["command"])
    };
    match events.iter().map(resolve).find(is_meant) {
        Some(event) => check(event, &value, ""),
        None => Err(format!("there is no event {} of {}", value["event"], value["command"])),
    }
}

fn resolve(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(name) => {
            let found = SCHEMA.pointer(name.strip_prefix('#').expect("of this file"));
            found.unwrap_or_else(|| panic!("{name} is not there"))
        }
        None => schema,
    }
}

fn check(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = resolve(schema);
    for (word, meaning) in schema.as_object().expect("a schema is an object") {
        let holds = match word.as_str() {
            "type" => types(meaning).iter().any(|name| is_a(name, value)),
            "const" => meaning == value,
            "enum" => meaning.as_array().expect("a list").contains(value),
            "minimum" => {
                value.as_f64().is_none_or(|value| value >= meaning.as_f64().unwrap_or(0.0))
            }
            "maximum" => {
                value.as_f64().is_none_or(|value| value <= meaning.as_f64().unwrap_or(0.0))
            }
            "anyOf" => {
                let mut any = meaning.as_array().expect("a list").iter();
                any.any(|one| check(one, value, at).is_ok())
            }
            "required" => value.as_object().is_none_or(|object| {
                let mut names = meaning.as_array().expect("a list").iter();
                names.all(|name| object.contains_key(name.as_str().expect("a name")))
            }),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(meaning, item, &format!("{at}[]"))?;
                }
                true
            }
            // Properties are looked at together with what they leave over.
            "description" | "format" | "properties" => true,
            "additionalProperties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    let at = format!("{at}.{name}");
                    match schema["properties"].get(name).unwrap_or(meaning) {
                        Value::Bool(false) => return Err(format!("{at} is not described")),
                        described => check(described, field, &at)?,
                    }
                }
                true
            }
            other => panic!("the schema uses {other}, which is not understood here"),
        };
        if !holds {
            return Err(format!("{at}: {value} against {word} {meaning}"));
        }
    }
    Ok(())
}

fn types(meaning: &Value) -> Vec<&str> {
    meaning.as_array().map_or_else(
        || meaning.as_str().into_iter().collect(),
        |names| names.iter().filter_map(Value::as_str).collect(),
    )
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    }
}

/// The events that a run printed, in order, each once.
fn events(outcome: &Outcome) -> BTreeSet<String> {
    let event = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        value["event"].as_str().expect("a name").to_owned()
    };
    outcome.stderr.lines().map(event).collect()
}

#[track_caller]
fn assert_events(outcome: &Outcome, expect: &[&str]) {
    let expect: BTreeSet<String> = expect.iter().map(|&event| event.to_owned()).collect();
    let missing: Vec<_> = expect.difference(&events(outcome)).cloned().collect();
    assert!(missing.is_empty(), "{missing:?} are missing in\n{}", outcome.stderr);
}

const JSON: [&str; 2] = ["--log-format", "json"];

#[test]
fn every_command_prints_what_is_described() {
    let server = testkit::newest_server();
    let (source, copy, early) =
        (server.database("source"), server.database("copy"), server.database("early"));
    source.execute(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int REFERENCES a);
         INSERT INTO a SELECT generate_series(1, 1000); INSERT INTO b SELECT id FROM a",
    );
    let folder = temp_dir();
    let archive = folder.path().join("events.sbk");
    let dumped =
        dump(&source, &archive).args(JSON).args(["-v", "--max-rate", "10M"]).run().expect(0);
    assert_events(&dumped, &["connection", "phase", "tables", "table", "message", "summary"]);
    let restored = restore(&archive, &copy).args(JSON).run().expect(0);
    assert_events(&restored, &["connection", "phase", "tables", "jobs", "table", "summary"]);
    let ready = restore(&archive, &early).args(JSON).arg("--ready-early").run().expect(0);
    assert_events(&ready, &["ready", "summary"]);
    let again = restore(&archive, &copy).args(JSON).run().expect(6);
    assert_events(&again, &["error"]);
    let verified = verify(&archive).args(JSON).run().expect(0);
    assert_events(&verified, &["phase", "tables", "table", "summary"]);
    let missing = folder.path().join("missing.sbk");
    let list = super::support::Silverback::new(["list"]).arg(&missing).args(JSON).run().expect(8);
    assert_events(&list, &["error"]);
    let connection = ["-d", &copy.url()];
    let run = |words: &[&str]| super::support::Silverback::new(words).args(connection).args(JSON);
    assert_events(&run(&["unlock"]).run().expect(0), &["connection", "summary"]);
    assert_events(&run(&["kong", "info"]).run().expect(6), &["connection", "error"]);
    let mut stage = run(&["restore", "--stage"]);
    stage = stage.arg(&archive);
    assert_events(&stage.run().expect(0), &["jobs", "summary"]);
    for words in [&["swap"][..], &["swap", "--back", "--yes"], &["swap", "--drop-old"]] {
        assert_events(&run(words).run().expect(0), &["connection", "summary"]);
    }
}

#[test]
fn findings_are_events() {
    let database = testkit::newest_server().database("findings");
    database.execute("CREATE TABLE a AS SELECT generate_series(1, 1000) id");
    let folder = temp_dir();
    let archive = folder.path().join("damaged.sbk");
    dump(&database, &archive).run().expect(0);
    let mut bytes = std::fs::read(&archive).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&archive, bytes).expect("written");
    let outcome = verify(&archive).args(JSON).arg("-q").run().expect(3);
    let finding = outcome
        .stderr
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .find(|line| line["event"] == "finding")
        .expect("a finding");
    assert_eq!(finding["archive"], json!(archive.to_str()));
    assert!(finding["place"]["part"].is_string() && finding["what"].is_string(), "{finding}");
}

#[test]
fn a_line_that_is_not_described_is_found() {
    let line = |rest: &str| format!("{{\"time\":\"2026-01-01T00:00:00.000Z\",\"event\":{rest}}}");
    for (rest, expect) in [
        ("\"phase\",\"text\":\"x\"", ""),
        ("\"phase\"", "required"),
        ("\"phase\",\"text\":1", "type"),
        ("\"phase\",\"text\":\"x\",\"more\":1", "not described"),
        ("\"message\",\"level\":\"loud\",\"text\":\"x\"", "enum"),
        ("\"other\"", "there is no event"),
        ("\"summary\",\"command\":\"list\"", "there is no event"),
    ] {
        let found = check_line(&line(rest)).err().unwrap_or_default();
        assert!(found.contains(expect) && found.is_empty() == expect.is_empty(), "{rest}: {found}");
    }
    let swapped = "{\"event\":\"phase\",\"time\":\"2026-01-01T00:00:00.000Z\",\"text\":\"x\"}";
    assert!(check_line(swapped).is_err());
}

/// The page names every event and every field, and none that is not there.
#[test]
fn the_page_describes_what_the_schema_does() {
    let page = include_str!("../../docs/events.md");
    for event in SCHEMA["oneOf"].as_array().expect("a list").iter().map(resolve) {
        let properties = event["properties"].as_object().expect("fields");
        let name = properties["event"]["const"].as_str().expect("a name");
        let command = properties.get("command").and_then(|command| command["const"].as_str());
        let title = match command {
            Some(command) => format!("\n### `{name}` of {command}\n"),
            None => format!("\n### `{name}`\n"),
        };
        let section = page.split_once(&title).unwrap_or_else(|| panic!("no section {title}")).1;
        let section = section.split("\n#").next().expect("a text");
        let told: BTreeSet<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .collect();
        let fields: BTreeSet<&str> = properties
            .keys()
            .map(String::as_str)
            .filter(|f| !["time", "event"].contains(f))
            .collect();
        assert_eq!(told, fields, "{title}");
        let example = section.split("```json\n").nth(1).expect("an example");
        let example = example.split("\n```").next().expect("its end");
        check_line(example).unwrap_or_else(|wrong| panic!("{title}: {wrong}"));
    }
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.schema.json").exists());
}
