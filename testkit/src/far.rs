//! A server that seems far away: every byte arrives later, and none waits for those before it.
//! Bandwidth is not limited.
//!
//! Does not know: the protocol that it carries. `testkit::Proxy`, which misbehaves on demand, holds
//! each read back before it reads on; that limits bandwidth as well, and is no distance.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Options, print, usage};

/// One read at most.
const READ_BYTES: usize = 64 << 10;
/// Reads that are on their way in one direction of one connection.
const READS_MAX: usize = 1024;

/// Prints the port of a proxy to `--port` of 127.0.0.1 that adds `--round-trip-ms`, half of it each
/// way; it serves until its standard input ends.
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
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of 127.0.0.1 is free");
    print(&listener.local_addr().expect("a listener has an address").port().to_string());
    let delay = Duration::from_secs_f64(millis / 2000.0);
    thread::spawn(move || accept(&listener, port, delay));
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    ExitCode::SUCCESS
}

fn accept(listener: &TcpListener, port: u16, delay: Duration) {
    while let Ok((client, _)) = listener.accept() {
        // The client sees what it would see without us: an end.
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
            continue;
        };
        thread::spawn(move || {
            // Opening the connection would have been a round trip.
            thread::sleep(delay * 2);
            carry(from_client, server, delay);
        });
        thread::spawn(move || carry(from_server, client, delay));
    }
}

/// One direction of one connection.
fn carry(mut from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::sync_channel(READS_MAX);
    thread::spawn(move || deliver(&receiver, to));
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        // Fails when the other end is gone.
        if sender.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Read);
}

fn deliver(receiver: &mpsc::Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
