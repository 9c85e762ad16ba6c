//! The gate as a table: one change to an open situation, one obstacle.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::gate::{Candidate, Instruction, Other, Situation, Verdict, Waiting, decide, when};
use pdp_policies::policy::Policy;
use pdp_policies::release::{Advisory, PDP_SYNC, ReleaseKind, Severity};
use pdp_policies::report::LevelDigest;
use pdp_policies::trust::{Approved, Catalog, Uncounted, Verified};
use pdp_policies::{
    At, Channel, Digest, Level, Obstacle, ObstacleCode, Overridable, PdpId, Percent, Platform,
    PresentVersion, Release, Ring, Span, Stop, Withdrawal,
};

use crate::vendor::{KEY_OF_A_PERSON, NOW, Vendor, channel, line, now, release};

/// Level 40 is installed; 41 and 42 are promoted and open to `general`.
pub(crate) struct Setting {
    pub(crate) releases: Vec<Release>,
    pub(crate) channel: Channel,
    pub(crate) policy: Policy,
    /// The one seen before; none if it was the same.
    pub(crate) before: Option<Policy>,
    pub(crate) ring: Ring,
    pub(crate) installed: Option<Level>,
    pub(crate) quarantined: BTreeMap<Digest, u32>,
    pub(crate) found: Vec<Obstacle>,
    pub(crate) approvals: Vec<Verified<Approved>>,
    pub(crate) uncounted: Vec<Uncounted>,
    pub(crate) others: Vec<Other>,
    pub(crate) usual_length: Option<Span>,
    /// Whether pdp-sync runs in the cluster that it updates.
    pub(crate) itself: bool,
    pub(crate) kubernetes: Option<PresentVersion>,
    pub(crate) at: At,
}

impl Setting {
    pub(crate) fn open() -> Self {
        let releases = vec![release(41), release(42)];
        Self {
            channel: channel(&releases),
            releases,
            policy: Policy::default(),
            before: None,
            ring: "general".parse().unwrap(),
            installed: Some(Level(40)),
            quarantined: BTreeMap::new(),
            found: vec![],
            approvals: vec![],
            uncounted: vec![],
            others: vec![],
            usual_length: None,
            itself: false,
            kubernetes: None,
            at: now(),
        }
    }

    /// The same with other releases; the channel promotes what they are now.
    pub(crate) fn with_releases(edit: impl FnOnce(&mut Vec<Release>)) -> Self {
        let mut setting = Self::open();
        edit(&mut setting.releases);
        setting.channel = channel(&setting.releases);
        setting
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.situated(|catalog, situation| decide(catalog, &self.policy, situation, self.at).unwrap())
    }

    /// When each level above the installed one can start.
    pub(crate) fn when(&self) -> Vec<Candidate> {
        self.situated(|catalog, situation| when(catalog, &self.policy, situation, self.at).unwrap())
    }

