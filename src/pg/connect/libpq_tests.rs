use super::*;
use crate::pg::connect::tls::{Mode, Root};

fn resolved(text: &str, variables: &[(&str, &str)]) -> Result<Resolved> {
    let mut all = vec![("USER", "me")];
    all.extend_from_slice(variables);
    resolve(vec![("-d".to_owned(), conninfo::parse(text).expect(text))], &Environment::of(&all))
}

fn check_place(text: &str, variables: &[(&str, &str)], expect: &str) {
    assert_eq!(resolved(text, variables).expect(text).target.describe(), expect, "{text}");
}

fn check_refused(text: &str, variables: &[(&str, &str)], cause: &str) {
    let error = resolved(text, variables).expect_err(text);
    assert!(error.to_string().contains(cause), "{text}: {error}");
    assert_eq!(error.kind(), Kind::Usage, "{text}");
}

#[test]
fn finds_the_place() {
    check_place("host=h", &[], "me@h:5432/me");
    check_place("host=h user=u", &[], "u@h:5432/u");
    check_place("host=h user=u dbname=d port=6", &[], "u@h:6/d");
    check_place(
        "host=h",
        &[("PGHOST", "x"), ("PGPORT", "7"), ("PGDATABASE", "d"), ("PGUSER", "u")],
        "u@h:7/d",
    );
    check_place("host=a,b port=1,2", &[], "me@a:1,b:2/me");
    check_place("host=a,b port=1", &[], "me@a:1,b:1/me");
    check_place("host=a,b port=1,", &[], "me@a:1,b:5432/me");
    check_place("host=/run/pg", &[], "me@/run/pg:5432/me");
    check_place("hostaddr=::1", &[], "me@[::1]:5432/me");
    check_place("host=n hostaddr=10.0.0.1", &[], "me@n:5432/me");
    check_place("postgresql://%2Frun%2Fpg/d", &[], "me@/run/pg:5432/d");
    check_place(
        "host='' port=1",
        &[("PGHOST", "x")],
        &format!("me@{}:1/me", default_socket_folder(1).display()),
    );
}

#[test]
fn a_given_address_is_not_resolved() {
    let target = resolved("host=n hostaddr=10.0.0.1", &[]).expect("resolved").target;
    let expect =
        Place::Tcp { name: "n".into(), address: Some("10.0.0.1".parse().expect("an address")) };
    assert_eq!(target.hosts[0].place, expect);
}

#[test]
fn refuses_what_does_not_fit() {
    check_refused("host=a,b hostaddr=10.0.0.1", &[], "as many entries");
    check_refused("host=a,b port=1,2,3", &[], "3 ports for 2 hosts");
    check_refused("host=a port=x", &[], "port = \"x\" (from -d)");
    check_refused("host=a port=0", &[], "between 1 and 65535");
    check_refused("host=a port=70000", &[], "port");
    check_refused("hostaddr=name", &[], "hostaddr");
    check_refused("host=@abstract", &[], "abstract");
    check_refused("host=a connect_timeout=soon", &[], "connect_timeout");
    check_refused("host=a sslmode=on", &[], "expected one of disable");
    check_refused("host=a sslmode=require sslrootcert=system", &[], "too weak");
    check_refused("host=a sslmode=prefer sslnegotiation=direct", &[], "needs sslmode=require");
    check_refused("host=a sslmode=verify-ca", &[], "no root certificate");
    check_refused("host=a sslmode=verify-ca sslrootcert=/nowhere/ca", &[], "does not exist");
    check_refused("host=a sslcert=/nowhere/crt", &[], "does not exist");
    check_refused(
        "host=a ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
        &[],
        "below",
    );
    check_refused("host=a target_session_attrs=master", &[], "expected one of any");
}

#[test]
fn refuses_what_it_cannot_honour() {
    check_refused(
        "host=a",
        &[("PGGSSENCMODE", "require")],
        "gssencmode = \"require\" (from PGGSSENCMODE)",
    );
    check_refused("host=a", &[("PGREQUIREAUTH", "scram")], "there is no method \"scram\"");
    check_refused("host=a require_auth=md5,!password", &[], "side by side");
    check_refused("host=a require_auth=!md5,password", &[], "side by side");
    check_refused("host=a require_auth=md5,md5", &[], "twice");
    check_refused(
        "host=a sslmode=verify-full sslrootcert=/dev/null sslcrl=/nowhere/crl",
        &[],
        "/nowhere/crl does not exist",
    );
    check_refused(
        "host=a sslmode=verify-full sslrootcert=/dev/null sslcrldir=/nowhere",
        &[],
        "sslcrldir",
    );
    check_refused("host=a krbsrvname=x", &[], "Kerberos");
    check_refused("host=a", &[("PGCLIENTENCODING", "LATIN1")], "UTF8");
    check_refused("host=a replication=database", &[], "replication");
    check_refused("host=a hots=b", &[], "no connection parameter \"hots\"");
    for harmless in [
        "gssencmode=prefer",
        "client_encoding=UTF8",
        "require_auth=scram-sha-256 channel_binding=require",
        "sslcrl=''",
        "sslcrl=unused",
    ] {
        resolved(&format!("host=a {harmless}"), &[]).expect(harmless);
    }
}

