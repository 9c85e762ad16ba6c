//! What a proposal changes in a channel, as people say it.

use std::fmt::Display;

use pdp_policies::moves::{LEAST_KEPT, Move};
use pdp_policies::{Channel, Level, RingPlan, RingRules};

use super::level_words::{Known, changed_level, promoted};

/// What is another than before.
pub(super) fn of_channel(before: &Channel, after: &Channel, known: &Known<'_>) -> Vec<String> {
    let mut lines = critical("the channel, brake included", &before.critical, &after.critical);
    match (&before.stop, &after.stop) {
        (None, Some(stop)) => lines.push(format!("STOPPED: nothing starts anywhere ({})", stop.reason)),
        (Some(_), None) => lines.push("the brake is taken off".to_owned()),
        (Some(was), Some(is)) if was != is => lines.push(format!("still stopped, now: {}", is.reason)),
        _ => {}
    }
    for (level, promotion) in &after.levels {
        match before.levels.get(level) {
            None => lines.extend(promoted(after, *level, promotion, known)),
            Some(old) => lines.extend(changed_level(*level, old, promotion, known)),
        }
    }
    let gone = before.levels.keys().filter(|level| !after.levels.contains_key(level));
    lines.extend(gone.map(|level| format!("level {level} is PROMOTED NO MORE")));
    for (level, withdrawal) in &after.withdrawn {
        if before.withdrawn.get(level) != Some(withdrawal) {
            lines.push(format!("level {level} is withdrawn: {}", withdrawal.reason));
        }
    }
    let stays = |level: &&Level| after.levels.contains_key(level) && !after.withdrawn.contains_key(level);
    let back = before.withdrawn.keys().filter(stays);
    lines.extend(back.map(|level| format!("level {level} is WITHDRAWN NO MORE")));
    lines.extend(required_stops(before, after));
    lines.extend(changed("security floor", before.floor, after.floor));
    lines.extend(moves(&before.moves, &after.moves));
    lines.extend(changed("pruned up to level", before.pruned_through, after.pruned_through));
    lines.extend(plan(&before.plan, &after.plan));
    lines
}

/// What a reader must know to read a document at all.
pub(super) fn critical(what: &str, before: &[String], after: &[String]) -> Vec<String> {
    let new = after.iter().filter(|feature| !before.contains(feature));
    let gone = before.iter().filter(|feature| !after.contains(feature));
    let new = new.map(|it| format!("whoever doesn't know `{it}` REFUSES {what}"));
    let gone = gone.map(|it| format!("whoever doesn't know `{it}` follows {what} from now on"));
    new.chain(gone).collect()
}

fn required_stops(before: &Channel, after: &Channel) -> Vec<String> {
    let (was, is) = (&before.required_stops, &after.required_stops);
    let new = is.difference(was).map(|level| {
        format!("level {level} is a REQUIRED STOP: nobody below it gets past it without installing it")
    });
    let gone = was.difference(is).map(|level| format!("level {level} may be JUMPED OVER from now on"));
    new.chain(gone).collect()
}

/// Where data planes look from now on: whoever signs should know both hosts.
fn moves(before: &[Move], after: &[Move]) -> Vec<String> {
    let new = after.iter().filter(|one| !before.contains(one));
    let gone =
        before.iter().filter(|old| after.iter().all(|one| (one.kind, &one.from) != (old.kind, &old.from)));
    let said = new.map(|Move { kind, from, to, since, until }| {
        let moved = format!("the {kind} MOVES from {from} to {to} from {since} on");
        let kept =
            if *until < since.plus(LEAST_KEPT) { format!(", LESS THAN {LEAST_KEPT}") } else { String::new() };
        format!("{moved}; the old address is kept until {until}{kept}")
    });
    said.chain(gone.map(|Move { kind, from, to, .. }| {
        format!("the move of the {kind} from {from} to {to} is TAKEN BACK: data planes go back to {from}")
    }))
    .collect()
}

