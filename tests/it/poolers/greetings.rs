//! Greetings that name another version than the server's, as a pooler's may that greeted before an
//! upgrade, and as forks do.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::{SETUP, oldest_and_newest};
use crate::pair::{Pair, contents};
use crate::support::Silverback;

/// A way to the server on which its greeting names a version of the same length.
fn greets_as(port: u16, version: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let ours = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let far = TcpStream::connect(("127.0.0.1", port)).expect("the server is there");
            let (near_again, far_again, version) = (
                near.try_clone().expect("cloned"),
                far.try_clone().expect("cloned"),
                version.clone(),
            );
            std::thread::spawn(move || pass(near, far, |_| ()));
            std::thread::spawn(move || {
                pass(far_again, near_again, |bytes| rename(bytes, &version));
            });
        }
    });
    ours
}

fn pass(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&mut [u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        change(&mut buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// The greeting comes in one piece.
fn rename(bytes: &mut [u8], version: &str) {
    let name = b"\0server_version\0";
    let name = &name[1..];
    if let Some(at) = bytes.windows(name.len()).position(|window| window == name) {
        let value = &mut bytes[at + name.len()..];
        value[..version.len()].copy_from_slice(version.as_bytes());
    }
}

#[test]
fn a_greeting_with_another_version_changes_nothing() {
    for version in oldest_and_newest() {
        let server = testkit::server(version);
        let pair = Pair::on(server, SETUP);
        pair.dump().run().expect(0);
        // Newer than it is, older, and no number at all.
        for (at, greeting) in ["99", "12", "??"].into_iter().enumerate() {
            let port = greets_as(server.port(), greeting.to_owned());
            let url = format!(
                "postgresql://{}@127.0.0.1:{port}/{}?sslmode=disable",
                pair.owner.name(),
                pair.source.name()
            );
            let file = pair.path(&format!("{at}.sbk"));
            Silverback::new(["dump", "-j", "2", "-d", &url, "-f"]).arg(&file).run().expect(0);
            assert_eq!(
                contents(&file),
                contents(&pair.file()),
                "PostgreSQL {version} that greets as {greeting}"
            );
        }
    }
}
