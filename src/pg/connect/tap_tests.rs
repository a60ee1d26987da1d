use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use super::*;
use crate::pg::connect::pace::Pace;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    out.extend_from_slice(body);
    out
}

fn guard() -> Guard {
    let mut guard = Guard::new(None);
    guard.judge(b'Z', 1, b"I").expect("the session is ready");
    guard
}

/// Writes bytes in pieces of `step`, so that every message is cut at some time.
fn server(bytes: Vec<u8>, step: usize) -> DuplexStream {
    let (near, mut far) = duplex(64);
    tokio::spawn(async move {
        for piece in bytes.chunks(step) {
            far.write_all(piece).await.expect("the other end is read");
        }
    });
    near
}

async fn taken(taker: &Taker) -> Taken {
    std::future::poll_fn(|cx| taker.poll_taken(cx)).await
}

#[tokio::test]
async fn rows_go_to_the_taker_and_all_else_to_the_driver() {
    for step in [1, 2, 3, 5, 7, 64] {
        let rows = [&b"first"[..], b"second", b"a row longer than the others", b""];
        let mut bytes = b"N".to_vec();
        bytes.extend(message(b'H', &[0, 0, 0]));
        for row in rows {
            bytes.extend(message(COPY_DATA, row));
        }
        bytes.extend(message(COPY_DONE, b""));
        bytes.extend(message(b'Z', b"T"));
        // A rate that is bounded changes nothing but the time.
        let paced = (step > 3).then(|| Paced::new(Arc::new(Pace::new(64 << 10))));
        let (mut tap, taker) = Tap::new(server(bytes, step), 1, guard(), paced);
        taker.hold();
        let driver = tokio::spawn(async move {
            let mut out = Vec::new();
            tap.read_to_end(&mut out).await.map(|_| out)
        });
        taker.grant(Vec::new(), 12);
        assert_eq!(taken(&taker).await, Taken::Full(b"firstsecond".to_vec()));
        taker.grant(Vec::new(), 12);
        assert_eq!(taken(&taker).await, Taken::Large(28));
        assert_eq!(taker.ended(), None);
        taker.grant(Vec::new(), 28);
        let out = driver.await.expect("no panic").expect("read");
        assert_eq!(taker.ended(), Some(rows[2].to_vec()));
        assert_eq!(
            out,
            [
                b"N".to_vec(),
                message(b'H', &[0, 0, 0]),
                message(COPY_DONE, b""),
                message(b'Z', b"T")
            ]
            .concat()
        );
    }
}

#[tokio::test]
async fn the_greeting_is_passed_on_and_its_process_noted() {
    for step in [1, 4, 64] {
        let key = [77_777_i32.to_be_bytes(), [1, 2, 3, 4]].concat();
        let bytes = [
            message(b'S', b"a\0b\0"),
            message(BACKEND_KEY_DATA, &key),
            message(BACKEND_KEY_DATA, b"cut"),
            message(b'Z', b"I"),
        ]
        .concat();
        let (mut tap, taker) = Tap::new(server(bytes.clone(), step), 0, guard(), None);
        assert_eq!(taker.greeted_pid(), None);
        let mut out = Vec::new();
        tap.read_to_end(&mut out).await.expect("read");
        assert_eq!((out, taker.greeted_pid()), (bytes, Some(77_777)));
    }
}

#[tokio::test]
async fn nothing_is_read_without_a_grant() {
    let bytes =
        [message(b'N', b"note"), message(COPY_DATA, b"row"), message(COPY_DONE, b"")].concat();
    let (mut tap, taker) = Tap::new(server(bytes, 64), 0, guard(), None);
    taker.hold();
    let mut out = [0; 64];
    assert_eq!(tap.read(&mut out).await.expect("the notice"), 9);
    let waited = timeout(Duration::from_millis(50), tap.read(&mut out)).await;
    assert!(waited.is_err(), "{waited:?}");
    taker.grant(Vec::new(), 3);
    assert_eq!(tap.read(&mut out).await.expect("the end"), 5);
    assert_eq!(taker.ended(), Some(b"row".to_vec()));
}

#[tokio::test]
async fn the_end_of_a_second_copy_waits_for_its_own_grant() {
    let bytes =
        [message(COPY_DATA, b"row"), message(COPY_DONE, b""), message(COPY_DONE, b"")].concat();
    let (mut tap, taker) = Tap::new(server(bytes, 64), 0, guard(), None);
    taker.hold();
    taker.grant(Vec::new(), 3);
    let mut out = [0; 64];
    assert_eq!(tap.read(&mut out).await.expect("the first end"), 5);
    assert!(timeout(Duration::from_millis(50), tap.read(&mut out)).await.is_err());
    assert_eq!(taker.ended(), Some(b"row".to_vec()));
    taker.grant(Vec::new(), 3);
    assert_eq!(tap.read(&mut out).await.expect("the second end"), 5);
    assert_eq!(taker.ended(), Some(Vec::new()));
}

#[tokio::test]
async fn rows_go_to_the_driver_when_nobody_holds_them() {
    let bytes = [message(COPY_DATA, b"row"), message(COPY_DONE, b"")].concat();
    let (mut tap, taker) = Tap::new(server(bytes.clone(), 3), 0, guard(), None);
    taker.hold();
    taker.release();
    let mut out = Vec::new();
    tap.read_to_end(&mut out).await.expect("read");
    assert_eq!(out, bytes);
}
