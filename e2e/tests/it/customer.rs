//! The customer decides: pins, holds, edits, probes.

use std::collections::BTreeMap;

use crate::base::base;
use crate::forge::expires;

const PIN: &str = "  policy: {pin: {to: {level: 41}, reason: quarter-end, expires: 2097-01-31T00:00:00Z}}\n";

#[test]
fn a_pin_holds_and_lets_an_intermediate_level_through() {
    let base = base();
    let plane = base.world.data_plane("nordbank", "prod", "general", PIN).unwrap();
    assert!(plane.pass(&base.world, &[]).unwrap().ok());
    assert_eq!(plane.level(), Some(41), "the intermediate level");
    plane.pass(&base.world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "Pinned");
    assert_eq!(status["obstacles"][0]["owner"], "customer");
    assert_eq!(status["nextAction"]["at"], "2097-01-31T00:00:00Z");
}

#[test]
fn a_hold_holds_until_it_is_taken_away() {
    let base = base();
    let plane =
        base.world.data_plane("medicus", "prod", "general", "  policy: {hold: {reason: audit}}\n").unwrap();
    assert!(plane.pass(&base.world, &[]).unwrap().ok());
    let status = plane.status().unwrap();
    assert_eq!((plane.level(), status["obstacles"][0]["code"].as_str()), (None, Some("Frozen")));
    let text = std::fs::read_to_string(&plane.subscription)
        .unwrap()
        .replace("policy: {hold: {reason: audit}}", "policy: {}");
    std::fs::write(&plane.subscription, text).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    assert_eq!(plane.level(), Some(42));
    let decision = base.world.git.git(&plane.name, &["show", "main:pdp/decision.json"]).unwrap();
    assert!(decision.contains("\"loosened\": true"), "a loosened policy is always recorded");
}

#[test]
fn a_ring_that_is_not_open_waits_with_code_and_owner() {
    let base = base();
    let plane = base.world.data_plane("gov", "prod", "regulated", "").unwrap();
    assert!(plane.pass(&base.world, &[]).unwrap().ok());
    let status = plane.status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "RingNotOpenYet");
    assert_eq!(status["obstacles"][0]["owner"], "vendor");
}

#[test]
fn an_edit_by_a_person_is_a_hold_and_other_files_are_left_alone() {
    let base = base();
    let plane = base.world.data_plane("editor", "prod", "general", PIN).unwrap();
    let theirs = BTreeMap::from([("README.md".to_owned(), b"ours".to_vec())]);
    base.world.git.overwrite(&plane.name, "main", &theirs).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    assert_eq!(plane.level(), Some(41));
    let mut files = base.world.git.files(&plane.name, "main").unwrap();
    assert_eq!(files["README.md"], b"ours");
    let path = "pdp/choreo-connect-router/helm-release.yaml";
    files.insert(path.into(), b"edited: by hand\n".to_vec());
    base.world.git.overwrite(&plane.name, "main", &files).unwrap();
    let text = std::fs::read_to_string(&plane.subscription).unwrap().replace(PIN, "");
    std::fs::write(&plane.subscription, text).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "HeldByEdit", "{status:#}");
    assert_eq!(base.world.git.files(&plane.name, "main").unwrap()[path], b"edited: by hand\n");
}

#[test]
fn nothing_new_means_no_commit() {
    let base = base();
    let plane = base.world.data_plane("quiet", "prod", "general", "").unwrap();
    plane.pass(&base.world, &[]).unwrap();
    let head = || base.world.git.git(&plane.name, &["rev-parse", "main"]).unwrap();
    let before = head();
    plane.pass(&base.world, &[]).unwrap();
    assert_eq!(head(), before);
    let status = plane.status().unwrap();
    assert_eq!(status["health"], "written; nobody measured health");
}

#[test]
fn a_probe_makes_it_healthy_or_takes_it_back_and_quarantines() {
    let base = base();
    let good = "  probe: {command: [sh, -c, 'exit 0'], interval: 1s}\n";
    let plane = base.world.data_plane("probed", "good", "general", good).unwrap();
    let now = expires(crate::base::unix_now());
    plane.pass(&base.world, &[("PDP_NOW", &now)]).unwrap();
    assert_eq!(plane.status().unwrap()["health"], "healthy");

    let only_41 =
        "  probe: {command: [sh, -c, 'test $PDP_LEVEL != 42 || test $PDP_STAGE -lt 3'], interval: 1s}\n";
    let plane = base.world.data_plane("probed", "bad", "general", &format!("{PIN}{only_41}")).unwrap();
    plane.pass(&base.world, &[("PDP_NOW", &now)]).unwrap();
    assert_eq!(plane.level(), Some(41));
    let text = std::fs::read_to_string(&plane.subscription).unwrap().replace(PIN, "");
    std::fs::write(&plane.subscription, text).unwrap();
    let before = base.world.git.files(&plane.name, "main").unwrap();
    let failed = plane.pass(&base.world, &[("PDP_NOW", &now)]).unwrap();
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let status = plane.status().unwrap();
    assert_eq!((plane.level(), status["phase"].as_str()), (Some(41), Some("quarantined")), "{status:#}");
    let mut after = base.world.git.files(&plane.name, "main").unwrap();
    after.insert("pdp/decision.json".into(), before["pdp/decision.json"].clone());
    assert_eq!(after, before, "everything is back as it was");
    plane.pass(&base.world, &[("PDP_NOW", &now)]).unwrap();
    assert_eq!(plane.status().unwrap()["obstacles"][0]["code"], "Quarantined");
}

