//! What people read: times, owners, phases.

use pdp_policies::{At, Owner};

use crate::crd::{ComponentState, HistoryResult, TargetPhase};

/// A length of time by its two largest units, such as `5d 9h`.
pub(super) fn length(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let first = parts.iter().position(|(number, _)| *number > 0).unwrap_or(3);
    let two = parts.iter().skip(first).take(2).filter(|(number, _)| *number > 0);
    let words: Vec<_> = two.map(|(number, unit)| format!("{number}{unit}")).collect();
    if words.is_empty() { "0s".to_owned() } else { words.join(" ") }
}

/// A time and how far off it is, such as `2026-11-28T21:00:00Z (in 5d 9h)`.
pub(super) fn when(at: At, now: At) -> String {
    let ahead = at.seconds_since(now);
    match ahead {
        0 => format!("{at} (now)"),
        1.. => format!("{at} (in {})", length(ahead)),
        _ => format!("{at} ({} ago)", length(ahead)),
    }
}

/// Who can take something away.
pub(super) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Vendor => "the vendor, WSO2",
        Owner::Customer => "you, the data plane's owners",
    }
}

/// How far a target is.
pub(super) fn phase(phase: TargetPhase) -> &'static str {
    match phase {
        TargetPhase::Waiting => "waits",
        TargetPhase::Preflight => "is being checked, nothing is changed yet",
        TargetPhase::Applying => "is being applied",
        TargetPhase::GoingBack => "failed and is being put back",
        TargetPhase::Quarantined => "failed, was put back, and isn't tried again",
        TargetPhase::TakingBack => "is being taken back by a person",
        TargetPhase::TakenBack => "was taken back by a person",
    }
}

/// Who opens levels, by the word in the status.
pub(super) fn opener(by: &str) -> &str {
    match by {
        "channel" => "the channel alone",
        "server" => "the channel server",
        "ringState" => "the director's ring state",
        "approval" => "your own approvals",
        other => other,
    }
}

/// How a component is.
pub(super) fn state(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Pending => "not written yet",
        ComponentState::Progressing => "being applied by Flux",
        ComponentState::Waiting => "waiting, Flux can't go on now",
        ComponentState::Settling => "healthy, settling",
        ComponentState::Healthy => "healthy",
        ComponentState::Failed => "failed",
        ComponentState::Suspended => "suspended in Flux by a person",
    }
}

/// What became of a level.
pub(super) fn result(result: HistoryResult) -> &'static str {
    match result {
        HistoryResult::Healthy => "✔ healthy",
        HistoryResult::Failed => "✗ failed, put back",
        HistoryResult::TakenBack => "✗ taken back by a person",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lengths_show_their_two_largest_units() {
        for (seconds, words) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_661, "1h 1m"),
            (3_605, "1h"),
            (86_400 * 5 + 3_600 * 9 + 59, "5d 9h"),
            (-7_200, "2h"),
        ] {
            assert_eq!(length(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn times_are_absolute_and_relative() {
        let now: At = "2026-11-23T12:00:00Z".parse().unwrap();
        let at = |seconds: i64| when(At::from_unix(now.unix() + seconds), now);
        assert_eq!(at(0), "2026-11-23T12:00:00Z (now)");
        assert_eq!(at(60), "2026-11-23T12:01:00Z (in 1m)");
        assert_eq!(at(-60), "2026-11-23T11:59:00Z (1m ago)");
    }
}
