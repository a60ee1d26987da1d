//! Opening sessions with real servers: TLS, passwords, sockets, several hosts, and each way it can
//! fail.

mod peers;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use silverback::error::{Error, Kind};
use silverback::pg::connect::secret::Secret;
use silverback::pg::connect::{Server, libpq};
use silverback::pg::session::Purpose;
use silverback::pg::settings::Transaction;
use testkit::tls::{Authority, Certificate};

/// A server with TLS that wants SCRAM passwords, and nothing in plain text except from `plain`.
struct TlsServer {
    server: testkit::Server,
    folder: tempfile::TempDir,
}

/// The number of the server's certificate.
const SERIAL: u64 = 4711;

const PASSWORD: &str = "pass'wörd";

static TLS: LazyLock<TlsServer> =
    LazyLock::new(|| {
        let (authority, stranger) = (Authority::new("authority"), Authority::new("stranger"));
        let server = testkit::Server::spec(testkit::newest())
        .tls(&authority.numbered_server(&["localhost", "db.example"], SERIAL))
        .client_authority(&authority)
        .conf("ssl_max_protocol_version = 'TLSv1.2'\npassword_encryption = 'scram-sha-256'")
        .hba("host all plain 127.0.0.1/32 trust\nhostssl all certified 127.0.0.1/32 cert\nhostssl \
            all all 127.0.0.1/32 scram-sha-256")
        .start();
        let sql = format!(
        "CREATE ROLE plain LOGIN; CREATE ROLE certified LOGIN; CREATE ROLE full LOGIN CONNECTION \
         LIMIT 0 PASSWORD 'x';
         CREATE ROLE kong LOGIN PASSWORD '{}'",
        PASSWORD.replace('\'', "''")
    );
        server.connect("postgres").execute(&sql);
        let folder = super::support::temp_dir();
        std::fs::write(folder.path().join("authority"), authority.pem()).expect("written");
        std::fs::write(folder.path().join("stranger"), stranger.pem()).expect("written");
        write_client(&folder, &authority.client("certified"));
        let lists = folder.path().join("lists");
        std::fs::create_dir(&lists).expect("made");
        for (path, list) in [
            (folder.path().join("none.crl"), authority.revocation_list(&[])),
            (folder.path().join("all.crl"), authority.revocation_list(&[SERIAL])),
            (folder.path().join("other.crl"), stranger.revocation_list(&[])),
            (lists.join("all"), authority.revocation_list(&[SERIAL])),
        ] {
            std::fs::write(path, list).expect("written");
        }
        TlsServer { server, folder }
    });

fn write_client(folder: &tempfile::TempDir, certificate: &Certificate) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(folder.path().join("client.crt"), &certificate.chain_pem).expect("written");
    let key = folder.path().join("client.key");
    std::fs::write(&key, &certificate.key_pem).expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))
        .expect("the file is ours");
}

impl TlsServer {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection string to it; `more` may override what stands before.
    fn conninfo(&self, more: &str) -> String {
        let more = more.replace("{authority}", &self.file("authority").display().to_string());
        let more = more.replace("{folder}", &self.folder.path().display().to_string());
        let more = more.replace("{stranger}", &self.file("stranger").display().to_string());
        let password = PASSWORD.replace('\'', "\\'");
        let port = self.server.port();
        format!(
            "host=localhost hostaddr=127.0.0.1 port={port} user=kong password='{password}' \
             dbname=postgres {more}"
        )
    }
}

/// Opens a session and says whether it is encrypted.
fn open(conninfo: &str) -> Result<bool, Error> {
    let server = Server::from_conninfo(conninfo)?;
    testkit::block_on(async move {
        let session = server.open(Purpose::Dump(&Transaction::default())).await?;
        let row = session
            .query_one(
                "look",
                "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()",
            )
            .await?;
        row.get(0)
    })
}

#[track_caller]
fn check_open(conninfo: &str, encrypted: bool) {
    let found = open(conninfo)
        .unwrap_or_else(|error| panic!("{conninfo}: {error} ({:?})", error.hint_text()));
    assert_eq!(found, encrypted, "{conninfo}");
}

#[track_caller]
fn check_refused(conninfo: &str, cause: &str, hint: &str) -> Error {
    let error = open(conninfo).expect_err(conninfo);
    assert_eq!(error.kind(), Kind::Connect, "{error}");
    assert!(error.to_string().contains(cause), "{conninfo}: {error}");
    assert!(
        error.hint_text().unwrap_or_default().contains(hint),
        "{conninfo}: {error}: {:?}",
        error.hint_text()
    );
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
    error
}

