//! What dumpers are known to trip over, one test each: the test's name is the promise.
//!
//! Each is carried by a superuser on every server that knows it, and asks the copy's catalogs and
//! rows for exactly what could have been lost. A trap that another file already tests in full is
//! only listed.
//!
//! | trap | what may go wrong | test |
//! |---|---|---|
//! | 1 | generated columns cannot be copied into | [`tables`]`::generated_columns_are_left_out_of_the_copy` |
//! | 2 | columns come in another order, dropped ones are gone | [`tables`]`::columns_are_named_because_their_order_differs` |
//! | 3 | an identity's sequence belongs to the column | [`tables`]`::an_identity_makes_its_sequence_itself` |
//! | 4 | a NOT NULL has a name, and states, since 18 | [`tables`]`::a_not_null_keeps_its_mixed_case_name` |
//! | 5 | a partition must have its root's checks before it is attached | [`partitions`]`::a_partition_keeps_the_checks_of_its_root` |
//! | 6 | partitions and their indexes are attached | [`partitions`]`::partitions_are_made_alone_and_attached_with_their_indexes` |
//! | 7 | a hash of an enum differs between databases | `zoo_b::hash_partitions_on_enums` |
//! | 8 | a partitioned table's foreign key is one, not many | [`partitions`]`::a_foreign_key_of_a_partitioned_table_is_made_at_its_root` |
//! | 9 | a partition's trigger may be in another state | [`partitions`]`::a_trigger_of_a_partition_keeps_its_own_state` |
//! | 10 | materialized views read each other, and empty ones | `zoo_b::materialized_views` |
//! | 11 | an inherited default may have been dropped | [`tables`]`::a_default_that_a_child_dropped_stays_dropped` |
//! | 12 | domains have unproven and named constraints | [`objects`]`::a_domain_keeps_unproven_and_named_constraints` |
//! | 13 | views have options, and defaults | [`objects`]`::a_view_keeps_its_options_and_defaults` |
//! | 14 | 18 knows no unlogged partitioned tables; a TOAST table has options too | [`partitions`]`::an_unlogged_root_loses_the_word_and_its_partitions_keep_it`, [`tables`]`::a_table_keeps_its_options_and_those_of_its_toast_table` |
//! | 15 | some of a column can be said by ALTER only | [`tables`]`::a_column_keeps_what_only_alter_can_say` |
//! | 16 | CLUSTER and replica identity need the index | [`tables`]`::what_names_an_index_is_said_once_that_stands` |
//! | 17 | an index's columns go by number; keys have words of their own | [`tables`]`::statistics_of_an_index_go_by_column_number`, [`tables`]`::keys_keep_the_words_that_no_index_has` |
//! | 18 | an extension's members come with it; what was changed does not | [`privileges`]`::only_what_was_changed_of_an_extension_is_carried`, `zoo_b::dependencies_on_extensions`, `zoo_b::settings_of_extensions` |
//! | 19 | `public` is there already | [`privileges`]`::public_is_changed_and_never_made`, `fidelity::privileges::privileges_on_public_come_back` |
//! | 20 | privileges on the server's own objects, on columns, by several grantors | [`privileges`]`::privileges_are_given_again_by_those_who_gave_them` |
//! | 21 | a database's own properties need `-C` | `options::create_makes_the_database_with_all_its_properties`, `options::without_create_the_database_stays_as_it_is` |
//! | 22 | default privileges would change what is made after them | [`privileges`]`::default_privileges_change_nothing_that_the_restore_makes` |
//! | 23 | event triggers would fire on the restore | `zoo_b::event_triggers`, [`objects`]`::a_login_trigger_meets_no_session_of_the_restore` |
//! | 24 | a function's body may name what is not there yet; lists of settings are quoted in their own way | [`objects`]`::a_functions_body_is_not_looked_into` |
//! | 25 | a subscription would begin to replicate | [`objects`]`::a_subscription_comes_back_disabled` |
//! | 26 | foreign keys in a circle leave no order for the rows | [`data`]`::foreign_keys_in_a_circle_come_back`, [`data`]`::rows_alone_in_a_circle_are_refused_before_anything_happens` |
//! | 27 | large objects are many | [`data`]`::large_objects_of_one_owner_are_few_objects_of_the_archive` |
//! | 28 | extended statistics have a target | `zoo_b::extended_statistics` |
//! | 29 | planner statistics do not fit every version | `fidelity::the_restored_triggers_and_keys_are_at_work` (they are gathered anew) |
//! | 30 | names are qualified only where the search path is empty | `consistency::settings::settings_of_the_role_change_nothing` |
//! | 31 | sequences do not follow the snapshot | [`data`]`::a_sequence_is_never_behind_the_rows_that_it_numbered` |
//! | 32 | `reg*` values are numbers of one database | `fidelity::encodings::names_of_objects_travel_as_names` |
//! | 33 | binary rows are not cast | `fidelity::selection::rows_are_not_loaded_into_a_table_of_another_shape`, `restore::rows_into_other_columns_are_refused` |
//! | 34 | arrays and composites hold their elements' numbers | [`data`]`::arrays_and_composites_of_user_types_travel_as_text` |
//! | 35 | some types have no binary form | [`data`]`::types_without_a_binary_form_travel_as_text` |
//! | 36 | a large `bytea` has no text form, and is one message | `fidelity::large::a_row_of_300_megabytes_passes_alone` |
//! | 37 | texts are converted to the client's encoding | `options::encodings::bytes_come_back_unchanged` |
//! | 38 | a newer binary form may not be known to an older server | `versions::what_every_version_has_goes_up_and_down` |
//! | 39 | only heaps, since 14, can be read by ranges of pages | [`data`]`::only_heaps_of_servers_that_read_ranges_are_cut` |
//! | 40 | FREEZE needs one session and no partitioned table | [`data`]`::freeze_is_for_tables_that_one_session_fills` |
//! | 41 | Kong's triggers delete and add rows during a load | `fidelity::a_fresh_kong_comes_back_exactly`, `fidelity::selection::schema_only_and_data_only_make_the_whole` |

