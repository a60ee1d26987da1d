//! A TCP proxy that misbehaves on demand.
//!
//! Does not know: the protocol that it carries.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happens at the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Both ends see the connection close.
    Close,
    /// Nothing more is carried, either way, and nothing closes.
    Stall,
}

/// Something that befalls a connection.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Which connection, counted from 0 in the order they came; `None` is each.
    pub connection: Option<u64>,
    /// Whose bytes are counted.
    pub direction: Direction,
    /// How many bytes of the connection pass before it happens.
    pub after_bytes: u64,
    /// What happens.
    pub action: Action,
}

/// A proxy on a port of 127.0.0.1; it and all its connections end when it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    streams: Mutex<Vec<TcpStream>>,
    delay_millis: AtomicU64,
    stalled: AtomicBool,
    stopped: AtomicBool,
    connections: AtomicU64,
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
    carried: Mutex<Vec<Arc<Carried>>>,
}

/// What is known of one connection.
#[derive(Default)]
struct Carried {
    up_bytes: AtomicU64,
    down_bytes: AtomicU64,
    stalled: AtomicBool,
}

impl Carried {
    fn bytes(&self, direction: Direction) -> &AtomicU64 {
        if direction == Direction::Up { &self.up_bytes } else { &self.down_bytes }
    }
}

impl Proxy {
    /// Starts a proxy to a port of 127.0.0.1.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of 127.0.0.1 is free");
        let own = listener.local_addr().expect("a listener has an address").port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, port, &accepting));
        Self { port: own, shared }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection URL through the proxy.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// Adds a rule; it holds for open connections too.
    pub fn rule(&self, rule: Rule) {
        lock(&self.shared.rules).push(rule);
    }

    /// Closes each connection once it has carried so many bytes one way.
    pub fn cut_after(&self, direction: Direction, after_bytes: u64) {
        self.rule(Rule { connection: None, direction, after_bytes, action: Action::Close });
    }

    /// Stalls each connection once it has carried so many bytes one way.
    pub fn stall_after(&self, direction: Direction, after_bytes: u64) {
        self.rule(Rule { connection: None, direction, after_bytes, action: Action::Stall });
    }

    /// Holds every read back for so long before it is passed on.
    pub fn delay(&self, delay: Duration) {
        self.shared.delay_millis.store(delay.as_millis() as u64, Ordering::Relaxed);
    }

    /// Stops carrying bytes, or goes on.
    pub fn stall(&self, stalled: bool) {
        self.shared.stalled.store(stalled, Ordering::Relaxed);
    }

    /// How many connections a rule has stalled.
    pub fn stalled_connections(&self) -> usize {
        lock(&self.shared.carried)
            .iter()
            .filter(|connection| connection.stalled.load(Ordering::Relaxed))
            .count()
    }

    /// Takes every rule away, and stalled connections go on.
    pub fn resume(&self) {
        lock(&self.shared.rules).clear();
        self.stall(false);
        for connection in lock(&self.shared.carried).iter() {
            connection.stalled.store(false, Ordering::Relaxed);
        }
    }

    /// Closes every open connection.
    pub fn close(&self) {
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// How many connections there have been.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many bytes have passed one way.
    pub fn carried_bytes(&self, direction: Direction) -> u64 {
        self.shared.carried(direction).load(Ordering::Relaxed)
    }

    /// How many bytes each connection has carried one way, in the order they came.
    pub fn carried_by_connection(&self, direction: Direction) -> Vec<u64> {
        lock(&self.shared.carried)
            .iter()
            .map(|connection| connection.bytes(direction).load(Ordering::Relaxed))
            .collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.close();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn carried(&self, direction: Direction) -> &AtomicU64 {
        if direction == Direction::Up { &self.up_bytes } else { &self.down_bytes }
    }

    /// The first rule that a connection meets in this direction: its byte and what happens there.
    fn next_rule(&self, connection: u64, direction: Direction) -> Option<Rule> {
        let rules = lock(&self.rules);
        let mine = rules.iter().filter(|rule| {
            rule.direction == direction && rule.connection.is_none_or(|which| which == connection)
        });
        mine.min_by_key(|rule| rule.after_bytes).copied()
    }
}

/// What the system may take in beyond what was passed on. Left to itself it takes tens of
/// megabytes, and whoever is stalled sends on.
const BUFFERED_BYTES: usize = 256 << 10;

fn accept(listener: &TcpListener, port: u16, shared: &Arc<Shared>) {
    while let Ok((client, _)) = listener.accept() {
        if shared.stopped.load(Ordering::Relaxed) {
            return;
        }
        // The server may be down: then the client sees what it would see without us, an end.
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
        let connection = shared.connections.fetch_add(1, Ordering::Relaxed);
        let own = Arc::new(Carried::default());
        lock(&shared.carried).push(Arc::clone(&own));
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
            let _ = rustix::net::sockopt::set_socket_recv_buffer_size(stream, BUFFERED_BYTES);
            lock(&shared.streams).extend(stream.try_clone());
        }
        let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
            continue;
        };
        for (from, to, direction) in
            [(from_client, server, Direction::Up), (from_server, client, Direction::Down)]
        {
            let pipe =
                Pipe { shared: Arc::clone(shared), own: Arc::clone(&own), connection, direction };
            thread::spawn(move || pipe.carry(from, to));
        }
    }
}

/// One direction of one connection.
struct Pipe {
    shared: Arc<Shared>,
    own: Arc<Carried>,
    connection: u64,
    direction: Direction,
}

impl Pipe {
    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 << 10];
        let mut passed = 0;
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let delay = self.shared.delay_millis.load(Ordering::Relaxed);
            if delay > 0 {
                thread::sleep(Duration::from_millis(delay));
            }
            self.wait_while_stalled();
            let rule = self.shared.next_rule(self.connection, self.direction);
            let allowed = rule
                .map_or(u64::MAX, |rule| rule.after_bytes.saturating_sub(passed))
                .min(read as u64) as usize;
            if !self.pass(&mut to, &buffer[..allowed]) {
                break;
            }
            passed += allowed as u64;
            if let Some(rule) = rule
                && passed >= rule.after_bytes
            {
                if rule.action == Action::Close {
                    break;
                }
                self.own.stalled.store(true, Ordering::Relaxed);
                self.wait_while_stalled();
                if !self.pass(&mut to, &buffer[allowed..read]) {
                    break;
                }
                passed += (read - allowed) as u64;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Hands bytes on and counts them; `false` when the other end is gone.
    fn pass(&self, to: &mut TcpStream, bytes: &[u8]) -> bool {
        if to.write_all(bytes).is_err() {
            return false;
        }
        self.own.bytes(self.direction).fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.shared.carried(self.direction).fetch_add(bytes.len() as u64, Ordering::Relaxed);
        true
    }

    fn wait_while_stalled(&self) {
        let stalled = || {
            self.own.stalled.load(Ordering::Relaxed) || self.shared.stalled.load(Ordering::Relaxed)
        };
        while stalled() && !self.shared.stopped.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
