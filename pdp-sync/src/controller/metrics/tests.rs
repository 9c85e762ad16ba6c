#![allow(clippy::unwrap_used)]
use pdp_policies::ObstacleCode;
use pdp_policies::trust::Role;

use super::*;
use crate::controller::conditions::{Stand, conditions};
use crate::crd::ObstacleStatus;

const DOC: &str = include_str!("../../../../docs/metrics.md");

fn of(name: &str) -> Subscription {
    Subscription { name: name.to_owned(), namespace: "pdp".to_owned() }
}

fn obstacle(code: ObstacleCode) -> ObstacleStatus {
    ObstacleStatus { code, owner: code.owner(), next: None, detail: String::new() }
}

fn status(codes: &[ObstacleCode]) -> UpdateSubscriptionStatus {
    let exposed = (ConditionType::Exposed, "BelowFloor".to_owned(), String::new());
    let done = Stand::Done { message: String::new() };
    UpdateSubscriptionStatus {
        level: Some(Level(41)),
        conditions: conditions(&done, &[exposed], &[], 1, At::from_unix(1)),
        obstacles: codes.iter().copied().map(obstacle).collect(),
        ..UpdateSubscriptionStatus::default()
    }
}

fn facts() -> Facts {
    let at = |unix| Some(At::from_unix(unix));
    Facts {
        lag: Some(2),
        catalog_signed: at(100),
        catalog_expires: Some(Role::ALL.map(|role| (role, At::from_unix(200)))),
        last_success: at(150),
    }
}

/// Everything once.
fn full() -> Metrics {
    let metrics = Metrics::new("1.2.3");
    let of = of("prod");
    metrics.reconciled(&of, Duration::from_millis(20));
    metrics.refused(&of, RefusalCode::RootChain);
    metrics.applied(&of, HistoryResult::Healthy);
    metrics.repaired(&of, 3);
    let mut status = status(&[ObstacleCode::OutsideWindow]);
    status.target = serde_json::from_value(serde_json::json!({
        "level": 42, "releaseDigest": pdp_policies::Digest::of(b"").to_string(), "phase": "waiting"
    }))
    .unwrap();
    metrics.observe(&of, &status, &facts());
    metrics
}

#[test]
fn the_text_is_what_dashboards_expect() {
    let text = full().text();
    for line in [
        r#"gotk_reconcile_duration_seconds_count{kind="UpdateSubscription",name="prod",namespace="pdp"} 1"#,
        r#"pdp_sync_info{version="1.2.3"} 1"#,
        r#"pdp_sync_level{name="prod",namespace="pdp"} 41"#,
        r#"pdp_sync_target_level{name="prod",namespace="pdp"} 42"#,
        r#"pdp_sync_lag_levels{name="prod",namespace="pdp"} 2"#,
        r#"pdp_sync_condition{name="prod",namespace="pdp",type="Ready",status="True"} 1"#,
        r#"pdp_sync_blocked{name="prod",namespace="pdp",code="OutsideWindow",owner="customer"} 1"#,
        r#"pdp_sync_refusals_total{name="prod",namespace="pdp",code="RootChain"} 1"#,
        r#"pdp_sync_levels_applied_total{name="prod",namespace="pdp",result="healthy"} 1"#,
        r#"pdp_sync_catalog_signed_timestamp_seconds{name="prod",namespace="pdp"} 100"#,
        r#"pdp_sync_catalog_expires_timestamp_seconds{name="prod",namespace="pdp"} 200"#,
        r#"pdp_sync_last_success_timestamp_seconds{name="prod",namespace="pdp"} 150"#,
        r#"pdp_sync_exposed{name="prod",namespace="pdp"} 1"#,
        r#"pdp_sync_drift_repairs_total{name="prod",namespace="pdp"} 3"#,
    ] {
        assert!(text.contains(line), "no line {line} in\n{text}");
    }
}

#[test]
fn obstacles_that_went_away_are_dropped() {
    let metrics = Metrics::new("1");
    metrics.observe(&of("a"), &status(&[ObstacleCode::Frozen, ObstacleCode::NoGrant]), &facts());
    metrics.observe(&of("a"), &status(&[ObstacleCode::NoGrant]), &facts());
    let text = metrics.text();
    assert!(!text.contains("Frozen") && text.contains("NoGrant"), "{text}");
    metrics.observe(&of("a"), &UpdateSubscriptionStatus::default(), &Facts::default());
    let text = metrics.text();
    assert!(
        !text.contains("NoGrant") && !text.contains("pdp_sync_level{") && !text.contains("Ready"),
        "{text}"
    );
}

#[test]
fn nothing_stays_of_a_deleted_subscription() {
    let metrics = full();
    metrics.observe(&of("other"), &status(&[]), &facts());
    metrics.forget(&of("prod"));
    let text = metrics.text();
    assert!(!text.contains("prod") && text.contains("other"), "{text}");
}

#[test]
fn every_figure_is_documented() {
    let text = full().text();
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split_once(' ').unwrap());
    for (name, kind) in names {
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        assert!(
            DOC.contains(&format!("| `{name}{suffix}` | {kind} |")),
            "docs/metrics.md lacks {name}{suffix}"
        );
    }
}
