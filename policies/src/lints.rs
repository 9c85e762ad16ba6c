//! What of a policy works as written, and may not be what its author wants: too little time, or time that comes too late.

use crate::channel::Overridable;
use crate::gate::open_stretches;
use crate::policy::Policy;
use crate::release::Severity;
use crate::time::{At, Span};

const DAY: u32 = 86_400;
/// Time is counted over so long: each week of a month, and a day.
const MONTH: Span = Span::from_seconds(32 * DAY);
/// Less than this in a month leaves no second try.
const ENOUGH: Span = Span::from_seconds(2 * DAY);
/// Gaps are looked for over so long.
const YEAR: Span = Span::from_seconds(366 * DAY);
/// So many stretches are looked at.
const MOST: usize = 2_000;

impl Policy {
    /// What may not be meant, in words. Nothing is held by it.
    pub fn lints(&self, now: At) -> Vec<String> {
        let of = |over: Span, passed: &[Overridable]| self.open(now, now.plus(over), passed);
        let mut found = Vec::new();
        if let Some(open) = of(MONTH, &[]).map(|open| total(&open)).filter(|open| *open < ENOUGH.seconds()) {
            let hours = open / 3600;
            found.push(format!(
                "starts are allowed for {hours} h in the next 32 days: less than 48 h leave no second try"
            ));
        }
        for severity in [Severity::Critical, Severity::High, Severity::Medium] {
            let gap =
                of(YEAR, &self.passed_by(severity)).and_then(|open| longest_gap(&open, now, now.plus(YEAR)));
            let patience = severity.patience();
            let late = gap.filter(|(from, until)| until.seconds_since(*from) > patience.seconds());
            // What is due sooner says more.
            if let Some((from, until)) = late {
                let word = format!("{severity:?}").to_lowercase();
                found.push(format!("nothing may start from {from} to {until}: a fix of severity {word} is due within {patience}"));
                break;
            }
        }
        found
    }

    /// Which instruments every fix of a severity passes, if it asks.
    fn passed_by(&self, severity: Severity) -> Vec<Overridable> {
        let rules = self.overrides.iter().filter(|rule| rule.at_least <= severity && !rule.known_exploited);
        rules.flat_map(|rule| rule.pass.iter().copied()).collect()
    }

    /// The stretches in which starts are allowed; none if windows can't be read, which is told elsewhere.
    fn open(&self, from: At, until: At, passed: &[Overridable]) -> Option<Vec<(At, At)>> {
        let bound_by = |what: Overridable| !passed.contains(&what);
        let windows = if bound_by(Overridable::Window) { self.windows.as_slice() } else { &[] };
        let mut open = open_stretches(windows, (from, until), MOST).ok()?;
        if bound_by(Overridable::Freeze) {
            for freeze in &self.freezes {
                open = open
                    .into_iter()
                    .flat_map(|stretch| without(stretch, (freeze.from, freeze.until)))
                    .collect();
            }
        }
        Some(open)
    }
}

/// What is left of a stretch.
fn without((from, until): (At, At), (hole, end): (At, At)) -> Vec<(At, At)> {
    let parts = [(from, until.min(hole)), (from.max(end), until)];
    let left = if hole < until && from < end { parts.to_vec() } else { vec![(from, until)] };
    left.into_iter().filter(|(from, until)| from < until).collect()
}

fn total(open: &[(At, At)]) -> i64 {
    open.iter().map(|(from, until)| until.seconds_since(*from)).sum()
}

/// The longest time without a start. What comes after the last stretch that was looked at isn't known if there are too many.
fn longest_gap(open: &[(At, At)], now: At, until: At) -> Option<(At, At)> {
    let last = (open.len() < MOST).then_some(until);
    let ends = std::iter::once(now).chain(open.iter().map(|(_, end)| *end));
    let gaps = ends.zip(open.iter().map(|(begins, _)| *begins).chain(last));
    gaps.max_by_key(|(from, until)| until.seconds_since(*from))
}
