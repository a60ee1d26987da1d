//! Who listens and is no server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::invariants::{after_dump, wait_within};
use crate::support::Silverback;

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!(
        "postgresql://nobody@{}/nothing?connect_timeout=2",
        silent.local_addr().expect("a listener has an address")
    );
    let dir = crate::support::temp_dir();
    let file = dir.path().join("silent.sbk");
    let start = Instant::now();
    let outcome =
        wait_within(Silverback::new(["dump", "-d", &url, "-f"]).arg(&file).spawn(), 7).expect(4);
    assert!(start.elapsed() >= Duration::from_secs(2));
    after_dump(&outcome, &file, None);
}

#[test]
fn a_server_that_is_none_is_no_server() {
    let dir = crate::support::temp_dir();
    let answers: [&[u8]; 9] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"R\xff\xff\xff\xff",
        b"R\x7f\xff\xff\xff",
        b"R\0\0\0\x08\0\0\0\x63",
        b"R\0\0\0\x0c\0\0\0\x05abcd",
        b"E\0\0\0\x05\0",
        &[0; 100],
    ];
    for answer in answers {
        let fake = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = fake.local_addr().expect("a listener has an address");
        let url = format!(
            "postgresql://nobody:{}@{address}/nothing?connect_timeout=2&sslmode=disable",
            crate::invariants::SECRET
        );
        let file = dir.path().join("fake.sbk");
        let running = Silverback::new(["dump", "-d", &url, "-f"]).arg(&file).spawn();
        let (mut socket, _) = fake.accept().expect("the run connects");
        let mut start_up = [0; 1000];
        let _ = socket.read(&mut start_up);
        let _ = socket.write_all(answer);
        drop(socket);
        let outcome = wait_within(running, 7).expect(4);
        after_dump(&outcome, &file, None);
    }
}
