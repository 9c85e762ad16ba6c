//! Rollouts on paper: fleets, levels and many seeds through the engine's own functions. Prints what was played, what came
//! out and the aim, with tabs in between; `-- PLAN` reads another plan.

#![expect(clippy::disallowed_methods, reason = "a bench reads the plan that it is given")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pdp_policies::rollout::simulate::{Fleet, PerMille, REACTION, Simulation, Trial, simulate};
use pdp_policies::{RingPlan, Span, Tempo, yaml};

const SEEDS: u64 = 200;
/// Canary, early, general, regulated: data planes in organizations of two or three.
const FLEETS: [(&str, [u32; 4]); 4] =
    [("3", [1, 1, 1, 0]), ("12", [2, 3, 5, 2]), ("300", [6, 27, 222, 45]), ("2,000", [20, 180, 1_500, 300])];
/// Of a thousand data planes so many fail at any level: half were sick before, half fail by chance.
const BACKGROUNDS: [u16; 4] = [0, 2, 5, 10];
/// Of a thousand so many break, and the aim: the share of 2,000 that may have started at the halt (percent).
const BREAKS: [(u16, &str); 6] =
    [(1000, "<= 0.1 %"), (300, ""), (100, ""), (50, "<= 2 %"), (20, "<= 10 %"), (10, "")];
const LATENT: [(&str, u32); 3] = [("at once", 0), ("after 30 min", 1_800), ("after 6 h", 21_600)];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let plan = match std::env::args().nth(1) {
        Some(file) => {
            yaml::read(&std::fs::read_to_string(file)?).map_err(|problems| format!("{problems:?}"))?
        }
        None => RingPlan::shipped().map_err(|problems| format!("{problems:?}"))?,
    };
    for tempo in [Tempo::Normal, Tempo::Emergency] {
        for (name, sizes) in FLEETS {
            let fleet = fleet(sizes)?;
            good(&plan, tempo, name, &fleet)?;
            bad(&plan, tempo, name, &fleet)?;
        }
    }
    Ok(())
}

fn fleet([canary, early, general, regulated]: [u32; 4]) -> Result<Fleet> {
    let ring = |name: &str, size: u32, each: u32| match size % each {
        0 => format!("  - {{name: {name}, organizations: {}, dataPlanes: {each}}}\n", size / each),
        _ => format!("  - {{name: {name}, organizations: {size}}}\n"),
    };
    let rings =
        [("canary", canary, 2), ("early", early, 3), ("general", general, 2), ("regulated", regulated, 3)];
    let rings =
        rings.iter().filter(|(_, size, _)| *size > 0).map(|(name, size, each)| ring(name, *size, *each));
    let text =
        format!("pollEvery: 5m\nupgrade: {{least: 8m, most: 25m}}\nrings:\n{}", rings.collect::<String>());
    yaml::read(&text).map_err(|problems| format!("{problems:?}").into())
}

/// Levels that break nothing.
fn good(plan: &RingPlan, tempo: Tempo, name: &str, fleet: &Fleet) -> Result<()> {
    for background in BACKGROUNDS {
        let trial = Trial {
            sick: share(background / 2)?,
            by_chance: share(background.div_ceil(2))?,
            ..Trial::default()
        };
        let all = seeds(plan, tempo, fleet, trial)?;
        let halted = all.iter().filter(|it| it.gated.stop.is_some()).count();
        let days: Vec<_> = all.iter().filter_map(|it| it.gated.length).map(days).collect();
        let aim = if (name, background, tempo) == ("2,000", 5, Tempo::Normal) { "<= 5 %" } else { "" };
        let what =
            format!("{name} data planes, {tempo:?}, good level, {background} in 1,000 fail at any level");
        let through = days.iter().copied().fold(0.0, f64::max);
        let wait = all.iter().filter(|it| it.gated.stop.is_none() && it.gated.length.is_none()).count();
        let [halted, wait] = [halted, wait].map(|it| percent(it, all.len()));
        let came = format!(
            "{halted:.1} % halted in vain, {wait:.1} % wait for people; through in {through:.1} d at most"
        );
        row(&what, &came, aim);
    }
    Ok(())
}

fn bad(plan: &RingPlan, tempo: Tempo, name: &str, fleet: &Fleet) -> Result<()> {
    for (breaks, aim) in BREAKS {
        for (latent, after) in LATENT {
            let trial =
                Trial { breaks: share(breaks)?, after: Span::from_seconds(after), ..Trial::default() };
            let all = seeds(plan, tempo, fleet, trial)?;
            let exposed = |it: &Simulation| it.gated.stop.map_or(100.0, |stop| stop.share);
            let clock = |it: &Simulation| it.timed.stop.map_or(100.0, |stop| stop.share);
            let (mean, worst) = over(&all, exposed);
            let (timed, _) = over(&all, clock);
            let hours = middle(
                all.iter().filter_map(|it| it.gated.stop).map(|stop| days(stop.after) * 24.0).collect(),
            );
            let halted = percent(all.iter().filter(|it| it.gated.stop.is_some()).count(), all.len());
            let aim = if (name, tempo) == ("2,000", Tempo::Normal) { aim } else { "" };
            row(
                &format!(
                    "{name} data planes, {tempo:?}, a level breaks {} % {latent}",
                    f64::from(breaks) / 10.0
                ),
                &format!(
                    "{mean:.2} % (worst {worst:.2}) in {hours:.1} h, {halted:.0} % halt; by the clock {timed:.1} %"
                ),
                aim,
            );
        }
    }
    Ok(())
}

/// One simulation for each seed, on all cores.
fn seeds(plan: &RingPlan, tempo: Tempo, fleet: &Fleet, trial: Trial) -> Result<Vec<Simulation>> {
    let next = AtomicU64::new(1);
    let worker = || -> Result<Vec<Simulation>> {
        let mut all = Vec::new();
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed > SEEDS {
                return Ok(all);
            }
            let trial = Trial { seed, reaction: REACTION, ..trial };
            all.push(simulate(plan, tempo, fleet, &trial)?);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let done = running.into_iter().map(|it| it.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
        Ok(done.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    })
}

fn share(per_mille: u16) -> Result<PerMille> {
    format!("{per_mille}‰").parse().map_err(Into::into)
}

/// Mean and worst.
fn over(all: &[Simulation], of: impl Fn(&Simulation) -> f64) -> (f64, f64) {
    let sum: f64 = all.iter().map(&of).sum();
    (sum / count(all.len()), all.iter().map(of).fold(0.0, f64::max))
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn percent(part: usize, of: usize) -> f64 {
    count(part) * 100.0 / count(of)
}

fn row(what: &str, measured: &str, aim: &str) {
    println!("{what}\t{measured}\t{aim}");
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn count(number: usize) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "seconds of weeks")]
fn days(span: Span) -> f64 {
    span.seconds() as f64 / 86_400.0
}
