//! The sessions of others are ended, as far as our role may; a session of ours is opened where they
//! try to come in.

use std::time::{Duration, Instant};

use super::held::{Held, Taken};
use super::reach::is_full;
use super::seen::{self, Going, Other};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::restore::mark::connection_limit;

/// How long they may take to end.
const END_WITHIN: Duration = Duration::from_secs(10);
/// One who was let in just before the limit was set shows a little later.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How often nobody is to be seen, one look after the other.
const EMPTY_LOOKS: u32 = 3;
/// How often a session is tried for.
const TRIES: i32 = 40;

/// Ends all that our role may end, and waits until they have ended.
pub(in crate::restore) async fn end(session: &Session, database: &str) -> Result<()> {
    let begun = Instant::now();
    let mut empty_looks = 0;
    while empty_looks < EMPTY_LOOKS {
        let others = seen::at_this_moment(session, database, Going::Objects(None)).await?;
        let ended: Vec<Other> = others.into_iter().filter(|other| other.may_end).collect();
        if ended.is_empty() {
            empty_looks += 1;
        } else if begun.elapsed() > END_WITHIN {
            let told: Vec<String> = ended.iter().map(Other::describe).collect();
            let cause = format!("after {} s they are still there", END_WITHIN.as_secs());
            return Err(Error::new(Kind::Requirement, DOING, cause).with_items(told));
        } else {
            empty_looks = 0;
            terminate(session, &ended).await?;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

const DOING: &str = "end the sessions of others";

async fn terminate(session: &Session, others: &[Other]) -> Result<()> {
    for other in others {
        let sql = format!("SELECT pg_catalog.pg_terminate_backend({})", other.pid);
        if let Err(error) = session.query(DOING, &sql).await {
            let named = format!("{}: {}", other.describe(), error.cause());
            return Err(Error::new(Kind::Requirement, DOING, named)
                .hint("GRANT pg_signal_backend to this role, or end that session yourself"));
        }
    }
    Ok(())
}

/// Opens one more session. While others are kept out there is a slot for it only where one of ours
/// has ended: who took that is ended, and one more is let in for that moment.
pub(in crate::restore) async fn open(server: &Server, held: &Held) -> Result<Session> {
    let (Some(keeper), Some(taken)) = (held.keeper(), held.taken()) else {
        return server.open(Purpose::Restore).await;
    };
    // Another of ours that is being opened is not known as such yet.
    let _alone = held.opening().await;
    let mut tried = 0;
    let opened = loop {
        match server.open(Purpose::Restore).await {
            Err(error) if is_full(&error) && tried < TRIES => tried += 1,
            opened => break opened,
        }
        end(&keeper, &taken.database).await?;
        set(&keeper, &taken, taken.limit + tried).await?;
    };
    if tried > 0 {
        set(&keeper, &taken, taken.limit).await?;
        end(&keeper, &taken.database).await?;
    }
    opened
}

async fn set(keeper: &Session, taken: &Taken, limit: i32) -> Result<()> {
    let step = connection_limit(&taken.database, limit);
    keeper.execute(&step.doing, &step.sql).await.map(drop)
}
