//! The harness proves itself: servers start as an unprivileged user, come back after a crash, and
//! leave nothing behind.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Direction, Proxy, Server, Stop, kong, tls};

#[test]
fn a_kong_database_is_loaded_on_every_version() {
    for version in testkit::versions() {
        let server = testkit::server(version);
        let kong = server.role("kong");
        for upgraded in [false, true] {
            let database = server.database_of(&kong, "kong");
            if upgraded {
                kong::load_upgraded(&database);
            } else {
                kong::load(&database);
            }
            let tables = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = \
                'public'::regnamespace";
            assert_eq!(database.value(tables), if upgraded { "36" } else { "35" });
            let columns = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
                            WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND \
                            attnum > 0 AND NOT attisdropped
                              AND relname <> 'apis' AND attname <> 'api_id'";
            assert_eq!(database.value(columns), "301");
            let kinds = "SELECT contype, count(*) FROM pg_constraint c JOIN pg_class r ON r.oid = \
                conrelid
                          WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', \
                          'f') AND relname <> 'apis' AND conname <> 'plugins_api_id_fkey'
                          GROUP BY 1 ORDER BY 1";
            assert_eq!(
                format!("{:?}", database.rows(kinds)),
                r#"[[Some("f"), Some("43")], [Some("p"), Some("34")], [Some("u"), Some("47")]]"#
            );
            assert_eq!(
                database.value("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"),
                "27"
            );
        }
    }
}

#[test]
fn a_server_comes_back_after_a_kill() {
    let server = Server::spec(testkit::newest()).conf("work_mem = '5MB'").start();
    let database = server.database("back");
    database.execute("CREATE TABLE t AS SELECT 1 AS a; CHECKPOINT");
    assert_eq!(database.value("SHOW work_mem"), "5MB");
    for how in [Stop::Kill, Stop::Immediate, Stop::Fast] {
        server.restart(how);
        assert_eq!(server.connect(database.name()).value("SELECT a FROM t"), "1");
    }
}

#[test]
fn a_proxy_cuts_where_it_is_told() {
    let server = testkit::newest_server();
    let database = server.database("proxied");
    let proxy = Proxy::to(server.port());
    let connect = || {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(proxy.port()).user("postgres").dbname(database.name());
        testkit::connect(config)
    };
    let client = connect().expect("the proxy carries a session");
    assert_eq!(client.value("SELECT 1"), "1");
    proxy.cut_after(Direction::Down, 10_000);
    assert!(client.try_execute("SELECT repeat('x', 20000)").is_err());
    assert!(connect().expect("a fresh session").try_execute("SELECT 1").is_ok());
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn nothing_is_left_when_the_process_is_killed() {
    for signal in ["KILL", "INT", "TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_testkit"))
            .args([
                "run",
                "--pg",
                &testkit::newest().to_string(),
                "--",
                "/bin/sh",
                "-c",
                "echo $PGPORT; read end",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut port)
            .expect("it prints the port");
        let port: u16 = port.trim().parse().expect("a port");
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        let prefix = format!("sbk-pg-{}-", child.id());
        let folders = || {
            std::fs::read_dir(
                std::env::var_os("SILVERBACK_TEST_TMP").unwrap_or_else(|| "/tmp".into()),
            )
            .expect("a folder")
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
            .count()
        };
        assert_eq!(folders(), 1);
        testkit::signal(child.id(), signal);
        child.wait().expect("a child can be waited for");
        let deadline = Instant::now() + Duration::from_secs(20);
        while folders() > 0 || TcpStream::connect(("127.0.0.1", port)).is_ok() {
            assert!(Instant::now() < deadline, "after SIG{signal} the server is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_server_speaks_tls_and_asks_for_passwords() {
    let authority = tls::Authority::new("testkit authority");
    let server = Server::spec(testkit::newest())
        .initdb_arg("--auth-host=scram-sha-256")
        .password("pä'ss")
        .hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        .tls(&authority.server(&["localhost", "127.0.0.1"]))
        .client_authority(&authority)
        .start();
    assert_eq!(server.connect("postgres").value("SHOW ssl"), "on");
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.port()).user("postgres").password("pä'ss");
    assert!(testkit::connect(config).is_err(), "no session without TLS");
}
