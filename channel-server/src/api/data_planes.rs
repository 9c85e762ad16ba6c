//! `/v1/data-planes`: what is enrolled, where it stands, which ring it is in.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use pdp_policies::{Organization, PdpId};
use pdp_transport::channel_server::{DataPlaneView, Page, RingChange};
use serde::Deserialize;

use super::named::Named;
use super::organizations::{check_reason, check_ring};
use super::person::Person;
use super::{Answer, Refusal};
use crate::event::Event;
use crate::fleet::{Fleet, Plane};
use crate::server::Server;

/// Which part of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Part {
    organization: Option<Organization>,
    #[serde(default)]
    after: String,
    limit: Option<usize>,
}

/// Why a data plane is shut out.
#[derive(Debug, Deserialize)]
pub(crate) struct Why {
    reason: String,
}

/// `GET /v1/data-planes?organization=&after=&limit=`
pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    person: Person,
    query: Result<Query<Part>, QueryRejection>,
) -> Answer<Json<Page<DataPlaneView>>> {
    let Part { organization, after, limit } = query?.0;
    let limit = limit.unwrap_or(100).clamp(1, 1000);
    let fleet = server.fleet();
    let asked = |pdp: &&PdpId| {
        person.sees(&pdp.organization) && organization.as_ref().is_none_or(|only| *only == pdp.organization)
    };
    let mut found: Vec<_> = fleet
        .planes
        .keys()
        .filter(asked)
        .map(|pdp| (pdp.to_string(), pdp))
        .filter(|(id, _)| *id > after)
        .collect();
    found.sort_unstable();
    let next = (found.len() > limit).then(|| found[limit - 1].0.clone());
    let items =
        found.into_iter().take(limit).filter_map(|(_, pdp)| view(&fleet, pdp, fleet.planes.get(pdp)?));
    Ok(Json(Page { items: items.collect(), next }))
}

/// `GET /v1/data-planes/{organization}/{data plane}`
pub(crate) async fn show(
    State(server): State<Arc<Server>>,
    person: Person,
    Named(pdp): Named,
) -> Answer<Json<DataPlaneView>> {
    person.read(&pdp.organization)?;
    found(&server.fleet(), &pdp).map(Json)
}

/// `PUT /v1/data-planes/{organization}/{data plane}/ring`: a ring of its own, or the organization's again.
pub(crate) async fn put_ring(
    State(server): State<Arc<Server>>,
    person: Person,
    Named(pdp): Named,
    body: Result<Json<RingChange>, JsonRejection>,
) -> Answer<Json<Option<DataPlaneView>>> {
    let RingChange { ring, reason } = body?.0;
    person.steer()?;
    check_reason(&reason)?;
    if let Some(ring) = &ring {
        check_ring(&server, ring)?;
    }
    let writer = server.write().await?;
    if !server.fleet().organizations.contains_key(&pdp.organization) {
        return Err(Refusal::not_found(format!("no organization `{}`", pdp.organization)));
    }
    if server.fleet().own_ring(&pdp) != ring.as_ref() {
        let PdpId { organization, data_plane } = pdp.clone();
        let event = Event::RingOverridden { organization, data_plane, ring, reason };
        writer.record(&person.actor(), &[event]).await?;
    }
    // Before it enrols there is nothing to show yet; its ring is kept for then.
    Ok(Json(found(&server.fleet(), &pdp).ok()))
}

/// `DELETE /v1/data-planes/{organization}/{data plane}?reason=`: shuts it out; what runs there keeps running.
pub(crate) async fn revoke(
    State(server): State<Arc<Server>>,
    person: Person,
    Named(pdp): Named,
    query: Result<Query<Why>, QueryRejection>,
) -> Answer<Json<DataPlaneView>> {
    let Why { reason } = query?.0;
    person.enrol(&pdp.organization)?;
    check_reason(&reason)?;
    let writer = server.write().await?;
    if found(&server.fleet(), &pdp)?.revoked.is_none() {
        let PdpId { organization, data_plane } = pdp.clone();
        let event = Event::Revoked { organization, data_plane, reason };
        writer.record(&person.actor(), &[event]).await?;
    }
    found(&server.fleet(), &pdp).map(Json)
}

fn found(fleet: &Fleet, pdp: &PdpId) -> Answer<DataPlaneView> {
    let missing = || Refusal::not_found(format!("no data plane `{pdp}` is enrolled"));
    let plane = fleet.planes.get(pdp).ok_or_else(missing)?;
    view(fleet, pdp, plane).ok_or_else(missing)
}

fn view(fleet: &Fleet, pdp: &PdpId, plane: &Plane) -> Option<DataPlaneView> {
    Some(DataPlaneView {
        organization: pdp.organization.clone(),
        data_plane: pdp.data_plane.clone(),
        ring: fleet.ring(pdp)?.clone(),
        own_ring: fleet.own_ring(pdp).cloned(),
        enrolled: plane.enrolled,
        revoked: plane.revoked,
        seen: plane.seen(),
        heard: plane.heard,
        current: plane.current,
        target: plane.target.clone(),
        pdp_sync: plane.pdp_sync.clone(),
        cluster_id: plane.cluster_id,
    })
}