fn plan(before: &RingPlan, after: &RingPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for ring in &after.rings {
        let name = &ring.name;
        let Some(old) = before.rings.iter().find(|it| it.name == *name) else {
            lines.push(format!("{name}: a new ring"));
            continue;
        };
        let of = |what: &str| format!("{name}: {what}");
        lines.extend(changed(&of("failure budget"), Some(old.failure_budget), Some(ring.failure_budget)));
        lines.extend(changed(&of("healthy share"), Some(old.healthy_share), Some(ring.healthy_share)));
        lines.extend(changed(&of("least sample"), Some(old.min_sample), Some(ring.min_sample)));
        let failures = (Some(old.organization_failures), Some(ring.organization_failures));
        lines.extend(changed(&of("failures of one organization"), failures.0, failures.1));
        let flight = |rules: &RingRules| (rules.in_flight, rules.in_flight_share);
        if (&old.waves, flight(old)) != (&ring.waves, flight(ring)) {
            lines.push(of("other waves, or another number in flight"));
        }
        lines.extend(changed(&of("slow start"), Some(old.slow_start), Some(ring.slow_start)));
    }
    let gone = before.rings.iter().filter(|old| after.rings.iter().all(|it| it.name != old.name));
    lines.extend(gone.map(|ring| format!("{}: the ring is GONE", ring.name)));
    lines.extend(changed("what fails by chance", before.chance, after.chance));
    if before.tempos != after.tempos {
        lines.push("other times of the tempos".to_owned());
    }
    lines
}

fn changed<T: Display + PartialEq>(what: &str, before: Option<T>, after: Option<T>) -> Option<String> {
    let shown = |value: &Option<T>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    (before != after).then(|| format!("{what} {} → {}", shown(&before), shown(&after)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::At;
    use pdp_policies::moves::MoveKind;

    use super::*;

    fn said(change: impl FnOnce(&mut Channel), back: bool) -> Vec<String> {
        let before = Channel::new("pdp-2026".parse().unwrap(), RingPlan::shipped().unwrap());
        let mut after = before.clone();
        change(&mut after);
        let (before, after) = if back { (after, before) } else { (before, after) };
        of_channel(&before, &after, &Known::default())
    }

    #[test]
    fn required_stops_and_what_readers_must_know_are_told_in_both_directions() {
        let level: Level = "41".parse().unwrap();
        let stop = |channel: &mut Channel| channel.required_stops.extend([level]);
        let know = |channel: &mut Channel| channel.critical.push("audiences".to_owned());
        for (lines, expected) in [
            (
                said(stop, false),
                "level 41 is a REQUIRED STOP: nobody below it gets past it without installing it",
            ),
            (said(stop, true), "level 41 may be JUMPED OVER from now on"),
            (said(know, false), "whoever doesn't know `audiences` REFUSES the channel, brake included"),
            (
                said(know, true),
                "whoever doesn't know `audiences` follows the channel, brake included from now on",
            ),
        ] {
            assert_eq!(lines, [expected]);
        }
        assert!(said(|_| {}, false).is_empty());
    }

    #[test]
    fn nothing_of_a_plan_changes_without_a_word() {
        type Change = fn(&mut RingPlan);
        let cases: [(Change, &str); 4] = [
            (
                |plan| plan.chance = None,
                "what fails by chance 3 in 1,000 (at most 10 % of good levels halt) → none",
            ),
            (|plan| plan.rings[0].slow_start = false, "canary: slow start true → false"),
            (|plan| plan.rings[0].in_flight_share = None, ""),
            (
                |plan| plan.rings[2].in_flight_share = None,
                "general: other waves, or another number in flight",
            ),
        ];
        for (change, expected) in cases {
            let lines = said(|channel| change(&mut channel.plan), false);
            assert_eq!(lines.join("\n"), expected);
        }
        let wider = said(
            |channel| channel.plan.chance.as_mut().unwrap().halts_in_vain = 1.try_into().unwrap(),
            false,
        );
        assert!(wider[0].ends_with("→ 3 in 1,000 (at most 1 % of good levels halt)"), "{wider:?}");
    }

    #[test]
    fn a_move_that_ends_too_soon_is_told_as_such() {
        for (days, ending) in [(30, "until 1970-01-31T00:00:00Z"), (29, "LESS THAN 30d")] {
            let lines = said(
                |channel| {
                    let address = |host: &str| format!("https://{host}.example/c").parse().unwrap();
                    channel.moves.push(Move {
                        kind: MoveKind::Catalog,
                        from: address("a"),
                        to: address("b"),
                        since: At::from_unix(0),
                        until: At::from_unix(days * 86_400),
                    });
                },
                false,
            );
            assert!(lines.len() == 1 && lines[0].ends_with(ending), "{lines:?}");
        }
    }
}
