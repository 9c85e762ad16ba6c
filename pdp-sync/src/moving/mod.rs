//! Where else to look: the successors of the addresses that a subscription names, as the vendor's channel lists them.
//! Only hosts that the administrator allows are followed, and none gets another host's login.

mod artifacts;
mod endpoints;
mod remembered;

use pdp_policies::At;
use pdp_policies::moves::{Address, Hop, MoveKind, successors};
use pdp_transport::cli::failure::{Failure, Result};

pub(crate) use artifacts::{addresses, adopt, inputs};
pub(crate) use endpoints::{Mover, catalogs, ring_states, servers};
pub(crate) use remembered::{MOVES, Origin, Remembered};

use crate::crd::{MoveState, MoveStatus};

/// The code of a move to a host that isn't allowed.
const NOT_ALLOWED: &str = "MoveNotAllowed";

/// The code of a move that only the customer can follow, in their own Flux source.
const FLUX_SOURCE: &str = "FluxSource";

/// One place to ask.
#[derive(Debug)]
pub(crate) struct Place<T> {
    pub(crate) endpoint: T,
    /// The move that led here; none for the address that the subscription names.
    moved: Option<MoveStatus>,
}

/// All places to ask for the same thing, in that order, and the successors that aren't asked.
#[derive(Debug)]
pub(crate) struct Places<T> {
    pub(crate) ask: Vec<Place<T>>,
    pub(crate) barred: Vec<MoveStatus>,
}

impl<T> Place<T> {
    /// True for the address that the subscription names.
    fn is_configured(&self) -> bool {
        self.moved.is_none()
    }

    /// The successor that this is; none for the address that the subscription names.
    pub(crate) fn successor(&self) -> Option<Address> {
        self.moved.as_ref()?.to.parse().ok()
    }

    /// What is told of the move that led here.
    pub(crate) fn told(&self, state: MoveState, reason: Option<&str>) -> Option<MoveStatus> {
        let moved = self.moved.clone()?;
        let reason = reason.map(str::to_owned);
        let hint = hint(&moved, state);
        Some(MoveStatus { state, reason, hint, ..moved })
    }
}

impl<T> Places<T> {
    /// The one address that the subscription names.
    pub(crate) fn only(endpoint: T) -> Self {
        Self { ask: vec![Place { endpoint, moved: None }], barred: Vec::new() }
    }

    /// The same places of something else.
    pub(crate) fn map<U>(self, make: impl Fn(T) -> U) -> Places<U> {
        let ask =
            self.ask.into_iter().map(|Place { endpoint, moved }| Place { endpoint: make(endpoint), moved });
        Places { ask: ask.collect(), barred: self.barred }
    }

    /// Adds what a move leads to, or why it isn't followed.
    fn add(&mut self, from: &Address, hop: &Hop<'_>, until: At, made: Result<T>) {
        let moved = |state| MoveStatus {
            kind: hop.by.kind,
            from: from.to_string(),
            to: hop.to.to_string(),
            until,
            state,
            reason: None,
            hint: String::new(),
        };
        match made {
            Ok(endpoint) => {
                self.ask.push(Place { endpoint, moved: Some(moved(MoveState::Followed)) });
            }
            Err(failure) => self.barred.push(barred(moved(MoveState::NotAllowed), &failure)),
        }
    }
}

/// The newest successor first, the address that the subscription names after its successors. An old one that is kept no
/// longer is asked as `ended` says, which is told what came after it, unless no later one may be asked. Where moves lead
/// that were taken back counts last, until an address before them is known to answer.
pub(crate) fn places<T>(
    endpoint: T,
    address: Option<Address>,
    kind: MoveKind,
    remembered: &Remembered,
    now: At,
    make: impl Fn(&Address) -> Result<T>,
    ended: impl Fn(T, &[Hop<'_>]) -> Option<T>,
) -> Places<T> {
    let Some(address) = address else { return Places::only(endpoint) };
    let mut places = Places { ask: Vec::new(), barred: Vec::new() };
    let hops = successors(&remembered.moves, kind, &address, now);
    let asked = |places: &Places<T>, endpoint: T, later: &[Hop<'_>]| {
        let is_over = later.first().is_some_and(|hop| remembered.kept_until(hop) < now);
        if is_over && !places.ask.is_empty() { ended(endpoint, later) } else { Some(endpoint) }
    };
    for (index, hop) in hops.iter().enumerate().rev() {
        let later = hops.get(index + 1..).unwrap_or_default();
        let made = make(&hop.to).map(|made| asked(&places, made, later));
        if let Some(made) = made.transpose() {
            places.add(&address, hop, remembered.kept_until(hop), made);
        }
    }
    let endpoint = asked(&places, endpoint, &hops);
    places.ask.extend(endpoint.map(|endpoint| Place { endpoint, moved: None }));
    let all = remembered.with_dropped();
    let known = |to: &Address| *to == address || hops.iter().any(|hop| hop.to == *to);
    for hop in successors(&all, kind, &address, now).iter().rev().filter(|hop| !known(&hop.to)) {
        places.add(&address, hop, remembered.kept_until(hop), make(&hop.to));
    }
    places
}

fn barred(moved: MoveStatus, failure: &Failure) -> MoveStatus {
    let (state, reason) = match failure.code.as_str() {
        "HostNotAllowed" => (MoveState::NotAllowed, NOT_ALLOWED),
        FLUX_SOURCE => (MoveState::FluxSource, FLUX_SOURCE),
        "NotEnrolled" => (MoveState::NotEnrolled, failure.code.as_str()),
        code => (MoveState::Unreachable, code),
    };
    let (hint, reason) = (hint(&moved, state), Some(reason.to_owned()));
    MoveStatus { state, reason, hint, ..moved }
}

/// What whoever reads it can do next.
fn hint(moved: &MoveStatus, state: MoveState) -> String {
    let MoveStatus { to, until, .. } = moved;
    match state {
        MoveState::Followed => {
            format!("name {to} in the subscription; the old address is kept until {until}")
        }
        MoveState::NotAllowed => format!(
            "have the host of {to} added (PDP_SYNC_ALLOWED_HOSTS; chart value allowedHosts) before {until}"
        ),
        MoveState::Unreachable => {
            format!(
                "let {to} through proxy and firewall, and give it a login if it asks for one, before {until}"
            )
        }
        MoveState::Refused => {
            format!("tell the vendor: what {to} answers is refused, and the old address is asked")
        }
        MoveState::FluxSource => {
            format!("Flux fetches it: name {to} in spec.url of the Flux source before {until}")
        }
        MoveState::NotEnrolled => {
            format!(
                "an enrolment token goes to nobody else: name {to} in spec.instruction.server.url to enrol there"
            )
        }
    }
}

#[cfg(test)]
mod tests;
