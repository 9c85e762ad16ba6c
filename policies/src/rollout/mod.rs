//! One level going through the rings of its channel: a list of events from which all else is computed.
//!
//! [`fold`] makes the rollout from its events, [`step`] says which events come next, [`grant`] whether a
//! PDP may start, [`hear`] what a report means, [`command`] what a person may do. Same events and rows, same
//! answer: no clock, no randomness, no memory in between.

mod budget;
mod census;
mod command;
mod event;
mod evidence;
mod expedite;
mod flight;
mod fold;
mod grant;
mod halt;
mod hear;
mod offer;
mod phase;
mod reasons;
mod share;
pub mod simulate;
mod starts;
mod step;
mod waits;
mod wellness;

pub use budget::bears;
pub use census::{Census, Clock, Failures, PdpState, Row, Tally, state_of, tally};
pub use command::{Command, CommandRefusal, Kind, Order, allowed, command, may_retry};
pub use event::{Outcome, RolloutEvent};
pub use fold::{Progress, Rollout, Started, fold};
pub use grant::{GRANT_LIFE, Grant, Wish, grant};
pub use halt::{Baseline, Cause, Halt, HaltScope, Pause, too_many};
pub use hear::{Heard, Unheard, hear};
pub use offer::{Asker, is_open, offer, superseded, wave_of};
pub use phase::{Fate, Phase, overall, phase};
pub use reasons::{Failing, Reasons, explained};
pub use share::ring_shares;
pub use step::{Lack, Outside, cap_of, is_empty_beside_others, lack, step};
pub use waits::{WaitsFor, waits_for};
pub use wellness::Wellness;
