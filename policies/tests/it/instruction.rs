//! What a director may say, as a table: one lie each, one refusal each.

use pdp_policies::instruction::{Assignment, Ceiling, MinimumCatalog, RingLevel, RingState, Start};
use pdp_policies::trust::{self, Catalog, Instructed, InstructionFloor, Judged, Verified};
use pdp_policies::{API_VERSION, At, Digest, KeyList, KeyState, Level, PdpId, RefusalCode, Span, dsse};

use crate::office::Office;
use crate::vendor::{Key, NOW, Vendor, channel, line, now, release};

pub(crate) fn pdp() -> PdpId {
    PdpId { organization: "acme".parse().unwrap(), data_plane: "prod".parse().unwrap() }
}

/// A valid assignment with the ceiling at this level of the catalog.
pub(crate) fn assignment(catalog: &Catalog, level: u32) -> Assignment {
    let promotion = &catalog.channel(&line()).unwrap().levels[&Level(level)];
    let (sha256, length) = (promotion.sha256, promotion.length);
    Assignment {
        api_version: API_VERSION.into(),
        critical: vec![],
        issued: now(),
        expires: now().plus(Span::from_seconds(12 * 3600)),
        organization: pdp().organization,
        data_plane: pdp().data_plane,
        ring: "general".parse().unwrap(),
        ceiling: Some(Ceiling { line: line(), level: Level(level), length, sha256 }),
        attempt: 1,
        hold: vec![],
        min_catalog: MinimumCatalog { channels: 1, targets: 1 },
        start: Some(Start {
            level: Level(level),
            sha256,
            attempt: 1,
            until: now().plus(Span::from_seconds(60)),
        }),
        poll_after: Span::from_seconds(60),
    }
}

struct Court {
    vendor: Vendor,
    catalog: Verified<Catalog>,
}

impl Court {
    fn new() -> Self {
        let vendor = Vendor::new();
        let releases = [release(41), release(42)];
        let catalog = vendor.trusted(&releases, &channel(&releases), now());
        Self { vendor, catalog }
    }

    fn judge(
        &self,
        envelope: &[u8],
        floor: Option<&InstructionFloor>,
    ) -> Result<InstructionFloor, RefusalCode> {
        match trust::assignment(envelope, &self.catalog, &pdp(), floor, now(), true) {
            Instructed::Followed(_, floor) => Ok(floor),
            Instructed::FetchFirst(refusal) | Instructed::Refused(refusal) => Err(refusal.code),
        }
    }

    /// The verdict on an assignment with one thing changed, signed by the true director.
    fn with(&self, edit: impl FnOnce(&mut Assignment)) -> Result<InstructionFloor, RefusalCode> {
        let mut document = assignment(&self.catalog, 42);
        edit(&mut document);
        self.judge(&self.vendor.artifact.seal(dsse::ASSIGNMENT, &document), None)
    }
}

#[test]
fn an_honest_assignment_is_followed_and_each_lie_has_its_code() {
    let court = Court::new();
    assert!(court.with(|_| {}).is_ok());
    let later = |seconds: i64| At::from_unix(NOW + seconds);
    type Lie = Box<dyn FnOnce(&mut Assignment)>;
    let lies: Vec<(&str, RefusalCode, Lie)> = vec![
        (
            "organization",
            RefusalCode::OtherDataPlane,
            Box::new(|a| a.organization = "other".parse().unwrap()),
        ),
        ("data plane", RefusalCode::OtherDataPlane, Box::new(|a| a.data_plane = "staging".parse().unwrap())),
        ("dated ahead", RefusalCode::ClockSkew, Box::new(move |a| a.issued = later(16 * 60))),
        ("too long a life", RefusalCode::ClockSkew, Box::new(move |a| a.expires = later(25 * 3600))),
        (
            "expired",
            RefusalCode::Expired,
            Box::new(move |a| (a.issued, a.expires) = (later(-7200), later(0))),
        ),
        ("newer catalog", RefusalCode::VersionFloor, Box::new(|a| a.min_catalog.channels = 2)),
        (
            "unpromoted level",
            RefusalCode::CeilingNotInChannel,
            Box::new(|a| a.ceiling.as_mut().unwrap().level = Level(99)),
        ),
        (
            "other content",
            RefusalCode::CeilingNotInChannel,
            Box::new(|a| a.ceiling.as_mut().unwrap().sha256 = Digest::of(b"evil")),
        ),
        (
            "other length",
            RefusalCode::CeilingNotInChannel,
            Box::new(|a| a.ceiling.as_mut().unwrap().length += 1),
        ),
        ("unknown feature", RefusalCode::UnknownCriticalFeature, Box::new(|a| a.critical = vec!["x".into()])),
    ];
    for (name, code, lie) in lies {
        assert_eq!(court.with(lie).unwrap_err(), code, "{name}");
    }
}

