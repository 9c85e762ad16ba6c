//! Flux's own checks of conditions (fluxcd/pkg `runtime/conditions/check`) and kstatus' reading order, as properties.
//! `FAIL0010` was withdrawn by Flux; `WARN0002` is about further conditions that take `Ready` away: there are none.

use proptest::prelude::*;

use super::*;

struct Object {
    generation: i64,
    observed: Option<i64>,
    conditions: Vec<Condition>,
}

impl Object {
    fn status(&self, kind: &str) -> Option<&str> {
        self.conditions.iter().find(|c| c.type_ == kind).map(|c| c.status.as_str())
    }

    fn is_true(&self, kind: &str) -> bool {
        self.status(kind) == Some("True")
    }

    fn is_ready(&self) -> bool {
        self.is_true("Ready")
    }
}

type Check = (&'static str, fn(&Object) -> bool);

/// For every status, also in the middle of a pass.
const ALWAYS: &[Check] = &[
    ("FAIL0002 Ready is always there", |o| o.status("Ready").is_some()),
    ("FAIL0004 Ready is False while Stalled", |o| {
        !o.is_true("Stalled") || o.status("Ready") == Some("False")
    }),
    ("FAIL0005 never Reconciling and Stalled", |o| {
        o.status("Reconciling").is_none() || o.status("Stalled").is_none()
    }),
    ("FAIL0006 no generation of the future", |o| o.observed.unwrap_or(-1) <= o.generation),
    ("FAIL0011 Reconciling while Ready is Unknown", |o| {
        o.status("Ready") != Some("Unknown") || o.is_true("Reconciling")
    }),
    ("WARN0003 no Reconciling=False", |o| o.status("Reconciling").is_none_or(|status| status == "True")),
    ("WARN0004 no Stalled=False", |o| o.status("Stalled").is_none_or(|status| status == "True")),
    ("WARN0005 every condition has a generation", |o| {
        o.conditions.iter().all(|c| c.observed_generation.is_some_and(|generation| generation >= 1))
    }),
];

/// For a status that a pass ended with.
const AT_THE_END: &[Check] = &[
    ("FAIL0001 nothing abnormal while Ready", |o| {
        !o.is_ready() || !o.is_true("Reconciling") && !o.is_true("Stalled")
    }),
    ("FAIL0003 Ready is False while Reconciling", |o| {
        !o.is_true("Reconciling") || o.status("Ready") == Some("False")
    }),
    ("FAIL0007 not Ready on an older generation", |o| !o.is_ready() || o.observed == Some(o.generation)),
    ("FAIL0008 not Ready with older conditions", |o| {
        !o.is_ready() || o.conditions.iter().all(|c| c.observed_generation >= Some(o.generation))
    }),
    ("FAIL0009 while Ready all are of one generation", |o| {
        !o.is_ready() || o.conditions.iter().all(|c| c.observed_generation == o.observed)
    }),
    ("WARN0001 nothing abnormal is listed while Ready", |o| {
        !o.is_ready() || o.status("Reconciling").is_none() && o.status("Stalled").is_none()
    }),
];

#[derive(Debug, PartialEq, Eq)]
enum Kstatus {
    InProgress,
    Failed,
    Current,
}

/// As cli-utils' `kstatus` computes it for a kind that it doesn't know.
fn kstatus(object: &Object) -> Kstatus {
    if object.observed.is_some_and(|observed| observed != object.generation) {
        return Kstatus::InProgress;
    }
    for condition in object.conditions.iter().filter(|c| c.status == "True") {
        match condition.type_.as_str() {
            "Reconciling" => return Kstatus::InProgress,
            "Stalled" => return Kstatus::Failed,
            _ => {}
        }
    }
    match object.status("Ready") {
        Some("True") | None => Kstatus::Current,
        _ => Kstatus::InProgress,
    }
}

fn done() -> Stand {
    Stand::Done { message: "level 42".into() }
}

fn stalled() -> Stand {
    Stand::Stalled { reason: "RootChain".into(), message: "forked".into() }
}

fn any_stand() -> impl Strategy<Value = Stand> {
    let words = || (".{0,12}", ".{0,40}");
    prop_oneof![
        ".{0,40}".prop_map(|message| Stand::Done { message }),
        words().prop_map(|(reason, message)| Stand::UnderWay { reason, message }),
        words().prop_map(|(reason, message)| Stand::Retrying { reason, message }),
        words().prop_map(|(reason, message)| Stand::Stalled { reason, message }),
        Just(Stand::Suspended),
    ]
}

fn any_also() -> impl Strategy<Value = Vec<Also>> {
    use ConditionType as T;
    let kinds = [
        T::Ready,
        T::Reconciling,
        T::Stalled,
        T::Verified,
        T::CatalogStale,
        T::Blocked,
        T::Healthy,
        T::UpToDate,
        T::Mixed,
        T::ForeignImage,
        T::Exposed,
    ];
    prop::collection::vec((prop::sample::select(kinds.to_vec()), ".{0,12}", ".{0,20}"), 0..6)
}

/// A row of passes: stand, conditions beside it, and whether someone edited the spec before.
fn any_passes() -> impl Strategy<Value = Vec<(Stand, Vec<Also>, bool)>> {
    prop::collection::vec((any_stand(), any_also(), any::<bool>()), 1..6)
}

fn pass(object: &Object, stand: &Stand, also: &[Also], now: At) -> Object {
    Object {
        generation: object.generation,
        observed: observed_generation(stand, object.observed, object.generation),
        conditions: conditions(stand, also, &object.conditions, object.generation, now),
    }
}

fn new_object() -> Object {
    Object { generation: 1, observed: Some(-1), conditions: Vec::new() }
}

proptest! {
    #[test]
    fn flux_s_checks_hold_after_every_pass(passes in any_passes()) {
        let mut object = new_object();
        for (number, (stand, also, edited)) in passes.into_iter().enumerate() {
            object.generation += i64::from(edited);
            object = pass(&object, &stand, &also, At::from_unix(number as i64));
            let at_the_end = if matches!(stand, Stand::UnderWay { .. }) { &[] } else { AT_THE_END };
            for (name, holds) in ALWAYS.iter().chain(at_the_end) {
                prop_assert!(holds(&object), "{name}: {stand:?} {:?}", object.conditions);
            }
        }
    }

    #[test]
    fn kstatus_reads_what_is_meant(passes in any_passes()) {
        let mut object = new_object();
        for (stand, also, edited) in passes {
            object.generation += i64::from(edited);
            let was = kstatus(&object);
            object = pass(&object, &stand, &also, At::from_unix(1));
            let reads = kstatus(&object);
            match stand {
                Stand::Done { .. } => prop_assert_eq!(reads, Kstatus::Current),
                Stand::UnderWay { .. } | Stand::Retrying { .. } => prop_assert_eq!(reads, Kstatus::InProgress),
                Stand::Stalled { .. } => prop_assert_eq!(reads, Kstatus::Failed),
                Stand::Suspended if edited => {}
                Stand::Suspended => prop_assert_eq!(reads, was),
            }
        }
    }

    #[test]
    fn the_same_again_changes_nothing(passes in any_passes(), later in 10..1000i64) {
        let mut object = new_object();
        for (stand, also, edited) in passes {
            object.generation += i64::from(edited);
            object = pass(&object, &stand, &also, At::from_unix(1));
            let again = pass(&object, &stand, &also, At::from_unix(later));
            prop_assert_eq!(&again.conditions, &object.conditions);
            prop_assert_eq!(again.observed, object.observed);
        }
    }

    #[test]
    fn the_api_server_takes_every_condition(stand in any_stand(), also in any_also()) {
        let object = pass(&new_object(), &stand, &also, At::from_unix(1));
        let mut kinds: Vec<_> = object.conditions.iter().map(|c| c.type_.clone()).collect();
        kinds.sort();
        kinds.dedup();
        prop_assert_eq!(kinds.len(), object.conditions.len(), "a type twice");
        for condition in &object.conditions {
            let reason = &condition.reason;
            prop_assert!(reason.starts_with(|c: char| c.is_ascii_alphabetic()), "{reason}");
            prop_assert!(reason.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{reason}");
        }
    }
}

#[test]
fn a_transition_is_a_change_of_status_alone() {
    let first = pass(&new_object(), &done(), &[], At::from_unix(1));
    let other_words = Stand::Done { message: "level 43".into() };
    let second = pass(&first, &other_words, &[], At::from_unix(2));
    assert_eq!(second.conditions[0].last_transition_time, first.conditions[0].last_transition_time);
    assert_eq!(second.conditions[0].message, "level 43");
    let third = pass(&second, &stalled(), &[], At::from_unix(3));
    assert_eq!(third.conditions[0].last_transition_time, Time(At::from_unix(3).timestamp()));
}

#[test]
fn waiting_for_what_is_allowed_is_ready_and_blocked() {
    let blocked = (ConditionType::Blocked, "OutsideWindow".to_owned(), "until 22:00".to_owned());
    let object = pass(&new_object(), &done(), &[blocked], At::from_unix(1));
    assert_eq!((object.status("Ready"), object.status("Blocked")), (Some("True"), Some("True")));
    assert_eq!(kstatus(&object), Kstatus::Current);
}

#[test]
fn suspending_keeps_what_was_known() {
    let suspend = |stand: &Stand| {
        let before = pass(&new_object(), stand, &[], At::from_unix(1));
        let edited = Object { generation: 2, ..before };
        let after = pass(&edited, &Stand::Suspended, &[], At::from_unix(2));
        (after.conditions[0].reason.clone(), kstatus(&after))
    };
    let under_way = Stand::UnderWay { reason: "Applying".into(), message: String::new() };
    assert_eq!(suspend(&done()), ("Succeeded".to_owned(), Kstatus::Current));
    assert_eq!(suspend(&stalled()), ("RootChain".to_owned(), Kstatus::Failed));
    assert_eq!(suspend(&under_way), ("Suspended".to_owned(), Kstatus::InProgress));
}

#[test]
fn long_messages_and_odd_reasons_are_cut_to_what_is_taken() {
    let odd = Stand::Stalled { reason: "7 rings-early".into(), message: "ä".repeat(40_000) };
    let object = pass(&new_object(), &odd, &[], At::from_unix(1));
    assert_eq!(object.conditions[0].reason, "Reason7ringsearly");
    assert_eq!(object.conditions[0].message.chars().count(), MAX_MESSAGE);
    assert!(object.conditions[0].message.ends_with("ä..."));
    assert_eq!(camel(""), "Reason");
    assert_eq!(camel(&"9".repeat(3000)).len(), MAX_REASON);
}
