use std::collections::HashSet;

use super::*;
use crate::archive::manifest::{Object, ObjectId};
use crate::verify::testing;

fn statistics(object: u32) -> Statistics {
    Statistics { object: ObjectId(object), size: None, columns: vec![], extended: vec![] }
}

/// The objects whose statistics are restored, and what is said.
fn check(
    (asked, sections, target): (bool, Sections, u32),
    change: fn(&mut Options, &mut Manifest),
) -> (Vec<u32>, Vec<String>) {
    let mut options = Options::default();
    options.selection.statistics = asked;
    let mut manifest = testing::manifest();
    manifest.objects.push(Object::new(ObjectId(2), ObjectKind::Statistics, "STATISTICS s"));
    manifest.statistics = vec![statistics(0), statistics(1), statistics(99)];
    change(&mut options, &mut manifest);
    let withheld = options.selection.withheld(&manifest.objects);
    let selected = Selected {
        objects: manifest.objects.clone(),
        left_out: Vec::new(),
        brought_along: HashSet::new(),
        left_to_target: Vec::new(),
    };
    let (kept, said) = wanted(&options, sections, &manifest, &selected, &withheld, target);
    (kept.iter().map(|one| one.object.0).collect(), said)
}

#[test]
fn they_come_where_they_are_asked_for_and_taken() {
    let part = Sections { post_data: false, ..Sections::ALL };
    for (asked, sections, target, expect, warnings) in [
        (false, Sections::ALL, 190_000, &[][..], 0),
        (true, part, 190_000, &[], 0),
        (true, Sections::ALL, 179_999, &[], 1),
        (true, Sections::ALL, 180_000, &[0, 1], 1),
        (true, Sections::ALL, 189_999, &[0, 1], 1),
        (true, Sections::ALL, 190_000, &[0, 1], 0),
    ] {
        let (kept, said) = check((asked, sections, target), |_, _| ());
        assert_eq!((kept.as_slice(), said.len()), (expect, warnings), "{target}: {said:?}");
    }
}

#[test]
fn what_is_not_restored_is_said_with_what_is_done_instead() {
    let all = |target| (true, Sections::ALL, target);
    for (target, change, expect) in [
        (
            190_000,
            (|_, manifest| manifest.statistics.clear()) as fn(&mut Options, &mut Manifest),
            "the archive holds no statistics (dump --statistics writes them): ANALYZE gathers them",
        ),
        (
            170_004,
            |_, _| (),
            "PostgreSQL 17 takes no statistics (18 and newer do): ANALYZE gathers them",
        ),
        (
            170_004,
            |options, _| options.no_analyze = true,
            "PostgreSQL 17 takes no statistics (18 and newer do): none are gathered either \
             (--no-analyze)",
        ),
        (
            180_001,
            |_, _| (),
            "PostgreSQL 18 does not take extended statistics (19 and newer do), of which there \
             are 1: for all of their tables, ANALYZE gathers them",
        ),
    ] {
        assert_eq!(check(all(target), change).1, [expect]);
    }
}
