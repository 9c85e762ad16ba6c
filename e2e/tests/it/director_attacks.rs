//! Attacks by whoever stole the channel server and the director's key: withholding, delaying, nothing else.

use pdp_e2e::Key;
use serde_json::{Value, json};

use crate::base::{Files, base, unix_now};
use crate::director::{ASSIGNMENT, LATER, RING_STATE, Stage, stolen_key};
use crate::forge::{Stolen, expires, freshen, list, sha256};

/// The attack with one lie in an otherwise honest assignment for level 42.
fn lie(name: &'static str, code: &str, edit: impl FnOnce(&mut Value)) -> Stage {
    let stage = Stage::at_41(name);
    let mut assignment = stage.assignment(&base().at_42, 42);
    edit(&mut assignment);
    stage.say(&assignment);
    stage.is_refused_with(code);
    stage
}

#[test]
fn opens_a_level_that_nobody_promoted() {
    lie("director-unpromoted-level", "CeilingNotInChannel", |a| a["ceiling"]["level"] = 99.into());
}

#[test]
fn names_other_content_for_a_promoted_level() {
    lie("director-other-content", "CeilingNotInChannel", |a| a["ceiling"]["sha256"] = "00".repeat(32).into());
}

#[test]
fn replays_across_organizations() {
    lie("director-other-organization", "OtherDataPlane", |a| a["organization"] = "someone-else".into());
}

#[test]
fn replays_across_data_planes() {
    lie("director-other-data-plane", "OtherDataPlane", |a| a["dataPlane"] = "staging".into());
}

#[test]
fn replays_an_older_assignment() {
    lie("director-older-assignment", "OlderThanLast", |a| {
        a["issued"] = expires(unix_now() + LATER - 3600).into()
    });
}

#[test]
fn replays_an_expired_assignment() {
    let stage = Stage::at_41("director-expired-assignment");
    let assignment = stage.assignment(&base().at_42, 42);
    stage.say(&assignment);
    let two_days_later = expires(unix_now() + 2 * 86_400);
    stage.attack.is_refused_at("Expired", &[("PDP_NOW", &two_days_later)]);
}

#[test]
fn an_assignment_that_would_live_for_a_month() {
    lie("director-long-life", "ClockSkew", |a| a["expires"] = expires(unix_now() + 30 * 86_400).into());
}

#[test]
fn dated_2099_before_revocation_and_the_data_plane_stays_awake() {
    let stage = lie("director-dated-2099", "ClockSkew", |a| {
        a["issued"] = "2099-01-01T00:00:00Z".into();
        a["expires"] = "2099-01-01T12:00:00Z".into();
    });
    stage.is_not_deaf(&stolen_key(&base().world), &base().at_42);
}

#[test]
fn dated_2099_after_revocation_and_the_new_director_is_heard() {
    let stage = Stage::at_41("director-revoked-2099");
    let new = Key::new().unwrap();
    let mut files = base().at_42.clone();
    let world = &base().world;
    let keys = json!({ "apiVersion": "updates.pdp.wso2.com/v1", "keys": [
        { "publicKey": stage.director.public_pem(), "state": "revoked" },
        { "publicKey": new.public_pem(), "state": "active" },
    ]});
    let people = [Stolen::from(world, "targets-1"), Stolen::from(world, "targets-2")];
    let signers = [&people[0], &people[1]];
    list(&mut files, "targets", "director-keys.json", keys.to_string().as_bytes(), &signers);
    freshen(&mut files, unix_now(), &Stolen::from(world, "snapshot"), &Stolen::from(world, "timestamp"));
    stage.attack.serve(&files);
    let mut assignment = stage.assignment(&base().at_42, 42);
    assignment["issued"] = "2099-01-01T00:00:00Z".into();
    stage.say(&assignment);
    stage.is_refused_with("SignatureThreshold");
    stage.is_not_deaf(&new, &files);
}

#[test]
fn with_a_key_that_nobody_lists() {
    let stage = Stage::at_41("director-own-key");
    let assignment = stage.assignment(&base().at_42, 42);
    stage.say_raw(Key::new().unwrap().seal(ASSIGNMENT, &assignment));
    stage.is_refused_with("SignatureThreshold");
}

#[test]
fn another_document_passed_off_as_an_assignment() {
    let stage = Stage::at_41("director-other-document");
    let assignment = stage.assignment(&base().at_42, 42);
    stage.say_raw(stage.director.seal(RING_STATE, &assignment));
    stage.is_refused_with("WrongPredicate");
}

