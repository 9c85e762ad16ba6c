//! Whoever opens levels, at whichever of their addresses answers: successors first, then what the subscription names.

use std::time::Duration;

use pdp_policies::At;
use pdp_policies::trust::Catalog;
use pdp_transport::channel_server::Polled;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::git::Remote;
use pdp_transport::instruction_source;
use pdp_transport::oci::Registry;
use pdp_transport::{KeptBlob, block_on};

use super::{Heard, Judged, Trouble, counts, follow, kept};
use crate::crd::MoveState;
use crate::customer::Customer;
use crate::endpoints::{Endpoints, GitEndpoint, RingStateEndpoint, ServerEndpoint};
use crate::identity;
use crate::moving::{self, Place, Places};
use crate::state::State;

/// What came of asking all of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// What was followed, or the trouble, is in what was heard.
    Done,
    /// The director saw a newer catalog.
    FetchFirst,
}

/// One of them.
enum Source {
    Server(ServerEndpoint),
    RingState(RingStateEndpoint),
}

/// An envelope and its tag, none if the one that is known still holds.
type Fetched = Result<Option<(String, Option<String>)>>;

/// Asks one place after the other until one gives what is followed. What an address answers that is refused keeps
/// nobody from the next one.
pub(super) fn ask(
    endpoints: &Endpoints,
    customer: &Customer,
    state: &mut State,
    catalog: &Catalog,
    now: At,
    refetched: bool,
    heard: &mut Heard,
) -> Result<Asked> {
    let Some(places) = places(endpoints, customer, state, now) else { return Ok(Asked::Done) };
    heard.moves = places.barred;
    let tag = counts(customer, state, catalog, now).then(|| kept(customer, state)?.tag.clone()).flatten();
    let mut in_vain = Vec::new();
    for place in &places.ask {
        in_vain.extend(heard.identity.take());
        let new = match fetched(&place.endpoint, customer, state, tag.as_deref(), heard, now) {
            Ok(new) => new,
            Err(failure) => {
                unavailable(heard, place, &failure);
                continue;
            }
        };
        let judged = match new {
            Some((envelope, tag)) => {
                Some(follow(customer, state, catalog, envelope, tag, now, refetched, heard)?)
            }
            None => None,
        };
        match judged {
            Some(Judged::FetchFirst) => return Ok(Asked::FetchFirst),
            Some(Judged::Refused(refusal)) => {
                heard.moves.extend(place.told(MoveState::Refused, Some(refusal.code.as_str())));
            }
            Some(Judged::Followed(_)) | None => {
                heard.trouble = None;
                heard.moves.extend(place.told(MoveState::Followed, None));
                if let Some(identity) = &heard.identity {
                    state.save_server(&identity.url)?;
                }
                return Ok(Asked::Done);
            }
        }
    }
    in_vain.extend(heard.identity.take());
    let followed = state.instruction.as_ref().and_then(|kept| kept.server.as_deref());
    heard.identity = whom_to_tell(in_vain, |identity| Some(identity.url.as_str()) == followed);
    Ok(Asked::Done)
}

/// Of those who were asked in vain, newest first, the one whose word was followed last; else the newest, which people
/// signed. The last one asked may be a name that the vendor gives up.
fn whom_to_tell<T>(mut in_vain: Vec<T>, is_followed: impl Fn(&T) -> bool) -> Option<T> {
    let place = in_vain.iter().position(is_followed).unwrap_or_default();
    (!in_vain.is_empty()).then(|| in_vain.swap_remove(place))
}

/// A refusal says more than silence.
fn unavailable<T>(heard: &mut Heard, place: &Place<T>, failure: &Failure) {
    heard.moves.extend(place.told(MoveState::Unreachable, Some(&failure.code)));
    if !matches!(heard.trouble, Some(Trouble::Refused(_))) {
        heard.trouble = Some(Trouble::Unavailable(failure.code.clone(), failure.to_string()));
    }
}

fn places(endpoints: &Endpoints, customer: &Customer, state: &State, now: At) -> Option<Places<Source>> {
    let is_enrolled = state.enrolled.as_ref().is_some_and(|enrolled| enrolled.id == customer.pdp);
    let servers = moving::servers(endpoints, &state.moves, is_enrolled, now);
    let ring_states = || moving::ring_states(endpoints, &state.moves, now);
    servers
        .map(|places| places.map(Source::Server))
        .or_else(|| ring_states().map(|places| places.map(Source::RingState)))
}

fn fetched(
    source: &Source,
    customer: &Customer,
    state: &mut State,
    tag: Option<&str>,
    heard: &mut Heard,
    now: At,
) -> Fetched {
    match source {
        Source::Server(endpoint) => poll(endpoint, customer, state, tag, heard, now),
        Source::RingState(endpoint) => ring_state(endpoint, customer, state),
    }
}

fn poll(
    endpoint: &ServerEndpoint,
    customer: &Customer,
    state: &mut State,
    tag: Option<&str>,
    heard: &mut Heard,
    now: At,
) -> Fetched {
    let identity = heard.identity.insert(identity::establish(endpoint, customer, state)?);
    let (pdp, line) = (&customer.pdp, &customer.line);
    let asked = identity.server.assignment(pdp, line, &identity.key, tag, Duration::ZERO, now);
    Ok(match block_on(asked)?? {
        Polled::New(envelope, tag) => Some((text(envelope)?, tag)),
        Polled::Unchanged => None,
    })
}

fn ring_state(endpoint: &RingStateEndpoint, customer: &Customer, state: &State) -> Fetched {
    let line = &customer.line;
    let envelope = match endpoint {
        RingStateEndpoint::Git(GitEndpoint { url, branch, options }) => {
            let remote = Remote::open(url, &state.cache("ring-state"), options.clone())?;
            instruction_source::from_git(&remote, branch, line)?
        }
        RingStateEndpoint::Oci { repository, options } => {
            let registry = Registry::new(options)?;
            let kept = KeptBlob::new(&state.cache("ring-state").join("kept"));
            block_on(instruction_source::from_oci(&registry, repository, line, &kept))??
        }
    };
    let missing = || Failure::new("NotFound", format!("no ring state of `{line}` is published there"));
    Ok(Some((text(envelope.ok_or_else(missing)?)?, None)))
}

fn text(envelope: Vec<u8>) -> Result<String> {
    String::from_utf8(envelope).map_err(|_| Failure::new("Garbage", "the instruction is not text"))
}

#[cfg(test)]
mod tests {
    use super::whom_to_tell;

    #[test]
    fn after_all_failed_the_one_that_was_followed_last_is_told_else_the_newest() {
        for (asked, followed, told) in [
            ("", "a", None),
            ("a", "", Some('a')),
            ("cba", "", Some('c')),
            ("cba", "c", Some('c')),
            ("cba", "b", Some('b')),
            ("cba", "a", Some('a')),
            ("ba", "c", Some('b')),
        ] {
            let all: Vec<_> = asked.chars().collect();
            assert_eq!(whom_to_tell(all, |one| followed.contains(*one)), told, "{asked} {followed}");
        }
    }
}
