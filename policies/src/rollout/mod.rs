//! One level going through the rings of its channel: a list of events from which all else is computed.
//!
//! [`fold`] makes the rollout from its events, [`step`] says which events come next, [`grant`] whether a
//! PDP may start. Same events and rows, same answer: no clock, no randomness, no memory in between.

mod census;
mod event;
mod fold;
mod grant;
mod offer;
mod step;

pub use census::{Census, PdpState, Row, census, state_of};
pub use event::{Outcome, RolloutEvent};
pub use fold::{Progress, Rollout, Started, fold};
pub use grant::{GRANT_LIFE, Grant, grant};
pub use offer::{is_open, offer, ring_shares};
pub use step::{cap_of, step};
