//! A simulation in words.

use super::course::{Course, HaltNote, RingCourse, Simulation, Stall, WaveNote};
use super::{PerMille, Trial};
use crate::rollout::{Cause, HaltScope, Lack, too_many};
use crate::time::Span;

/// What was simulated, in one line.
pub fn headline(simulation: &Simulation, trial: &Trial) -> String {
    let (fleet, tempo) = (simulation.data_planes, simulation.tempo.as_str());
    let (level, others) = (level(trial), others(trial));
    format!("{level}{others}, {fleet} data planes, tempo {tempo}, seed {}", trial.seed)
}

fn level(trial: &Trial) -> String {
    let some = |share: PerMille| share > PerMille::default();
    if !some(trial.breaks) {
        return "a good level".to_owned();
    }
    let mut text = format!("a level that breaks {} %", trial.breaks);
    if trial.from > Span::default() {
        text.push_str(&format!(" from {} on", length(trial.from)));
    }
    if trial.after > Span::default() {
        text.push_str(&format!(" {} after their start", length(trial.after)));
    }
    if some(trial.cut_off) {
        text.push_str(&format!(" ({} % of them silently)", trial.cut_off));
    }
    text
}

fn others(trial: &Trial) -> String {
    let (none, Trial { sick, by_chance, .. }) = (PerMille::default(), trial);
    let sick = (*sick > none).then(|| format!(", {sick} % sick before"));
    let by_chance = (*by_chance > none).then(|| format!(", {by_chance} % fail by chance"));
    [sick, by_chance].into_iter().flatten().collect()
}

/// The whole answer.
pub fn text(simulation: &Simulation, trial: &Trial) -> String {
    format!("{}\n\n{}", headline(simulation, trial), table(simulation, trial))
}

/// What came out.
pub fn table(simulation: &Simulation, trial: &Trial) -> String {
    let mut lines = vec![format!(
        "{:12}  {:>7}  {:>10}  {:>10}  {:>7}  {:>7}  {:>6}  WAVES PASSED",
        "RING", "MEMBERS", "OPENED", "PASSED", "STARTED", "HEALTHY", "BROKEN"
    )];
    lines.extend(simulation.gated.rings.iter().map(row));
    lines.push(String::new());
    lines.extend(simulation.gated.halts.iter().map(halt));
    lines.push(gated(simulation));
    lines.extend(late(&simulation.gated));
    lines.extend(without_its_doing(&simulation.gated));
    lines.push(timed(simulation));
    lines.extend(people(simulation, trial));
    lines.join("\n")
}

fn row(ring: &RingCourse) -> String {
    let when = |at: Option<Span>| at.map_or_else(|| "-".to_owned(), length);
    let waves = ring.waves.iter().filter_map(wave);
    let RingCourse { members, started, healthy, broken, .. } = ring;
    format!(
        "{:12}  {members:>7}  {:>10}  {:>10}  {started:>7}  {healthy:>7}  {broken:>6}  {}",
        ring.ring.as_str(),
        when(ring.opened),
        when(ring.passed),
        waves.collect::<Vec<_>>().join(", ")
    )
    .trim_end()
    .to_owned()
}

fn wave(note: &WaveNote) -> Option<String> {
    let by = if note.acknowledged { " by people" } else { "" };
    note.passed.map(|at| format!("{}{by}", length(at)))
}

fn halt(note: &HaltNote) -> String {
    let what = match &note.scope {
        HaltScope::Ring { ring } => format!("ring {ring}"),
        HaltScope::Rollout {} => "the rollout".to_owned(),
        HaltScope::Organization { organization } => format!("organization {organization}"),
    };
    let why = match &note.cause {
        Cause::FailureBudget { failures, eligible, budget, chance } => {
            too_many(*failures, *eligible, *budget, *chance)
        }
        Cause::OrganizationFailures { failures, allowed, .. } => {
            format!("{failures} of its data planes failed or fell silent, {allowed} allowed")
        }
        Cause::Organizations { halted } => format!("{halted} organizations were halted in it"),
        Cause::Person { by, reason } => format!("{by}: {reason}"),
    };
    format!("✗ {} after {}: {why}", what, length(note.after))
}

fn gated(simulation: &Simulation) -> String {
    let Course { length: through, stop, .. } = &simulation.gated;
    match (stop, through) {
        (Some(stop), _) => format!(
            "✗ halted by itself after {}: {} had started, {} % of the fleet",
            length(stop.after),
            stop.started,
            stop.share
        ),
        (None, Some(through)) => format!("✔ all rings passed after {}", length(*through)),
        (None, None) => simulation.gated.stall.as_ref().map_or_else(|| "◎ it stalls".to_owned(), stalls),
    }
}

fn stalls(stall: &Stall) -> String {
    let Stall { ring, wave, waves, lack } = stall;
    let why = match lack {
        Lack::Nobody {} => "nobody is there to prove it, people may acknowledge it".to_owned(),
        Lack::Sample { started, needed } => {
            format!("{started} of {needed} needed have started and been heard")
        }
        Lack::Healthy { healthy, needed } => format!("{healthy} of {needed} needed are healthy"),
        Lack::Budget {} => "it has more failures than its budget bears".to_owned(),
    };
    format!("◎ it stalls in ring {ring}, wave {} of {waves}: {why}", wave + 1)
}

/// Starts after all rings have passed: those whose windows open rarely.
fn late(course: &Course) -> Option<String> {
    let (through, last) = (course.length?, course.last_start?);
    (last > through).then(|| format!("  the last one started after {}", length(last)))
}

/// Failures that the level has no part in. Who was sick before counts against nothing.
fn without_its_doing(course: &Course) -> Option<String> {
    let some = |count: u32, why: &str| (count > 0).then(|| format!("{count} {why}"));
    let both = [some(course.sick, "were sick before"), some(course.by_chance, "failed by chance")];
    let both: Vec<_> = both.into_iter().flatten().collect();
    (!both.is_empty()).then(|| format!("  without the level's doing: {}", both.join(", ")))
}

fn timed(simulation: &Simulation) -> String {
    let Course { started, broken, .. } = simulation.timed;
    let times = times(simulation);
    format!("  by the clock alone, while nobody looks, {started} start and {broken} break{times}")
}

/// How much a halt spares; where the level breaks nobody there is nothing to compare.
fn times(simulation: &Simulation) -> String {
    let (gated, timed) = (&simulation.gated, &simulation.timed);
    if gated.stop.is_none() {
        return String::new();
    }
    let starts = format!(": {} times as many starts", ratio(timed.started, gated.started));
    match timed.broken {
        0 => starts,
        broken => format!("{starts}, {} times as many broken", ratio(broken, gated.broken)),
    }
}

fn people(simulation: &Simulation, trial: &Trial) -> Option<String> {
    let stop = simulation.timed.stop?;
    Some(format!(
        "  people who stop that, day and night, within {} of the first failure (at {}) find {} started, {} % of the fleet",
        length(trial.reaction),
        length(stop.after),
        stop.started,
        stop.share
    ))
}

fn ratio(many: u32, few: u32) -> String {
    format!("{:.1}", f64::from(many) / f64::from(few.max(1)))
}

/// A length of time in its two largest units.
pub fn length(span: Span) -> String {
    let seconds = span.seconds();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}
