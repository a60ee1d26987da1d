use super::*;

#[test]
fn joins_trees() {
    let mut families = Families::default();
    let table = ObjectId;
    families.attach(table(2), table(1));
    families.attach(table(4), table(3));
    families.attach(table(5), table(2));
    families.attach(table(5), table(4));
    let family = families.of(table(3)).unwrap();
    let mut members = families.members(family).to_vec();
    members.sort_unstable();
    assert_eq!(members, [1, 2, 3, 4, 5].map(ObjectId));
    assert!(members.iter().all(|member| families.of(*member) == Some(family)));
    assert_eq!(families.root(family), Some(table(5)));
    assert_eq!(
        [5, 2, 1].map(|id| families.reach(table(id))),
        [Lockable::Family(family), Lockable::Family(family), Lockable::Relation(table(1))]
    );
    assert_eq!(
        (families.of(table(9)), families.reach(table(9))),
        (None, Lockable::Relation(table(9)))
    );
}

#[test]
fn a_circle_has_a_name_too() {
    let mut families = Families::default();
    families.attach(ObjectId(1), ObjectId(2));
    families.attach(ObjectId(2), ObjectId(1));
    let family = families.of(ObjectId(1)).unwrap();
    assert!(families.root(family).is_some() && families.members(family).len() == 2);
}

fn object(id: u32, kind: ObjectKind) -> Object {
    Object::new(ObjectId(id), kind, format!("{kind} {id}"))
}

fn attach(id: u32, partition: Option<u32>, needs: &[u32]) -> Object {
    Object {
        of: partition.map(ObjectId),
        depends_on: needs.iter().copied().map(ObjectId).collect(),
        ..object(id, ObjectKind::TableAttach)
    }
}

#[test]
fn objects_that_attach_join_tables() {
    use ObjectKind as K;
    let objects = [
        object(0, K::Table),
        object(1, K::Table),
        object(2, K::ForeignTable),
        object(3, K::Function),
        object(4, K::Table),
        attach(10, Some(1), &[0, 1, 3]),
        attach(11, Some(2), &[0, 2]),
    ];
    let families = Families::new(&objects);
    let family = families.of(ObjectId(0)).expect("a family");
    let mut members = families.members(family).to_vec();
    members.sort_unstable();
    assert_eq!(members, [0, 1, 2].map(ObjectId));
    assert_eq!(families.root(family), Some(ObjectId(0)));
    assert_eq!(families.reach(ObjectId(0)), Lockable::Family(family));
    assert_eq!(families.reach(ObjectId(1)), Lockable::Relation(ObjectId(1)));
    for id in [3, 4] {
        assert_eq!(families.of(ObjectId(id)), None, "{id}");
    }
}

#[test]
fn what_attaches_nothing_joins_nothing() {
    use ObjectKind as K;
    for (what, attach) in [
        ("no partition", attach(10, None, &[0, 1])),
        ("a partition that is not in the list", attach(10, Some(9), &[0])),
        ("a view", attach(10, Some(2), &[0])),
        ("no parent", attach(10, Some(1), &[1])),
        ("a view as a parent", attach(10, Some(1), &[1, 2])),
    ] {
        let objects = [object(0, K::Table), object(1, K::Table), object(2, K::View), attach];
        assert_eq!(Families::new(&objects), Families::default(), "{what}");
    }
}

proptest::proptest! {
    /// Whatever is attached in whatever order: each table is in one family, and joined ones in the
    /// same.
    #[test]
    fn every_table_is_in_one_family(
        pairs in proptest::collection::vec((0_u32..20, 0_u32..20), 0..30),
    ) {
        let mut families = Families::default();
        for &(parent, partition) in &pairs {
            families.attach(ObjectId(parent), ObjectId(partition));
        }
        for &(parent, partition) in &pairs {
            assert_eq!(families.of(ObjectId(parent)), families.of(ObjectId(partition)));
        }
        let mut seen = 0;
        for family in (0..families.members.len()).map(FamilyId) {
            for member in families.members(family) {
                assert_eq!(families.of(*member), Some(family));
                seen += 1;
            }
            assert_eq!(families.root(family).is_none(), families.members(family).is_empty());
        }
        assert_eq!(seen, families.family_of.len());
    }
}
