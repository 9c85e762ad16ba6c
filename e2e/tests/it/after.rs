//! A data plane that goes first: its report travels as a file, and counts by its key alone.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::{DataPlane, Program, World};

use crate::attack::note;
use crate::base::{base, unix_now};
use crate::forge::{expires, sha256};
use crate::rings::{HEALTHY, Story};

/// What staging hands out, and the fingerprint of its key.
fn handed(staging: &DataPlane) -> (String, String) {
    handed_in(&base().world, staging)
}

fn handed_in(world: &World, staging: &DataPlane) -> (String, String) {
    let state = staging.state.to_string_lossy();
    let printed = world.run(Program::PdpSync, &["report", "--state", &state], &[]).unwrap();
    assert!(printed.ok(), "{}", printed.stderr);
    let value: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    let pem: String =
        value["publicKey"].as_str().unwrap().lines().filter(|line| !line.starts_with('-')).collect();
    (printed.stdout, format!("sha256:{}", sha256(&STANDARD.decode(pem).unwrap())))
}

fn details(plane: &DataPlane) -> String {
    let status = plane.status().unwrap();
    let all = status["obstacles"].as_array().unwrap().iter().filter(|it| it["code"] == "AfterOther");
    all.map(|it| it["detail"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn prod_follows_staging_once_its_own_word_says_that_it_was_healthy_for_long_enough() {
    let base = base();
    let at = |hours: i64| expires(unix_now() + hours * 3600);
    let probe = "  probe: {command: [sh, -c, 'exit 0'], interval: 1s}\n";
    let staging = base.world.data_plane("first", "staging", "general", probe).unwrap();
    let other = base.world.data_plane("first", "dev", "general", probe).unwrap();
    for plane in [&staging, &other] {
        plane.pass(&base.world, &[("PDP_NOW", &at(0))]).unwrap();
        assert_eq!(plane.level(), Some(42));
    }
    let (young, fingerprint) = handed(&staging);
    let folder = base.world.path("reports-of-first");
    std::fs::create_dir_all(&folder).unwrap();
    let more = format!(
        "  reportsOf: {}\n  policy: {{after: [{{dataPlane: staging, fingerprint: '{fingerprint}', healthyFor: 1h}}]}}\n",
        folder.display(),
    );
    let prod = base.world.data_plane("first", "prod", "general", &more).unwrap();
    let pass = |hours: i64| {
        prod.pass(&base.world, &[("PDP_NOW", &at(hours))]).unwrap();
        details(&prod)
    };
    assert!(pass(0).contains("no report of it is at hand"), "{}", details(&prod));
    let put = |report: &str| std::fs::write(folder.join("staging.json"), report).unwrap();
    put(&handed(&other).0);
    assert!(pass(0).contains("UnknownSigner"), "{}", details(&prod));
    note("report-of-another-data-plane", "AfterOther", "delay only");
    put(&young);
    assert!(pass(0).contains("has to be for 1h"), "{}", details(&prod));
    // What it said then doesn't grow older by itself.
    assert!(pass(2).contains("has to be for 1h"), "{}", details(&prod));
    staging.pass(&base.world, &[("PDP_NOW", &at(2))]).unwrap();
    put(&handed(&staging).0);
    assert_eq!((pass(2), prod.level()), (String::new(), Some(42)));

    // What was seen is a floor: yesterday's word, brought again, is old news.
    let more = more.replace("healthyFor: 1h", "healthyFor: 9h");
    let slow = base.world.data_plane("first", "slow", "general", &more).unwrap();
    let pass = || {
        slow.pass(&base.world, &[("PDP_NOW", &at(2))]).unwrap();
        details(&slow)
    };
    assert!(pass().contains("has to be for 9h"), "{}", details(&slow));
    put(&young);
    assert!(pass().contains("OlderThanLast"), "{}", details(&slow));
    note("report-of-yesterday-brought-again", "AfterOther", "delay only");
}

#[test]
fn the_channel_server_hands_out_the_last_report_within_an_organization_alone() {
    let mut story = Story::begin(&[("acme", "canary"), ("other", "canary")]);
    story.release(41);
    let first = &story.planes[0];
    let waiting = |organization: &str| {
        let (_, fingerprint) = handed_in(&story.world, first);
        let after = format!("{{dataPlane: prod, fingerprint: '{fingerprint}', healthyFor: 1h}}");
        let more = format!("{HEALTHY}  policy: {{after: [{after}]}}\n");
        story.world.enrolled(organization, "next", &more).unwrap()
    };
    first.pass(&story.world, &[]).unwrap();
    assert_eq!(first.level(), Some(41));
    first.pass(&story.world, &[]).unwrap();
    let (next, stranger) = (waiting("acme"), waiting("other"));
    let says = |plane: &DataPlane| {
        plane.pass(&story.world, &[]).unwrap();
        details(plane)
    };
    assert!(says(&next).contains("has to be for 1h"), "{}", details(&next));
    assert!(says(&stranger).contains("`prod` goes first, and"), "{}", details(&stranger));
    assert!(!details(&stranger).contains("has to be for"), "another organization's report is nobody's");
    note("report-of-another-organization", "AfterOther", "delay only");
    story.pass_time(3700);
    story.planes[0].pass(&story.world, &[]).unwrap();
    next.pass(&story.world, &[]).unwrap();
    assert_eq!((details(&next), next.level()), (String::new(), Some(41)));
    stranger.pass(&story.world, &[]).unwrap();
    assert_eq!(stranger.level(), None);
}
