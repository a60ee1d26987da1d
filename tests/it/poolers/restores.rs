//! Restores by way of a pooler: refused where transactions change sessions, as good as any where
//! they do not.

use testkit::Pgbouncer;

use super::{POOL, SETUP, all, busy, pool, state_of};
use crate::pair::Pair;
use crate::support::{self, Silverback};

fn source() -> Pair {
    let pair = Pair::new(SETUP);
    pair.dump().run().expect(0);
    pair
}

fn restore(pgbouncer: &Pgbouncer, pair: &Pair, jobs: &str, more: &str) -> Silverback {
    let url = format!("{}{more}", pgbouncer.url(pair.owner.name(), pair.copy.name()));
    Silverback::new(["restore", "-j", jobs, "-d", &url]).arg(pair.file())
}

/// Demands that a restore is refused, and that it has changed nothing.
fn is_refused(pgbouncer: &Pgbouncer, pair: &Pair) {
    restore(pgbouncer, pair, "2", "")
        .run()
        .expect(6)
        .says("transaction pooling")
        .says("session mode");
    assert_eq!(
        pair.copy.value("SELECT count(*) FROM pg_namespace WHERE nspname ~ 'silverback|evil'"),
        "0"
    );
}

#[test]
fn a_restore_through_a_transaction_pool_is_refused_and_leaves_its_sessions_as_they_were() {
    let pair = source();
    let (owner, name) = (pair.owner.name(), pair.copy.name());
    let pgbouncer = pool(pair.copy.server(), &pair, "transaction", POOL);
    // One session, then all of them, and then others at work.
    is_refused(&pgbouncer, &pair);
    let before = state_of(&pgbouncer, owner, name);
    is_refused(&pgbouncer, &pair);
    assert_eq!(state_of(&pgbouncer, owner, name), before);
    busy(&pgbouncer, &[owner], name, || is_refused(&pgbouncer, &pair));
    assert_eq!(state_of(&pgbouncer, owner, name), before);
}

#[test]
fn a_restore_through_a_transaction_pool_of_one_session_is_refused() {
    let pair = source();
    let pgbouncer = pool(pair.copy.server(), &pair, "transaction", 1);
    is_refused(&pgbouncer, &pair);
    busy(&pgbouncer, &[pair.owner.name()], pair.copy.name(), || is_refused(&pgbouncer, &pair));
}

#[test]
fn a_restore_through_a_transaction_pool_that_takes_its_sessions_in_turn_is_refused() {
    let pair = source();
    let pgbouncer = Pgbouncer::start(
        pair.copy.server(),
        "transaction",
        12,
        &[pair.owner.name()],
        "server_round_robin = 1",
    );
    let clients: Vec<_> =
        (0..12).map(|_| pgbouncer.connect(pair.owner.name(), pair.copy.name())).collect();
    all(&clients, "BEGIN");
    all(&clients, "COMMIT");
    is_refused(&pgbouncer, &pair);
}

#[test]
fn session_pooling_restores() {
    for is_busy in [false, true] {
        let pair = source();
        let pgbouncer = pool(pair.copy.server(), &pair, "session", 20);
        let run = || drop(restore(&pgbouncer, &pair, "2", "").run().expect(0));
        if is_busy {
            busy(&pgbouncer, &[pair.owner.name()], pair.copy.name(), run);
        } else {
            run();
        }
        support::assert_same(&pair.source, &pair.copy);
    }
}

#[test]
fn session_pooling_with_one_session_restores_by_one_job_and_ends_with_two() {
    let pair = source();
    let pgbouncer = pool(pair.copy.server(), &pair, "session", 1);
    restore(&pgbouncer, &pair, "2", "?connect_timeout=2").run().expect(4).says("the pooler");
    assert_eq!(
        pair.copy.value("SELECT count(*) FROM pg_namespace WHERE nspname ~ 'silverback|evil'"),
        "0"
    );
    restore(&pgbouncer, &pair, "1", "?connect_timeout=2").run().expect(0);
    support::assert_same(&pair.source, &pair.copy);
}
