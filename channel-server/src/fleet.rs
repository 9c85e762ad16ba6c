//! All that answers need, in memory: made from the event log and the newest reports, never asked of the database.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};

use pdp_policies::report::{LevelDigest, Report, TargetState};
use pdp_policies::rollout::{Rollout, Row, Wellness};
use pdp_policies::{At, Audience, Digest, Level, Line, Organization, PdpId, Promotion, Ring, Used};

use crate::event::{Enrolment, Event};
use crate::everything::{self, Everything};
use crate::public_key::PublicKey;
use crate::refusals::Lines;

/// Everything that changes.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    /// Organizations and their rings.
    pub(crate) organizations: BTreeMap<Organization, Ring>,
    /// Enrolled data planes.
    pub(crate) planes: HashMap<PdpId, Plane>,
    /// One-time tokens by hash; a used one is its data plane's.
    pub(crate) tokens: HashMap<Digest, EnrolmentToken>,
    /// All keys that were ever enrolled: each belongs to one data plane.
    pub(crate) keys: HashSet<PublicKey>,
    /// Rings of data planes' own.
    overrides: HashMap<PdpId, Ring>,
    /// Rollouts by line and level.
    pub(crate) rollouts: BTreeMap<(Line, Level), Rollout>,
    /// Versions of the catalog (channels, targets) that was followed last.
    pub(crate) followed: Option<(u64, u64)>,
    /// When a catalog was refused since, and the refusal's code.
    pub(crate) refused_catalog: Option<(At, String)>,
    /// Since when reports have been coming in again, if they were refused for a while.
    pub(crate) listens_anew: Option<At>,
    /// The halt of everything, none while rollouts go on.
    pub(crate) everything: Option<Everything>,
    /// Size of each ring, revoked data planes don't count; counted when it is asked for.
    members: OnceLock<BTreeMap<Ring, u32>>,
    /// Refused keys by token, so that each is recorded once.
    pub(crate) refused: HashSet<(Digest, Digest)>,
}

/// One enrolled data plane.
#[derive(Debug)]
pub(crate) struct Plane {
    /// Its public key.
    pub(crate) key: PublicKey,
    /// The token that it enrolled with.
    pub(crate) token: Digest,
    pub(crate) enrolled: At,
    /// The ring that it was told at enrolment.
    pub(crate) told: Ring,
    pub(crate) revoked: Option<At>,
    pub(crate) cluster_id: Option<Digest>,
    pub(crate) pdp_sync: String,
    /// When its newest report came.
    pub(crate) heard: Option<At>,
    /// When it wrote that report, and the report's hash: older ones are replays.
    pub(crate) reported: Option<(At, Digest)>,
    pub(crate) current: Option<LevelDigest>,
    pub(crate) target: Option<TargetState>,
    pub(crate) wellness: Wellness,
    /// When it polled last, Unix seconds, 0 for never.
    pub(crate) seen: AtomicI64,
    /// The token that was verified last: its hash and expiry. Saves a signature check per poll.
    pub(crate) session: Mutex<Option<(Digest, i64)>>,
    /// How many reports it handed in lately.
    pub(crate) reports: Mutex<Used>,
    /// The log's lines about what it was refused.
    pub(crate) lines: Mutex<Lines>,
}

/// A one-time token.
#[derive(Debug, Clone)]
pub(crate) struct EnrolmentToken {
    pub(crate) pdp: PdpId,
    pub(crate) expires: At,
}

impl Fleet {
    /// One event on.
    pub(crate) fn apply(&mut self, at: At, event: &Event) {
        match event {
            Event::OrganizationSet { organization, ring, .. } => {
                self.organizations.insert(organization.clone(), ring.clone());
                self.members.take();
            }
            Event::RingOverridden { organization, data_plane, ring, .. } => {
                let pdp = PdpId { organization: organization.clone(), data_plane: data_plane.clone() };
                match ring {
                    Some(ring) => self.overrides.insert(pdp, ring.clone()),
                    None => self.overrides.remove(&pdp),
                };
                self.members.take();
            }
            Event::EnrolmentTokenIssued { organization, data_plane, hash, expires } => {
                let pdp = PdpId { organization: organization.clone(), data_plane: data_plane.clone() };
                self.tokens.insert(*hash, EnrolmentToken { pdp, expires: *expires });
            }
            Event::Enrolled(enrolment) => self.enrol(at, enrolment),
            Event::EnrolmentRefused { token, public_key, .. } => {
                self.refused.insert((*token, *public_key));
            }
            Event::Revoked { organization, data_plane, .. } => {
                let pdp = PdpId { organization: organization.clone(), data_plane: data_plane.clone() };
                if let Some(plane) = self.planes.get_mut(&pdp) {
                    plane.revoked = Some(at);
                }
                self.members.take();
            }
            Event::Rollout { line, level, event, .. } => {
                self.rollouts.entry((line.clone(), *level)).or_default().apply(at, event);
            }
            Event::EverythingHalted { .. }
            | Event::EverythingResumeAsked { .. }
            | Event::EverythingResumed { .. } => everything::apply(&mut self.everything, at, event),
            Event::Restored { .. } => self.tokens.clear(),
            Event::CatalogFollowed { channels, targets } => {
                (self.followed, self.refused_catalog) = (Some((*channels, *targets)), None);
            }
            Event::CatalogRefused { code, .. } => self.refused_catalog = Some((at, code.clone())),
            Event::ListensAnew {} => self.listens_anew = Some(at),
            Event::TokenCreated { .. } | Event::TokenRevoked { .. } => {}
        }
    }

