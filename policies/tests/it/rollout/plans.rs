//! Bad plans: all problems at once, each with its path.

use pdp_policies::{RingPlan, yaml};

const BAD: &str = r"
rings:
  - {name: canary, waves: [], healthyShare: 0, minSample: 0, failureBudget: 100, organizationFailures: 0}
  - {name: early, waves: [{count: 0}, {count: 5}, {count: 5}, {percent: 0}, {percent: 50}, {count: 9}, {percent: 100}],
     healthyShare: 95, minSample: 1, failureBudget: 5, organizationFailures: 1, inFlight: {count: 0}}
  - {name: early, waves: [{percent: 30}, {percent: 20}], healthyShare: 95, minSample: 1, failureBudget: 5,
     organizationFailures: 1, inFlight: {percent: 10}}
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
