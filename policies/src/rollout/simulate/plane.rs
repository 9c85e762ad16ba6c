//! One simulated data plane: what it will do is settled by seed and name before anything begins.

use super::PerMille;
use super::Trial;
use super::fleet::{Crowd, Fleet, Windows};
use crate::digest::Digest;
use crate::names::{BadName, Organization, PdpId, Ring};
use crate::time::Span;

/// A data plane and its fate.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) pdp: PdpId,
    /// The position of its ring in the plan.
    pub(super) ring_number: usize,
    pub(super) ring: Ring,
    /// It never reports.
    pub(super) offline: bool,
    /// It asks and starts, but never reports.
    pub(super) mute: bool,
    /// The level breaks it.
    pub(super) breaks: bool,
    /// Once broken it can't say so.
    pub(super) cut_off: bool,
    /// It was sick before, and says so on the level it has; the update can't mend it.
    pub(super) sick: bool,
    /// The update fails there by chance, whatever the level is.
    pub(super) unlucky: bool,
    /// How long its upgrade takes (seconds).
    upgrade: i64,
    windows: Option<(Windows, i64)>,
    /// Its place in a queue of all, from 0 to 2^64.
    pub(super) place: u64,
    pub(super) began: Option<i64>,
    pub(super) end: Option<End>,
    /// When one that fell silent was heard last.
    pub(super) heard: i64,
    /// When it was counted last: as whoever it was then it stands in the tally.
    pub(super) counted: i64,
    /// Its window was shut then.
    pub(super) shut: bool,
    /// It started, neither ended nor fell silent.
    pub(super) flying: bool,
}

/// How an upgrade ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Healthy,
    Failed,
    Silent,
    /// Failed because it was sick before.
    Sick,
    /// Failed by chance.
    Unlucky,
}

/// All data planes of a fleet, in the order of their places.
pub(super) fn planes(fleet: &Fleet, rings: &[Ring], trial: &Trial) -> Result<Vec<Plane>, BadName> {
    let mut planes = Vec::new();
    for crowd in &fleet.rings {
        let Some(ring_number) = rings.iter().position(|ring| *ring == crowd.name) else { continue };
        for organization in 1..=crowd.organizations {
            let organization: Organization = format!("o{organization}.{}", &crowd.name).parse()?;
            for data_plane in 1..=crowd.data_planes {
                let data_plane = format!("p{data_plane}").parse()?;
                let pdp = PdpId { organization: organization.clone(), data_plane };
                planes.push(Plane::new(pdp, ring_number, crowd, fleet, trial));
            }
        }
    }
    planes.sort_by_key(|plane| plane.place);
    Ok(planes)
}

impl Plane {
    fn new(pdp: PdpId, ring_number: usize, crowd: &Crowd, fleet: &Fleet, trial: &Trial) -> Self {
        let lot = |what: &str| lot(trial.seed, &pdp, what);
        let hit = |what: &str, share: PerMille| {
            share > PerMille::default() && within(lot(what), 1000) < i64::from(share.get())
        };
        let spread = fleet.upgrade.most.seconds() - fleet.upgrade.least.seconds();
        let windows = crowd.windows.filter(|windows| hit("windows", windows.share.into()));
        Self {
            ring_number,
            ring: crowd.name.clone(),
            offline: hit("offline", crowd.offline.into()),
            mute: hit("mute", crowd.mute.into()),
            breaks: hit("breaks", trial.breaks),
            cut_off: hit("cut off", trial.cut_off),
            sick: hit("sick", trial.sick),
            unlucky: hit("by chance", trial.by_chance),
            upgrade: fleet.upgrade.least.seconds() + within(lot("upgrade"), spread + 1),
            windows: windows.map(|windows| (windows, within(lot("window"), windows.every.seconds()))),
            place: lot("place"),
            began: None,
            end: None,
            heard: 0,
            counted: 0,
            shut: false,
            flying: false,
            pdp,
        }
    }

    /// The same where nothing fails.
    pub(super) fn well(self) -> Self {
        Self { breaks: false, sick: false, unlucky: false, ..self }
    }

    /// True if its customer lets it start now.
    pub(super) fn is_open(&self, now: i64) -> bool {
        self.windows.is_none_or(|(windows, offset)| {
            (now + offset).rem_euclid(windows.every.seconds()) < windows.open.seconds()
        })
    }

    /// When its window opens next, none if it is open or has none.
    pub(super) fn opens(&self, now: i64) -> Option<i64> {
        let (windows, offset) = self.windows.filter(|_| !self.is_open(now))?;
        let every = windows.every.seconds();
        Some(now + every - (now + offset).rem_euclid(every))
    }

    /// When its window opens or shuts next, none if it has none.
    pub(super) fn turns(&self, now: i64) -> Option<i64> {
        let (windows, offset) = self.windows?;
        let shuts = now + windows.open.seconds() - (now + offset).rem_euclid(windows.every.seconds());
        Some(self.opens(now).unwrap_or(shuts))
    }

    /// What has ended by now and wasn't noted yet.
    pub(super) fn due(&self, trial: &Trial, now: i64) -> Option<(i64, End)> {
        self.next_end(trial).filter(|(at, _)| *at <= now)
    }

    /// When and how the upgrade that runs, or what came of it, ends next. None: nothing more will happen.
    pub(super) fn next_end(&self, trial: &Trial) -> Option<(i64, End)> {
        let applied = self.began? + self.upgrade;
        let broken = applied.max(trial.from.seconds()).max(self.began? + trial.after.seconds());
        let bad = if self.cut_off { End::Silent } else { End::Failed };
        match self.end {
            None if self.sick => Some((applied, End::Sick)),
            None if self.unlucky => Some((applied, End::Unlucky)),
            None if self.breaks && broken == applied => Some((applied, bad)),
            None => Some((applied, End::Healthy)),
            Some(End::Healthy) if self.breaks => Some((broken, bad)),
            Some(_) => None,
        }
    }

    /// True if it says how it is.
    pub(super) fn talks(&self) -> bool {
        !self.offline && !self.mute && self.end != Some(End::Silent)
    }

    /// When it was heard last: whoever talks is heard at every poll.
    pub(super) fn last_heard(&self, now: i64) -> Option<i64> {
        (!self.offline && !self.mute).then_some(if self.talks() { now } else { self.heard })
    }
}

/// A number that only seed, name and purpose decide.
fn lot(seed: u64, pdp: &PdpId, what: &str) -> u64 {
    let digest = Digest::of(format!("{seed}/{pdp}/{what}").as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Scales a lot down to 0 up to `below`.
fn within(lot: u64, below: i64) -> i64 {
    let scaled = (u128::from(lot) * u128::from(below.unsigned_abs())) >> 64;
    i64::try_from(scaled).unwrap_or_default()
}

/// A point of virtual time as a length since the promotion.
pub(super) fn span(seconds: i64) -> Span {
    Span::from_seconds(u32::try_from(seconds).unwrap_or_default())
}

/// The first poll at a time or after it.
pub(super) fn at_poll(seconds: i64, poll: i64) -> i64 {
    (seconds + poll - 1) / poll * poll
}
