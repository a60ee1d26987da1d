//! A proxy that changes one field of one answer on its way from the server.
//!
//! Knows the frames of protocol version 3, DataRow and RowDescription; nothing of SQL. Carries
//! plain text only.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What becomes of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// NULL.
    Null,
    /// Half of its bytes.
    Cut,
    /// Megabytes of the byte 0xFF.
    Huge,
    /// Its column is said to be of another type.
    Type,
}

/// `point`, which no catalog has.
const OTHER_TYPE: u32 = 600;
const HUGE_BYTES: usize = 8 << 20;

/// A proxy on a port of 127.0.0.1; it ends with the process.
pub struct Mutator {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Option<(usize, Mutation)>>,
    fields: AtomicUsize,
    columns: AtomicUsize,
}

impl Mutator {
    /// Starts a proxy to a port of 127.0.0.1.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of 127.0.0.1 is free");
        let own = listener.local_addr().expect("a listener has an address").port();
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                carry(client, server, &accepting);
            }
        });
        Self { port: own, shared }
    }

    /// A connection URL through the proxy.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// From now on the field of this number, counted over all answers, is changed; for
    /// [`Mutation::Type`], the column of this number.
    pub fn arm(&self, plan: Option<(usize, Mutation)>) {
        *self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
        self.shared.fields.store(0, Ordering::SeqCst);
        self.shared.columns.store(0, Ordering::SeqCst);
    }

    /// How many fields, or columns for [`Mutation::Type`], have come since.
    pub fn seen(&self, mutation: Mutation) -> usize {
        let counter =
            if mutation == Mutation::Type { &self.shared.columns } else { &self.shared.fields };
        counter.load(Ordering::SeqCst)
    }
}

fn carry(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let (mut server, mut client) = (server, client);
        while let Some((kind, body)) = message(&mut server) {
            let body = match kind {
                b'D' => shared.row(body),
                b'T' => shared.description(body),
                _ => body,
            };
            let length = u32::try_from(body.len() + 4)
                .expect("it is no longer than it may be")
                .to_be_bytes();
            if client.write_all(&[&[kind], &length[..], &body].concat()).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}

fn message(from: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    from.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut body = vec![0; length.checked_sub(4)?];
    from.read_exact(&mut body).ok()?;
    Some((head[0], body))
}

impl Shared {
    /// The mutation, if it is this one's turn.
    fn turn(&self, counter: &AtomicUsize, is_type: bool) -> Option<Mutation> {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let plan = *self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.filter(|(at, mutation)| *at == number && (*mutation == Mutation::Type) == is_type)
            .map(|(_, mutation)| mutation)
    }

    /// A row: a count of two bytes, and of each field a length of four (-1 is NULL) and the bytes.
    fn row(&self, body: Vec<u8>) -> Vec<u8> {
        let Some((count, mut rest)) = body.split_first_chunk::<2>() else { return body };
        let mut out = count.to_vec();
        for _ in 0..u16::from_be_bytes(*count) {
            let Some((length, after)) = rest.split_first_chunk::<4>() else { return body };
            let bytes = usize::try_from(i32::from_be_bytes(*length)).ok();
            let Some((value, after)) = after.split_at_checked(bytes.unwrap_or(0)) else {
                return body;
            };
            rest = after;
            let value = match self.turn(&self.fields, false) {
                Some(Mutation::Cut) => bytes.map(|bytes| value[..bytes / 2].to_vec()),
                Some(Mutation::Huge) => Some(vec![0xff; HUGE_BYTES]),
                Some(_) => None,
                None => bytes.map(|_| value.to_vec()),
            };
            let length =
                value.as_ref().map_or(-1, |value| i32::try_from(value.len()).expect("8 MiB"));
            out.extend(length.to_be_bytes());
            out.extend(value.unwrap_or_default());
        }
        out
    }

    /// A description: a count of two bytes, and of each column a name that ends with NUL and 18
    /// bytes, of which 6 to 10 are the type.
    fn description(&self, mut body: Vec<u8>) -> Vec<u8> {
        let mut at = 2;
        while let Some(end) =
            body.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0))
        {
            let of_type = at + end + 7;
            if let (Some(_), Some(place)) =
                (self.turn(&self.columns, true), body.get_mut(of_type..of_type + 4))
            {
                place.copy_from_slice(&OTHER_TYPE.to_be_bytes());
            }
            at += end + 19;
        }
        body
    }
}
