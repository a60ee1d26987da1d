use super::*;

const FIGURES: Figures =
    Figures { tables: Some(3), rows: Some(1000), raw_bytes: Some(50_000), file_bytes: Some(9000) };

fn run(exit_code: u8, before: Option<Success>) -> Run {
    let now = Success { unix_seconds: 1_800_000_000.5, seconds: 12.25, figures: FIGURES };
    Run { command: "dump", exit_code, now, before }
}

#[test]
fn a_success_is_told() {
    insta::assert_snapshot!(run(0, None).text());
}

#[test]
fn a_failure_keeps_the_success_of_before() {
    let before = success_in(&run(10, None).text());
    assert_eq!(before, Some(run(10, None).now));
    let text = run(5, before).text();
    assert_eq!(success_in(&text), before);
    assert!(text.contains("_exit_code{command=\"dump\"} 5\n"), "{text}");
    assert_eq!(success_in(&run(5, None).text()), None);
    assert!(!run(5, None).text().contains("last_success"));
}

#[test]
fn the_file_is_put_in_place_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("silverback.prom");
    let run = |exit_code, figures| {
        MetricsFile::begin(&path, "dump").unwrap().end(exit_code, figures).unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    let first = run(0, FIGURES);
    assert!(first.ends_with("\n# EOF\n"));
    let failed = run(4, Figures::default());
    assert_eq!(success_in(&failed), success_in(&first));
    assert!(run(0, Figures::default()).contains("last_success_timestamp"));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn what_is_not_ours_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let refused = |path: &Path| MetricsFile::begin(path, "dump").unwrap_err();
    for content in ["precious\n", "# HELP other_metric x\n", "\u{0}\u{1}"] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(refused(&path).kind(), Kind::Requirement, "{content}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
    std::fs::write(&path, b"\xff\xfe").unwrap();
    assert_eq!(refused(&path).kind(), Kind::Requirement);
    assert_eq!(refused(directory.path()).kind(), Kind::Requirement);
    assert_eq!(refused(&directory.path().join("no/such")).kind(), Kind::File);
    std::fs::write(&path, "").unwrap();
    MetricsFile::begin(&path, "verify").unwrap().end(0, FIGURES).unwrap();
    let error = refused(&path);
    assert_eq!(error.cause(), "it holds the metrics of silverback verify");
}

#[test]
fn figures_of_several_archives_are_added() {
    let mut sum = Figures::default();
    sum.add(&FIGURES);
    sum.add(&Figures { file_bytes: None, ..FIGURES });
    assert_eq!(
        sum,
        Figures {
            tables: Some(6),
            rows: Some(2000),
            raw_bytes: Some(100_000),
            file_bytes: Some(9000)
        }
    );
}
