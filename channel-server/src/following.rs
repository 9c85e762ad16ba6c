//! Following what other servers append, and when they saw whom.

use std::sync::Arc;
use std::time::Duration;

use pdp_policies::At;
use pdp_transport::cli::clock;

use crate::database::Listener;
use crate::seen;
use crate::server::Server;
use crate::writer::Lost;

/// A word may be missed while the database is away, so the log is looked at at least this often.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is asked whom others saw.
const SEEN: Duration = Duration::from_secs(60);
/// What others saw is written within a minute, and their clocks may be a little behind (seconds).
const SEEN_SINCE: i64 = 5 * 60;

/// Runs until the server stops; ends at once if nobody else can append.
pub(crate) async fn follow(server: Arc<Server>) {
    let Some(mut listener) = server.database.listener() else { return };
    let mut asked = tokio::time::Instant::now();
    while heard(&server, &mut listener).await {
        let looked = server.look().await;
        server.note(looked.err().as_ref());
        if asked.elapsed() >= SEEN {
            asked = tokio::time::Instant::now();
            // What fails here is asked for again; without the database nobody is judged.
            let _ = seen::load(&server, At::from_unix(clock::now().unix() - SEEN_SINCE)).await;
        }
    }
}

/// Waits for a word, but not for long; false once the server is stopping.
async fn heard(server: &Server, listener: &mut Listener) -> bool {
    tokio::select! {
        () = listener.heard() => true,
        () = tokio::time::sleep(LOOK) => true,
        () = server.until_stopping() => false,
    }
}

impl Server {
    /// Notes whether the log can be followed, and says so when that changes. While it can't, nobody tries to write.
    pub(crate) fn note(&self, lost: Option<&Lost>) {
        let now = lost.map(Lost::code);
        let before = self.lost.swap(now.map(Arc::new));
        if before.as_deref().copied() == now {
            return;
        }
        match lost {
            Some(lost) => tracing::error!(code = lost.code(), "the event log can't be followed: {lost}"),
            None => {
                tracing::info!("the event log is followed again");
                // Who reported nothing meanwhile may have tried.
                self.listens_anew(clock::now());
            }
        }
    }
}
