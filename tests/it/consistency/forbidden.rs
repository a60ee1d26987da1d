//! Locks that do not come and rows that may not be read: the table is named, and so is who stands
//! in the way.

use super::{begin, is_waited_for};
use crate::pair::Pair;
use crate::support::wait_for;

#[test]
fn a_locked_table_is_named_with_the_holder() {
    let pair = Pair::new("CREATE TABLE free (a integer); CREATE TABLE \"Busy one\" (a integer)");
    let holder = begin(&pair.source, "LOCK TABLE \"Busy one\" IN ACCESS EXCLUSIVE MODE");
    let pid = holder.value("SELECT pg_backend_pid()");
    pair.dump()
        .args(["--lock-wait-timeout", "300"])
        .run()
        .expect(9)
        .says("\"Busy one\"")
        .says(&pid)
        .says(pair.owner.name())
        .says("300 ms");
    assert!(!pair.file().exists());
    holder.execute("ROLLBACK");
    pair.dump().args(["--lock-wait-timeout", "300"]).run().expect(0);
}

#[test]
fn a_table_that_somebody_waits_to_lock_is_named_with_the_waiting() {
    let pair = Pair::new("CREATE TABLE free (a integer); CREATE TABLE busy (a integer)");
    let _reader = begin(&pair.source, "SELECT * FROM busy");
    let waiting = pair.source.connect();
    let pid = waiting.value("SELECT pg_backend_pid()");
    let altering = waiting.start("ALTER TABLE busy ADD COLUMN b integer");
    wait_for("the ALTER to wait", || is_waited_for(&pair.source, "busy"));
    pair.dump().args(["--lock-wait-timeout", "300"]).run().expect(9).says("busy").says(&pid);
    assert!(!altering.is_done(), "the reader holds it still");
}

#[test]
fn rows_behind_row_security_are_refused_not_left_out() {
    let pair = Pair::new("CREATE TABLE plain (a integer)");
    pair.source.execute(&format!(
        "CREATE TABLE guarded (a integer); INSERT INTO guarded VALUES (1), (2);
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON guarded USING (a = 1);
         GRANT SELECT ON guarded TO {}",
        testkit::quote(pair.owner.name())
    ));
    pair.dump().run().expect(6).says("guarded").says("row-level security");
    assert!(!pair.file().exists());
    // The owner is bound too, where the table says so.
    pair.source.execute(&format!(
        "ALTER TABLE guarded OWNER TO {}; ALTER TABLE guarded FORCE ROW LEVEL SECURITY",
        testkit::quote(pair.owner.name())
    ));
    pair.dump().run().expect(6).says("guarded");
    assert!(!pair.file().exists());
}

#[test]
fn a_table_that_may_not_be_read_is_named() {
    let pair = Pair::new("CREATE TABLE plain (a integer)");
    pair.source.execute("CREATE TABLE \"top secret\" (a integer)");
    pair.dump().run().expect(6).says("top secret");
    assert!(!pair.file().exists());
    pair.dump().args(["-T", "\"top secret\""]).run().expect(0);
}

#[test]
fn a_table_of_a_schema_that_may_not_be_used_is_named() {
    let pair = Pair::new("CREATE TABLE plain (a integer)");
    pair.source.execute("CREATE SCHEMA vault; CREATE TABLE vault.t (a integer)");
    pair.dump().run().expect(6).says("vault");
    assert!(!pair.file().exists());
    pair.dump().args(["-N", "vault"]).run().expect(0);
}
