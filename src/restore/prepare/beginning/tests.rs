use super::*;

#[test]
fn what_goes_unasked_is_named() {
    let names = [Leftover::table("My", "a b"), Leftover::trigger_function("My", "f")]
        .map(|leftover| leftover.to_string());
    assert_eq!(told("because", &[]), None);
    assert_eq!(
        told("because another version of X has made it", &names).as_deref(),
        Some(
            "dropped too, because another version of X has made it: TABLE \"My\".\"a b\", \
             FUNCTION \"My\".f()"
        )
    );
}
