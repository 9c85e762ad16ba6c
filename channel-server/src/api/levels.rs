//! `GET /v1/levels`: what is installed, as data planes reported it last, and what they are about to install; whoever promotes asks that nobody is stranded.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pdp_transport::channel_server::{InstalledView, Page};

use super::Answer;
use super::person::Person;
use crate::server::Server;

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    person: Person,
) -> Answer<Json<Page<InstalledView>>> {
    person.read_all()?;
    let fleet = server.fleet();
    let mut installed = BTreeMap::new();
    for plane in fleet.planes.values().filter(|plane| plane.revoked.is_none()) {
        if let Some(current) = plane.current {
            *installed.entry((current.level, current.sha256)).or_insert(0) += 1;
        }
        // A level that is being applied is on no data plane yet, and may be there in a moment.
        if let Some(target) = &plane.target {
            installed.entry((target.level, target.sha256)).or_insert(0);
        }
    }
    let view = |((level, sha256), data_planes)| InstalledView { level, sha256, data_planes };
    Ok(Json(Page { items: installed.into_iter().map(view).collect(), next: None }))
}
