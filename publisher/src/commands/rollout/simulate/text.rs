//! A simulation in words.

use pdp_policies::Span;
use pdp_policies::rollout::simulate::{Course, HaltNote, RingCourse, Simulation, Trial};
use pdp_policies::rollout::{Cause, HaltScope};

/// What was simulated, in one line.
pub(super) fn headline(simulation: &Simulation, trial: &Trial) -> String {
    let what = match trial.breaks.get() {
        0 => "a good level".to_owned(),
        share if trial.from == Span::default() => format!("a level that breaks {share} %"),
        share => format!("a level that breaks {share} % from {} on", length(trial.from)),
    };
    let silent = match trial.cut_off.get() {
        0 => String::new(),
        share => format!(" ({share} % of them silently)"),
    };
    let (fleet, tempo) = (simulation.data_planes, simulation.tempo.as_str());
    format!("{what}{silent}, {fleet} data planes, tempo {tempo}, seed {}", trial.seed)
}

/// The whole answer.
pub(super) fn text(simulation: &Simulation, trial: &Trial) -> String {
    let mut lines = vec![headline(simulation, trial), String::new()];
    lines.push(format!(
        "{:12}  {:>7}  {:>10}  {:>10}  {:>7}  {:>7}  {:>6}  WAVES PASSED",
        "RING", "MEMBERS", "OPENED", "PASSED", "STARTED", "HEALTHY", "BROKEN"
    ));
    lines.extend(simulation.gated.rings.iter().map(row));
    lines.push(String::new());
    lines.extend(simulation.gated.halts.iter().map(halt));
    lines.push(gated(simulation));
    lines.push(timed(simulation));
    lines.extend(people(simulation, trial));
    lines.join("\n")
}

fn row(ring: &RingCourse) -> String {
    let when = |at: Option<Span>| at.map_or_else(|| "-".to_owned(), length);
    let waves = ring.waves.iter().filter_map(|wave| wave.passed).map(length);
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

fn halt(note: &HaltNote) -> String {
    let what = match &note.scope {
        HaltScope::Ring { ring } => format!("ring {ring}"),
        HaltScope::Rollout {} => "the rollout".to_owned(),
        HaltScope::Organization { organization } => format!("organization {organization}"),
    };
    let why = match &note.cause {
        Cause::FailureBudget { failures, eligible, chance: Some(chance), .. } => {
            format!(
                "{failures} of {eligible} failed or fell silent, more than the {chance} in a thousand that fail by chance"
            )
        }
        Cause::FailureBudget { failures, eligible, budget, chance: None } => {
            format!("{failures} of {eligible} failed or fell silent, the budget is {budget}")
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
        (None, None) => "◎ it stalls: a wave has nobody to prove it, or not enough are healthy".to_owned(),
    }
}

fn timed(simulation: &Simulation) -> String {
    let Course { started, broken, .. } = simulation.timed;
    let times = match simulation.gated.stop {
        Some(_) => format!(
            ": {} times as many starts, {} times as many broken",
            ratio(started, simulation.gated.started),
            ratio(broken, simulation.gated.broken)
        ),
        None => String::new(),
    };
    format!("  by the clock alone, while nobody looks, {started} start and {broken} break{times}")
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
pub(super) fn length(span: Span) -> String {
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
