use super::*;

#[test]
fn sizes() {
    let check = |text, expect: Option<u64>| assert_eq!(size(text).ok(), expect, "{text}");
    check("256MiB", Some(256 << 20));
    check("256M", Some(256 << 20));
    check("1GB", Some(1_000_000_000));
    check("1 gib", Some(1 << 30));
    check("4096", Some(4096));
    check("1.5GB", None);
    check("", None);
    check("-1", None);
    check("MB", None);
    check("99999999999999999999", None);
    check("99999999999TB", None);
    assert_eq!(memory("1MiB").unwrap_err(), "at least 16MiB are needed");
}

#[test]
fn times() {
    let check = |text, expect: Option<u64>| {
        assert_eq!(milliseconds(text).ok(), expect.map(Duration::from_millis), "{text}");
    };
    check("30000", Some(30_000));
    check("30s", Some(30_000));
    check("5 min", Some(300_000));
    check("0", Some(0));
    check("5m", None);
    check("100d", None);
    assert_eq!(stall("60").unwrap_err(), "write a unit: 60s or 60min");
    assert_eq!(stall("0s").unwrap_err(), "at least 1s is needed");
    assert_eq!(stall("60s").unwrap(), Duration::from_secs(60));
}

#[test]
fn rates_are_those_of_pg_basebackup() {
    let check = |text: &str, expect: u64| assert_eq!(rate(text), Ok(expect), "{text}");
    check("32", 32 << 10);
    check("500k", 500 << 10);
    check(" 10M ", 10 << 20);
    check("1.5M", 3 << 19);
    check("1024M", 1 << 30);
    check("1048576", 1 << 30);
    for wrong in ["", "k", "M", "10MB", "10m", "1G", "-5", "0", "31", "1025M", "nan", "inf", "1e99"]
    {
        let told = rate(wrong).expect_err(wrong);
        assert!(told.contains("second"), "{wrong}: {told}");
    }
}

#[test]
fn compressions() {
    let check = |text, expect| assert_eq!(compression(Some(text)).unwrap(), expect, "{text}");
    check("zstd", Compression::Zstd(1));
    check("zstd:7", Compression::Zstd(7));
    check("zstd:level=3", Compression::Zstd(3));
    check("none", Compression::None);
    for wrong in ["gzip", "gzip:9", "lz4", "6", "0", "zstd:99", "zstd:", "none:1", "", "brotli"] {
        let error = compression(Some(wrong)).unwrap_err();
        assert_eq!((error.kind(), error.hint_text().is_some()), (Kind::Usage, true), "{wrong}");
    }
}

#[test]
fn every_unit_of_size() {
    for (text, expect) in [
        ("7", 7),
        ("7b", 7),
        ("7B", 7),
        ("7k", 7 << 10),
        ("7KiB", 7 << 10),
        ("7kB", 7_000),
        ("7m", 7 << 20),
        ("7MB", 7_000_000),
        ("7g", 7 << 30),
        ("7GiB", 7 << 30),
        ("7  gb", 7_000_000_000),
        ("7t", 7 << 40),
        ("7tib", 7 << 40),
        ("7TB", 7_000_000_000_000),
        ("0TB", 0),
        ("18446744073709551615", u64::MAX),
        ("16777215TiB", 16_777_215 << 40),
    ] {
        assert_eq!(size(text), Ok(expect), "{text}");
    }
}

#[test]
fn sizes_that_are_none_say_why() {
    for (text, why) in [
        ("18446744073709551616", "it does not begin with a whole number"),
        ("16777216TiB", "it is too large"),
        ("GB", "it does not begin with a whole number"),
        (" 1GB", "it does not begin with a whole number"),
        ("+1", "it does not begin with a whole number"),
        ("1PB", "PB is not a unit; write 256MiB or 1GB"),
        ("1.5GB", ".5GB is not a unit; write 256MiB or 1GB"),
        ("1GB ", "GB  is not a unit; write 256MiB or 1GB"),
        ("1\u{666}", "\u{666} is not a unit; write 256MiB or 1GB"),
    ] {
        assert_eq!(size(text), Err(why.to_owned()), "{text}");
    }
}

#[test]
fn memory_has_a_least() {
    assert_eq!(memory("16MiB"), Ok(16 << 20));
    assert_eq!(memory("17MB"), Ok(17_000_000));
    for little in ["0", "16MB", "16777215"] {
        assert_eq!(memory(little).unwrap_err(), "at least 16MiB are needed", "{little}");
    }
    assert!(memory("much").is_err());
}

#[test]
fn every_unit_of_time() {
    for (text, expect) in [
        ("7", Some(7)),
        ("7ms", Some(7)),
        ("7s", Some(7_000)),
        ("7min", Some(420_000)),
        ("7h", Some(25_200_000)),
        ("24d", Some(2_073_600_000)),
        ("25d", None),
        ("2147483647", Some(2_147_483_647)),
        ("2147483648", None),
        ("18446744073709551615d", None),
        ("7S", None),
        ("7us", None),
        ("7.5s", None),
        ("-7s", None),
        ("", None),
    ] {
        let expect = expect.map(Duration::from_millis);
        assert_eq!(milliseconds(text).ok(), expect, "{text}");
    }
}

#[test]
fn a_stall_has_a_unit_and_a_least() {
    assert_eq!(stall("1s"), Ok(Duration::from_secs(1)));
    assert_eq!(stall("1000ms"), Ok(Duration::from_secs(1)));
    assert_eq!(stall("999ms").unwrap_err(), "at least 1s is needed");
    assert_eq!(stall("1x").unwrap_err(), "x is not a unit; write ms, s, min, h or d");
    assert!(stall("").is_err() && stall("s").is_err() && stall("-1s").is_err());
}

#[test]
fn jobs_are_none_or_some() {
    assert_eq!(jobs(None), None);
    assert_eq!(jobs(Some(0)), None);
    assert_eq!(jobs(Some(u16::MAX)).map(NonZeroUsize::get), Some(65_535));
}

#[test]
fn threads_are_few_and_never_none() {
    for threads in [coding_threads(), decoding_threads()] {
        assert!((1..=CODING_THREADS_MAX).contains(&threads), "{threads}");
    }
    assert!(decoding_threads() <= coding_threads());
}

#[test]
fn compression_levels() {
    assert_eq!(compression(None).unwrap(), Compression::Zstd(1));
    for (text, level) in [
        ("zstd:1", Some(1)),
        ("zstd:22", Some(22)),
        ("zstd:level=22", Some(22)),
        ("zstd:0", None),
        ("zstd:23", None),
        ("zstd:-1", None),
        ("zstd:level=", None),
        ("zstd:level=a", None),
        ("zstd:1,long", None),
        ("zstd:99999999999", None),
    ] {
        let expect = level.map(Compression::Zstd);
        assert_eq!(compression(Some(text)).ok(), expect, "{text}");
    }
    for (text, why) in [
        ("9", "a level alone would mean gzip"),
        ("-1", "a level alone would mean gzip"),
        ("lz4:1", "archives are not compressed with lz4"),
        ("none:0", "none takes no level"),
        ("ZSTD", "there is no such compression"),
        ("zstd:x", "that is no level of zstd"),
    ] {
        let error = compression(Some(text)).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(&format!("read -Z {text}")), "{error}");
    }
}

#[test]
fn a_format_is_refused_whatever_it_is() {
    assert!(refuse_format(None).is_ok());
    for format in ["c", "custom", "p", "d", ""] {
        let error = refuse_format(Some(format)).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains(&format!("read -F {format}")), "{error}");
    }
}
