//! Fake servers: what they announce, ask for and send.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use silverback::error::{Error, Kind};
use silverback::pg::connect::Server;
use silverback::pg::session::Purpose;
use silverback::pg::settings::Transaction;

use crate::support::Silverback;

/// What a fake server has received, all connections together.
type Received = Arc<Mutex<Vec<u8>>>;

/// Declines TLS, sends `answer` after the start-up packet, and then listens until the other side
/// closes.
fn fake(answer: Vec<u8>) -> (u16, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let received = Received::default();
    let keeping = Arc::clone(&received);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let mut buf = [0; 4096];
            // An SSLRequest has eight bytes.
            let Ok(count) = stream.read(&mut buf) else { continue };
            if count == 8 {
                let _ = stream.write_all(b"N");
                let _ = stream.read(&mut buf);
            }
            let _ = stream.write_all(&answer);
            while let Ok(count @ 1..) = stream.read(&mut buf) {
                keeping.lock().expect("no holder panics").extend_from_slice(&buf[..count]);
            }
        }
    });
    (port, received)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    announced(kind, body.len(), body)
}

/// A message that says it is of another length.
fn announced(kind: u8, length: usize, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length + 4).expect("four bytes").to_be_bytes();
    [&[kind], &length[..], body].concat()
}

fn request(code: u32, rest: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes(), rest].concat())
}

/// A session that is ready.
fn logged_in() -> Vec<u8> {
    [request(0, b""), message(b'S', b"server_version\x0018.0\0"), message(b'Z', b"I")].concat()
}

fn open(port: u16, more: &str) -> Error {
    let server = Server::from_conninfo(&format!(
        "host=127.0.0.1 port={port} user=u password=hunter2 {more}"
    ))
    .expect("a server");
    testkit::block_on(async move {
        server.open(Purpose::Dump(&Transaction::default())).await.expect_err("no such server")
    })
}

#[test]
fn lengths_before_login_are_capped() {
    for (kind, length) in [
        (b'R', 2001),
        (b'E', 30_001),
        (b'N', 30_001),
        (b'S', 2_000_000_000),
        (b'v', 1 << 30),
        (b'K', 1 << 20),
    ] {
        // Nothing follows, so that whoever believes the length waits for ever.
        let (port, _) = fake(announced(kind, length, &[0; 64]));
        let error = open(port, "sslmode=disable");
        assert_eq!(error.kind(), Kind::Connect, "{error}");
        assert!(error.to_string().contains(&format!("of {length} bytes")), "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
    let (port, _) = fake(message(b'S', &vec![b'x'; 20_000]).repeat(100));
    assert_eq!(open(port, "sslmode=disable").kind(), Kind::Connect);
}

#[test]
fn garbage_is_a_lost_server_with_a_hint() {
    let row = [&1_u16.to_be_bytes()[..], &4_u32.to_be_bytes(), b"x"].concat();
    let garbage: [Vec<u8>; 8] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"<html></html>".to_vec(),
        message(b'T', &[0xff]),
        message(b'D', &row),
        message(b'C', b"\xff\xff"),
        message(b'E', b"S\xff"),
        announced(b'D', 2_000_000_000, b"x"),
        message(b'G', b""),
    ];
    for garbage in garbage {
        let (port, _) = fake([logged_in(), garbage.clone()].concat());
        let error = open(port, "sslmode=disable connect_timeout=3");
        let shown = garbage[..garbage.len().min(20)].escape_ascii();
        assert!(
            matches!(error.kind(), Kind::Connect | Kind::Server),
            "{shown}: {error} is {:?}",
            error.kind()
        );
        assert!(error.hint_text().is_some(), "{shown}: {error}");
    }
}

#[test]
fn a_password_goes_only_where_require_auth_lets_it() {
    let knows = |received: &Received| {
        received.lock().expect("no holder panics").windows(7).any(|part| part == b"hunter2")
    };
    let (port, received) = fake(request(3, b""));
    open(port, "sslmode=prefer connect_timeout=1");
    assert!(knows(&received), "a server that asks for it is told, unless that is forbidden");
    for (asked, words) in [
        (request(3, b""), "password"),
        (request(5, b"salt"), "md5"),
        (request(10, b"OAUTHBEARER\0\0"), "oauth"),
    ] {
        let (port, received) = fake(asked);
        let error = open(port, "sslmode=prefer require_auth=scram-sha-256");
        assert_eq!(error.kind(), Kind::Connect, "{error}");
        assert!(
            error.to_string().contains(&format!(
                "the authentication {words}, which require_auth does not admit"
            )),
            "{error}"
        );
        assert!(received.lock().expect("no holder panics").is_empty(), "it was answered");
    }
    let (port, _) = fake(logged_in());
    let error = open(port, "sslmode=prefer require_auth=scram-sha-256,password");
    assert!(error.to_string().contains("does not ask who we are"), "{error}");
    let (port, received) = fake(request(3, b""));
    let url = format!("postgresql://u:hunter2@127.0.0.1:{port}/d");
    let dir = crate::support::temp_dir();
    let dump = Silverback::new(["dump", "-d", &url, "-f"])
        .arg(dir.path().join("a.sbk"))
        .env("PGREQUIREAUTH", "!password");
    dump.run().expect(4).says("require_auth");
    assert!(!knows(&received));
}
