//! Flux's word on one object: whose it is, and what it proves.

use pdp_policies::flux::{
    Class, FluxCondition, Health, Kind, Observed, REASONS, Truth, class, digest_of_revision, health,
};
use pdp_policies::{At, Digest};
use proptest::prelude::*;

const DOC: &str = include_str!("../../../docs/flux-reasons.md");

fn wanted() -> Digest {
    Digest::of(b"wanted")
}

fn other() -> Digest {
    Digest::of(b"other")
}

fn since() -> At {
    At::from_unix(1_800_000_000)
}

fn condition(kind: &str, status: Truth, reason: &str) -> FluxCondition {
    FluxCondition {
        kind: kind.to_owned(),
        status,
        reason: reason.to_owned(),
        observed_generation: Some(3),
        last_transition: Some(since()),
    }
}

/// An object of generation 3 that Flux reports on with the wanted digest.
fn object(kind: Kind, conditions: Vec<FluxCondition>) -> Observed {
    Observed {
        kind,
        generation: 3,
        deleting: false,
        suspended: false,
        observed_generation: Some(3),
        conditions,
        attempted: Some(wanted()),
        applied: Some(wanted()),
        wanted: wanted(),
        timeout_passed: false,
        overdue: false,
    }
}

fn ready(kind: Kind) -> Observed {
    object(kind, vec![condition("Ready", Truth::True, "Succeeded")])
}

fn not_ready(kind: Kind, reason: &str) -> Observed {
    object(kind, vec![condition("Ready", Truth::False, reason)])
}

fn judge(observed: &Observed) -> Health {
    health(Some(observed))
}

fn progressing(reason: &str) -> Health {
    Health::Progressing(reason.to_owned())
}

#[test]
fn every_reason_is_documented() {
    for row in REASONS {
        let line =
            format!("| {} | `{}` | {} | {} |", row.kind.as_str(), row.reason, row.class.as_str(), row.why);
        assert!(DOC.contains(&line), "docs/flux-reasons.md lacks:\n{line}");
    }
}

#[test]
fn healthy_needs_the_wanted_digest_and_the_newest_generation() {
    for kind in [Kind::HelmRelease, Kind::Kustomization, Kind::OciRepository] {
        let good = ready(kind);
        assert_eq!(judge(&good), Health::Healthy { since: since() }, "{kind:?}");
        let old = Observed { observed_generation: Some(2), ..good.clone() };
        assert_eq!(judge(&old), progressing("NewGeneration"), "{kind:?}");
        let elsewhere = Observed { attempted: Some(other()), applied: Some(other()), ..good.clone() };
        assert_eq!(judge(&elsewhere), progressing("OtherDigest"), "{kind:?}");
        let mut busy = good.clone();
        busy.conditions.push(condition("Reconciling", Truth::True, "Progressing"));
        assert_eq!(judge(&busy), progressing("Progressing"), "{kind:?}");
    }
}

#[test]
fn right_after_a_pin_the_old_word_does_not_count() {
    let mut stale = ready(Kind::HelmRelease);
    stale.generation = 4;
    assert_eq!(judge(&stale), progressing("NewGeneration"));
    let mut failed_before = not_ready(Kind::HelmRelease, "UpgradeFailed");
    failed_before.generation = 4;
    assert_eq!(judge(&failed_before), progressing("NewGeneration"));
}

#[test]
fn a_helm_release_may_not_know_its_digest_after_a_rollback() {
    let unknown = Observed { applied: None, ..ready(Kind::HelmRelease) };
    assert_eq!(judge(&unknown), Health::Healthy { since: since() });
    let contradiction = Observed { applied: Some(other()), ..ready(Kind::HelmRelease) };
    assert_eq!(judge(&contradiction), progressing("OtherDigest"));
    let unknown = Observed { applied: None, ..ready(Kind::Kustomization) };
    assert_eq!(judge(&unknown), progressing("OtherDigest"));
}