#[test]
fn an_answer_without_end() {
    let stage = Stage::at_41("director-endless-answer");
    stage.impostor.faults().add("GET", "/assignment", pdp_e2e::Harm::Endless, None);
    // What can't be read is no word: the door stays closed, and the pass ends.
    stage.is_refused_with("RingNotOpenYet");
}

#[test]
fn a_feature_that_nobody_knows() {
    lie("director-unknown-feature", "UnknownCriticalFeature", |a| a["critical"] = json!(["skip-checks"]));
}

#[test]
fn moves_a_data_plane_to_an_earlier_ring() {
    let stage = Stage::at_41_in("director-earlier-ring", "regulated", "");
    // Level 42 opens to `regulated` twelve hours after its promotion at the earliest.
    let mut assignment = stage.assignment(&base().at_42, 42);
    let at = unix_now() + 13 * 3600;
    assignment["issued"] = expires(at).into();
    assignment["expires"] = expires(at + 3600).into();
    assignment["ring"] = "canary".into();
    stage.say(&assignment);
    stage.pass_at(at);
    let status = stage.attack.data_plane.status().unwrap();
    assert!(status["conditions"].to_string().contains("EarlierRing"), "{status:#}");
    assert_eq!(status["instruction"]["ring"], "regulated");
    // And at its own earliest time, not a moment sooner.
    let fresh = Stage::fresh("director-earlier-ring-early", "regulated", "", &base().at_42);
    let mut assignment = fresh.assignment(&base().at_42, 42);
    assignment["ring"] = "canary".into();
    fresh.say(&assignment);
    assert_eq!(fresh.pass_at(unix_now() + LATER), None);
    let status = fresh.attack.data_plane.status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "RingNotOpenYet", "{status:#}");
    assert!(status["nextAction"]["at"].is_string(), "{status:#}");
    fresh.attack.note("RingNotOpenYet", "delay only");
    stage.attack.note("EarlierRing", "refused");
}

#[test]
fn opens_a_ring_before_the_time_that_people_signed() {
    let stage = Stage::fresh("director-ring-not-open-yet", "early", "", &base().at_42);
    let now = unix_now();
    let mut assignment = stage.assignment(&base().at_42, 42);
    assignment["issued"] = expires(now).into();
    stage.say(&assignment);
    assert_eq!(stage.pass_at(now), None);
    let status = stage.attack.data_plane.status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "RingNotOpenYet", "{status:#}");
    stage.attack.note("RingNotOpenYet", "delay only");
}

/// The catalog at 42 with another channel, as two release managers would sign it.
fn with_channel(edit: impl FnOnce(&mut Value)) -> Files {
    let (mut files, world) = (base().at_42.clone(), &base().world);
    let mut channel: Value = serde_json::from_slice(&files["targets/channel-pdp-2026.json"]).unwrap();
    edit(&mut channel);
    let managers = [Stolen::from(world, "manager-1"), Stolen::from(world, "manager-2")];
    let signers = [&managers[0], &managers[1]];
    list(&mut files, "channels", "channel-pdp-2026.json", channel.to_string().as_bytes(), &signers);
    freshen(&mut files, unix_now(), &Stolen::from(world, "snapshot"), &Stolen::from(world, "timestamp"));
    files
}

/// Level 42 as a hotfix for one organization.
fn hotfix_for(channel: &mut Value, organization: &str) {
    let promotion = &mut channel["levels"]["42"];
    let member = format!("{}/{organization}", promotion["sha256"].as_str().unwrap());
    promotion["audience"] = json!([format!("sha256:{}", sha256(member.as_bytes()))]);
    promotion["base"] = 41.into();
    channel["critical"] = json!(["audiences"]);
}

#[test]
fn gives_somebody_a_hotfix_that_is_for_another_one() {
    let stage = Stage::at_41("director-hotfix-of-another");
    stage.attack.serve(&with_channel(|channel| hotfix_for(channel, "acme")));
    stage.say(&stage.assignment(&base().at_42, 42));
    let before = stage.attack.head();
    assert_eq!(
        stage.pass_at(unix_now() + LATER),
        Some(41),
        "{:#}",
        stage.attack.data_plane.status().unwrap()
    );
    assert_eq!(stage.attack.head(), before);
    stage.attack.note("-", "without effect: not for this organization");
    // The same words where it is: the attack was one.
    let meant = Stage::at_41("director-hotfix-of-its-own");
    meant.attack.serve(&with_channel(|channel| hotfix_for(channel, "victim")));
    meant.say(&meant.assignment(&base().at_42, 42));
    assert_eq!(
        meant.pass_at(unix_now() + LATER),
        Some(42),
        "{:#}",
        meant.attack.data_plane.status().unwrap()
    );
}

