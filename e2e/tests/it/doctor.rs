//! What the night needs is looked at in the evening: every fault that would stop a release is found by name.

use pdp_e2e::{Login, Program, Tools, World};
use serde_json::Value;

use crate::base::unix_now;
use crate::forge::expires;

/// Exit code, and each answer by what it is about.
fn doctor(world: &World, more: &[&str], env: &[(&str, &str)]) -> (i32, Vec<(String, String, String)>) {
    let helm = Tools::for_charts().unwrap().path("helm4");
    let args = [&["doctor", "-o", "json"], more].concat();
    let env = [&[("PUBLISHER_HELM", helm.to_str().unwrap())], env].concat();
    let finished = world.run(Program::Publisher, &args, &env).unwrap();
    let all: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|_| panic!("{}", finished.stderr));
    let text = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
    let checks =
        all.as_array().unwrap().iter().map(|it| (text(it, "subject"), text(it, "state"), text(it, "says")));
    (finished.code.unwrap(), checks.collect())
}

fn find<'a>(checks: &'a [(String, String, String)], subject: &str) -> (&'a str, &'a str) {
    let found = checks.iter().find(|(name, _, _)| name.starts_with(subject));
    let (_, state, says) = found.unwrap_or_else(|| panic!("{subject} in {checks:?}"));
    (state, says)
}

#[test]
fn a_healthy_desk_is_told_so_and_each_fault_is_named() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.release(41, "emergency").unwrap();
    // One of them twice: it counts once.
    let keys = ["manager-1", "manager-2", "artifact", "manager-1"].map(|name| world.key(name));
    let keys: Vec<_> = keys.iter().flat_map(|key| ["--key", key]).collect();
    let (code, checks) = doctor(&world, &keys, &[]);
    assert_eq!(code, 0, "{checks:?}");
    assert!(find(&checks, "role channels").1.contains("can be signed here now, by"), "{checks:?}");
    assert!(find(&checks, "key ").1.contains("`artifact`"), "{checks:?}");
    for subject in
        ["catalog", "Git host", "registry registry.wso2.example", "channel server", "helm", "space"]
    {
        assert_eq!(find(&checks, subject).0, "good", "{subject}: {checks:?}");
    }

    let one = [&keys[..2], &keys[6..]].concat();
    let (_, checks) = doctor(&world, &one, &[]);
    assert!(find(&checks, "role channels").1.contains(" here, and 1 of: "), "{checks:?}");
    assert!(find(&checks, "key ").1.starts_with("the same key as "), "{checks:?}");
    // This Git host says no time.
    for subject in ["digest of helm", "orders with this token", "clock of Git host"] {
        assert_eq!(find(&checks, subject).0, "notLookedAt", "{subject}: {checks:?}");
    }

    let wrong = doctor(&world, &keys[..2], &[("PUBLISHER_PASSWORD", "wrong")]);
    assert_eq!((wrong.0, find(&wrong.1, "key ").0), (1, "bad"), "{:?}", wrong.1);
    let later = |days: i64| expires(unix_now() + days * 86_400);
    let soon = doctor(&world, &[], &[("PDP_NOW", &later(175))]);
    assert_eq!(find(&soon.1, "role targets").0, "soon", "{:?}", soon.1);
    world.git.set_clock(Some("Mon, 23 Nov 2026 08:00:00 GMT"));
    let other_day = doctor(&world, &[], &[]);
    assert_eq!((other_day.0, find(&other_day.1, "clock of Git host").0), (1, "bad"), "{:?}", other_day.1);
    world.git.set_clock(None);
    let over = doctor(&world, &[], &[("PDP_NOW", &later(181))]);
    assert_eq!((over.0, find(&over.1, "role targets").0), (1, "bad"), "{:?}", over.1);
    let token = doctor(&world, &[], &[("PUBLISHER_TOKEN", "nobody's")]);
    assert_eq!((token.0, find(&token.1, "channel server").0), (1, "bad"), "{:?}", token.1);
    let gone = doctor(&world, &["--helm", "/nowhere"], &[]);
    assert!(gone.0 == 1 && find(&gone.1, "helm").1.starts_with("HelmMissing"), "{:?}", gone.1);

    world.registry.require(Some(Login::Basic("ci".into(), "secret".into())));
    let (code, checks) = doctor(&world, &[], &[]);
    let (state, says) = find(&checks, "registry ");
    assert!(code == 1 && state == "bad" && says.starts_with("LoginNeeded"), "{checks:?}");
}
