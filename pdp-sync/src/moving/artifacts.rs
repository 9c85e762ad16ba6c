//! Artifacts that moved: a record says where they lie, so that going on, going back and repairing need nobody.

use pdp_policies::At;
use pdp_policies::decision::{DecisionRecord, Inputs};
use pdp_policies::moves::{Address, MoveKind, successors};
use pdp_policies::release::Release;
use pdp_transport::block_on;
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Registry, Repository};

use super::endpoints::not_at_all;
use super::{Places, Remembered, places};
use crate::crd::{MoveState, MoveStatus};
use crate::customer::Customer;
use crate::endpoints::Endpoints;
use crate::state::State;

/// Lets what is installed follow its artifacts: the record names the successor once that has them. Says what became of
/// the move. A customer's mirror is the customer's own to move.
///
/// # Errors
/// When the record can't be written.
pub(crate) fn adopt(
    endpoints: &Endpoints,
    customer: &Customer,
    state: &mut State,
    now: At,
) -> Result<Vec<MoveStatus>> {
    let Some(record) = state.record.as_ref().filter(|_| customer.inputs.mirror.is_none()) else {
        return Ok(Vec::new());
    };
    if record.inputs().mirror.is_some() {
        return Ok(Vec::new());
    }
    let (found, told) = find(endpoints, state, record.target(), record.inputs().moved_to.as_deref(), now);
    let moved = found.map(|there| moved_record(record, there)).filter(|moved| moved != record);
    if let Some(moved) = moved {
        state.save_record(moved)?;
    }
    Ok(told)
}

/// What a decision for a release is written with: from where the artifacts of the decision before lie, or from the first
/// place that has them.
pub(crate) fn inputs(
    endpoints: &Endpoints,
    customer: &Customer,
    state: &State,
    release: &Release,
    now: At,
) -> Inputs {
    let inputs = customer.inputs.clone();
    if inputs.mirror.is_some() {
        return inputs;
    }
    let same = |before: &&DecisionRecord| {
        before.inputs().mirror.is_none() && before.target().bundle.repository == release.bundle.repository
    };
    let moved_to = match state.record.as_ref().filter(same) {
        // Both decisions share sources: two addresses for one of them would be written in turn.
        Some(before) => before.inputs().moved_to.clone(),
        None => find(endpoints, state, release, None, now).0.flatten(),
    };
    Inputs { moved_to, ..inputs }
}

/// Both releases of a record at their new place; a last good one of another repository stays where it is.
fn moved_record(record: &DecisionRecord, there: Option<String>) -> DecisionRecord {
    let (named, before) = (&record.target().bundle.repository, record.last_good_inputs());
    record.clone().moved(|release| match release.bundle.repository == *named {
        true => there.clone(),
        false => before.and_then(|inputs| inputs.moved_to.clone()),
    })
}

/// Where a release's artifacts lie: some place, or none if nobody has them now. The newest successor isn't asked again
/// once it is where they lie. `Some(None)` is where the release says.
fn find(
    endpoints: &Endpoints,
    state: &State,
    release: &Release,
    lie_at: Option<&str>,
    now: At,
) -> (Option<Option<String>>, Vec<MoveStatus>) {
    let Ok(places) = repositories(endpoints, state, release, now) else { return (None, Vec::new()) };
    let mut told = places.barred;
    for place in &places.ask {
        let there = place.endpoint.to_string();
        let moved_to = (!place.is_configured()).then(|| there.clone());
        let known = lie_at == moved_to.as_deref();
        match if known { Ok(()) } else { has(endpoints, &place.endpoint, release) } {
            Ok(()) => {
                told.extend(place.told(MoveState::Followed, None));
                return (Some(moved_to), told);
            }
            Err(code) => told.extend(place.told(MoveState::Unreachable, Some(&code))),
        }
    }
    (None, told)
}

/// Every address that the artifacts of a release may have had, as far as the moves say.
pub(crate) fn addresses(moves: &Remembered, release: &Release) -> Vec<String> {
    let named = &release.bundle.repository;
    let ever = At::from_unix(i64::MAX);
    let address = Address::loosely(named).ok();
    let hops = address.iter().flat_map(|from| successors(&moves.moves, MoveKind::Artifacts, from, ever));
    std::iter::once(named.clone()).chain(hops.map(|hop| hop.to.to_string())).collect()
}

fn repositories(
    endpoints: &Endpoints,
    state: &State,
    release: &Release,
    now: At,
) -> Result<Places<Repository>> {
    let named: Repository = release.bundle.repository.parse()?;
    let address = Address::loosely(&named.to_string()).ok();
    let make = |to: &Address| endpoints.mover.repository(to);
    Ok(places(named, address, MoveKind::Artifacts, &state.moves, now, make, not_at_all))
}

/// Whether the release's index is there; its bytes are compared with the digest. The code of what is in the way.
fn has(endpoints: &Endpoints, repository: &Repository, release: &Release) -> std::result::Result<(), String> {
    let code = |error: pdp_transport::Error| error.kind.code().to_owned();
    let registry = Registry::new(&endpoints.artifacts).map_err(code)?;
    let found = block_on(registry.manifest(repository, &release.bundle.digest)).map_err(code)?;
    found.map(|_| ()).map_err(code)
}