#[test]
fn modes_of_tls() {
    let tls = |more| TLS.conninfo(more);
    for mode in [
        "sslmode=allow",
        "sslmode=prefer",
        "sslmode=require",
        "",
        "sslmode=prefer sslrootcert={stranger}",
    ] {
        check_open(&tls(mode), true);
    }
    check_open(&tls("sslmode=verify-ca sslrootcert={authority}"), true);
    check_open(&tls("sslmode=verify-full sslrootcert={authority}"), true);
    check_open(&tls("sslmode=verify-full sslrootcert={authority} host=db.example"), true);
    check_open(&tls("sslmode=verify-ca sslrootcert={authority} host=wrong.example"), true);
    check_open(&tls("sslmode=require sslrootcert={authority} host=wrong.example"), true);
    check_open(&tls("sslmode=allow user=plain"), false);
    check_open(&tls("sslmode=disable user=plain"), false);
    check_refused(&tls("sslmode=disable"), "no pg_hba.conf entry", "pg_hba.conf");
    check_refused(
        &tls("sslmode=verify-full sslrootcert={authority} host=wrong.example"),
        "not made out for wrong.example",
        "by the name",
    );
    check_refused(
        &tls("sslmode=verify-full sslrootcert={authority} host=127.0.0.1"),
        "not made out for 127.0.0.1",
        "by the name",
    );
    check_refused(
        &tls("sslmode=verify-ca sslrootcert={stranger}"),
        "not signed by a trusted authority",
        "sslrootcert",
    );
    check_refused(
        &tls("sslmode=require sslrootcert={stranger}"),
        "not signed by a trusted authority",
        "sslrootcert",
    );
}

#[test]
fn a_failed_handshake_falls_back_only_where_it_may() {
    let tls =
        |more: &str| TLS.conninfo(&format!("user=plain ssl_min_protocol_version=TLSv1.3 {more}"));
    check_open(&tls("sslmode=prefer"), false);
    check_refused(&tls("sslmode=require"), "TLS", "");
}

#[test]
fn channel_binding() {
    check_open(&TLS.conninfo("channel_binding=require"), true);
    check_open(&TLS.conninfo("channel_binding=disable"), true);
    check_refused(
        &TLS.conninfo("channel_binding=require user=plain"),
        "did not use channel binding",
        "SCRAM",
    );
}

#[test]
fn client_certificates() {
    let own = format!(
        "user=certified sslcert={} sslkey={}",
        TLS.file("client.crt").display(),
        TLS.file("client.key").display()
    );
    check_open(&TLS.conninfo(&own), true);
    check_refused(&TLS.conninfo("user=certified sslmode=require"), "certificate", "sslcert");
}

#[test]
fn a_certificate_that_signs_itself_is_trusted_by_name_of_file() {
    let authority = Authority::new("self.example");
    let server = testkit::Server::spec(testkit::newest()).tls(&authority.itself()).start();
    let folder = super::support::temp_dir();
    let root = folder.path().join("root");
    std::fs::write(&root, authority.pem()).expect("written");
    let base = format!(
        "hostaddr=127.0.0.1 port={} user=postgres sslrootcert={}",
        server.port(),
        root.display()
    );
    check_open(&format!("{base} host=any sslmode=verify-ca"), true);
    check_open(&format!("{base} host=self.example sslmode=verify-full"), true);
    check_refused(
        &format!("{base} host=other.example sslmode=verify-full"),
        "not made out for other.example",
        "by the name",
    );
    std::fs::write(&root, Authority::new("self.example").pem()).expect("written");
    check_refused(
        &format!("{base} host=self.example sslmode=verify-ca"),
        "certificate",
        "sslrootcert",
    );
}

#[test]
fn an_expired_certificate() {
    let authority = Authority::new("authority");
    let server = testkit::Server::spec(testkit::newest())
        .tls(&authority.expired_server(&["localhost"]))
        .start();
    let folder = super::support::temp_dir();
    let root = folder.path().join("root");
    std::fs::write(&root, authority.pem()).expect("written");
    let base = format!("host=localhost hostaddr=127.0.0.1 port={} user=postgres", server.port());
    check_open(&format!("{base} sslmode=require"), true);
    check_refused(
        &format!("{base} sslmode=verify-ca sslrootcert={}", root.display()),
        "expired",
        "clock",
    );
    // PostgreSQL 17 knows TLS without asking first; older servers take it for nonsense.
    let direct = format!("{base} sslmode=require sslnegotiation=direct");
    if server.version() >= 17 {
        check_open(&direct, true);
    } else {
        drop(check_refused(&direct, "", ""));
    }
}

