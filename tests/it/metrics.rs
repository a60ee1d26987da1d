//! `--metrics-file`: what a monitoring system reads of a run.

use std::collections::BTreeMap;
use std::path::Path;

use super::archives::{check_python, python};
use super::support::{Silverback, dump, restore, temp_dir, verify};

/// Reads a file as OpenMetrics and as Prometheus's older text, which must agree; `name: value`, and
/// the command that all samples are labelled with.
#[track_caller]
fn samples(path: &Path, command: &str) -> BTreeMap<String, f64> {
    const SCRIPT: &str = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as new\n\
        from prometheus_client.parser import text_string_to_metric_families as old\n\
        text = open(sys.argv[1]).read()\n\
        read = lambda parse: sorted((s.name, s.labels['command'], s.value) for f in parse(text) \
        for s in f.samples)\n\
        assert read(new) == read(old)\n\
        assert all(f.type == 'gauge' and f.documentation for f in new(text))\n\
        for name, command, value in read(new): print(name, command, repr(value))\n";
    let output = python().args(["-c", SCRIPT]).arg(path).output().expect("python runs");
    check_python(&String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let sample = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[1], command, "{line}");
        let name = words[0].strip_prefix("silverback_").expect("ours").to_owned();
        (name, words[2].parse().expect("a number"))
    };
    text.lines().map(sample).collect()
}

#[test]
fn figures_are_left_for_prometheus() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("metrics"), server.database("copy"));
    source.execute("CREATE TABLE a AS SELECT generate_series(1, 1000) id; CREATE TABLE b ()");
    let folder = temp_dir();
    let (archive, file) = (folder.path().join("a.sbk"), folder.path().join("dump.prom"));
    let with = |run: Silverback, file: &Path| run.arg("--metrics-file").arg(file).run();
    with(dump(&source, &archive), &file).expect(0);
    let first = samples(&file, "dump");
    assert_eq!(
        (first["last_run_exit_code"], first["last_success_rows"], first["last_success_tables"]),
        (0.0, 1000.0, 2.0)
    );
    let size = std::fs::metadata(&archive).expect("there").len();
    assert!((first["last_success_archive_bytes"] - size as f64).abs() < 0.5);
    assert!(first["last_success_copied_bytes"] > 1000.0);
    assert!(first["last_success_timestamp_seconds"] > 1.7e9);

    // The archive is there: a failure, after which the success of before is still told.
    with(dump(&source, &archive), &file).expect(6);
    let second = samples(&file, "dump");
    assert!((second["last_run_exit_code"] - 6.0).abs() < 0.5);
    for (name, value) in first.iter().filter(|(name, _)| name.starts_with("last_success")) {
        assert!((second[name] - value).abs() < 1e-9, "{name}");
    }
    assert!(second["last_run_timestamp_seconds"] >= first["last_run_timestamp_seconds"]);

    // A file of each command's own; a restore and a verification tell theirs.
    with(verify(&archive), &file).expect(6).says("it holds the metrics of silverback dump");
    let file = folder.path().join("verify.prom");
    with(verify(&archive).arg(&archive), &file).expect(0);
    assert!((samples(&file, "verify")["last_success_rows"] - 2000.0).abs() < 0.5);
    let file = folder.path().join("restore.prom");
    with(restore(&archive, &copy), &file).expect(0);
    assert!((samples(&file, "restore")["last_success_rows"] - 1000.0).abs() < 0.5);
    with(restore(&archive, &copy), &file).expect(6);
    assert!((samples(&file, "restore")["last_run_exit_code"] - 6.0).abs() < 0.5);
    assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 4, "nothing else is left");

    // What only reads tells its own, too.
    let own = |name: &str, words: &[&str]| {
        let file = folder.path().join(name);
        with(Silverback::new(words), &file).expect(0);
        let command = name.strip_suffix(".prom").expect("named so").replace('_', " ");
        let samples = samples(&file, &command);
        std::fs::remove_file(&file).expect("removed");
        samples
    };
    let (name, url) = (archive.to_str().expect("UTF-8"), server.url("postgres", source.name()));
    assert_eq!(own("list.prom", &["list", name]).get("last_success_rows"), Some(&1000.0));
    assert_eq!(own("cat.prom", &["cat", name, "-t", "a"]).get("last_success_rows"), Some(&1000.0));
    for words in [["globals", "-d", &url].as_slice(), &["verify", name]] {
        let samples = own(&format!("{}.prom", words[0]), words);
        assert!(samples.contains_key("last_success_timestamp_seconds"), "{samples:?}");
    }
    with(Silverback::new(["list", name]), &archive).expect(2).says("reads or writes this file");

    // The archive itself is not written over.
    let same = folder.path().join("same.sbk");
    with(dump(&source, &same), &same)
        .expect(2)
        .says("same.sbk: the command reads or writes this file itself");
    assert!(!same.exists());
    let around = folder.path().join("..").join(folder.path().file_name().expect("named"));
    for run in [verify(&archive), restore(&archive, &copy)] {
        with(run, &around.join("a.sbk")).expect(2).says("reads or writes this file");
    }
    verify(&archive).run().expect(0);
    // What a link leads to is what is read.
    let link = folder.path().join("link.prom");
    std::os::unix::fs::symlink(&file, &link).expect("made");
    with(restore(&archive, &copy), &link).expect(6);
    assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
    std::fs::remove_file(&file).expect("removed");
    with(restore(&archive, &copy), &link).expect(8).says("it is a link that leads nowhere");
}

#[test]
fn what_changes_nothing_is_not_measured() {
    for words in
        ["restore --status -d x", "restore x --dry-run -d x", "restore -l x", "swap --dry-run"]
    {
        let words = words.split(' ').chain(["--metrics-file", "x.prom"]);
        Silverback::new(words).run().expect(2).says("--metrics-file");
    }
}
