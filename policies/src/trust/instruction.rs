//! The judge of a director's documents: a stolen server may withhold, delay, and nothing else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Verified;
use super::catalog::Catalog;
use super::judge::Doubt;
use crate::channel::Promotion;
use crate::codes::{Refusal, RefusalCode as Code};
use crate::digest::Digest;
use crate::document;
use crate::dsse;
use crate::instruction::{
    Assignment, Ceiling, MAX_ASSIGNMENT_LIFE, MAX_RING_STATE_LIFE, MinimumCatalog, RingState,
};
use crate::keys::ListedKey;
use crate::names::{Line, PdpId};
use crate::time::{At, CLOCK_TOLERANCE, Span};

/// The newest instruction that was followed. It holds until none of the director's keys of then is in use any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionFloor {
    /// When it was issued.
    pub issued: At,
    /// Fingerprint of the director's keys, for versions that know no list.
    pub keys: Digest,
    /// SHA-256 of each of the director's keys then (DER). Floors of versions that kept none hold for ever.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub in_use: BTreeSet<Digest>,
}

impl InstructionFloor {
    fn holds(&self, in_use: &BTreeSet<Digest>) -> bool {
        self.in_use.is_empty() || !self.in_use.is_disjoint(in_use)
    }
}

/// What the judge says of an instruction.
#[derive(Debug)]
pub enum Instructed<T> {
    /// It is the director's, for this PDP, and not older than what was followed. Persist the floor.
    Followed(Box<Verified<T>>, InstructionFloor),
    /// The director saw a newer catalog: fetch the catalog again, then ask again with `refetched`.
    FetchFirst(Refusal),
    /// Nothing of it may be used.
    Refused(Refusal),
}

/// Judges an assignment (a DSSE envelope) for `pdp`.
///
/// `floor` is the newest one that was followed, `refetched` whether the catalog was fetched again
/// because of [`Instructed::FetchFirst`].
pub fn assignment(
    envelope: &[u8],
    catalog: &Catalog,
    pdp: &PdpId,
    floor: Option<&InstructionFloor>,
    now: At,
    refetched: bool,
) -> Instructed<Assignment> {
    let judge = || -> Result<(Assignment, InstructionFloor), Doubt> {
        let subject = "assignment";
        let read: Assignment = open(subject, envelope, dsse::ASSIGNMENT, catalog)?;
        if (&read.organization, &read.data_plane) != (&pdp.organization, &pdp.data_plane) {
            let detail = format!("it is for {}/{}", read.organization, read.data_plane);
            return Err(Refusal::new(Code::OtherDataPlane, subject, detail).into());
        }
        let floor =
            check_times(subject, (read.issued, read.expires), MAX_ASSIGNMENT_LIFE, catalog, floor, now)?;
        check_catalog(subject, read.min_catalog, catalog)?;
        if let Some(ceiling) = &read.ceiling {
            check_ceiling(subject, ceiling, catalog)?;
        }
        Ok((read, floor))
    };
    verdict(judge(), refetched)
}

/// Judges a ring state (a DSSE envelope) of `line`.
///
/// `floor` and `refetched` as in [`assignment`].
pub fn ring_state(
    envelope: &[u8],
    catalog: &Catalog,
    line: &Line,
    floor: Option<&InstructionFloor>,
    now: At,
    refetched: bool,
) -> Instructed<RingState> {
    let judge = || -> Result<(RingState, InstructionFloor), Doubt> {
        let subject = "ring state";
        let read: RingState = open(subject, envelope, dsse::RING_STATE, catalog)?;
        if read.line != *line {
            let detail = format!("it is of line `{}`", read.line);
            return Err(Refusal::new(Code::OtherDataPlane, subject, detail).into());
        }
        let floor =
            check_times(subject, (read.issued, read.expires), MAX_RING_STATE_LIFE, catalog, floor, now)?;
        let channel = catalog.channel(line);
        // The director hasn't read that a level was pruned: it opens nothing, and nothing else waits for that.
        let pruned = |level| channel.is_some_and(|channel| channel.may_be_pruned(level));
        for (level, state) in read.levels.iter().filter(|(level, _)| !pruned(**level)) {
            let promoted = channel.and_then(|channel| channel.levels.get(level));
            if promoted.map(|promotion| promotion.sha256) != Some(state.sha256) {
                let detail = format!("the channel doesn't promote level {level} with this content");
                let refusal = Refusal::new(Code::CeilingNotInChannel, subject, detail);
                return Err(unpromoted(promoted, refusal));
            }
        }
        Ok((read, floor))
    };
    verdict(judge(), refetched)
}

