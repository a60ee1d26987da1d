//! `swap --hold-migrations`: Kong's lock for migrations is held in both copies while they are
//! exchanged, and let go however that ends.

use super::{STAGED, away, digest, note_staged, swap, two_copies};
use crate::support::{Running, ends, wait_for};

/// How many rows a swap holds in a schema's table.
fn held(database: &testkit::Database<'_>, schema: &str) -> String {
    database.value(&format!(
        "SELECT count(*) FROM {schema}.locks WHERE key = 'migrations' AND owner LIKE 'silverback \
         swap %' AND ttl > now() AND ttl <= now() + interval '61 s'"
    ))
}

#[test]
fn in_both_copies_until_they_are_exchanged() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let database = two_copies(server, &role);
        note_staged(&database);
        let (old, new) = (digest(&database, "public"), digest(&database, STAGED));
        let hold = || swap(&database).arg("--hold-migrations");
        hold().arg("--dry-run").run().expect(0);
        // Whoever has used a table keeps the exchange out: the locks are held by then.
        let holder = database.connect();
        holder.execute("BEGIN; SELECT * FROM tags");
        let running: Running = hold().args(["--retries", "1000"]).spawn();
        wait_for("both to be held", || {
            held(&database, "public") == "1" && held(&database, STAGED) == "1"
        });
        holder.execute("COMMIT");
        let told = running.wait().expect(0).stderr;
        assert!(told.contains("a row of public.locks"), "{told}");
        assert!(told.contains(&format!("a row of {STAGED}.locks")), "{told}");
        // Nothing is left of it in either, and none of it counts as written.
        assert_eq!(digest(&database, "public"), new, "live on {version}");
        assert_eq!(digest(&database, &away(&database)), old, "away on {version}");
        hold().arg("--back").run().expect(0);
        assert_eq!(digest(&database, "public"), old, "live on {version}");
        assert_eq!(digest(&database, &away(&database)), new, "away on {version}");
    }
}

#[test]
fn stopped_or_refused_it_leaves_none() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = two_copies(server, &role);
    note_staged(&database);
    let (old, new) = (digest(&database, "public"), digest(&database, STAGED));
    let holder = database.connect();
    holder.execute("BEGIN; SELECT * FROM tags");
    let running = swap(&database).args(["--hold-migrations", "--retries", "1000"]).spawn();
    wait_for("the locks to be held", || held(&database, STAGED) == "1");
    running.signal("TERM");
    running.wait().expect(143);
    swap(&database).args(["--hold-migrations", "--retries", "0"]).run().expect(9);
    holder.execute("COMMIT");
    // Another's row in the copy that is not live: the live one's is given back.
    let others = format!(
        "INSERT INTO {STAGED}.locks VALUES ('migrations', 'node-1', now() + interval '1 h')"
    );
    database.execute(&others);
    swap(&database).arg("--hold-migrations").run().expect(9).says("node-1 holds it until");
    database.execute(&format!("DELETE FROM {STAGED}.locks"));
    assert_eq!(digest(&database, "public"), old);
    assert_eq!(digest(&database, STAGED), new);
}
