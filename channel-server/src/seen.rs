//! When data planes polled last: noted in memory, written down now and then, never on a poll's way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use pdp_policies::{At, PdpId};

use crate::fleet::Fleet;
use crate::server::Server;
use crate::writer::WriteFailed;

/// How often what changed is written down.
const EVERY: Duration = Duration::from_secs(60);
/// What others saw is written down at most this much later (seconds): two rounds.
const LATE: i64 = 120;

/// Runs until the server stops.
pub(crate) async fn keep(server: Arc<Server>) {
    let (mut known, mut asked) = (HashMap::new(), server.now());
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => save_changed(&server, &mut known).await,
            () = server.until_stopping() => return,
        }
        if server.database.is_shared() {
            let now = server.now();
            // What fails is asked for again; without the database nobody is judged.
            if let Ok(seen) = load(&server, At::from_unix(asked.unix() - LATE)).await {
                asked = now;
                known.extend(seen);
            }
        }
    }
}

/// Writes everything down once more.
pub(crate) async fn save(server: &Server) {
    save_changed(server, &mut HashMap::new()).await;
}

async fn save_changed(server: &Server, known: &mut HashMap<PdpId, i64>) {
    let changed: Vec<_> = {
        let fleet = server.fleet();
        let seen = fleet.planes.iter().map(|(pdp, plane)| (pdp, plane.seen.load(Relaxed)));
        let changed = seen.filter(|(pdp, at)| *at != 0 && known.get(*pdp) != Some(at));
        changed.map(|(pdp, at)| (pdp.clone(), at)).collect()
    };
    let rows: Vec<_> = changed.iter().map(|(pdp, at)| (pdp.clone(), At::from_unix(*at))).collect();
    match server.database.save_seen(rows).await {
        Ok(()) => known.extend(changed),
        Err(error) => {
            server.failed(&error);
        }
    }
}

/// Takes over what was written down since then, by whichever server: who polled when.
pub(crate) async fn load(server: &Server, since: At) -> Result<HashMap<PdpId, i64>, WriteFailed> {
    let seen = server.read().await?.seen(since).await.map_err(|e| server.failed(&e))?;
    let fleet = server.fleet();
    let restored = seen
        .iter()
        .filter_map(|(organization, data_plane, at)| restore(&fleet, organization, data_plane, *at));
    Ok(restored.collect())
}

/// Names that nobody has any more are passed over.
fn restore(fleet: &Fleet, organization: &str, data_plane: &str, at: At) -> Option<(PdpId, i64)> {
    let pdp = PdpId { organization: organization.parse().ok()?, data_plane: data_plane.parse().ok()? };
    fleet.planes.get(&pdp)?.seen.fetch_max(at.unix(), Relaxed);
    Some((pdp, at.unix()))
}