#[test]
fn a_plan_shows_what_would_be_written_and_writes_nothing() {
    let base = base();
    let plane = base.world.data_plane("planner", "prod", "general", "").unwrap();
    let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
    let args = ["plan", "--subscription", &file, "--state", &state];
    let plan = base.world.run(pdp_e2e::Program::PdpSync, &args, &[]).unwrap();
    assert_eq!(plan.code, Some(1), "{}", plan.stderr);
    assert!(
        plan.stdout.contains("level 42 would be written") && plan.stdout.contains("pdp/cilium/"),
        "{}",
        plan.stdout
    );
    assert!(base.world.git.files(&plane.name, "main").unwrap().is_empty());
}

#[test]
fn on_premises_gets_its_registry_unless_it_is_left_out() {
    let base = base();
    for (name, more, there) in [("with", "", true), ("without", "  leaveOut: [container-registry]\n", false)]
    {
        let plane = base.world.data_plane("onprem", name, "general", more).unwrap();
        let text = std::fs::read_to_string(&plane.subscription)
            .unwrap()
            .replace("platform: azure", "platform: on-prem");
        std::fs::write(&plane.subscription, text).unwrap();
        assert!(plane.pass(&base.world, &[]).unwrap().ok());
        let files = base.world.git.files(&plane.name, "main").unwrap();
        assert_eq!(files.contains_key("pdp/container-registry/helm-release.yaml"), there, "{name}");
    }
}

