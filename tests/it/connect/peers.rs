//! Who answers in a server's place, or does not; and several of them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::*;

#[test]
fn several_hosts_are_tried_in_order() {
    let port = testkit::newest_server().port();
    let starting = fake(|_| fatal("57P03", "the database system is starting up"));
    check_open(&format!("host=127.0.0.1,127.0.0.1 port=1,{port} user=postgres"), false);
    check_open(
        &format!("host=127.0.0.1,127.0.0.1 port={starting},{port} user=postgres sslmode=disable"),
        false,
    );
    check_open(
        &format!("host=/nowhere,127.0.0.1 port={port} user=postgres load_balance_hosts=random"),
        false,
    );
    let error = check_refused(
        "host=127.0.0.1,/nowhere port=1 user=postgres",
        "nobody listens there",
        "listen_addresses",
    );
    assert!(error.to_string().contains("no such socket"), "{error}");
    // A server that was reached and says no ends the search.
    let error = check_refused(
        &format!("host=127.0.0.1,/nowhere port={port} user=postgres dbname=gone"),
        "\"gone\" does not exist",
        "",
    );
    assert!(!error.to_string().contains("socket"), "{error}");
}

#[test]
fn peers_that_are_no_server() {
    check_refused("host=127.0.0.1 port=1 user=x", "connection refused", "listen_addresses");
    check_refused("host=no-such-host.invalid user=x", "cannot be resolved", "name");
    check_refused("host=/nowhere user=x", "no such socket", "-h");
    let starting = fake(|_| fatal("57P03", "the database system is starting up"));
    check_refused(
        &format!("host=127.0.0.1 port={starting} user=x sslmode=disable"),
        "starting up",
        "wait",
    );
    let web = fake(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    check_refused(&format!("host=127.0.0.1 port={web} user=x sslmode=disable"), "", "PostgreSQL");
    check_refused(
        &format!("host=127.0.0.1 port={web} user=x sslmode=require"),
        "does not offer TLS",
        "",
    );
    let closing = fake(|_| Vec::new());
    check_refused(&format!("host=127.0.0.1 port={closing} user=x"), "closed the connection", "log");
}

#[test]
fn silence_ends_in_the_time_out() {
    // Accepts, as the kernel does for it, and says nothing; with TLS, it says yes and then nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("bound").port();
    let half = fake(|_| b"S".to_vec());
    for (port, mode) in [(port, "disable"), (port, "prefer"), (port, "require"), (half, "require")]
    {
        let start = Instant::now();
        let conninfo =
            format!("host=127.0.0.1 port={port} user=x connect_timeout=1 sslmode={mode}");
        let error = open(&conninfo).expect_err("silence");
        assert_eq!(error.kind(), Kind::Connect);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}");
        if port != half {
            assert!(error.to_string().contains("no answer within 1 s"), "{error}");
        }
    }
}

#[test]
fn cancel_all_reaches_sessions_over_tls() {
    let server = Server::from_conninfo(&TLS.conninfo("sslmode=require")).expect("a server");
    testkit::block_on(async move {
        let sessions = [
            server.open(Purpose::Dump(&Transaction::default())).await.expect("opened"),
            server.open(Purpose::Dump(&Transaction::default())).await.expect("opened"),
        ];
        let start = Instant::now();
        let sleeps = futures_util::future::join_all(
            sessions.iter().map(|session| session.execute("sleep", "SELECT pg_sleep(60)")),
        );
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.cancel_all().await;
        };
        let (results, ()) = tokio::join!(sleeps, cancel);
        for result in results {
            assert_eq!(result.expect_err("cancelled").sqlstate(), Some("57014"));
        }
        assert!(start.elapsed() < Duration::from_secs(10));
        drop(sessions);
        // Nobody is left to cancel.
        server.cancel_all().await;
    });
}

/// A listener that answers the first bytes of each connection with these and closes.
fn fake(answer: fn(&[u8]) -> Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut first = [0; 1024];
            let Ok(count) = stream.read(&mut first) else { continue };
            let _ = stream.write_all(&answer(&first[..count]));
        }
    });
    port
}

/// An ErrorResponse.
fn fatal(code: &str, message: &str) -> Vec<u8> {
    let body = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
    [b"E", &length[..], body.as_bytes()].concat()
}
