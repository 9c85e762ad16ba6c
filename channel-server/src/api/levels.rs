//! `GET /v1/levels`: what is installed, as data planes reported it last, and what they are about to install, if it was promoted to them; whoever promotes asks that nobody is stranded.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pdp_policies::Organization;
use pdp_policies::report::LevelDigest;
use pdp_policies::trust::Catalog;
use pdp_transport::channel_server::{InstalledView, Page};

use super::Answer;
use super::person::Person;
use crate::server::Server;

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    person: Person,
) -> Answer<Json<Page<InstalledView>>> {
    person.read_all()?;
    let (fleet, catalog) = (server.fleet(), server.catalog.load());
    let mut installed = BTreeMap::new();
    for (pdp, plane) in fleet.planes.iter().filter(|(_, plane)| plane.revoked.is_none()) {
        let counts = |reported: &LevelDigest| {
            catalog.as_ref().is_none_or(|catalog| was_promoted(catalog, &pdp.organization, *reported))
        };
        if let Some(current) = plane.current.filter(counts) {
            *installed.entry((current.level, current.sha256)).or_insert(0) += 1;
        }
        // A level that is being applied is on no data plane yet, and may be there in a moment.
        let target = plane.target.as_ref();
        let target = target.map(|target| LevelDigest { level: target.level, sha256: target.sha256 });
        if let Some(target) = target.filter(counts) {
            installed.entry((target.level, target.sha256)).or_insert(0);
        }
    }
    let view = |((level, sha256), data_planes)| InstalledView { level, sha256, data_planes };
    Ok(Json(Page { items: installed.into_iter().map(view).collect(), next: None }))
}

/// Data planes may report what they like: what no line ever promoted to them would stand in the way of promotions.
fn was_promoted(catalog: &Catalog, organization: &Organization, reported: LevelDigest) -> bool {
    catalog.channels().any(|channel| channel.was_promoted_to(organization, reported))
}
