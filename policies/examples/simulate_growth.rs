//! Prints, for good levels on 1,000 data planes and more, and for a fleet in which some fail by chance: the milliseconds to
//! play a rollout, and the most memory that the process took so far, in bytes per data plane (4 MB are the program's). The numbers of the command line are
//! the sizes.
#![allow(clippy::unwrap_used)]

use pdp_policies::rollout::simulate::{Fleet, REACTION, Trial, simulate};
use pdp_policies::{Chance, Percent, RingPlan, Tempo, yaml};

fn main() {
    let sizes: Vec<u32> = std::env::args().skip(1).map(|size| size.parse().unwrap()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 2_000, 10_000, 100_000] } else { sizes };
    for size in sizes {
        for by_chance in ["0", "0.5%"] {
            for windows in ["", ", windows: {share: 30, every: 7d, open: 6h}"] {
                measure(size, by_chance, windows);
            }
        }
    }
}

/// As the shipped plan's rings are usually filled: 2 % canaries, 18 % early, 70 % general, 10 % regulated.
fn fleet(size: u32, windows: &str) -> Fleet {
    let ring = |name: &str, percent: u32| {
        let organizations = size * percent / 200;
        format!("  - {{name: {name}, organizations: {organizations}, dataPlanes: 2{windows}}}\n")
    };
    let rings = [ring("canary", 2), ring("early", 18), ring("general", 70), ring("regulated", 10)].concat();
    yaml::read(&format!("upgrade: {{least: 8m, most: 25m}}\nrings:\n{rings}")).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock; the library doesn't")]
fn measure(size: u32, by_chance: &str, windows: &str) {
    let (mut plan, fleet) = (RingPlan::shipped().unwrap(), fleet(size, windows));
    // Nothing halts: the longest way is measured.
    plan.chance = Some(Chance { failures_per_mille: 20, halts_in_vain: 10.try_into().unwrap() });
    plan.rings.iter_mut().for_each(|rules| {
        (rules.failure_budget, rules.organization_failures) = (Percent::try_from(3).unwrap(), u32::MAX);
        rules.healthy_share = Percent::try_from(90).unwrap();
    });
    let trial =
        Trial { seed: 1, by_chance: by_chance.parse().unwrap(), reaction: REACTION, ..Trial::default() };
    let start = std::time::Instant::now();
    let simulation = simulate(&plan, Tempo::Normal, &fleet, &trial).unwrap();
    let (time, bytes) = (start.elapsed().as_millis(), most_memory() / u64::from(size));
    let started = simulation.gated.started;
    println!(
        "{size} data planes, {by_chance} fail by chance{}: {time} ms, {bytes} B each, {started} started",
        if windows.is_empty() { "" } else { ", some with windows" }
    );
}

/// Of this process so far, in bytes.
#[expect(clippy::disallowed_methods, reason = "a measurement asks the system; the library doesn't")]
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() * 1024
}
