use super::*;

#[test]
fn what_goes_unasked_is_named() {
    let leftover = |is_table, name: &str| Leftover {
        is_table,
        schema: "My".to_owned(),
        name: name.to_owned(),
    };
    assert_eq!(also_dropped(&[], "X"), None);
    assert_eq!(
        also_dropped(&[leftover(true, "a b"), leftover(false, "f")], "X").as_deref(),
        Some(
            "dropped too, because another version of X has made it: TABLE \"My\".\"a b\", \
             FUNCTION \"My\".f()"
        )
    );
}
