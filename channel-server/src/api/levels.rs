//! `GET /v1/levels`: what is installed, as data planes reported it last; whoever promotes asks that nobody is stranded.

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
    let enrolled = fleet.planes.values().filter(|plane| plane.revoked.is_none());
    let mut installed = BTreeMap::new();
    for current in enrolled.filter_map(|plane| plane.current) {
        *installed.entry((current.level, current.sha256)).or_insert(0) += 1;
    }
    let view = |((level, sha256), data_planes)| InstalledView { level, sha256, data_planes };
    Ok(Json(Page { items: installed.into_iter().map(view).collect(), next: None }))
}
