use super::*;
use crate::restore::options::Ready;

#[test]
fn what_is_ready_early_or_trusted_is_whole() {
    let early = || Ready::Early { file: None };
    let data = Sections { pre_data: false, post_data: false, ..Sections::ALL };
    let without_keys = Sections { post_data: false, ..Sections::ALL };
    for (ready, foreign_keys, sections, expect) in [
        (Ready::AtTheEnd, ForeignKeys::default(), Sections::ALL, None),
        (Ready::AtTheEnd, ForeignKeys::default(), data, None),
        (Ready::AtTheEnd, ForeignKeys::Trust, Sections::ALL, None),
        (Ready::AtTheEnd, ForeignKeys::Trust, data, Some("--fk trust")),
        (Ready::AtTheEnd, ForeignKeys::Trust, without_keys, Some("--fk trust")),
        (early(), ForeignKeys::default(), Sections::ALL, None),
        (early(), ForeignKeys::default(), data, Some("--ready-early")),
        (early(), ForeignKeys::Trust, without_keys, Some("--ready-early")),
    ] {
        let options = Options { foreign_keys, ready, ..Options::default() };
        let found = check_sections(&options, sections).err();
        let told = found.as_ref().map(|error| (error.kind(), error.to_string()));
        assert_eq!(told.is_some(), expect.is_some(), "{told:?}");
        if let (Some((kind, text)), Some(option)) = (told, expect) {
            assert_eq!(kind, Kind::Usage);
            assert!(text.contains(&format!("{option} needs definitions, rows and keys")), "{text}");
        }
    }
}
