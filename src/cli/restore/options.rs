//! What was typed of a restore, as its options.

use super::{CleanArg, RestoreArgs};
use crate::cli::args::values;
use crate::kong;
use crate::kong::sources::Value;
use crate::limits::Limits;
use crate::restore::{Check, Into, OnError, Options, Ready, Triggers};
use crate::select::Selection;
use crate::sql::rename::Renames;
use crate::sql::render;

impl RestoreArgs {
    /// `kong_schema`: where Kong will look for what is restored, if that is known.
    pub(super) fn options(&self, kong_schema: Option<&Value>, rename: Renames) -> Options {
        // Whoever chooses knows where it goes.
        let home = kong_schema.filter(|_| !self.selection.choose_objects());
        let if_exists = self.if_exists;
        Options {
            selection: Selection {
                archived_as: rename
                    .pairs()
                    .map(|(old, new)| (new.to_owned(), old.to_owned()))
                    .collect(),
                ..self.selection.selection()
            },
            rename,
            sections: self.sections.sections(),
            into: match (self.create, self.clean()) {
                (false, None) => Into::AsItIs,
                (false, Some(CleanArg::Objects)) => Into::Cleaned { if_exists },
                (false, Some(CleanArg::Schemas)) => Into::Cleared,
                (true, None) => Into::New,
                (true, Some(_)) => Into::Anew { if_exists },
            },
            render: render::Options {
                no_owner: self.owner.no_owner,
                no_privileges: self.owner.no_privileges,
                no_comments: self.no_comments,
                no_security_labels: self.no_security_labels,
                no_tablespaces: self.no_tablespaces,
                role: self.owner.role.clone(),
            },
            foreign_keys: self.fk.into(),
            triggers: match (self.disable_triggers, self.fire_triggers) {
                (true, _) => Triggers::DisableAll,
                (_, true) => Triggers::Fire,
                _ => Triggers::Disable,
            },
            on_error: if self.keep_going { OnError::GoOn } else { OnError::Stop },
            ready: if self.ready_early {
                Ready::Early { file: self.ready_file.clone() }
            } else {
                Ready::AtTheEnd
            },
            check: match (self.check, self.no_check) {
                (true, _) => Check::Always,
                (_, true) => Check::Never,
                // As with -c, also where it is gone on with and drops nothing more.
                _ if self.kong.replace_bootstrap => Check::Always,
                _ => Check::default(),
            },
            no_analyze: self.no_analyze,
            resume: self.resume,
            while_connected: self.others.while_connected,
            disconnect_others: self.others.disconnect_others,
            lock_wait_timeout: self.limits.lock_wait_timeout,
            limits: Limits {
                jobs: values::jobs(self.jobs),
                max_memory: self.limits.max_memory,
                stall_timeout: self.limits.stall_timeout,
            },
            profile: kong::restore::profile(),
            home: home.map(kong::restore::home),
            search_path: kong_schema.map(|value| value.text.clone()),
            ..Options::default()
        }
    }
}
