//! Ctrl-C where a password is asked for.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::{Server, newest};

use super::super::support::temp_dir;

#[test]
fn an_interrupt_at_the_prompt_is_one() {
    let server = Server::spec(newest())
        .conf("password_encryption = 'scram-sha-256'")
        .password("secret")
        .hba("host all all 127.0.0.1/32 scram-sha-256")
        .start();
    let folder = temp_dir();
    let program = env!("CARGO_BIN_EXE_silverback");
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
    // Asked for by the server, and asked for by -W before any server is.
    for asked in ["", "-W "] {
        let line = format!("{program} dump {asked}-d {url} -f never.sbk; echo code $?");
        // A terminal of its own, whose Ctrl-C is a signal to whoever is in its foreground; what
        // runs in the background of a shell would ignore it.
        let mut terminal = Command::new("env")
            .args(["--default-signal=HUP,INT,QUIT", "script", "-qec", &line, "/dev/null"])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env_remove("PGPASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("util-linux has it");
        let mut keys = terminal.stdin.take().expect("piped");
        let mut screen = terminal.stdout.take().expect("piped");
        let mut shown = Vec::new();
        // Until it asks.
        while !shown.ends_with(b"user postgres: ") {
            let mut byte = [0];
            assert_eq!(screen.read(&mut byte).expect("read"), 1, "it ended before it asked");
            shown.extend(byte);
        }
        // It asks first, and only then takes the echo from the terminal.
        std::thread::sleep(Duration::from_millis(500));
        keys.write_all(b"\x03").expect("written");
        screen.read_to_end(&mut shown).expect("read");
        terminal.wait().expect("it ends");
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains("code 130"), "{shown}");
        assert!(!folder.path().join("never.sbk").exists());
    }
}