#[test]
fn offers_a_withdrawn_level_and_the_next_lower_one_stays_reachable() {
    let files = with_channel(|channel| {
        channel["withdrawn"]["42"] = json!({ "at": expires(unix_now()), "reason": "crash on start" });
    });
    let stage = Stage::at_41("director-withdrawn-ceiling");
    stage.attack.serve(&files);
    stage.say(&stage.assignment(&base().at_42, 42));
    stage.is_refused_with("Withdrawn");
    // Someone at nothing yet takes 41 under the same ceiling.
    let lower = Stage::fresh("director-withdrawn-lower", "early", "", &files);
    let mut assignment = lower.assignment(&base().at_42, 42);
    assignment["start"] = lower.assignment(&base().at_42, 41)["start"].clone();
    lower.say(&assignment);
    assert_eq!(
        lower.pass_at(unix_now() + LATER),
        Some(41),
        "{:#}",
        lower.attack.data_plane.status().unwrap()
    );
}

#[test]
fn grants_something_else_than_it_opens() {
    lie("director-grant-of-another-release", "NoGrant", |a| a["start"]["sha256"] = "00".repeat(32).into());
}

#[test]
fn makes_the_data_plane_wait_for_ten_years() {
    let stage = Stage::at_41("director-endless-poll-after");
    let mut assignment = stage.assignment(&base().at_42, 42);
    assignment["start"] = Value::Null;
    assignment["pollAfter"] = "3650d".into();
    stage.say(&assignment);
    stage.pass_at(unix_now() + LATER);
    let status = stage.attack.data_plane.status().unwrap();
    assert_eq!(status["instruction"]["pollAfter"], "1h", "{status:#}");
    stage.attack.note("-", "clamped to one hour");
}

#[test]
fn together_with_the_git_host() {
    let stage = Stage::at_41("director-and-git-host");
    stage.attack.serve(&base().at_40);
    stage.say(&stage.assignment(&base().at_42, 42));
    stage.is_refused_with("VersionFloor");
}

#[test]
fn together_with_lost_floors() {
    let stage = Stage::at_41("director-and-lost-floors");
    for file in ["floors.json", "instruction.json"] {
        std::fs::remove_file(stage.attack.data_plane.state.join(file)).unwrap();
    }
    stage.attack.serve(&base().at_40);
    let mut assignment = stage.assignment(&base().at_40, 40);
    assignment["minCatalog"] = json!({ "channels": 1, "targets": 1 });
    stage.say(&assignment);
    let before = stage.attack.head();
    assert_eq!(stage.pass_at(unix_now() + LATER), Some(41), "never below what is installed");
    assert_eq!(stage.attack.head(), before);
    stage.attack.note("-", "without effect: never below what is installed");
}

#[test]
fn a_stolen_server_closes_nothing_that_people_opened() {
    let stage = Stage::at_41_in("director-withholds", "general", "");
    let mut silent = stage.assignment(&base().at_42, 42);
    silent["ceiling"] = Value::Null;
    silent["start"] = Value::Null;
    silent["hold"] = json!(["Halted"]);
    stage.say(&silent);
    assert_eq!(
        stage.pass_at(unix_now() + LATER),
        Some(42),
        "{:#}",
        stage.attack.data_plane.status().unwrap()
    );
    stage.attack.note("-", "without effect: the channel's own door stands");
}

#[test]
fn claims_to_have_seen_a_newer_catalog_than_there_is() {
    let stage = Stage::at_41("director-newer-catalog");
    let mut assignment = stage.assignment(&base().at_42, 42);
    assignment["minCatalog"]["channels"] = 1_000_000.into();
    stage.say(&assignment);
    assert_eq!(stage.pass_at(unix_now() + LATER), Some(41));
    let status = stage.attack.data_plane.status().unwrap();
    assert!(status["conditions"].to_string().contains("CatalogBehind"), "lag, not an attack: {status:#}");
    assert!(status["refusal"].is_null(), "{status:#}");
    stage.attack.note("CatalogBehind", "delay only");
    stage.is_not_deaf(&stolen_key(&base().world), &base().at_42);
}
