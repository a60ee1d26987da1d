//! What there is to say before the first statement, and what against.

use crate::archive::manifest::NotCarried;
use crate::restore::finding::Finding;
use crate::restore::options::{ForeignKeys, Options};
use crate::restore::preflight::{self, Wanted};
use crate::restore::run::ready;
use crate::restore::target::Target;

/// What there is to say before the first statement.
#[derive(Default)]
pub(super) struct Said {
    /// What keeps the restore from beginning.
    pub(super) findings: Vec<Finding>,
    /// What may surprise.
    pub(super) warnings: Vec<String>,
    /// What is only to be known.
    pub(super) notes: Vec<String>,
    /// What was selected and cannot be made.
    pub(super) left_out: Vec<NotCarried>,
}

impl Said {
    /// Compares what is wanted with the target. `begins`: nobody has begun this restore before, or
    /// it is not as good as done.
    pub(super) fn against(
        &mut self,
        options: &Options,
        wanted: Wanted<'_>,
        target: &Target,
        begins: bool,
    ) {
        if begins {
            self.findings.extend(preflight::findings(wanted, target));
            if options.foreign_keys == ForeignKeys::Trust {
                self.findings.extend(preflight::trust(target));
            }
            self.findings.extend(options.ready.file().and_then(ready::finding));
        }
        if !wanted.cleans {
            self.warnings.extend(preflight::warnings(wanted, target));
        }
    }
}
