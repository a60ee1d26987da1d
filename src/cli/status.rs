//! `silverback restore --status`: what a restore has left in the target, and what to do about it.

use serde_json::{Value, json};

use super::command::Outcome;
use super::swapped;
use super::text::stdio;
use super::text::units::printable_text;
use crate::error::Result;
use crate::pg::connect::Server;
use crate::pg::swap_state::State;
use crate::restore::status::{Left, Status};
use crate::sql::ident;

/// Tells it, as text or as JSON.
pub(super) fn tell(
    Left { restores: all, connection_limit }: &Left,
    staged: Option<&State>,
    server: &Server,
    connection: &[String],
    as_json: bool,
) -> Result<Outcome> {
    let name = ident::quote(server.database());
    let whole: Vec<Value> = all.iter().map(|status| object(status, connection)).collect();
    if as_json {
        stdio::print_json(&json!({
            "database": server.database(),
            "restores": whole,
            "connection_limit_to_give_back": connection_limit,
            "swap": staged.map(swapped::as_json),
        }))?;
    } else if all.is_empty() && connection_limit.is_none() && staged.is_none() {
        stdio::print(&printable_text(&format!(
            "no restore has left database {name} unfinished\n"
        )))?;
    } else {
        let begun = all.iter().filter(|status| status.marker.has_begun());
        let mut texts: Vec<String> = begun.map(|status| text(status, server, connection)).collect();
        texts.extend(connection_limit.map(|limit| owed(limit, server, connection)));
        texts.extend(all.iter().filter_map(|status| beginning(status, server)));
        texts.extend(staged.map(|state| swapped::as_text(state, &name)));
        stdio::print(&printable_text(&texts.join("\n")))?;
    }
    let is_incomplete = |status: &Status| {
        let marker = &status.marker;
        marker.has_begun() && !marker.is_ready() && !marker.is_of_stage()
    };
    Ok(if all.iter().any(is_incomplete) {
        Outcome::Incomplete
    } else if all.is_empty() && connection_limit.is_none() && staged.is_none() {
        Outcome::Done
    } else {
        Outcome::Unfinished
    })
}

/// The limit that a restore which was killed has taken.
fn owed(limit: i32, server: &Server, connection: &[String]) -> String {
    let words = ["silverback", "unlock"].map(str::to_owned);
    let command: Vec<String> =
        words.iter().chain(connection).map(|word| shell_word(word)).collect();
    format!(
        "database {} must get its CONNECTION LIMIT {limit} back, which a restore that was stopped \
         has taken\n  what to do  {}; the next restore does so, too\n",
        ident::quote(server.database()),
        command.join(" ")
    )
}

/// One that is at work and has not changed anything.
fn beginning(status: &Status, server: &Server) -> Option<String> {
    let name = ident::quote(server.database());
    let is_beginning = !status.marker.has_begun() && !status.at_work.is_empty();
    let text = format!("a restore is beginning in database {name}, and has changed nothing yet\n");
    is_beginning.then_some(text)
}

fn text(status: &Status, server: &Server, connection: &[String]) -> String {
    let (name, schema) = (ident::quote(server.database()), ident::quote(&status.marker.schema));
    let state = if status.marker.is_of_stage() {
        "may be used; the copy that is staged beside what is live is incomplete"
    } else if status.marker.is_ready() {
        "may be used, but indexes and the validation of foreign keys are missing"
    } else {
        "is incomplete: objects or rows are missing"
    };
    let mut lines = vec![format!("database {name} {state}")];
    if let Some(run) = &status.marker.run {
        lines.push(format!("  archive     {} ({})", run.archive_name, run.archive_id));
        lines.push(format!("  begun       {} by silverback {}", run.begun, run.version));
        lines.push(format!("  state       {} (schema {schema})", run.state.word()));
        let planned =
            run.later.planned.map_or_else(String::new, |planned| format!(" of {planned}"));
        lines.extend(status.done.map(|done| format!("  done        {done}{planned} steps")));
    } else {
        lines.push(format!("  state       unknown: this role may not read schema {schema}"));
    }
    let processes: Vec<String> = status.at_work.iter().map(i32::to_string).collect();
    let at_work = if processes.is_empty() {
        "nobody".to_owned()
    } else {
        format!("server processes {}", processes.join(", "))
    };
    lines.push(format!("  at work     {at_work}"));
    let to_do = match command(status, connection) {
        _ if !processes.is_empty() => "let it end".to_owned(),
        Some(command) if status.marker.is_ready() => format!("it makes what is missing: {command}"),
        Some(command) => format!("it goes on: {command}"),
        None => "ask as the role that restored".to_owned(),
    };
    lines.push(format!("  what to do  {to_do}\n"));
    lines.join("\n")
}

