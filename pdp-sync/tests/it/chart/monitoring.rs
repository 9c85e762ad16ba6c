use std::collections::BTreeSet;

use serde_json::Value;

use super::{file, quoted, rows, yaml};

fn alerts() -> Vec<Value> {
    let groups = yaml("pdp-sync/chart/files/alerts.yaml");
    groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let alerts = alerts();
    let named: BTreeSet<_> = alerts.iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect();
    let folder = format!("{}/../docs/runbooks", env!("CARGO_MANIFEST_DIR"));
    let pages: BTreeSet<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".md").to_owned())
        // Those of the channel server are tested there.
        .filter(|name| !name.starts_with("PdpRollout"))
        .collect();
    assert_eq!(named, pages);
    for alert in &alerts {
        let name = alert["alert"].as_str().unwrap();
        assert_eq!(alert["annotations"]["runbook_url"], format!("RUNBOOKS/{name}.md"));
        let severity = alert["labels"]["severity"].as_str().unwrap();
        assert!(["warning", "critical"].contains(&severity), "{name}: {severity}");
        let page = file(&format!("docs/runbooks/{name}.md"));
        assert!(page.starts_with(&format!("# {name}\n\nSeverity: {severity}. ")), "{name}");
        for part in ["## Who is affected", "## See", "## Do", "## How it ends"] {
            assert!(page.contains(part), "{name}: {part}");
        }
    }
}

/// Names that look like ours, of any metric.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("pdp_sync_") || word.starts_with("gotk_"));
    ours.map(|word| word.trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn alerts_and_dashboard_use_documented_metrics_alone() {
    let documented: BTreeSet<_> =
        rows(&file("docs/metrics.md")).iter().flat_map(|row| quoted(&row[0])).collect();
    assert_eq!(documented.len(), 15);
    let mut used = metrics(&file("pdp-sync/chart/files/alerts.yaml"));
    used.extend(metrics(&file("pdp-sync/chart/files/dashboard.json")));
    let unknown: Vec<_> = used.difference(&documented).collect();
    assert!(unknown.is_empty(), "not in docs/metrics.md: {unknown:?}");
    let unseen: Vec<_> = documented.difference(&used).collect();
    assert!(unseen.is_empty(), "on no panel and in no alert: {unseen:?}");
}

#[test]
fn the_dashboard_is_json_with_a_target_in_every_panel() {
    let dashboard: Value = serde_json::from_str(&file("pdp-sync/chart/files/dashboard.json")).unwrap();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(panel["targets"][0]["expr"].is_string(), "{}", panel["title"]);
    }
}