#[test]
fn failures_as_they_were_seen_on_real_flux() {
    let mut stalled = not_ready(Kind::HelmRelease, "UpgradeFailed");
    stalled.conditions.push(condition("Stalled", Truth::True, "RetriesExceeded"));
    assert_eq!(judge(&stalled), Health::Failed("UpgradeFailed".into()));
    let mut remediated = not_ready(Kind::HelmRelease, "RollbackSucceeded");
    remediated.applied = None;
    assert_eq!(judge(&remediated), Health::Failed("RollbackSucceeded".into()));
    let mut retried = not_ready(Kind::Kustomization, "HealthCheckFailed");
    retried.observed_generation = Some(2);
    retried.conditions.push(condition("Reconciling", Truth::True, "ProgressingWithRetry"));
    assert_eq!(judge(&retried), Health::Failed("HealthCheckFailed".into()));
}

#[test]
fn a_cancelled_health_check_is_no_failure_even_when_stalled() {
    let mut canceled = not_ready(Kind::HelmRelease, "HealthCheckCanceled");
    canceled.conditions.push(condition("Stalled", Truth::True, "RetriesExceeded"));
    assert_eq!(judge(&canceled), Health::Waiting("HealthCheckCanceled".into()));
}

#[test]
fn an_api_server_that_was_away_is_no_failure_until_the_timeout() {
    let early = not_ready(Kind::Kustomization, "ReconciliationFailed");
    assert_eq!(judge(&early), progressing("ReconciliationFailed"));
    let late = Observed { timeout_passed: true, ..early };
    assert_eq!(judge(&late), Health::Failed("ReconciliationFailed".into()));
}

#[test]
fn what_flux_tries_without_end_has_failed_once_it_is_overdue() {
    let retried = |kind: Kind| {
        let mut retried = not_ready(kind, "ReconcileError");
        retried.conditions[0].status = Truth::Unknown;
        retried.conditions.push(condition("Reconciling", Truth::True, "ProgressingWithRetry"));
        retried
    };
    let early = retried(Kind::HelmRelease);
    assert_eq!(judge(&early), progressing("ReconcileError"));
    let late = Observed { overdue: true, ..early };
    assert_eq!(judge(&late), Health::Failed("TimedOut: ReconcileError".into()));
    for another in [
        Observed { generation: 4, ..late.clone() },
        Observed { attempted: Some(other()), ..late.clone() },
        Observed { conditions: late.conditions[..1].to_vec(), ..late.clone() },
        Observed { overdue: true, ..retried(Kind::OciRepository) },
    ] {
        assert!(matches!(judge(&another), Health::Progressing(_)), "{another:?}");
    }
    assert!(matches!(judge(&Observed { overdue: true, ..ready(Kind::HelmRelease) }), Health::Healthy { .. }));
}

#[test]
fn a_lost_artifact_is_waited_for_on_any_digest() {
    for reason in ["SourceNotReady", "ArtifactFailed"] {
        let lost = Observed { attempted: Some(other()), ..not_ready(Kind::HelmRelease, reason) };
        assert_eq!(judge(&lost), Health::Waiting(reason.into()));
    }
}

#[test]
fn an_unknown_reason_is_waited_for_unless_all_retries_are_used_up() {
    let mut new = not_ready(Kind::HelmRelease, "SomethingNew");
    assert_eq!(judge(&new), Health::Waiting("SomethingNew".into()));
    new.conditions.push(condition("Stalled", Truth::True, "RetriesExceeded"));
    assert_eq!(judge(&new), Health::Failed("SomethingNew".into()));
}

#[test]
fn absence_suspension_and_deletion_have_their_own_words() {
    assert_eq!(health(None), Health::NotThere);
    let suspended = Observed { suspended: true, ..not_ready(Kind::HelmRelease, "UpgradeFailed") };
    assert_eq!(judge(&suspended), Health::Suspended);
    let deleting = Observed { deleting: true, ..ready(Kind::HelmRelease) };
    assert_eq!(judge(&deleting), Health::Waiting("Terminating".into()));
    assert_eq!(judge(&object(Kind::HelmRelease, vec![])), progressing("NotSeenYet"));
}

#[test]
fn revisions_are_read_with_and_without_a_tag() {
    let revision = wanted().to_string();
    assert_eq!(digest_of_revision(&revision), Some(wanted()));
    assert_eq!(digest_of_revision(&format!("1.2.3@{revision}")), Some(wanted()));
    assert_eq!(digest_of_revision("main@sha1:0123"), None);
    assert_eq!(digest_of_revision(""), None);
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::HelmRelease), Just(Kind::Kustomization), Just(Kind::OciRepository)]
}

