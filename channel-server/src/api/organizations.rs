//! `/v1/organizations`: who is in which ring.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use pdp_policies::{Organization, PdpId, Ring};
use pdp_transport::channel_server::{OrganizationChange, OrganizationView, Page};

use super::person::Person;
use super::{Answer, Refusal};
use crate::event::Event;
use crate::fleet::Plane;
use crate::server::Server;

/// `GET /v1/organizations`: those that the caller may see.
pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    person: Person,
) -> Answer<Json<Page<OrganizationView>>> {
    let fleet = server.fleet();
    let mut enrolled = BTreeMap::<&Organization, u32>::new();
    for (pdp, _) in fleet.planes.iter().filter(|(_, plane)| plane.revoked.is_none()) {
        *enrolled.entry(&pdp.organization).or_default() += 1;
    }
    let seen = fleet.organizations.iter().filter(|(name, _)| person.sees(name));
    let items = seen.map(|(name, ring)| OrganizationView {
        name: name.clone(),
        ring: ring.clone(),
        data_planes: enrolled.get(name).copied().unwrap_or_default(),
    });
    Ok(Json(Page { items: items.collect(), next: None }))
}

/// `PUT /v1/organizations/{organization}`: adds it, or moves it to another ring.
pub(crate) async fn put(
    State(server): State<Arc<Server>>,
    person: Person,
    path: Result<Path<Organization>, PathRejection>,
    body: Result<Json<OrganizationChange>, JsonRejection>,
) -> Answer<Json<OrganizationView>> {
    let (Path(organization), OrganizationChange { ring, reason }) = (path?, body?.0);
    person.steer()?;
    check_reason(&reason)?;
    check_ring(&server, &ring)?;
    let writer = server.write().await?;
    if server.fleet().organizations.get(&organization) != Some(&ring) {
        let (organization, ring) = (organization.clone(), ring.clone());
        let event = Event::OrganizationSet { organization, ring, reason };
        writer.record(&person.actor(), &[event]).await?;
    }
    let fleet = server.fleet();
    let enrolled =
        |(pdp, plane): &(&PdpId, &Plane)| pdp.organization == organization && plane.revoked.is_none();
    let data_planes = fleet.planes.iter().filter(enrolled).count();
    let data_planes = u32::try_from(data_planes).unwrap_or(u32::MAX);
    Ok(Json(OrganizationView { name: organization, ring, data_planes }))
}

/// A ring must stand in the plan of some channel; otherwise nobody would ever open it.
pub(super) fn check_ring(server: &Server, ring: &Ring) -> Answer<()> {
    let catalog = server.catalog.load();
    let catalog = catalog.as_ref().ok_or_else(Refusal::no_catalog)?;
    if catalog.channels().any(|channel| channel.plan.position(ring).is_some()) {
        return Ok(());
    }
    let known: Vec<_> = catalog.channels().flat_map(|c| &c.plan.rings).map(|r| r.name.as_str()).collect();
    Err(Refusal::unprocessable("UnknownRing", format!("no channel has a ring `{ring}`"))
        .hint(&format!("the plan has: {}", known.join(", "))))
}

/// A reason is what the auditor reads.
pub(super) fn check_reason(reason: &str) -> Answer<()> {
    // What stands in for a reason in examples is none.
    if !reason.chars().any(char::is_alphanumeric)
        || reason.len() > 500
        || reason.chars().any(char::is_control)
    {
        return Err(Refusal::bad("BadReason", "a reason of up to 500 characters in one line is needed"));
    }
    Ok(())
}
