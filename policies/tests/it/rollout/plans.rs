//! Bad plans: all problems at once, each with its path.

use pdp_policies::{RingPlan, yaml};

const BAD: &str = r"
rings:
  - {name: canary, waves: [], healthyShare: 0, minSample: 0, failureBudget: 100, organizationFailures: 0}
  - {name: early, waves: [{count: 0}, {count: 5}, {count: 5}, {percent: 0}, {percent: 50}, {count: 9}, {percent: 100}],
     healthyShare: 95, minSample: 1, failureBudget: 5, organizationFailures: 1, inFlight: {count: 0}}
  - {name: early, waves: [{percent: 30}, {percent: 20}], healthyShare: 95, minSample: 1, failureBudget: 5,
     organizationFailures: 1, inFlight: {percent: 10}, inFlightShare: 0}
tempos:
  normal:
    canary: {opensAfter: 5h, soak: 0s, silenceAfter: 91d}
    early: {opensAfter: 1h, soak: 1s, silenceAfter: 90d}
    erly: {opensAfter: 1h, soak: 1s, silenceAfter: 1s}
  emergency:
    early: {opensAfter: 1h, soak: 1s, silenceAfter: 1s}
";

#[test]
fn a_plan_names_everything_that_is_wrong_at_once() {
    let plan: RingPlan = yaml::read(BAD).unwrap();
    let expected = [
        "rings.0.waves: the last one must be percent: 100",
        "rings.0.minSample: 0 would prove a wave by nobody",
        "rings.0.healthyShare: 0 % would pass a wave in which nothing is healthy",
        "rings.0.failureBudget: 100 % would never halt",
        "rings.1.waves.0: count 0 starts nobody",
        "rings.1.waves.3: 0 % starts nobody",
        "rings.1.waves.2: count 5 isn't more than count 5",
        "rings.1.waves.5: count 9 isn't more than 50 %",
        "rings.1.inFlight: 0 starts nobody",
        "rings.2.name: `early` stands there twice",
        "rings.2.waves: the last one must be percent: 100",
        "rings.2.waves.1: 20 % isn't more than 30 %",
        "rings.2.inFlightShare: 0 % starts nobody",
        "tempos.normal.canary.soak: 0s is not within 1s and 90d",
        "tempos.normal.canary.silenceAfter: 91d is not within 1s and 90d",
        "tempos.normal.early.opensAfter: 1h is before an earlier ring's",
        "tempos.normal.early.opensAfter: 1h is before an earlier ring's",
        "tempos.normal.erly: no ring of the plan",
        "tempos.emergency.canary: missing",
    ];
    assert_eq!(plan.problems(), expected);
}

#[test]
fn times_that_are_negative_or_overflow_and_shares_beyond_all_are_not_even_read() {
    let good = "rings: []\ntempos: {normal: {canary: {opensAfter: 0s, soak: 1s, silenceAfter: 1s}}}\n";
    yaml::read::<RingPlan>(good).unwrap();
    for (from, to) in [("0s", "-1s"), ("0s", "99999999999d"), ("0s", "3651d"), ("1s", "soon"), ("1s", "10")] {
        assert!(yaml::read::<RingPlan>(&good.replace(from, to)).is_err(), "{to}");
    }
    let ring = "rings: [{name: a, waves: [{percent: 100}], healthyShare: 95, minSample: 1, failureBudget: 5, \
                organizationFailures: 1}]\ntempos: {}\n";
    yaml::read::<RingPlan>(ring).unwrap();
    for (from, to) in
        [("95", "101"), ("95", "-1"), ("percent: 100", "percent: 256"), ("minSample: 1", "minSample: 1.5")]
    {
        assert!(yaml::read::<RingPlan>(&ring.replace(from, to)).is_err(), "{to}");
    }
}

/// The shipped plan with one slip of the pen.
fn slip(from: &str, to: &str) -> Vec<String> {
    let shipped = pdp_policies::DEFAULT_PLAN;
    assert!(shipped.contains(from), "{from}");
    yaml::read::<RingPlan>(&shipped.replacen(from, to, 1)).unwrap().problems()
}

#[test]
fn a_slip_of_the_pen_in_the_shipped_plan_is_found() {
    for (from, to, found) in [
        (
            "healthyShare: 95",
            "healthyShare: 96",
            "rings.0.failureBudget: 5 % and healthyShare 96 % are more than all",
        ),
        ("healthyShare: 95", "healthyShare: 94", ""),
        ("failuresPerMille: 3", "failuresPerMille: 0", "chance.failuresPerMille: 0 is not within 1 and 100"),
        ("failuresPerMille: 3", "failuresPerMille: 101", "chance.failuresPerMille: 101 is not within"),
        ("haltsInVain: 10", "haltsInVain: 0", "chance.haltsInVain: 0 % is not within 1 % and 50 %"),
        ("haltsInVain: 10", "haltsInVain: 51", "chance.haltsInVain: 51 % is not within"),
        ("opensAfter: 10d", "opensAfter: 91d", "tempos.normal.regulated.opensAfter: 91d is more than 90d"),
        ("opensAfter: 10d", "opensAfter: 90d", ""),
        (
            "opensAfter: 10d",
            "opensAfter: 3d",
            "tempos.normal.regulated.opensAfter: 3d is before an earlier ring's",
        ),
        ("soak: 48h", "soak: 91d", "tempos.normal.regulated.soak: 91d is not within"),
        ("{count: 1}", "{count: 0}", "rings.0.waves.0: count 0 starts nobody"),
        ("{count: 1}", "{count: 4294967295}", ""),
    ] {
        let problems = slip(from, to);
        match found {
            "" => assert_eq!(problems, Vec::<String>::new(), "{to}"),
            found => assert!(problems.len() == 1 && problems[0].starts_with(found), "{to}: {problems:?}"),
        }
    }
}

#[test]
fn what_is_far_too_much_is_one_problem_not_thousands() {
    let ring = |n: usize| {
        format!(
            "  - {{name: r{n}, waves: [{{percent: 100}}], healthyShare: 0, minSample: 1, failureBudget: 5, organizationFailures: 1}}\n"
        )
    };
    let rings: String = (0..5000).map(ring).collect();
    let plan = format!("rings:\n{rings}tempos: {{normal: {{}}}}\n");
    assert_eq!(yaml::read::<RingPlan>(&plan).unwrap().problems(), ["rings: 5000 are more than 100"]);
    let waves = vec!["{count: 0}"; 5000].join(", ");
    assert_eq!(
        slip("[{count: 1}, {percent: 100}]", &format!("[{waves}]")),
        ["rings.0.waves: 5000 are more than 100"]
    );
    let huge = format!("{}# {}", pdp_policies::DEFAULT_PLAN, "x".repeat(yaml::MAX_YAML_BYTES));
    assert!(yaml::read::<RingPlan>(&huge).unwrap_err()[0].message.contains("are read"));
    // One that grows when it is read.
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in "abcdefghi".chars().zip("bcdefghij".chars()) {
        bomb += &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
    }
    assert!(
        yaml::read::<RingPlan>(&(bomb + pdp_policies::DEFAULT_PLAN)).unwrap_err()[0]
            .message
            .contains("budget")
    );
}
