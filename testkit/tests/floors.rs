//! What benches hold Silverback against: COPYs whose rows nobody keeps, and a server that seems far
//! away.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
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
    let far = Far::start(&["--round-trip-ms", "40"]);
    let mut stream = far.connect();
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
    // Read by read it would take 400 round trips: 16 s.
    let took = there_and_back(stream, 100 * (64 << 10));
    assert!(took < Duration::from_secs(3), "{took:?}");
    far.stop();
}

#[test]
fn connections_share_a_rate_and_none_has_more_on_its_way_than_its_window() {
    // 80 million bits are 10 million bytes.
    let mut far = Far::start(&["--round-trip-ms", "0", "--mbit", "80"]);
    let began = Instant::now();
    let both = [far.connect(), far.connect()]
        .map(|stream| thread::spawn(move || there_and_back(stream, 1_000_000)));
    for one in both {
        one.join().unwrap();
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(200), "two million bytes came in {took:?}");
    let traffic = far.traffic();
    for direction in ["to_server", "to_client"] {
        assert_eq!(traffic[direction]["bytes"], 2_000_000);
        let mbit = traffic[direction]["mbit"].as_f64().unwrap();
        assert!(mbit > 0.0 && mbit < 80.01, "{direction}: {mbit}");
    }
    assert_eq!(far.traffic()["to_server"]["bytes"], 0, "it was told");
    far.stop();

    // Of ten windows nine wait until the one before them is acknowledged.
    let far = Far::start(&["--round-trip-ms", "40", "--window", "65536"]);
    let took = there_and_back(far.connect(), 10 * 65536);
    assert!(took >= Duration::from_millis(9 * 40), "ten windows came in {took:?}");
    far.stop();
}

/// `testkit far` before a server that sends back whatever it gets.
struct Far {
    proxy: Child,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl Far {
    fn start(options: &[&str]) -> Self {
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
            .args(["far", "--port", &port.to_string()])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(proxy.stdout.take().unwrap());
        let port = line(&mut answers).trim().parse().unwrap();
        Self { proxy, answers, port }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    fn traffic(&mut self) -> serde_json::Value {
        self.proxy.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        serde_json::from_str(&line(&mut self.answers)).unwrap()
    }

    fn stop(mut self) {
        drop(self.proxy.stdin.take());
        assert!(self.proxy.wait().unwrap().success());
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}

/// How long it takes until so many bytes have come back.
fn there_and_back(mut stream: TcpStream, bytes: usize) -> Duration {
    let began = Instant::now();
    let mut back = stream.try_clone().unwrap();
    let writer = thread::spawn(move || stream.write_all(&vec![1; bytes]).unwrap());
    back.read_exact(&mut vec![0; bytes]).unwrap();
    writer.join().unwrap();
    began.elapsed()
}