    fn enrol(&mut self, at: At, enrolment: &Enrolment) {
        let Some(key) = PublicKey::from_pem(&enrolment.public_key) else { return };
        let pdp = self.shared(enrolment.pdp());
        self.tokens.remove(&enrolment.token);
        self.keys.insert(key);
        let plane = Plane {
            key,
            token: enrolment.token,
            enrolled: at,
            told: self.ring(&pdp).filter(|ring| **ring == enrolment.ring).unwrap_or(&enrolment.ring).clone(),
            revoked: None,
            cluster_id: enrolment.cluster_id,
            pdp_sync: enrolment.pdp_sync.clone(),
            heard: None,
            reported: None,
            current: None,
            target: None,
            wellness: Wellness::Unknown,
            seen: AtomicI64::new(0),
            session: Mutex::new(None),
            reports: Mutex::default(),
            lines: Mutex::default(),
        };
        let ring = self.ring(&pdp).cloned();
        let new = self.planes.insert(pdp, plane).is_none_or(|before| before.revoked.is_some());
        if let (Some(ring), Some(members)) = (ring.filter(|_| new), self.members.get_mut()) {
            *members.entry(ring).or_default() += 1;
        }
    }

    /// The same id with names that are in memory already: a large fleet has few organizations.
    fn shared(&self, pdp: PdpId) -> PdpId {
        match self.organizations.get_key_value(&pdp.organization) {
            Some((organization, _)) => PdpId { organization: organization.clone(), ..pdp },
            None => pdp,
        }
    }

    /// Takes in a report that was stored.
    pub(crate) fn hear(&mut self, report: Report, received: At, hash: Digest) {
        let pdp = PdpId { organization: report.organization.clone(), data_plane: report.data_plane.clone() };
        let Some(plane) = self.planes.get_mut(&pdp) else { return };
        // What an identity before this one reported is not this one's.
        if received < plane.enrolled {
            return;
        }
        plane.heard = Some(received);
        plane.reported = Some((report.issued, hash));
        plane.wellness = plane.wellness.after(plane.current, &report);
        plane.current = report.current;
        plane.target = report.target;
        plane.pdp_sync = report.pdp_sync;
    }

    /// True if this report, received then, is the last that was heard of its data plane.
    pub(crate) fn has_heard(&self, report: &Report, received: At) -> bool {
        let pdp = PdpId { organization: report.organization.clone(), data_plane: report.data_plane.clone() };
        self.planes.get(&pdp).is_some_and(|plane| {
            plane.heard == Some(received) && plane.reported.is_some_and(|(issued, _)| issued == report.issued)
        })
    }

    fn count_members(&self) -> BTreeMap<Ring, u32> {
        let mut members = BTreeMap::<Ring, u32>::new();
        for (pdp, plane) in &self.planes {
            if let Some(ring) = self.ring(pdp).filter(|_| plane.revoked.is_none()) {
                match members.get_mut(ring) {
                    Some(count) => *count += 1,
                    None => *members.entry(ring.clone()).or_default() += 1,
                }
            }
        }
        members
    }

    /// The ring that counts: the data plane's own, or its organization's.
    pub(crate) fn ring(&self, pdp: &PdpId) -> Option<&Ring> {
        self.own_ring(pdp).or_else(|| self.organizations.get(&pdp.organization))
    }

    /// The ring that a data plane has for itself.
    pub(crate) fn own_ring(&self, pdp: &PdpId) -> Option<&Ring> {
        self.overrides.get(pdp)
    }

    /// How many data planes a ring has that a level is meant for.
    pub(crate) fn members(&self, ring: &Ring, promotion: &Promotion) -> u32 {
        if !promotion.is_hotfix() {
            return self.members.get_or_init(|| self.count_members()).get(ring).copied().unwrap_or_default();
        }
        let mut audience = Audience::new(promotion);
        let planes = self.planes.iter().filter(|(_, plane)| plane.revoked.is_none()).map(|(pdp, _)| pdp);
        let meant = planes.filter(|pdp| audience.includes(&pdp.organization) && self.ring(pdp) == Some(ring));
        u32::try_from(meant.count()).unwrap_or(u32::MAX)
    }

    /// The rollout of a level.
    pub(crate) fn rollout(&self, line: &Line, level: Level) -> Option<&Rollout> {
        self.rollouts.get(&(line.clone(), level))
    }

    /// One row per data plane that counts.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.planes.iter().filter(|(_, plane)| plane.revoked.is_none()).filter_map(|(pdp, plane)| {
            let current = plane.current.map(|current| current.level);
            let (heard, seen, target) = (plane.heard, plane.seen(), plane.target.as_ref());
            Some(Row { pdp, ring: self.ring(pdp)?, heard, seen, current, target })
        })
    }
}

impl Plane {
    /// When it polled last.
    pub(crate) fn seen(&self) -> Option<At> {
        let unix = self.seen.load(Relaxed);
        (unix != 0).then(|| At::from_unix(unix))
    }
}
