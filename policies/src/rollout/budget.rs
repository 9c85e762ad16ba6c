//! How many failures a ring bears.

use super::census::Tally;
use super::evidence::is_beyond_chance;
use super::fold::Rollout;
use super::halt::{Cause, HaltScope};
use super::step::{cap_of, possible};
use crate::names::Ring;
use crate::plan::{Percent, RingPlan, RingRules};

/// How many failures a ring bears at its present size: one more halts it. So halted when
/// `failures × 100 > budget × eligible`, compared exactly.
///
/// One exception keeps small samples honest: a single failure is measured against the wave as it will be when it is
/// full, because one failure among the first few says little. A budget of 0 % bears none.
///
/// Where the plan says what fails by chance, the first number of failures that chance doesn't explain halts as well.
pub fn bears(plan: &RingPlan, rules: &RingRules, wave: usize, tally: &Tally, rollout: &Rollout) -> u32 {
    let budget = budget(plan, rules, wave, tally, rollout);
    let Some(chance) = plan.chance else { return budget };
    let beyond = |failures: &u32| is_beyond_chance(chance, plan, &rules.name, tally, *failures);
    (1..=budget).find(beyond).map_or(budget, |first| first - 1)
}

fn budget(plan: &RingPlan, rules: &RingRules, wave: usize, tally: &Tally, rollout: &Rollout) -> u32 {
    let eligible = tally.census(&rules.name).eligible();
    let members = tally.present(&rules.name);
    // Where chance is judged by itself, a first wave of six doesn't halt a ring of thirty for one of them.
    let wave = if plan.chance.is_some() { rules.waves.len() } else { wave };
    let full = possible(rules, wave, tally, rollout).min(cap_of(rules, wave, members)).min(members);
    share(rules.failure_budget, eligible).max(share(rules.failure_budget, eligible.max(full)).min(1))
}

/// `percent` of `number`, rounded down.
fn share(percent: Percent, number: u32) -> u32 {
    u32::try_from(u64::from(percent.get()) * u64::from(number) / 100).unwrap_or(u32::MAX)
}

/// True if the ring's own budget is used up in its current wave.
pub(super) fn ring_exceeded(
    plan: &RingPlan,
    rules: &RingRules,
    wave: usize,
    tally: &Tally,
    rollout: &Rollout,
) -> bool {
    let failures = tally.failures(&rules.name).all;
    failures > budget(plan, rules, wave, tally, rollout)
        || plan.chance.is_some_and(|chance| is_beyond_chance(chance, plan, &rules.name, tally, failures))
}

/// Failures that chance explains, where the plan says how many that are: they hold up no wave.
pub(super) fn borne(
    plan: &RingPlan,
    rules: &RingRules,
    wave: usize,
    tally: &Tally,
    rollout: &Rollout,
) -> u32 {
    match (plan.chance, ring_exceeded(plan, rules, wave, tally, rollout)) {
        (None, _) => 0,
        (Some(_), false) => tally.failures(&rules.name).all,
        (Some(_), true) => bears(plan, rules, wave, tally, rollout),
    }
}

/// The halts that are due in one ring and don't stand yet.
pub(super) fn halts(
    plan: &RingPlan,
    rules: &RingRules,
    rollout: &Rollout,
    tally: &Tally,
) -> Vec<(HaltScope, Cause)> {
    let ring = &rules.name;
    let Some(progress) = rollout.rings.get(ring).filter(|_| !rollout.is_halted(ring)) else {
        return Vec::new();
    };
    let (counts, failures) = (tally.census(ring), tally.failures(ring));
    let scope = HaltScope::Ring { ring: ring.clone() };
    if ring_exceeded(plan, rules, progress.wave, tally, rollout) {
        let within = failures.all <= budget(plan, rules, progress.wave, tally, rollout);
        let chance = plan.chance.filter(|_| within).map(|chance| chance.failures_per_mille);
        let (failures, eligible) = (failures.all, counts.eligible());
        let cause = Cause::FailureBudget { failures, eligible, budget: rules.failure_budget, chance };
        return vec![(scope, cause)];
    }
    let allowed = rules.organization_failures;
    let mut due = Vec::new();
    for (organization, failures) in &failures.organizations {
        let scope = HaltScope::Organization { organization: organization.clone() };
        if *failures > allowed && !rollout.halts.contains_key(&scope) {
            let cause = Cause::OrganizationFailures { ring: ring.clone(), failures: *failures, allowed };
            due.push((scope, cause));
        }
    }
    let halted = standing(rollout, ring) + u32::try_from(due.len()).unwrap_or(u32::MAX);
    if halted >= 2 {
        due.push((scope, Cause::Organizations { halted }));
    }
    due
}

/// How many organizations were halted by their failures in this ring since people resumed it last.
fn standing(rollout: &Rollout, ring: &Ring) -> u32 {
    let since = rollout.forgiven(ring);
    let here = rollout.halts.values().filter(|halt| {
        matches!(&halt.cause, Cause::OrganizationFailures { ring: other, .. } if other == ring)
            && since.is_none_or(|since| halt.event > since.event)
    });
    u32::try_from(here.count()).unwrap_or(u32::MAX)
}