fn object(status: &Status, connection: &[String]) -> Value {
    let run = status.marker.run.as_ref();
    json!({
        "schema": status.marker.schema,
        "state": run.map(|run| run.state.word()),
        "archive": run.map(|run| &run.archive_name),
        "archive_id": run.map(|run| &run.archive_id),
        "begun": run.map(|run| &run.begun),
        "silverback_version": run.map(|run| &run.version),
        "steps_done": status.done,
        "steps_planned": run.and_then(|run| run.later.planned),
        "connection_limit_to_give_back": status.marker.connection_limit(),
        "at_work": status.at_work,
        "command": command(status, connection),
    })
}

/// What goes on with it, as a shell takes it.
fn command(status: &Status, connection: &[String]) -> Option<String> {
    let run = status.marker.run.as_ref()?;
    let words = ["silverback", "restore", "--resume"].map(str::to_owned).into_iter();
    // A name that begins with a dash is a file's here.
    let archive = if run.archive_name.starts_with('-') {
        format!("./{}", run.archive_name)
    } else {
        run.archive_name.clone()
    };
    let words = words
        .chain(connection.iter().cloned())
        .chain(run.later.options.iter().cloned())
        .chain([archive]);
    Some(words.map(|word| shell_word(&word)).collect::<Vec<_>>().join(" "))
}

fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::marker::{self, Later, Marker, Run};

    fn status(state: marker::State, at_work: &[i32]) -> Status {
        let later = Later {
            options: ["-t", "public.a b", "-O"].map(str::to_owned).to_vec(),
            planned: Some(9),
            ..Later::default()
        };
        let run = Run {
            archive_id: "7".into(),
            archive_name: "-a.sbk".into(),
            archive_root: "8".into(),
            options_digest: String::new(),
            state,
            left_digest: None,
            schemas: Vec::new(),
            version: "0.1.0".into(),
            begun: "now".into(),
            later,
        };
        Status {
            marker: Marker { schema: "silverback_restore".into(), run: Some(run) },
            done: Some(4),
            at_work: at_work.to_vec(),
        }
    }

    #[test]
    fn the_command_can_be_typed() {
        let expect = "silverback restore --resume -d kong -t 'public.a b' -O ./-a.sbk";
        assert_eq!(
            command(&status(marker::State::NotReady, &[]), &["-d".into(), "kong".into()])
                .as_deref(),
            Some(expect)
        );
    }

    #[test]
    fn what_is_to_be_done_depends_on_who_is_at_work() {
        let server = Server::from_conninfo("host=h dbname=kong user=u").unwrap();
        let told = |state, at_work: &[i32]| text(&status(state, at_work), &server, &[]);
        assert!(
            told(marker::State::NotReady, &[]).contains("it goes on: silverback restore --resume")
        );
        assert!(told(marker::State::NotReady, &[]).contains("done        4 of 9 steps"));
        assert!(
            told(marker::State::Ready, &[])
                .contains("it makes what is missing: silverback restore --resume")
        );
        assert!(told(marker::State::NotReady, &[5]).contains("let it end"));
    }
}