#[test]
fn only_a_director_directs_and_only_with_this_document() {
    let court = Court::new();
    let document = assignment(&court.catalog, 42);
    let stranger = Key::new().seal(dsse::ASSIGNMENT, &document);
    assert_eq!(court.judge(&stranger, None).unwrap_err(), RefusalCode::SignatureThreshold);
    let mislabelled = court.vendor.artifact.seal(dsse::RING_STATE, &document);
    assert_eq!(court.judge(&mislabelled, None).unwrap_err(), RefusalCode::WrongPredicate);
    assert_eq!(court.judge(b"{}", None).unwrap_err(), RefusalCode::Unreadable);
    assert_eq!(court.judge(&vec![b' '; 2 << 20], None).unwrap_err(), RefusalCode::TooLarge);
}

#[test]
fn the_older_is_refused_until_no_key_of_then_is_in_use() {
    let court = Court::new();
    let seal = |issued: At| {
        let document = Assignment { issued, ..assignment(&court.catalog, 42) };
        court.vendor.artifact.seal(dsse::ASSIGNMENT, &document)
    };
    let floor = court.judge(&seal(now()), None).unwrap();
    assert!(court.judge(&seal(now()), Some(&floor)).is_ok(), "the same one again");
    let older = seal(At::from_unix(NOW - 1));
    assert_eq!(court.judge(&older, Some(&floor)).unwrap_err(), RefusalCode::OlderThanLast);
    let others = |in_use| InstructionFloor { in_use, ..floor.clone() };
    let stranger = Digest::of(b"a key that is out of use by now");
    let one_is_left = others(floor.in_use.iter().copied().chain([stranger]).collect());
    assert_eq!(court.judge(&older, Some(&one_is_left)).unwrap_err(), RefusalCode::OlderThanLast);
    assert!(court.judge(&older, Some(&others([stranger].into()))).is_ok(), "none of the old keys is in use");
    let unknown = others([].into());
    assert_eq!(court.judge(&older, Some(&unknown)).unwrap_err(), RefusalCode::OlderThanLast);
}

#[test]
fn a_directors_key_out_of_use_directs_nobody() {
    for (state, follows) in [(KeyState::Active, true), (KeyState::Retired, false), (KeyState::Revoked, false)]
    {
        let mut office = Office::new();
        let director = Key::new();
        office.directors = KeyList::active([director.pem.clone(), Key::new().pem]);
        (office.directors.keys[0].state, office.directors.keys[0].retired_at) = (state, Some(now()));
        let Judged::Trusted(catalog, _) = trust::catalog(office.tree(now()), &office.floors(), now(), true)
        else {
            panic!()
        };
        let sealed = director.seal(dsse::ASSIGNMENT, &assignment(&catalog, 41));
        let judged = trust::assignment(&sealed, &catalog, &pdp(), None, now(), true);
        assert_eq!(matches!(judged, Instructed::Followed(..)), follows, "{state:?}: {judged:?}");
    }
}

#[test]
fn what_a_fresher_catalog_may_heal_is_fetched_first() {
    let court = Court::new();
    let mut document = assignment(&court.catalog, 42);
    document.min_catalog.targets = 9;
    let envelope = court.vendor.artifact.seal(dsse::ASSIGNMENT, &document);
    let judged = trust::assignment(&envelope, &court.catalog, &pdp(), None, now(), false);
    assert!(matches!(judged, Instructed::FetchFirst(_)), "{judged:?}");
}

#[test]
fn a_ring_state_of_another_line_or_with_other_content_is_refused() {
    let court = Court::new();
    let state = |sha256| RingState {
        api_version: API_VERSION.into(),
        critical: vec![],
        issued: now(),
        expires: now().plus(Span::from_seconds(86_400)),
        line: line(),
        levels: [(Level(42), RingLevel { sha256, rings: Default::default() })].into(),
        audit_head: None,
    };
    let judge = |state: &RingState, of: &str| {
        let envelope = court.vendor.artifact.seal(dsse::RING_STATE, state);
        match trust::ring_state(&envelope, &court.catalog, &of.parse().unwrap(), None, now(), true) {
            Instructed::Followed(..) => None,
            Instructed::FetchFirst(refusal) | Instructed::Refused(refusal) => Some(refusal.code),
        }
    };
    let good = court.catalog.channel(&line()).unwrap().levels[&Level(42)].sha256;
    assert_eq!(judge(&state(good), "pdp-2026"), None);
    assert_eq!(judge(&state(good), "pdp-2027"), Some(RefusalCode::OtherDataPlane));
    assert_eq!(judge(&state(Digest::of(b"evil")), "pdp-2026"), Some(RefusalCode::CeilingNotInChannel));
    let long = RingState { expires: At::from_unix(NOW + 8 * 86_400), ..state(good) };
    assert_eq!(judge(&long, "pdp-2026"), Some(RefusalCode::ClockSkew));
}