#[test]
fn a_server_without_tls() {
    let server = testkit::newest_server();
    let base = format!("host=127.0.0.1 port={} user=postgres", server.port());
    for mode in ["disable", "allow", "prefer"] {
        check_open(&format!("{base} sslmode={mode}"), false);
    }
    check_refused(&format!("{base} sslmode=require"), "does not offer TLS", "ssl = on");
    check_refused(&format!("{base} channel_binding=require"), "did not use channel binding", "TLS");
    let socket = format!(
        "host={} port={} user=postgres sslmode=verify-full",
        server.socket_dir().display(),
        server.port()
    );
    check_open(&socket, false);
    check_open(&format!("postgresql://postgres@localhost:{}/postgres", server.port()), false);
}

#[test]
fn refusals_of_the_server() {
    let wrong = check_refused(
        &TLS.conninfo("password=wrong"),
        "password authentication failed",
        "the connection string",
    );
    assert_eq!(wrong.sqlstate(), Some("28P01"));
    check_refused(
        &TLS.conninfo("password=''"),
        "asks for a password, and none is given",
        "PGPASSWORD",
    );
    check_refused(
        &TLS.conninfo("user=plain dbname=nowhere"),
        "\"nowhere\" does not exist",
        "create it",
    );
    check_refused(&TLS.conninfo("user=full password=x"), "too many connections", "-j");
    let server = testkit::newest_server();
    check_refused(
        &format!("host=127.0.0.1 port={} user=nobody_here", server.port()),
        "role \"nobody_here\" does not exist",
        "LOGIN",
    );
}

#[test]
fn a_typed_password_is_asked_for_once() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    #[expect(clippy::unnecessary_wraps, reason = "the type that Server asks for")]
    fn ask(prompt: &str) -> std::io::Result<Secret> {
        assert_eq!(prompt, "Password for user kong: ");
        ASKED.fetch_add(1, Ordering::SeqCst);
        Ok(Secret::new(PASSWORD))
    }
    let target = libpq::resolve_string(&TLS.conninfo("password=''")).expect("resolved").target;
    let server = Server::new(target, Some(ask)).expect("a server");
    testkit::block_on(async move {
        let transaction = Transaction::default();
        let (first, second) =
            tokio::join!(server.open(Purpose::Dump(&transaction)), server.open(Purpose::Restore));
        first.expect("opened");
        second.expect("opened");
        server.open(Purpose::Dump(&transaction)).await.expect("opened");
    });
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
}

#[test]
fn only_admitted_methods_are_answered() {
    check_open(&TLS.conninfo("sslmode=require require_auth=scram-sha-256"), true);
    check_open(&TLS.conninfo("sslmode=require require_auth=!password,!md5"), true);
    check_refused(
        &TLS.conninfo("sslmode=require require_auth=md5"),
        "the authentication scram-sha-256",
        "PGREQUIREAUTH",
    );
    check_refused(
        &TLS.conninfo("user=plain sslmode=disable require_auth=scram-sha-256"),
        "does not ask who we are",
        "PGREQUIREAUTH",
    );
}

#[test]
fn revoked_certificates_are_refused() {
    let verified = "sslmode=verify-full sslrootcert={authority}";
    check_open(&TLS.conninfo(&format!("{verified} sslcrl={{folder}}/none.crl")), true);
    check_refused(
        &TLS.conninfo(&format!("{verified} sslcrl={{folder}}/all.crl")),
        "is revoked",
        "new one",
    );
    check_refused(
        &TLS.conninfo(&format!("{verified} sslcrldir={{folder}}/lists")),
        "is revoked",
        "new one",
    );
    check_refused(
        &TLS.conninfo(&format!("{verified} sslcrl={{folder}}/other.crl")),
        "is not known",
        "sslcrl",
    );
    check_open(&TLS.conninfo("sslmode=require sslcrl={folder}/all.crl"), true);
}

#[test]
fn kinds_of_servers() {
    let base = format!("host=127.0.0.1 port={} user=postgres", testkit::newest_server().port());
    let read_only = "options='-c default_transaction_read_only=on'";
    for wish in ["any", "read-write", "primary", "prefer-standby"] {
        check_open(&format!("{base} target_session_attrs={wish}"), false);
    }
    check_open(&format!("{base} target_session_attrs=read-only {read_only}"), false);
    check_refused(&format!("{base} target_session_attrs=read-write {read_only}"), "read-only", "");
    check_refused(&format!("{base} target_session_attrs=standby"), "it is a primary", "");
}
