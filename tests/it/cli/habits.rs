//! What fingers type that know `pg_dump`, `psql` and the like.

use super::super::support::{Silverback, restore, temp_dir};

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
        super::super::support::assert_same(&source, &copy);
    }
    let check = |words: &[&str], says: &str| {
        Silverback::new(["dump", "-f", "/nowhere/x"]).args(words).run().expect(2).says(says);
    };
    check(&["shop", "-d", "shop"], "cannot be used with");
    check(&[""], "it is empty");
    check(&["a:b@c"], "without its postgresql://");
}
