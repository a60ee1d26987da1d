//! `swap --clean=schemas`: all that the role owns in the live schemas moves away, and comes back.

use super::{STAGED, away, digest, note_staged, swap, two_copies};
use crate::support::ends;

/// Somebody else's, under the same role in the same schema: some of it stands on Kong's.
const NEIGHBOUR: &str = "
    CREATE TABLE orders (id int PRIMARY KEY, mark int REFERENCES marks);
    INSERT INTO orders SELECT 7, min(id) FROM marks;
    CREATE VIEW seen AS SELECT o.id, m.v FROM orders o JOIN marks m ON m.id = o.mark;
    CREATE FUNCTION vat(mood) RETURNS text LANGUAGE sql AS 'SELECT $1::text';
    CREATE TABLE parts (at date) PARTITION BY RANGE (at);
    CREATE TABLE part PARTITION OF parts DEFAULT;
    CREATE SEQUENCE counted;
    CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);";

#[test]
fn all_that_the_role_owns_goes_and_comes_back() {
    for version in ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let database = two_copies(server, &role);
        note_staged(&database);
        database.connect().execute(NEIGHBOUR);
        let (old, new) = (digest(&database, "public"), digest(&database, STAGED));
        // Of others: these stay, whatever is asked for.
        database.execute("CREATE TABLE theirs (id int); CREATE EXTENSION hstore SCHEMA public");
        swap(&database).run().expect(6).says("constraint orders_mark_fkey on table public.orders");
        let clear = || swap(&database).arg("--clean=schemas");
        // What makes a range's values is a superuser's, and does not move with it.
        database.connect().execute("CREATE TYPE span AS RANGE (SUBTYPE = float8)");
        clear().run().expect(6).says("function public.span(double precision,double precision)");
        database.connect().execute("DROP TYPE span");
        let plan = clear().arg("--dry-run").run().expect(0).stdout;
        let told = clear().run().expect(0).stderr;
        for what in [
            "table public.orders",
            "view public.seen",
            "function public.vat(public.mood)",
            "table public.parts",
            "table public.part",
            "sequence public.counted",
            "text search dictionary public.words",
        ] {
            let line = format!("-- moves away because of --clean=schemas: {what}\n");
            assert!(plan.contains(&line), "{what} on {version}: {plan}");
            assert!(told.contains(what), "{what} on {version}: {told}");
        }
        for kept in ["theirs", "hstore", "public.marks,", "clustering_rpc_requests"] {
            let (_, told) = told.split_once("because of --clean=schemas: ").expect("it is told");
            assert!(!told.contains(kept), "{kept} on {version}: {told}");
        }
        assert_eq!(digest(&database, &away(&database)), old, "away on {version}");
        assert_eq!(database.value("SELECT count(*) FROM public.theirs"), "0");
        assert_eq!(database.value("SELECT 'a=>1'::public.hstore -> 'a'"), "1");
        swap(&database).arg("--back").run().expect(0);
        assert_eq!(digest(&database, &away(&database)), new, "back on {version}");
        database.execute("DROP TABLE theirs; DROP EXTENSION hstore");
        assert_eq!(digest(&database, "public"), old, "live on {version}");
    }
}