#[test]
fn a_policy_that_protects_nothing_is_refused_by_a_plan_and_starts_nothing() {
    let base = base();
    let window = |kind: &str, cron: &str, length: &str| {
        format!("windows: [{{name: w, kind: {kind}, cron: '{cron}', timeZone: UTC, length: {length}}}]")
    };
    let pin = |level: u32, expires: &str| {
        format!("pin: {{to: {{level: {level}}}, reason: close, expires: {expires}}}")
    };
    for (name, policy, words) in [
        (
            "swapped",
            "freezes: [{reason: close, from: 2027-01-04T00:00:00Z, until: 2026-12-20T00:00:00Z}]".to_owned(),
            "freezes[0] ends",
        ),
        (
            "frozen-last-year",
            "freezes: [{reason: close, from: 2025-12-20T00:00:00Z, until: 2026-01-04T00:00:00Z}]".to_owned(),
            "freezes[0] is over already",
        ),
        ("after", "after: [{dataPlane: staging, healthyFor: 1h}]".to_owned(), "after[0] names either"),
        ("over", pin(41, "2026-01-31T00:00:00Z"), "pin ends"),
        (
            "unpublished",
            pin(410, "2097-01-31T00:00:00Z"),
            "pin.to names level 410, which was never published",
        ),
        ("two-ways", window("allow", "0 0 1-7 * 6", "2h"), "`* 6#1`"),
        ("never", window("deny", "0 0 * * *", "1d"), "windows never allow a start within a year"),
        (
            "nowhere",
            window("allow", "0 0 * * *", "1d").replace("UTC", "Mars/Olympus"),
            "not an IANA time zone",
        ),
    ] {
        let more = format!("  policy: {{{policy}}}\n");
        let plane = base.world.data_plane("slip", name, "general", &more).unwrap();
        let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
        let plan = ["plan", "--subscription", &file, "--state", &state];
        let planned = base.world.run(pdp_e2e::Program::PdpSync, &plan, &[]).unwrap();
        let said = &planned.stderr;
        assert!(said.contains("error[PolicyIneffective]") && said.contains(words), "{name}: {said}");
        assert_eq!(planned.code, Some(1), "{name}");
        // Nothing is in force by being seen twice.
        for _ in 0..2 {
            assert!(plane.pass(&base.world, &[]).unwrap().ok(), "{name}");
            let status = plane.status().unwrap();
            let told = status["obstacles"].as_array().unwrap().iter().any(|obstacle| {
                obstacle["code"] == "PolicyIneffective"
                    && obstacle["detail"].as_str().unwrap().contains(words)
            });
            assert!(
                told && status.to_string().contains(r#""type":"PolicyIneffective""#),
                "{name}: {status:#}"
            );
        }
        assert!(base.world.git.files(&plane.name, "main").unwrap().is_empty(), "{name}: nothing is written");
        let text = std::fs::read_to_string(&plane.subscription).unwrap().replace(&more, "");
        std::fs::write(&plane.subscription, text).unwrap();
        plane.pass(&base.world, &[]).unwrap();
        assert_eq!(plane.level(), Some(42), "{name}: put right");
    }
}

#[test]
fn what_was_begun_goes_on_under_a_policy_that_protects_nothing() {
    let base = base();
    let plane = base.world.data_plane("slip", "begun", "general", "").unwrap();
    let killed = plane.pass(&base.world, &[("PDP_FAULT", "after-record")]).unwrap();
    assert_eq!(killed.code, None, "it has to die: {}", killed.stderr);
    let slip =
        "  policy: {freezes: [{reason: close, from: 2027-01-04T00:00:00Z, until: 2026-12-20T00:00:00Z}]}\n";
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    std::fs::write(&plane.subscription, format!("{text}{slip}")).unwrap();
    assert!(plane.pass(&base.world, &[]).unwrap().ok());
    let status = plane.status().unwrap();
    assert_eq!((plane.level(), status["phase"].as_str()), (Some(42), Some("done")), "{status:#}");
    assert!(status.to_string().contains(r#""type":"PolicyIneffective""#), "{status:#}");
}

#[test]
fn windows_are_said_in_words_with_their_next_beginnings_by_plan_and_status() {
    let base = base();
    // Closed by now, whenever this runs.
    let hour = if (4..15).contains(&(crate::base::unix_now() / 3600 % 24)) { 22 } else { 10 };
    let window = format!(
        "{{name: first-saturday, kind: allow, cron: '0 {hour} * * 6#1', timeZone: Europe/Stockholm, length: 4h}}"
    );
    let more = format!("  policy: {{windows: [{window}]}}\n");
    let plane = base.world.data_plane("windowed", "words", "general", &more).unwrap();
    let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
    let plan = ["plan", "--subscription", &file, "--state", &state];
    let planned = base.world.run(pdp_e2e::Program::PdpSync, &plan, &[]).unwrap().stdout;
    plane.pass(&base.world, &[]).unwrap();
    let status = ["status", "--state", &state];
    let told = base.world.run(pdp_e2e::Program::PdpSync, &status, &[]).unwrap().stdout;
    for text in [&planned, &told] {
        let rule = format!(
            "window `first-saturday`: starts are allowed at {hour}:00, on the 1st Saturday of the month, for 4h (Europe/Stockholm)"
        );
        for words in [rule.as_str(), "OutsideWindow"] {
            assert!(text.contains(words), "{words} in {text}");
        }
        let local = format!(" {hour}:00 +0");
        let beginnings = text.lines().filter(|line| line.contains(&local) && line.ends_with(":00:00Z)"));
        assert_eq!(beginnings.count(), 5, "{text}");
    }
    assert_eq!(plane.status().unwrap()["windows"][0]["next"].as_array().unwrap().len(), 5);
}

#[test]
fn the_same_meaning_is_no_edit_and_what_differs_is_shown() {
    let base = base();
    let plane = base.world.data_plane("editor", "meaning", "general", PIN).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    assert_eq!(plane.level(), Some(41));
    let path = "pdp/choreo-connect-router/helm-release.yaml";
    let written = base.world.git.files(&plane.name, "main").unwrap()[path].clone();
    let text = String::from_utf8(written).unwrap();
    let edit = |text: String| {
        let files = BTreeMap::from([(path.to_owned(), text.into_bytes())]);
        let mut all = base.world.git.files(&plane.name, "main").unwrap();
        all.extend(files);
        base.world.git.overwrite(&plane.name, "main", &all).unwrap();
    };
    let interval = text.lines().find(|line| line.starts_with("  interval:")).unwrap();
    edit(text.replace(interval, "  interval: 7m"));
    plane.pass(&base.world, &[]).unwrap();
    let status = plane.status().unwrap();
    let detail =
        status["obstacles"].as_array().unwrap().iter().find(|it| it["code"] == "HeldByEdit").unwrap();
    let detail = detail["detail"].as_str().unwrap();
    assert!(detail.contains("spec.interval: ") && detail.contains(r#" -> "7m""#), "{detail}");
    let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
    let plan = ["plan", "--subscription", &file, "--state", &state];
    let planned = base.world.run(pdp_e2e::Program::PdpSync, &plan, &[]).unwrap().stdout;
    assert!(planned.contains(detail), "{planned}");

    let (head, spec) = text.split_once("spec:\n").unwrap();
    edit(format!("# reviewed by the change board\n---\nspec:   # as delivered\n{spec}{head}"));
    let free = std::fs::read_to_string(&plane.subscription).unwrap().replace(PIN, "");
    std::fs::write(&plane.subscription, free).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    assert_eq!(plane.level(), Some(42), "{:#}", plane.status().unwrap());
}

#[test]
fn a_pin_that_was_in_force_ends_by_itself() {
    let base = base();
    let pin = PIN.replace("2097-01-31T00:00:00Z", &expires(crate::base::unix_now() + 3600));
    let plane = base.world.data_plane("pinned", "prod", "general", &pin).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    plane.pass(&base.world, &[]).unwrap();
    assert_eq!(plane.status().unwrap()["obstacles"][0]["code"], "Pinned");
    let later = expires(crate::base::unix_now() + 7200);
    assert!(plane.pass(&base.world, &[("PDP_NOW", &later)]).unwrap().ok());
    assert_eq!(plane.level(), Some(42));
}
