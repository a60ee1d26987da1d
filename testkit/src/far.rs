//! A server that seems far away: every byte arrives later, and none waits for those before it
//! longer than a rate and a window make it.
//!
//! Does not know: the protocol that it carries. `testkit::Proxy`, which misbehaves on demand, holds
//! each read back before it reads on; that limits bandwidth as well, and is no distance.

mod link;
mod window;

use std::io::{BufRead, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use link::Link;
use window::{Acknowledged, Window};

use crate::{Options, print, usage};

/// One read at most: what connections that share a link wait for each other.
const READ_BYTES: usize = 16 << 10;
/// Reads that are on their way in one direction of one connection.
const READS_MAX: usize = 4096;

/// Prints the port of a proxy to `--port` of 127.0.0.1 that adds `--round-trip-ms`, half of it each
/// way. Each way carries `--mbit` of all connections together, and of each connection at most
/// `--window` bytes that are not acknowledged. It serves until its standard input ends, and answers
/// each line of it with what went either way since the line before.
pub(crate) fn run(options: &Options) -> ExitCode {
    let Some(port) = options.get("--port").and_then(|port| port.parse().ok()) else {
        return usage("--port PORT is missing");
    };
    let Some(millis) = options
        .get("--round-trip-ms")
        .and_then(|millis| millis.parse::<f64>().ok())
        .filter(|millis| (0.0..=60_000.0).contains(millis))
    else {
        return usage("--round-trip-ms MILLISECONDS is missing");
    };
    let mbit = options.get("--mbit").map(|mbit| mbit.parse::<f64>());
    let mbit = match mbit {
        None => None,
        Some(Ok(mbit)) if (0.001..=1_000_000.0).contains(&mbit) => Some(mbit),
        Some(_) => return usage("--mbit is no number of millions of bits a second"),
    };
    let window_bytes = match options.get("--window").map(|bytes| bytes.parse()) {
        None => usize::MAX,
        Some(Ok(bytes @ 1..)) => bytes,
        Some(_) => return usage("--window is no number of bytes"),
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of 127.0.0.1 is free");
    print(&listener.local_addr().expect("a listener has an address").port().to_string());
    let delay = Duration::from_secs_f64(millis / 2000.0);
    let [to_server, to_client] = [(); 2].map(|()| Arc::new(Link::new(mbit)));
    let way = Way { delay, window_bytes, to_server, to_client };
    let carried = way.clone();
    thread::spawn(move || accept(&listener, port, &way));
    for _ in std::io::stdin().lock().lines().map_while(Result::ok) {
        print(
            &serde_json::json!({
                "to_server": carried.to_server.traffic(), "to_client": carried.to_client.traffic(),
            })
            .to_string(),
        );
    }
    ExitCode::SUCCESS
}

/// What lies between a client and the server; the links are those of all connections.
#[derive(Clone)]
struct Way {
    delay: Duration,
    window_bytes: usize,
    to_server: Arc<Link>,
    to_client: Arc<Link>,
}

fn accept(listener: &TcpListener, port: u16, way: &Way) {
    while let Ok((client, _)) = listener.accept() {
        // The client sees what it would see without us: an end.
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
            continue;
        };
        let (there, back) = (way.clone(), way.clone());
        thread::spawn(move || {
            // Opening the connection would have been a round trip.
            thread::sleep(there.delay * 2);
            carry(from_client, server, &there, &there.to_server);
        });
        thread::spawn(move || carry(from_server, client, &back, &back.to_client));
    }
}

/// One direction of one connection.
fn carry(mut from: TcpStream, to: TcpStream, way: &Way, link: &Link) {
    let (sender, receiver) = mpsc::sync_channel(READS_MAX);
    let (acknowledge, acknowledged) = mpsc::channel();
    let delay = way.delay;
    thread::spawn(move || deliver(&receiver, to, delay, &acknowledge));
    let mut window = Window::new(way.window_bytes, acknowledged);
    let mut buffer = vec![0; READ_BYTES];
    // Without room the other end is gone.
    while let Some(room_bytes) = window.room() {
        let Ok(read @ 1..) = from.read(&mut buffer[..room_bytes.min(READ_BYTES)]) else { break };
        let arrives = link.send(read) + delay;
        // Fails when the other end is gone.
        if sender.send((arrives, buffer[..read].to_vec())).is_err() {
            break;
        }
        window.sent(read);
    }
    let _ = from.shutdown(Shutdown::Read);
}

fn deliver(
    receiver: &mpsc::Receiver<(Instant, Vec<u8>)>,
    mut to: TcpStream,
    delay: Duration,
    acknowledge: &mpsc::Sender<Acknowledged>,
) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
        // Nobody asks any more when the sender has ended.
        let _ = acknowledge.send(Acknowledged { at: Instant::now() + delay, bytes: bytes.len() });
    }
    let _ = to.shutdown(Shutdown::Write);
}
