use super::*;

#[test]
fn triggers_are_ours_only_in_tables_that_stand() {
    use Triggers::{Disable, DisableAll, Fire};

    let all = Sections::ALL;
    let data = Sections { pre_data: false, post_data: false, ..all };
    let from_data = Sections { pre_data: false, ..all };
    let post_data = Sections { data: false, ..from_data };
    // Disabled, fired, may be another's.
    for (triggers, sections, resumes, expect) in [
        (Disable, all, false, [false, false, false]),
        (DisableAll, all, false, [false, false, false]),
        (Fire, all, false, [false, false, false]),
        (Disable, data, false, [false, false, true]),
        (DisableAll, data, false, [true, false, true]),
        (Fire, data, false, [false, true, true]),
        (Fire, data, true, [false, true, false]),
        (Disable, from_data, false, [false, false, false]),
        (DisableAll, from_data, false, [true, false, false]),
        (Fire, from_data, true, [false, true, false]),
        (DisableAll, post_data, false, [false, false, false]),
        (Fire, post_data, false, [false, false, false]),
    ] {
        let options = Options { triggers, ..Options::default() };
        let manner = manner(&options, sections, resumes);
        let found = [manner.disable_triggers, manner.fire_triggers, manner.borrows];
        assert_eq!(found, expect, "{triggers:?} {sections:?} {resumes}");
        assert_eq!(manner.resumes, resumes);
    }
}