use std::path::PathBuf;

use silverback::archive::Archive;
use testkit::{Database, Role, zoo};

use crate::support::{dump, restore, temp_dir};

mod data;
mod objects;
mod partitions;
mod privileges;
mod tables;

/// A database and its copy.
struct Carried {
    source: Database<'static>,
    copy: Database<'static>,
    owner: Role<'static>,
    reader: Role<'static>,
    folder: tempfile::TempDir,
}

impl Carried {
    /// Two databases, of which the first was set up. `{owner}` and `{reader}` stand for roles;
    /// lines between `-- if 14` and `-- end` are for servers from 14 on.
    #[track_caller]
    fn not_yet(version: u32, setup: &str) -> Self {
        let server = testkit::server(version);
        let (owner, reader) = (server.role("owner"), server.role("reader"));
        let carried = Self {
            source: server.database("trap"),
            copy: server.database("copy"),
            owner,
            reader,
            folder: temp_dir(),
        };
        carried.source.execute(&carried.named(&zoo::for_version(setup, version)));
        carried
    }

    /// The same, dumped and restored.
    #[track_caller]
    fn on(version: u32, setup: &str) -> Self {
        let carried = Self::not_yet(version, setup);
        dump(&carried.source, &carried.file()).run().expect(0);
        restore(&carried.file(), &carried.copy).run().expect(0);
        carried
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("trap.sbk")
    }

    fn archive(&self) -> Archive<std::fs::File> {
        Archive::open_path(&self.file()).expect("the archive can be read")
    }

    fn named(&self, text: &str) -> String {
        text.replace("{owner}", self.owner.name()).replace("{reader}", self.reader.name())
    }

    /// Demands of source and copy that the query's first column is `expect`.
    #[track_caller]
    fn both_say(&self, query: &str, expect: &[&str]) {
        let expect: Vec<String> = expect.iter().map(|text| self.named(text)).collect();
        for (which, database) in [("source", &self.source), ("copy", &self.copy)] {
            assert_eq!(
                database.column(&self.named(query)),
                expect,
                "PostgreSQL {}, {which}: {query}",
                database.server().version()
            );
        }
    }
}

/// The first version under test that knows what came with `since`, and the newest; every one with
/// `SILVERBACK_TEST_EVERY=1`.
fn versions(since: u32) -> impl Iterator<Item = u32> {
    let known: Vec<u32> =
        testkit::versions().into_iter().filter(|version| *version >= since).collect();
    let ends = [known.first().copied(), known.last().copied()];
    let is_wanted = move |version: &u32| {
        ends.contains(&Some(*version)) || std::env::var_os("SILVERBACK_TEST_EVERY").is_some()
    };
    known.into_iter().filter(is_wanted)
}

/// Carries on every version from `since` on, and demands each answer of source and copy.
#[track_caller]
fn check(since: u32, setup: &str, expect: &[(&str, &[&str])]) {
    for version in versions(since) {
        let carried = Carried::on(version, setup);
        for (query, expect) in expect {
            carried.both_say(query, expect);
        }
    }
}
