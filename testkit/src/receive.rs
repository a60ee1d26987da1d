//! What copying costs where nobody keeps the rows: floors under every dump.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;

use futures_util::TryStreamExt;
use testkit::Client;

use crate::{Options, connect, print, usage};

/// Every table with a row and all large objects, largest piece first; a piece is 32 MiB of pages, as in a dump. {target}
/// is where the rows go, within quotes.
const PIECES: &str = "
    SELECT CASE WHEN pages <= 4096 THEN format('COPY %s TO {target} (FORMAT binary)', name)
                ELSE format('COPY (SELECT * FROM ONLY %s WHERE ctid >= ''(%s,0)'' AND ctid < \
                ''(%s,0)'') TO {target} (FORMAT binary)', name, first, first + 4096) END
      FROM (SELECT format('%I.%I', nspname, relname) AS name, pg_relation_size(c.oid) / \
      current_setting('block_size')::bigint AS pages
              FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE relkind = 'r' AND NOT relrowsecurity
               AND (nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' OR c.oid = \
               'pg_largeobject'::regclass)) AS t,
           generate_series(0, pages - 1, 4096) AS first
     WHERE pages > 0
     ORDER BY least(pages - first, 4096) DESC, name, first";

/// Copies every table out over some sessions, and drops the bytes as they come. With
/// `--server-only` the server drops them: they go to its own /dev/null.
pub(crate) fn run(options: &Options) -> ExitCode {
    let Some(sessions) = options
        .get("--sessions")
        .and_then(|count| count.parse().ok())
        .filter(|count| (1..=64).contains(count))
    else {
        return usage("--sessions N is missing, or not from 1 to 64");
    };
    let target = if options.contains_key("--server-only") { "''/dev/null''" } else { "STDOUT" };
    let mut clients = Vec::new();
    for _ in 0..sessions {
        match connect(options, "--url") {
            Ok(client) => clients.push(client),
            Err(code) => return code,
        }
    }
    let pieces =
        Arc::new(Mutex::new(clients[0].column(&PIECES.replace("{target}", target)).into_iter()));
    let workers: Vec<_> = (clients.into_iter())
        .map(|client| {
            let pieces = Arc::clone(&pieces);
            thread::spawn(move || {
                let next = || pieces.lock().expect("no holder panics").next();
                std::iter::from_fn(next).map(|piece| copy(&client, piece)).sum::<u64>()
            })
        })
        .collect();
    let bytes: u64 = workers
        .into_iter()
        .map(|worker| worker.join().expect("a worker told its failure already"))
        .sum();
    print(&format!("{bytes} bytes received"));
    ExitCode::SUCCESS
}

fn copy(client: &Client, piece: String) -> u64 {
    if !piece.contains(" TO STDOUT ") {
        client.execute(&piece);
        return 0;
    }
    let client = client.clone();
    testkit::block_on(async move {
        let rows = client
            .inner()
            .copy_out(&piece)
            .await
            .unwrap_or_else(|error| panic!("{piece}: {error:?}"));
        rows.try_fold(0, async |sum, rows| Ok(sum + rows.len() as u64))
            .await
            .unwrap_or_else(|error| panic!("{piece}: {error:?}"))
    })
}
