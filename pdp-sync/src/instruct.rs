//! What was heard of those who open levels: judged anew in every pass, kept so that silence is no harm.
//!
//! Whatever a server says or fails to say, the channel's own door stays: trouble here never ends a pass.

mod sources;

use std::time::Duration;

use pdp_policies::gate::{Instruction, Waiting};
use pdp_policies::instruction::{Assignment, POLL_AFTER, Ready, RingState};
use pdp_policies::trust::{self, Approved, Catalog, Instructed, InstructionFloor, Uncounted, Verified};
use pdp_policies::{At, Refusal, RefusalCode, Span};
use pdp_transport::block_on;
use pdp_transport::channel_server::Polled;
use pdp_transport::cli::failure::Result;

use self::sources::Asked;
use crate::approvals;
use crate::content::SignedApproval;
use crate::crd::MoveStatus;
use crate::customer::{Customer, Opener};
use crate::endpoints::Endpoints;
use crate::identity::Identity;
use crate::state::{Kept, State};
use crate::time::jittered;

/// When to ask again while nothing valid was heard.
const WITHOUT_WORD: Span = Span::from_seconds(60);

/// All that was heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    assignment: Option<Box<Verified<Assignment>>>,
    ring_state: Option<Box<Verified<RingState>>>,
    pub(crate) approvals: Vec<Verified<Approved>>,
    /// The approvals that don't count, with the reasons.
    pub(crate) uncounted: Vec<Uncounted>,
    /// What was refused, or couldn't be had.
    pub(crate) trouble: Option<Trouble>,
    /// Whom to report to, and to ask for leave; present once this data plane is enrolled.
    pub(crate) identity: Option<Identity>,
    /// What became of the moves of whoever opens levels.
    pub(crate) moves: Vec<MoveStatus>,
}

/// Why there is no new instruction.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// It can't be had now: wait.
    Unavailable(String, String),
    /// It was refused; the one before holds until it expires.
    Refused(Refusal),
}

impl Trouble {
    /// An instruction is refused for a version only when it was made on a newer catalog than can be had here,
    /// twice: that is lag of a mirror, and waiting heals it.
    fn of(refusal: Refusal) -> Self {
        match refusal.code {
            RefusalCode::VersionFloor => Self::Unavailable("CatalogBehind".to_owned(), refusal.to_string()),
            _ => Self::Refused(refusal),
        }
    }
}

/// What a pass does next.
pub(crate) enum Listened {
    /// Go on with this.
    Heard(Box<Heard>),
    /// The director saw a newer catalog: fetch that, then listen again.
    FetchFirst,
}

impl Heard {
    /// In the gate's words.
    pub(crate) fn instruction(&self, opener: Opener) -> Instruction<'_> {
        opener.instruction(self.assignment.as_deref(), self.ring_state.as_deref())
    }

    /// The assignment that holds.
    pub(crate) fn assignment(&self) -> Option<&Assignment> {
        self.assignment.as_deref().map(|verified| &**verified)
    }

    /// When the instruction that holds was issued, and until when it does.
    pub(crate) fn dates(&self) -> Option<(At, At)> {
        let assignment = self.assignment().map(|a| (a.issued, a.expires));
        assignment.or_else(|| self.ring_state.as_ref().map(|state| (state.issued, state.expires)))
    }
}

/// Asks whoever the subscription names, or their successors, once. `refetched` after [`Listened::FetchFirst`].
pub(crate) fn listen(
    endpoints: &Endpoints,
    customer: &Customer,
    approvals: &[SignedApproval],
    state: &mut State,
    catalog: &Catalog,
    now: At,
    refetched: bool,
) -> Result<Listened> {
    let judged = approvals::judge(approvals, customer, &state.certified, now);
    state.save_certified(judged.certified)?;
    let mut heard = Heard { approvals: judged.counted, uncounted: judged.uncounted, ..Heard::default() };
    if sources::ask(endpoints, customer, state, catalog, now, refetched, &mut heard)? == Asked::FetchFirst {
        return Ok(Listened::FetchFirst);
    }
    let nothing_new = heard.assignment.is_none() && heard.ring_state.is_none();
    if let Some(kept) = kept(customer, state).cloned().filter(|_| nothing_new) {
        // What was followed before holds until it expires, as long as the catalog still agrees with it.
        match judge(customer, state, catalog, kept.envelope.as_bytes(), now, refetched, &mut heard) {
            Judged::Refused(refusal) if heard.trouble.is_none() => heard.trouble = Some(Trouble::of(refusal)),
            Judged::FetchFirst => return Ok(Listened::FetchFirst),
            Judged::Followed(_) | Judged::Refused(_) => {}
        }
    }
    Ok(Listened::Heard(Box::new(heard)))
}

/// What was heard before, without asking anybody: for a plan, which changes nothing.
pub(crate) fn known(
    customer: &Customer,
    approvals: &[SignedApproval],
    state: &State,
    catalog: &Catalog,
    now: At,
) -> Heard {
    let judged = approvals::judge(approvals, customer, &state.certified, now);
    let mut heard = Heard { approvals: judged.counted, uncounted: judged.uncounted, ..Heard::default() };
    if let Some(kept) = kept(customer, state) {
        let envelope = kept.envelope.as_bytes();
        if let Judged::Refused(refusal) = judge(customer, state, catalog, envelope, now, true, &mut heard) {
            heard.trouble = Some(Trouble::of(refusal));
        }
    }
    heard
}

