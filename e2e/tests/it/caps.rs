//! Caps are exact, however many ask at once.

use crate::crowd::Crowd;

#[test]
fn two_hundred_and_fifty_six_ask_at_once_and_a_wave_of_ten_lets_exactly_ten_start() {
    let mut world = pdp_e2e::World::start().unwrap();
    world.serve().unwrap();
    let crowd = Crowd::gather(&world, 256, 10);
    for _ in 0..3 {
        // Those who have it get it again; nobody else does.
        assert_eq!(crowd.grants(&[world.server().unwrap()]), 10);
        assert_eq!(world.rollout(41).unwrap()["rings"][0]["starts"], 10);
    }
}

#[test]
fn all_that_is_wrong_with_a_plan_is_said_at_once_and_nothing_is_proposed() {
    let world = pdp_e2e::World::start().unwrap();
    let refused = world.plan(|plan| {
        let plan = plan.replacen("percent: 10}", "percent: 0}", 1);
        let plan = plan.replacen("minSample: 2", "minSample: 0", 1);
        let plan = plan.replacen("soak: 24h", "soak: 0s", 1);
        plan.replacen("    regulated: {opensAfter: 10d", "    regulatde: {opensAfter: 10d", 1)
    });
    let words = format!("{:#}", refused.unwrap_err());
    for part in [
        "BadPlan",
        "rings.1.waves.0",
        "rings.0.minSample",
        "tempos.normal.canary.soak",
        "tempos.normal.regulated: missing",
        "tempos.normal.regulatde: no ring",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    let lost = world.plan(|plan| plan.replace("early", "soon")).unwrap_err();
    assert!(format!("{lost:#}").contains("lacks `early`"), "{lost:#}");
    for wrong in ["opensAfter: -1h", "opensAfter: 99999999999999999999d", "opens: 1h"] {
        let refused = world.plan(|plan| plan.replacen("opensAfter: 4h", wrong, 1)).unwrap_err();
        assert!(format!("{refused:#}").contains("BadYaml"), "{wrong}: {refused:#}");
    }
    assert_eq!(world.git.git("catalog", &["branch", "--list", "proposals/channels-*"]).unwrap(), "");
}
