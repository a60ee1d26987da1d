//! Names of roles, databases and tablespaces that another database of the server wrote in its own
//! encoding.

use testkit::{Server, newest};

use crate::support;

const IN: [&str; 2] = ["UTF8", "EUC_JP"];

/// Two roles and a database whose names are no UTF-8, and a role whose name is no EUC_JP: none has
/// to do with what is dumped and restored.
#[test]
fn names_that_cannot_be_read_here_are_passed_over() {
    let server = Server::spec(newest()).start();
    let in_encoding = |encoding: &str| {
        server.database_with(
            "names",
            &format!("ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"),
        )
    };
    let latin = in_encoding("LATIN1");
    latin.execute("CREATE ROLE \"rôle\"; CREATE ROLE \"é\\\"");
    latin.connect().execute("CREATE DATABASE \"dé\"");
    in_encoding("UTF8").execute("CREATE ROLE \"Ünï\"; CREATE ROLE plain");
    let folder = support::temp_dir();
    for encoding in IN {
        let (source, copy) = (in_encoding(encoding), in_encoding(encoding));
        source.execute(
            "CREATE SCHEMA s AUTHORIZATION plain; CREATE TABLE s.t (a integer); ALTER TABLE s.t \
             OWNER TO plain; INSERT INTO s.t VALUES (1)",
        );
        // A schema that stands already, open to somebody who cannot be named here.
        copy.execute(
            "CREATE SCHEMA s AUTHORIZATION plain; DO $$DECLARE r oid; BEGIN FOR r IN SELECT oid \
             FROM pg_authid WHERE oid >= 16384 LOOP
            UPDATE pg_namespace SET nspacl = nspacl || makeaclitem(r, nspowner, 'CREATE', false) \
             WHERE nspname = 's'; END LOOP; END$$",
        );
        let file = folder.path().join(format!("{encoding}.sbk"));
        support::dump(&source, &file).run().expect(0);
        support::restore(&file, &copy).arg("-x").run().expect(0);
        assert_eq!(copy.value("SELECT a FROM s.t"), "1");
        support::restore(&file, &copy).arg("-C").run().expect(6).says("exists");
    }
    // What is owned by such a role cannot be carried, and is told so.
    let owned = in_encoding("UTF8");
    owned.execute(
        "CREATE TABLE t (); DO $$BEGIN UPDATE pg_class SET relowner = (SELECT min(oid) \
         FROM pg_authid WHERE oid >= 16384) WHERE relname = 't'; END$$",
    );
    let refused = support::dump(&owned, &folder.path().join("owned.sbk"))
        .run()
        .expect(6)
        .says("no UTF-8")
        .says("r\\xf4le");
    assert!(!refused.stderr.contains("panicked"));
}