/// Asks for leave to start what only waits for it.
pub(crate) fn ask(
    customer: &Customer,
    state: &mut State,
    catalog: &Catalog,
    waiting: &Waiting,
    heard: &mut Heard,
    now: At,
) -> Result<()> {
    let Some(identity) = &heard.identity else { return Ok(()) };
    let meant = heard.assignment().filter(|it| it.ceiling.as_ref().is_some_and(|c| c.level == waiting.level));
    let attempt = meant.map_or(1, |assignment| assignment.attempt);
    let ready = Ready { level: waiting.level, sha256: waiting.sha256, attempt };
    let (pdp, line) = (&customer.pdp, &customer.line);
    let answer = match block_on(identity.server.ready(pdp, line, &identity.key, &ready, now))? {
        Ok(answer) => answer,
        Err(failure) => {
            heard.trouble = Some(Trouble::Unavailable(failure.code.clone(), failure.to_string()));
            return Ok(());
        }
    };
    let answer = String::from_utf8_lossy(&answer).into_owned();
    follow(customer, state, catalog, answer, None, now, true, heard).map(|_| ())
}

/// Judges what has just come, and keeps it if it is followed.
#[expect(clippy::too_many_arguments, reason = "where all that an instruction depends on meets")]
fn follow(
    customer: &Customer,
    state: &mut State,
    catalog: &Catalog,
    envelope: String,
    tag: Option<String>,
    now: At,
    refetched: bool,
    heard: &mut Heard,
) -> Result<Judged> {
    let judged = judge(customer, state, catalog, envelope.as_bytes(), now, refetched, heard);
    match &judged {
        Judged::Followed(floor) => {
            let source = customer.opener.name().to_owned();
            let server = heard.identity.as_ref().map(|identity| identity.url.clone());
            state.save_instruction(Kept { envelope, tag, source, server, floor: floor.clone() })?;
        }
        Judged::Refused(refusal) => heard.trouble = Some(Trouble::of(refusal.clone())),
        Judged::FetchFirst => {}
    }
    Ok(judged)
}

/// Waits until the server has news, `longest` at most; sooner never than the least pause between polls.
pub(crate) fn wait_for_news(customer: &Customer, state: &State, identity: &Identity, longest: Span, now: At) {
    let least = Duration::from_secs(POLL_AFTER.0.seconds().unsigned_abs());
    let longest = Duration::from_secs(longest.seconds().unsigned_abs()).max(least);
    std::thread::sleep(least);
    let tag = kept(customer, state).and_then(|kept| kept.tag.clone());
    let (Some(tag), wait) = (tag, longest - least) else { return };
    let (pdp, line) = (&customer.pdp, &customer.line);
    let started = std::time::Instant::now();
    let asked = identity.server.assignment(pdp, line, &identity.key, Some(&tag), wait, now);
    if matches!(block_on(asked), Ok(Ok(Polled::New(..)))) {
        return;
    }
    // The server was away, or answered sooner than asked: wait here, and not all at the same moment.
    std::thread::sleep(jittered(wait.saturating_sub(started.elapsed())));
}

/// When to ask again: the server's wish within what is sane.
pub(crate) fn poll_after(heard: &Heard) -> Span {
    heard.assignment().map_or(WITHOUT_WORD, |a| a.poll_after).clamp(POLL_AFTER.0, POLL_AFTER.1)
}

/// What was followed before, unless the subscription names another source by now.
fn kept<'a>(customer: &Customer, state: &'a State) -> Option<&'a Kept> {
    let source = customer.opener.name();
    state.instruction.as_ref().filter(|kept| kept.source == source)
}

/// False if what was followed before is to be had anew, whatever the server calls unchanged: its key may be out of use, and a
/// server that lags doesn't know that yet.
fn counts(customer: &Customer, state: &State, catalog: &Catalog, now: At) -> bool {
    let Some(kept) = kept(customer, state) else { return false };
    let judged = judge(customer, state, catalog, kept.envelope.as_bytes(), now, true, &mut Heard::default());
    !matches!(judged, Judged::Refused(_))
}

/// What the judge said; what it followed is in `heard` then.
enum Judged {
    Followed(InstructionFloor),
    FetchFirst,
    Refused(Refusal),
}

fn judge(
    customer: &Customer,
    state: &State,
    catalog: &Catalog,
    envelope: &[u8],
    now: At,
    refetched: bool,
    heard: &mut Heard,
) -> Judged {
    let floor = kept(customer, state).map(|kept| &kept.floor);
    if customer.opener == Opener::RingState {
        let judged = trust::ring_state(envelope, catalog, &customer.line, floor, now, refetched);
        return keep(judged, &mut heard.ring_state);
    }
    let judged = trust::assignment(envelope, catalog, &customer.pdp, floor, now, refetched);
    keep(judged, &mut heard.assignment)
}

fn keep<T>(judged: Instructed<T>, place: &mut Option<Box<Verified<T>>>) -> Judged {
    match judged {
        Instructed::Followed(followed, floor) => {
            *place = Some(followed);
            Judged::Followed(floor)
        }
        Instructed::FetchFirst(_) => Judged::FetchFirst,
        Instructed::Refused(refusal) => Judged::Refused(refusal),
    }
}
