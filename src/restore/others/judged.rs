//! What is said of the sessions of others: what keeps a restore from beginning, what may come of
//! going on beside them, what is only to be known.
//!
//! Pure: does not know how they are ended.

use super::seen::Other;
use crate::restore::finding::Finding;

/// How many are named.
const NAMED: usize = 10;

/// What is done about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::restore) struct Way {
    /// The restore goes on beside them (`--while-connected`).
    pub(in crate::restore) beside: bool,
    /// They are ended and kept out (`--disconnect-others`).
    pub(in crate::restore) disconnects: bool,
    /// The database itself goes, or what is in it.
    pub(in crate::restore) of_database: bool,
}

/// What there is to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::restore) struct Judged {
    pub(in crate::restore) finding: Option<Finding>,
    pub(in crate::restore) warning: Option<String>,
    pub(in crate::restore) notes: Vec<String>,
}

/// Judges them.
pub(in crate::restore) fn judge(way: Way, others: &[Other]) -> Judged {
    let (users, bystanders): (Vec<&Other>, Vec<&Other>) =
        others.iter().partition(|other| other.may_use);
    let mut judged = Judged::default();
    if way.disconnects {
        disconnected(way, &users, &bystanders, &mut judged);
        return judged;
    }
    if !bystanders.is_empty() {
        judged.notes.push(format!(
            "connected to the database, without a privilege on what goes: {}",
            named(&bystanders)
        ));
    }
    if users.is_empty() {
        return judged;
    }
    if way.of_database {
        let problem = format!(
            "{} connected to the database that -c is to drop: {}",
            are(&users),
            named(&users)
        );
        let way_out = "end these sessions first, or let --disconnect-others do so; no database is \
            dropped while somebody is connected";
        judged.finding = Some(Finding::new(problem, way_out));
    } else if way.beside {
        judged.warning = Some(format!(
            "{} connected, gone past as asked: what these write is lost, stands among the \
             restored rows or breaks a foreign key, what they read is missing or half there, and \
             their locks are waited for: {}",
            are(&users),
            named(&users)
        ));
    } else {
        let problem = format!(
            "{} connected of roles that may use what is dropped: {}",
            are(&users),
            named(&users)
        );
        let way_out = "stop these clients first; or --disconnect-others, which ends their sessions \
            and keeps them out until the end; or --while-connected, which goes on beside them";
        judged.finding = Some(Finding::new(problem, way_out));
    }
    judged
}

/// What is said where they are ended.
fn disconnected(way: Way, users: &[&Other], bystanders: &[&Other], judged: &mut Judged) {
    let (ended, left): (Vec<&Other>, Vec<&Other>) =
        users.iter().chain(bystanders).partition(|other| other.may_end);
    if !ended.is_empty() {
        judged.notes.push(format!("--disconnect-others ends {}", named(&ended)));
    }
    let (in_the_way, staying): (Vec<&Other>, Vec<&Other>) =
        left.into_iter().partition(|other| other.may_use || way.of_database);
    if !staying.is_empty() {
        judged.notes.push(format!(
            "this role may not end these, which stay connected without a privilege on what goes: {}",
            named(&staying)
        ));
    }
    if in_the_way.is_empty() {
        return;
    }
    let by_superuser = in_the_way.iter().any(|other| other.is_superuser);
    let passes = if by_superuser { "; superusers pass every connection limit, too" } else { "" };
    if way.beside && !way.of_database {
        judged.warning = Some(format!(
            "this role may not end these, gone past as asked{passes}: {}",
            named(&in_the_way)
        ));
        return;
    }
    let problem = format!(
        "{} connected that this role may not end{passes}: {}",
        are(&in_the_way),
        named(&in_the_way)
    );
    let way_out = if by_superuser {
        "end these sessions as a superuser; what is no client of yours shows itself to a member of \
         pg_read_all_stats; --while-connected beside --disconnect-others goes past"
    } else {
        "GRANT pg_signal_backend to this role, or end these sessions yourself; --while-connected \
         beside --disconnect-others goes past"
    };
    judged.finding = Some(Finding::new(problem, way_out));
}

/// `1 session is`, `2 sessions are`.
fn are(others: &[&Other]) -> String {
    if others.len() == 1 {
        "1 session is".to_owned()
    } else {
        format!("{} sessions are", others.len())
    }
}

/// A few of them by name.
fn named(others: &[&Other]) -> String {
    let told: Vec<String> = others.iter().take(NAMED).map(|other| other.describe()).collect();
    let more = if others.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(pid: i32, may_use: bool, may_end: bool, is_superuser: bool) -> Other {
        Other { pid, role: "r".into(), may_use, may_end, is_superuser, ..Other::default() }
    }

    /// Which of the three come, and how many notes.
    #[track_caller]
    fn check(way: Way, others: &[Other], expect: (bool, bool, usize)) -> Judged {
        let judged = judge(way, others);
        let told = (judged.finding.is_some(), judged.warning.is_some(), judged.notes.len());
        assert_eq!(told, expect, "{judged:?}");
        judged
    }

    #[test]
    fn who_may_use_what_goes_is_in_the_way() {
        let (user, bystander) = (other(1, true, true, false), other(2, false, true, false));
        let plain = Way::default();
        check(plain, &[], (false, false, 0));
        check(plain, std::slice::from_ref(&bystander), (false, false, 1));
        let judged = check(plain, &[user.clone(), bystander.clone()], (true, false, 1));
        assert!(judged.finding.is_some_and(|finding| finding.problem.contains("process 1")));
        let beside = Way { beside: true, ..plain };
        check(beside, &[user.clone(), bystander], (false, true, 1));
        // A database cannot be dropped beside somebody.
        check(Way { of_database: true, ..beside }, &[user], (true, false, 0));
    }

    #[test]
    fn who_cannot_be_ended_is_in_the_way_of_disconnecting() {
        let all = [
            other(1, true, true, false),
            other(2, false, false, false),
            other(3, true, false, true),
        ];
        let way = Way { disconnects: true, ..Way::default() };
        check(way, &all[..2], (false, false, 2));
        let judged = check(way, &all, (true, false, 2));
        let finding = judged.finding.expect("a superuser's session keeps it from beginning");
        assert!(finding.problem.contains("superusers pass every connection limit"));
        assert!(finding.problem.contains("process 3") && !finding.problem.contains("process 2"));
        check(Way { beside: true, ..way }, &all, (false, true, 2));
        check(Way { of_database: true, ..way }, &all[..2], (true, false, 1));
    }
}
