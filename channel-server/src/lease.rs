//! Which of several servers publishes: whoever holds the lease, for as long as it goes on renewing it.

use std::time::{Duration, Instant};

use aws_lc_rs::error::Unspecified;
use pdp_policies::{At, Span};

use crate::event::Actor;
use crate::secret;
use crate::server::Server;
use crate::writer::WriteFailed;

/// After a server died, another one publishes this much later. It is renewed when half of it is over.
const LIFE: Span = Span::from_seconds(20);
/// So often at most it is asked who holds it.
const ASK: Duration = Duration::from_secs(1);
/// Its name among what is kept.
const NAME: &str = "publisher";

/// This server's part in it.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Random, new with each start.
    id: String,
    /// What was found when it was asked last.
    asked: Option<(Instant, bool)>,
}

impl Lease {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        let id: [u8; 8] = secret::random()?;
        Ok(Self { id: id.iter().map(|byte| format!("{byte:02x}")).collect(), asked: None })
    }

    /// True if this server is the one. A server that has its database alone always is.
    ///
    /// # Errors
    /// When the database is away: nobody is the one then.
    pub(crate) async fn is_held(&mut self, server: &Server) -> Result<bool, WriteFailed> {
        if !server.database.is_shared() {
            return Ok(true);
        }
        if let Some((_, held)) = self.asked.filter(|(at, _)| at.elapsed() < ASK) {
            return Ok(held);
        }
        self.asked = None;
        let held = self.ask(server, server.now()).await?;
        self.asked = Some((Instant::now(), held));
        Ok(held)
    }

    async fn ask(&self, server: &Server, now: At) -> Result<bool, WriteFailed> {
        let kept = server.read().await?.kept(NAME).await.map_err(|e| server.failed(&e))?;
        match wish(kept.as_deref(), &self.id, now) {
            Wish::Held => Ok(true),
            Wish::Others => Ok(false),
            Wish::Take => self.take(server, now).await,
        }
    }

    /// Of several who want it, the first gets it.
    async fn take(&self, server: &Server, now: At) -> Result<bool, WriteFailed> {
        let mut writer = server.write().await?;
        if wish(writer.kept(NAME).await?.as_deref(), &self.id, now) == Wish::Others {
            return Ok(false);
        }
        let until = now.plus(LIFE).unix();
        writer.keep(NAME, &format!("{} {until}", self.id)).await?;
        writer.record(&Actor::Server, &[]).await.map(|()| true)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Wish {
    /// It is ours for a while.
    Held,
    /// Another one's.
    Others,
    /// It is nobody's, or ours and to be renewed.
    Take,
}

/// `kept` is who holds it and until when, Unix seconds.
fn wish(kept: Option<&str>, id: &str, now: At) -> Wish {
    let kept = kept.and_then(|kept| kept.split_once(' '));
    let kept = kept.and_then(|(holder, until)| Some((holder, until.parse::<i64>().ok()?)));
    // What lasts longer than anybody asks for was written by a clock that was ahead: it must not keep everybody from
    // publishing.
    match kept.map(|(holder, until)| (holder == id, until.saturating_sub(now.unix()))) {
        Some((true, left)) if left > LIFE.seconds() / 2 => Wish::Held,
        Some((false, left)) if (1..=2 * LIFE.seconds()).contains(&left) => Wish::Others,
        _ => Wish::Take,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_others_until_it_ends_and_renewed_at_half() {
        let now = At::from_unix(1000);
        for (kept, expected) in [
            (None, Wish::Take),
            (Some("a 1001"), Wish::Take),
            (Some("a 1010"), Wish::Take),
            (Some("a 1011"), Wish::Held),
            (Some("b 1001"), Wish::Others),
            (Some("b 1021"), Wish::Others),
            (Some("b 1000"), Wish::Take),
            (Some("b 9999"), Wish::Take),
            (Some("b -9223372036854775808"), Wish::Take),
            (Some("b"), Wish::Take),
            (Some("b soon"), Wish::Take),
        ] {
            assert_eq!(wish(kept, "a", now), expected, "{kept:?}");
        }
    }
}