fn any_truth() -> impl Strategy<Value = Truth> {
    prop_oneof![Just(Truth::True), Just(Truth::False), Just(Truth::Unknown)]
}

fn any_reason() -> impl Strategy<Value = String> {
    let known = prop::sample::select(REASONS).prop_map(|row| row.reason.to_owned());
    prop_oneof![4 => known, 1 => Just("RetriesExceeded".to_owned()), 1 => "[A-Z][a-z]{3,9}"]
}

fn any_condition() -> impl Strategy<Value = FluxCondition> {
    let kind = prop::sample::select(&["Ready", "Reconciling", "Stalled", "Healthy"][..]);
    let generation = prop::option::of(1..5i64);
    let transition = prop::option::of(Just(since()));
    (kind, any_truth(), any_reason(), generation, transition).prop_map(
        |(kind, status, reason, observed_generation, last_transition)| FluxCondition {
            kind: kind.to_owned(),
            status,
            reason,
            observed_generation,
            last_transition,
        },
    )
}

fn any_digest() -> impl Strategy<Value = Option<Digest>> {
    prop_oneof![Just(None), Just(Some(wanted())), Just(Some(other()))]
}

fn any_object() -> impl Strategy<Value = Observed> {
    let conditions = prop::collection::vec(any_condition(), 0..4);
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.1), any::<bool>(), any::<bool>());
    let generations = (1..5i64, prop::option::of(1..5i64));
    (any_kind(), generations, conditions, any_digest(), any_digest(), flags).prop_map(
        |(kind, (generation, observed_generation), conditions, attempted, applied, flags)| Observed {
            kind,
            generation,
            deleting: flags.0,
            suspended: flags.1,
            observed_generation,
            conditions,
            attempted,
            applied,
            wanted: wanted(),
            timeout_passed: flags.2,
            overdue: flags.3,
        },
    )
}

fn is_verdict(health: &Health) -> bool {
    matches!(health, Health::Healthy { .. } | Health::Failed(_))
}

proptest! {
    #[test]
    fn no_verdict_on_another_digest(observed in any_object(), elsewhere in any_digest()) {
        prop_assume!(elsewhere != Some(wanted()));
        let observed = Observed { attempted: elsewhere, applied: elsewhere, ..observed };
        prop_assert!(!is_verdict(&judge(&observed)));
    }

    #[test]
    fn no_verdict_on_an_older_generation(observed in any_object(), ahead in 5..9i64) {
        let observed = Observed { generation: ahead, ..observed };
        prop_assert!(!is_verdict(&judge(&observed)));
    }

    #[test]
    fn no_verdict_on_what_is_suspended_or_deleted(observed in any_object(), which in any::<bool>()) {
        let observed = Observed { suspended: which, deleting: !which, ..observed };
        prop_assert!(!is_verdict(&judge(&observed)));
    }

    #[test]
    fn healthy_is_ready_on_the_observed_generation_with_nothing_under_way(observed in any_object()) {
        if let Health::Healthy { .. } = judge(&observed) {
            prop_assert_eq!(observed.observed_generation, Some(observed.generation));
            let first = |kind: &str| observed.conditions.iter().find(|c| c.kind == kind).map(|c| c.status);
            prop_assert_eq!(first("Ready"), Some(Truth::True));
            prop_assert_ne!(first("Reconciling"), Some(Truth::True));
            prop_assert_ne!(first("Stalled"), Some(Truth::True));
        }
    }

    #[test]
    fn failed_has_proof(observed in any_object()) {
        if let Health::Failed(reason) = judge(&observed) {
            prop_assert_ne!(observed.kind, Kind::OciRepository);
            prop_assert_eq!(observed.attempted, Some(wanted()));
            if reason.starts_with("TimedOut: ") {
                prop_assert!(observed.overdue);
                return Ok(());
            }
            let exhausted =
                observed.conditions.iter().any(|c| c.kind == "Stalled" && c.reason == "RetriesExceeded");
            match class(observed.kind, &reason) {
                Some(Class::Failed) => {}
                Some(Class::FailedIfItLasts) => prop_assert!(observed.timeout_passed),
                Some(Class::Waiting) => prop_assert!(false, "{reason} is waited for"),
                None => prop_assert!(exhausted),
            }
        }
    }
}
