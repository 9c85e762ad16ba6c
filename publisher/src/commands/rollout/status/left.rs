//! What is left: of times by the server's clock, of budgets by the engine's count.

use pdp_policies::At;
use pdp_transport::channel_server::RingView;

/// How a time is said.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// As what is left from this moment on.
    Left(At),
    /// As the time alone, which stays the same while it passes.
    Until,
}

/// The two largest units: `2d 4h`, `41m`, `50s`.
pub(super) fn span(seconds: i64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let Some(first) = units.iter().position(|(_, size)| seconds >= *size) else { return "0s".to_owned() };
    let (unit, size) = units[first];
    let rest = units.get(first + 1).map_or(0, |(_, next)| seconds % size / next);
    match units.get(first + 1) {
        // Below an hour nobody counts seconds beside minutes.
        Some((next, _)) if rest > 0 && first < 2 => format!("{}{unit} {rest}{next}", seconds / size),
        _ => format!("{}{unit}", seconds / size),
    }
}

/// `soaks 41m more`; none if there is no soak or it is over.
pub(super) fn soak(ring: &RingView, when: When) -> Option<String> {
    let at = ring.soaked_at?;
    match when {
        When::Until => Some(format!("soaks until {at}")),
        When::Left(now) if now >= at => None,
        When::Left(now) => Some(format!("soaks {} more", span(at.seconds_since(now)))),
    }
}

/// `1 of 3 failures left`, and what single organizations have used up.
pub(super) fn budget(ring: &RingView) -> Vec<String> {
    let RingView { bears, failures, organization_budget, .. } = ring;
    let mut words = vec![match (bears, failures) {
        (0, 0) => "the first failure halts it".to_owned(),
        (bears, failures) if failures > bears => format!("{failures} failures, it bears {bears}"),
        (bears, failures) => format!("{} of {bears} failures left", bears - failures),
    }];
    let used = |(name, count): (&pdp_policies::Organization, &u32)| {
        format!("`{name}` has {} of {organization_budget} left", organization_budget.saturating_sub(*count))
    };
    words.extend(ring.organization_failures.iter().map(used));
    words
}
