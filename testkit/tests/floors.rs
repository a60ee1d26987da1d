//! What benches hold Silverback against: COPYs whose rows nobody keeps, and a server that seems far
//! away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

fn testkit() -> Command {
    Command::new(env!("CARGO_BIN_EXE_testkit"))
}

#[test]
fn every_row_is_received_once() {
    let database = testkit::newest_server().database("receive");
    database.execute("CREATE TABLE empty (a int); CREATE TABLE \"Small one\" (a int)");
    database.execute("INSERT INTO \"Small one\" SELECT generate_series(1, 100)");
    // More than one piece of 32 MiB.
    database.execute(
        "CREATE TABLE large (a int, b text); ALTER TABLE large ALTER b SET STORAGE EXTERNAL",
    );
    database.execute(
        "INSERT INTO large SELECT n, repeat('x', 1500) FROM generate_series(1, 50000) AS n",
    );
    assert!(database.value("SELECT pg_relation_size('large') > 64 << 20") == "t");
    let received = |more: &[&str]| {
        let output = testkit()
            .args(["receive", "--sessions", "2", "--url", &database.url()])
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    // A row is a field count, and each field's length and bytes; a piece has a header and a
    // trailer.
    let (small, large) = (100 * (2 + 8), 50_000 * (2 + 8 + 4 + 1500));
    let pieces = 1 + database
        .value("SELECT ceil(pg_relation_size('large') / 8192 / 4096.0)")
        .parse::<u64>()
        .unwrap();
    assert_eq!(received(&[]), format!("{} bytes received\n", small + large + pieces * (19 + 2)));
    assert_eq!(received(&["--server-only"]), "0 bytes received\n");
}

#[test]
fn a_far_server_answers_late_and_nothing_waits_for_what_goes_before() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut from = stream.unwrap();
            let mut to = from.try_clone().unwrap();
            thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let mut proxy = testkit()
        .args(["far", "--round-trip-ms", "40", "--port", &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut far = String::new();
    BufReader::new(proxy.stdout.as_mut().unwrap()).read_line(&mut far).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", far.trim().parse().unwrap())).unwrap();
    let mut answer = [0; 1];
    let mut ask = |stream: &mut TcpStream| {
        let asked = Instant::now();
        stream.write_all(b"?").unwrap();
        stream.read_exact(&mut answer).unwrap();
        asked.elapsed()
    };
    assert!(
        ask(&mut stream) >= Duration::from_millis(80),
        "opening the connection and asking are two round trips"
    );
    assert!(ask(&mut stream) >= Duration::from_millis(40));
    // Read by read it would take 100 round trips: 4 s.
    let sent = Instant::now();
    let mut back = stream.try_clone().unwrap();
    let block = vec![1; 64 << 10];
    let writer = thread::spawn(move || (0..100).for_each(|_| stream.write_all(&block).unwrap()));
    back.read_exact(&mut vec![0; 100 * (64 << 10)]).unwrap();
    writer.join().unwrap();
    assert!(sent.elapsed() < Duration::from_secs(3), "{:?}", sent.elapsed());
    drop(proxy.stdin.take());
    assert!(proxy.wait().unwrap().success());
}