#[test]
fn modes_and_roots() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().to_str().expect("UTF-8").to_owned();
    let mode = |text: &str| resolved(text, &[("HOME", &home)]).expect(text).target.tls;
    assert_eq!(mode("host=a").mode, Mode::Prefer);
    assert_eq!(mode("host=a sslmode=require").mode, Mode::Require);
    assert_eq!(mode("host=a sslrootcert=system").roots, [Root::System]);
    assert_eq!(mode("host=a sslrootcert=system").mode, Mode::VerifyFull);
    assert_eq!(mode("host=/tmp sslmode=verify-full").mode, Mode::Disable, "sockets need no TLS");
    std::fs::create_dir(folder.path().join(".postgresql")).expect("made");
    let root = folder.path().join(".postgresql/root.crt");
    std::fs::write(&root, "").expect("written");
    assert_eq!(
        mode("host=a sslmode=require").mode,
        Mode::VerifyCa,
        "libpq's rule when a root certificate is there"
    );
    assert_eq!(mode("host=a sslmode=verify-full").roots, [Root::File(root.clone())]);
    assert!(mode("host=a").roots.is_empty());
    assert!(mode("host=a sslmode=verify-full").revoked.is_empty());
    let list = folder.path().join(".postgresql/root.crl");
    std::fs::write(&list, "").expect("written");
    assert_eq!(mode("host=a sslmode=verify-full").revoked, std::slice::from_ref(&list));
    assert_eq!(
        mode(&format!("host=a sslmode=verify-full sslcrl={}", root.display())).revoked,
        std::slice::from_ref(&root)
    );
    let directory = format!("host=a sslmode=verify-full sslcrldir={home}/.postgresql");
    assert_eq!(mode(&directory).revoked, [list, root]);
    assert!(mode("host=a").revoked.is_empty(), "nothing is verified");
}

#[test]
fn methods_of_authentication() {
    let methods = |text: &str, variables: &[(&str, &str)]| {
        resolved(text, variables).expect(text).target.require_auth
    };
    assert_eq!(methods("host=a", &[]), None);
    assert_eq!(methods("host=a require_auth=''", &[]), None);
    assert_eq!(methods("host=a", &[("PGREQUIREAUTH", "scram-sha-256")]), Some(vec![Method::Scram]));
    assert_eq!(methods("host=a require_auth=md5,none", &[]), Some(vec![Method::None, Method::Md5]));
    let but = methods("host=a require_auth=!password,!md5,!none", &[]).expect("restricted");
    assert_eq!(but, [Method::Gss, Method::Sspi, Method::Scram, Method::Oauth]);
}

#[test]
fn each_host_has_its_own_password() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("pass");
    std::fs::write(&file, "a:1:d:u:one\nlocalhost:*:d:u:socket\n").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    let variables = [("PGPASSFILE", file.to_str().expect("UTF-8"))];
    let found = resolved("host=a,b,/tmp port=1 user=u dbname=d", &variables).expect("resolved");
    let passwords: Vec<Option<&str>> = found
        .target
        .hosts
        .iter()
        .map(|host| host.password.as_ref().and_then(|password| password.secret.text()))
        .collect();
    assert_eq!(passwords, [Some("one"), None, Some("socket")]);
    let given =
        resolved("host=a,b port=1 user=u dbname=d password=all", &variables).expect("resolved");
    assert!(
        given.target.hosts.iter().all(|host| host
            .password
            .as_ref()
            .is_some_and(|known| known.secret.expose() == b"all"))
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let found = resolved("host=a port=1 user=u dbname=d", &variables).expect("resolved");
    assert!(found.warnings[0].contains("0644") && found.target.hosts[0].password.is_none());
}

#[test]
fn times() {
    let target = |text: &str| resolved(text, &[]).expect(text).target;
    assert_eq!(target("host=a").timeout, Some(TIMEOUT));
    assert_eq!(target("host=a connect_timeout=3").timeout, Some(Duration::from_secs(3)));
    assert_eq!(target("host=a connect_timeout=0").timeout, None);
    assert_eq!(target("host=a").keepalives, Some(Keepalives::default()));
    assert_eq!(target("host=a keepalives=0").keepalives, None);
    assert_eq!(target("host=a keepalives_count=9").keepalives.expect("on").retries, 9);
    assert_eq!(
        target("host=a tcp_user_timeout=1500").tcp_user_timeout,
        Some(Duration::from_millis(1500))
    );
    assert_eq!(target("host=a").application_name, "silverback");
    assert_eq!(target("host=a fallback_application_name=x").application_name, "x");
}

#[test]
fn needs_a_user() {
    let error = resolve(Vec::new(), &Environment::default()).expect_err("no user");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("-U")));
}
