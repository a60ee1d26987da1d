//! What is to be planned, and what for.

use crate::restore::options::{Options, Sections};
use crate::restore::provision::Room;

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::restore) enum Aim {
    /// To be shown.
    Show,
    /// To be carried out: until it has begun, no other restore looks at the target.
    CarryOut,
}

/// What is to be planned.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) options: &'a Options,
    /// As far as the archive has them.
    pub(super) sections: Sections,
    pub(super) room: Room,
    pub(super) aim: Aim,
}