/// What a director signed for a line, whatever its dates and levels: for whoever asks only whether it is newer than
/// something else. None if no director of this catalog signed it.
pub fn signed_ring_state(envelope: &[u8], catalog: &Catalog, line: &Line) -> Option<RingState> {
    let state: RingState = open("ring state", envelope, dsse::RING_STATE, catalog).ok()?;
    (state.line == *line).then_some(state)
}

fn verdict<T>(judged: Result<(T, InstructionFloor), Doubt>, refetched: bool) -> Instructed<T> {
    match judged {
        Ok((read, floor)) => Instructed::Followed(Box::new(Verified::new(read)), floor),
        Err(Doubt::Lag(refusal)) if !refetched => Instructed::FetchFirst(refusal),
        Err(Doubt::Lag(refusal) | Doubt::Refused(refusal)) => Instructed::Refused(refusal),
    }
}

fn open<T: serde::de::DeserializeOwned>(
    subject: &str,
    envelope: &[u8],
    payload_type: &str,
    catalog: &Catalog,
) -> Result<T, Refusal> {
    let keys: Vec<_> = catalog.director_keys().active_keys().filter_map(ListedKey::der).collect();
    document::read(subject, &dsse::open(subject, envelope, payload_type, &keys)?)
}

/// No older than what was followed; not dated ahead, not living longer than it may, not expired.
fn check_times(
    subject: &str,
    (issued, expires): (At, At),
    longest: Span,
    catalog: &Catalog,
    floor: Option<&InstructionFloor>,
    now: At,
) -> Result<InstructionFloor, Refusal> {
    let refuse = |code, detail| Err(Refusal::new(code, subject, detail));
    let (keys, in_use) = (director_fingerprint(catalog), directors(catalog));
    if let Some(floor) = floor.filter(|floor| floor.holds(&in_use) && issued < floor.issued) {
        return refuse(
            Code::OlderThanLast,
            format!("issued {issued}, but one of {} was followed", floor.issued),
        );
    }
    if issued.unix() > now.unix().saturating_add(CLOCK_TOLERANCE) {
        return refuse(Code::ClockSkew, format!("issued {issued}, but it is {now} here"));
    }
    if expires > issued.plus(longest) {
        return refuse(Code::ClockSkew, format!("it lives until {expires}, longer than {longest}"));
    }
    if expires <= now {
        return refuse(Code::Expired, format!("it expired at {expires}"));
    }
    Ok(InstructionFloor { issued, keys, in_use })
}

fn director_fingerprint(catalog: &Catalog) -> Digest {
    let keys: Vec<_> = catalog.director_keys().active_keys().map(|key| key.public_key.as_str()).collect();
    Digest::of(keys.join("\n").as_bytes())
}

fn directors(catalog: &Catalog) -> BTreeSet<Digest> {
    let keys = catalog.director_keys().active_keys().filter_map(ListedKey::der);
    keys.map(|der| Digest::of(der.as_bytes())).collect()
}

/// The director worked with a newer catalog than the one here: that is lag, until it stays so.
fn check_catalog(subject: &str, least: MinimumCatalog, catalog: &Catalog) -> Result<(), Doubt> {
    let here = catalog.versions();
    if here.channels >= least.channels && here.targets >= least.targets {
        return Ok(());
    }
    let detail = format!(
        "the director saw channels {} and targets {}; here are {} and {}",
        least.channels, least.targets, here.channels, here.targets
    );
    Err(Doubt::Lag(Refusal::new(Code::VersionFloor, subject, detail)))
}

/// Both authorities must name the same release by length and SHA-256.
fn check_ceiling(subject: &str, ceiling: &Ceiling, catalog: &Catalog) -> Result<(), Doubt> {
    let promoted = catalog.channel(&ceiling.line).and_then(|channel| channel.levels.get(&ceiling.level));
    let same = promoted.is_some_and(|p| (p.sha256, p.length) == (ceiling.sha256, ceiling.length));
    if same {
        return Ok(());
    }
    let detail = format!("the channel doesn't promote level {} with this content", ceiling.level);
    let refusal = Refusal::new(Code::CeilingNotInChannel, subject, detail);
    Err(unpromoted(promoted, refusal))
}

/// A level that isn't there at all may be promoted in a fresher catalog; other content never heals.
fn unpromoted(promoted: Option<&Promotion>, refusal: Refusal) -> Doubt {
    if promoted.is_none() { Doubt::Lag(refusal) } else { Doubt::Refused(refusal) }
}