    fn situated<T>(&self, judge: impl FnOnce(&Verified<Catalog>, &Situation<'_>) -> T) -> T {
        let catalog = Vendor::new().trusted(&self.releases, &self.channel, now());
        let pdp = PdpId { organization: "acme".parse().unwrap(), data_plane: "prod".parse().unwrap() };
        let situation = Situation {
            pdp: &pdp,
            line: &line(),
            ring: &self.ring,
            installed: self.installed.map(|level| LevelDigest { level, sha256: Digest::of(b"40") }),
            quarantined: &self.quarantined,
            pdp_sync: &"0.1.0".parse().unwrap(),
            itself: self.itself.then_some((Platform::Azure, &[])),
            kubernetes: self.kubernetes.as_ref(),
            flux: None,
            found: &self.found,
            instruction: Instruction::Channel,
            approvals: &self.approvals,
            uncounted: &self.uncounted,
            others: &self.others,
            usual_length: self.usual_length,
            policy_before: self.before.as_ref().or(Some(&self.policy)),
        };
        judge(&catalog, &situation)
    }

    pub(crate) fn starts(&self) -> Option<u32> {
        match self.verdict() {
            Verdict::Proceed(permit) => Some(permit.descriptor().release.level.0),
            _ => None,
        }
    }

    pub(crate) fn obstacles(&self) -> Vec<ObstacleCode> {
        match self.verdict() {
            Verdict::WaitUntil(_, waiting) | Verdict::NeedsApproval(waiting) | Verdict::Held(waiting) => {
                waiting.obstacles.iter().map(|o| o.code).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn waiting(&self) -> Waiting {
        match self.verdict() {
            Verdict::WaitUntil(_, waiting) | Verdict::NeedsApproval(waiting) | Verdict::Held(waiting) => {
                waiting
            }
            other => panic!("{other:?}"),
        }
    }

    /// What is told of one kind of obstacle; nothing where it isn't in the way.
    pub(crate) fn details(&self, code: ObstacleCode) -> Vec<String> {
        match self.verdict() {
            Verdict::WaitUntil(_, waiting) | Verdict::NeedsApproval(waiting) | Verdict::Held(waiting) => {
                let found = waiting.obstacles.into_iter().filter(|o| o.code == code);
                found.map(|o| o.detail).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn policy(yaml: &str) -> Policy {
    pdp_policies::yaml::read(yaml).unwrap()
}

#[test]
fn the_highest_open_level_starts_and_nothing_below_the_installed_one() {
    assert_eq!(Setting::open().starts(), Some(42));
    assert_eq!(Setting { installed: None, ..Setting::open() }.starts(), Some(42));
    let newest = Setting { installed: Some(Level(42)), ..Setting::open() };
    assert!(matches!(newest.verdict(), Verdict::UpToDate));
}

#[test]
fn the_brake_stops_everything() {
    let mut setting = Setting::open();
    setting.channel.stop = Some(Stop { at: now(), reason: "stop".into() });
    assert_eq!(setting.obstacles(), [ObstacleCode::Stopped]);
}

#[test]
fn a_withdrawn_level_leaves_the_next_lower_one() {
    let mut setting = Setting::open();
    let withdrawal = Withdrawal { at: now(), reason: "bad".into(), fixed_by: None };
    setting.channel.withdrawn.insert(Level(42), withdrawal.clone());
    assert_eq!(setting.starts(), Some(41));
    setting.channel.withdrawn.insert(Level(41), withdrawal);
    assert_eq!(setting.obstacles(), [ObstacleCode::Withdrawn]);
}

#[test]
fn a_ring_waits_for_its_earliest_time_and_its_share() {
    let mut setting = Setting::open();
    for promotion in setting.channel.levels.values_mut() {
        promotion.opens_at.insert(setting.ring.clone(), At::from_unix(NOW + 60));
    }
    assert!(matches!(setting.verdict(), Verdict::WaitUntil(at, _) if at == At::from_unix(NOW + 60)));
    let other = Setting { ring: "regulated".parse().unwrap(), ..Setting::open() };
    assert_eq!(other.obstacles(), [ObstacleCode::RingNotOpenYet]);
    let mut nobody = Setting::open();
    for promotion in nobody.channel.levels.values_mut() {
        promotion.open_to.insert(nobody.ring.clone(), Percent::try_from(0).unwrap());
    }
    assert_eq!(nobody.obstacles(), [ObstacleCode::RingNotOpenYet]);
}

#[test]
fn a_required_stop_binds_upgrades_only() {
    let mut setting = Setting::open();
    setting.channel.required_stops.insert(Level(41));
    assert_eq!(setting.starts(), Some(41));
    assert_eq!(Setting { installed: None, ..setting }.starts(), Some(42));
}

#[test]
fn unmet_requirements_are_obstacles() {
    let too_new = Setting::with_releases(|releases| {
        releases.iter_mut().for_each(|r| r.requires.pdp_sync = Some(">=9".parse().unwrap()));
    });
    assert_eq!(too_new.obstacles(), [ObstacleCode::RequiresUnmet]);
    let from = Setting::with_releases(|releases| releases[1].requires.from = Some(Level(41)));
    assert_eq!(from.starts(), Some(41));
}

#[test]
fn a_clusters_version_counts_without_its_vendors_suffix_and_with_that_of_a_candidate() {
    for (here, needed, starts) in [
        ("v1.34.1-gke.1829001", ">=1.34.1", true),
        ("v1.33.4-eks-113cf36", ">=1.34", false),
        ("v1.33.4-eks-113cf36", "~1.33 || ~1.35", true),
        ("v1.36.0-rc.0", ">=1.36", false),
        ("v1.36.0-rc.0", ">=1.35", true),
        ("v1.36.0-rc.0", ">=1.33, <1.36", false),
    ] {
        let mut setting = Setting::with_releases(|releases| {
            *releases = vec![release(42)];
            let Release { requires, critical, .. } = &mut releases[0];
            requires.kubernetes = Some(needed.parse().unwrap());
            critical.extend(requires.feature().map(str::to_owned));
        });
        setting.kubernetes = Some(here.parse().unwrap());
        assert_eq!(setting.starts().is_some(), starts, "{here} {needed}");
    }
}

#[test]
fn a_pdp_sync_that_is_too_old_doesnt_hold_a_level_that_brings_a_newer_one() {
    let brings = |version: &str| {
        let mut setting = Setting::with_releases(|releases| {
            let level = releases.last_mut().unwrap();
            level.requires.pdp_sync = Some(">=9".parse().unwrap());
            let mut itself = level.components[0].clone();
            (itself.name, itself.version) = (PDP_SYNC.parse().unwrap(), version.to_owned());
            itself.release_name = PDP_SYNC.parse().unwrap();
            level.components.push(itself);
        });
        setting.installed = Some(Level(41));
        setting
    };
    let mut setting = brings("9.1.0");
    assert_eq!(setting.obstacles(), [ObstacleCode::RequiresUnmet], "nothing there replaces this pdp-sync");
    setting.itself = true;
    assert_eq!(setting.starts(), Some(42));
    for too_old in ["8.9.9", "nine"] {
        let setting = Setting { itself: true, ..brings(too_old) };
        assert_eq!(setting.obstacles(), [ObstacleCode::RequiresUnmet], "{too_old}");
    }
}

#[test]
fn a_quarantined_level_and_an_expired_catalog_start_nothing() {
    let mut setting = Setting::open();
    setting.quarantined = setting.channel.levels.values().map(|p| (p.sha256, 1)).collect();
    assert_eq!(setting.obstacles(), [ObstacleCode::Quarantined]);
    let late = Setting { at: At::from_unix(NOW + 8 * 86_400), ..Setting::open() };
    assert_eq!(late.obstacles(), [ObstacleCode::CatalogExpired]);
}

#[test]
fn each_instrument_of_the_customer_holds() {
    for (yaml, code) in [
        ("pin: {to: {level: 40}, reason: r, expires: 2027-01-01T00:00:00Z}", ObstacleCode::Pinned),
        ("pin: {to: {securityOnly: {}}, reason: r, expires: 2027-01-01T00:00:00Z}", ObstacleCode::Pinned),
        ("hold: {reason: r}", ObstacleCode::Frozen),
        (
            "freezes: [{reason: r, from: 2026-11-20T00:00:00Z, until: 2026-11-24T00:00:00Z}]",
            ObstacleCode::Frozen,
        ),
        (
            "windows: [{name: w, kind: allow, cron: '0 2 * * 0', timeZone: UTC, length: 4h}]",
            ObstacleCode::OutsideWindow,
        ),
        ("minimumAge: {age: 7d}", ObstacleCode::TooYoung),
        ("approval: {quorum: 1, approvers: [KEY]}", ObstacleCode::AwaitingApproval),
    ] {
        let yaml = yaml.replace("KEY", KEY_OF_A_PERSON);
        let setting = Setting { policy: policy(&yaml), ..Setting::open() };
        assert_eq!(setting.obstacles(), [code], "{yaml}");
    }
    let ended = policy("pin: {to: {level: 40}, reason: r, expires: 2026-11-23T08:00:00Z}");
    assert_eq!(
        Setting { policy: ended, ..Setting::open() }.starts(),
        Some(42),
        "an expired pin binds nobody"
    );
}

#[test]
fn an_override_needs_both_the_vendors_question_and_the_customers_yes() {
    let setting = |asks: bool, allows: bool| {
        let mut setting = Setting::with_releases(|releases| {
            for release in releases {
                release.kind = ReleaseKind::Security;
                release.advisories = vec![Advisory {
                    id: "A".into(),
                    severity: Severity::Critical,
                    known_exploited: true,
                    introduced_in: None,
                    cves: BTreeSet::new(),
                    cvss: None,
                    embargoed_until: None,
                    confirmed_at: now(),
                    published_at: now(),
                }];
            }
        });
        let allow = "overrides: [{atLeast: critical, knownExploited: true, pass: [freeze]}]\n";
        let freeze = "freezes: [{reason: r, from: 2026-11-20T00:00:00Z, until: 2026-11-24T00:00:00Z}]\n";
        setting.policy = policy(&format!("{}{freeze}", if allows { allow } else { "" }));
        if asks {
            setting.channel.levels.values_mut().for_each(|p| {
                p.asks_override.insert(Overridable::Freeze);
            });
        }
        setting.starts()
    };
    assert_eq!([setting(false, false), setting(true, false), setting(false, true)], [None, None, None]);
    assert_eq!(setting(true, true), Some(42));
}

#[test]
fn what_the_target_found_holds_too() {
    let found = vec![Obstacle::new(ObstacleCode::HeldByEdit, None, "edited")];
    assert_eq!(Setting { found, ..Setting::open() }.obstacles(), [ObstacleCode::HeldByEdit]);
}
