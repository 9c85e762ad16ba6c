//! Which places are asked, in which order.
#![allow(clippy::unwrap_used)]

use pdp_policies::At;
use pdp_policies::moves::{Address, Hop, Move, MoveKind, successors};
use pdp_transport::cli::failure::{Failure, Result};

use super::{FLUX_SOURCE, Origin, Places, Remembered, places};

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> At {
    At::from_unix(NOW + seconds)
}

fn moved(from: &str, to: &str, until: i64) -> Move {
    let address = |name: &str| format!("https://{name}.example/c").parse().unwrap();
    Move { kind: MoveKind::Catalog, from: address(from), to: address(to), since: at(-9), until: at(until) }
}

fn remembered(moves: &[Move], dropped: &[Move]) -> Remembered {
    Remembered { moves: moves.to_vec(), dropped: dropped.to_vec(), successors: Vec::new() }
}

/// Hosts are one letter; `x` isn't allowed. Those that have ended are capital letters; `b` is then asked no more.
fn asked(remembered: &Remembered) -> String {
    let make = |to: &Address| -> Result<String> {
        let host = to.to_string()[8..9].to_owned();
        match host.as_str() {
            "x" => Err(Failure::new("HostNotAllowed", host)),
            "f" => Err(Failure::new(FLUX_SOURCE, host)),
            _ => Ok(host),
        }
    };
    let here = "https://a.example/c".parse().ok();
    let found: Places<String> =
        places("a".to_owned(), here, MoveKind::Catalog, remembered, at(0), make, |old, _| {
            Some(old.to_uppercase()).filter(|old| old != "B")
        });
    let all = found.ask.iter().map(|place| place.endpoint.clone());
    all.chain(found.barred.iter().map(|it| format!("-{}", it.reason.as_deref().unwrap_or_default())))
        .collect()
}

#[test]
fn the_newest_successor_is_asked_first_and_what_ended_or_isnt_allowed_is_not() {
    for (moves, order) in [
        (vec![], "a"),
        (vec![moved("b", "c", 9)], "a"),
        (vec![moved("a", "b", 9)], "ba"),
        (vec![moved("a", "b", 9), moved("b", "c", 9)], "cba"),
        (vec![moved("a", "b", -1), moved("b", "c", 9)], "cbA"),
        (vec![moved("a", "b", -1), moved("b", "c", -1)], "cA"),
        (vec![moved("a", "x", 9)], "a-MoveNotAllowed"),
        (vec![moved("a", "x", -1)], "a-MoveNotAllowed"),
        (vec![moved("a", "f", 9)], "a-FluxSource"),
        (vec![moved("a", "x", 9), moved("x", "c", 9)], "ca-MoveNotAllowed"),
        (vec![moved("a", "b", 9), moved("b", "x", -1)], "ba-MoveNotAllowed"),
    ] {
        assert_eq!(asked(&remembered(&moves, &[])), order, "{moves:?}");
    }
    let later = Move { since: at(1), ..moved("a", "b", 9) };
    assert_eq!(asked(&remembered(&[later], &[])), "a", "not yet");
}

#[test]
fn where_moves_lead_that_were_taken_back_is_the_last_resort() {
    let (ab, bc, cd) = (moved("a", "b", 9), moved("b", "c", 9), moved("c", "d", 9));
    for (listed, dropped, order) in [
        (vec![], vec![&ab], "ab"),
        (vec![], vec![&ab, &bc], "acb"),
        (vec![&ab], vec![&bc], "bac"),
        (vec![&ab], vec![&bc, &cd], "badc"),
        (vec![&bc], vec![&ab], "acb"),
        (vec![&ab, &cd], vec![&bc], "badc"),
        (vec![&ab], vec![&moved("b", "x", 9)], "ba-MoveNotAllowed"),
        (vec![&ab], vec![&moved("b", "a", 9)], "ba"),
        (vec![], vec![&cd], "a"),
    ] {
        let own = |moves: &[&Move]| moves.iter().copied().cloned().collect::<Vec<_>>();
        assert_eq!(asked(&remembered(&own(&listed), &own(&dropped))), order, "{listed:?} {dropped:?}");
    }
}

/// What is remembered after a catalog with these moves from a successor, none for the subscription's own address.
fn after(before: &Remembered, moves: &[&Move], from: Option<&str>, is_fresh: bool) -> Remembered {
    let moves: Vec<_> = moves.iter().copied().cloned().collect();
    let successor = from.map(|name| format!("https://{name}.example/c").parse().unwrap());
    before.after(&moves, &Origin { successor, is_fresh }, at(0))
}

#[test]
fn a_move_that_was_taken_back_is_kept_until_an_address_before_it_is_known_to_answer() {
    let (one, two, other) = (moved("a", "b", 9), moved("b", "c", 9), moved("d", "e", 9));
    let all = remembered(&[one.clone(), two.clone(), other.clone()], &[]);
    let dropped = |before: &Remembered, moves: &[&Move], from: Option<&str>, is_fresh| {
        after(before, moves, from, is_fresh).dropped
    };
    let both = after(&all, &[&other], Some("c"), true);
    assert_eq!(both.dropped, [one.clone(), two.clone()]);
    assert_eq!(dropped(&both, &[&other], Some("c"), true), both.dropped, "kept");
    let first = dropped(&both, &[&other], Some("b"), true);
    assert_eq!(first, std::slice::from_ref(&one), "the address before the second one answers");
    assert_eq!(dropped(&both, &[&other], None, true), []);
    assert_eq!(dropped(&both, &[&other], None, false), both.dropped, "what isn't fresh is no answer");
    let again = Move { until: at(99), ..one };
    assert_eq!(
        dropped(&both, &[&again], Some("c"), true),
        [other, two],
        "what is listed again isn't dropped"
    );
    let server = Move { kind: MoveKind::Server, ..moved("a", "b", 9) };
    assert_eq!(after(&remembered(&[server], &[]), &[], Some("b"), true), Remembered::default());
}

/// Which addresses are left behind: the names of those whose login is kept from them, in the chain a, b, c.
fn left(remembered: &Remembered, now: At) -> String {
    let here: Address = "https://a.example/c".parse().unwrap();
    let hops = successors(&remembered.moves, MoveKind::Catalog, &here, now);
    let left = |later: &[Hop<'_>]| remembered.kept_until(&later[0]) < now && remembered.has_answered(later);
    (0..hops.len()).filter(|n| left(&hops[*n..])).map(|n| ["a", "b"][n]).collect()
}

#[test]
fn the_login_goes_to_the_old_address_until_a_successor_answered_and_until_the_least_time_is_over() {
    let day = |days: i64| at(days * 86_400);
    let origin = |name: Option<&str>, is_fresh| {
        let successor = name.map(|name| format!("https://{name}.example/c").parse().unwrap());
        Origin { successor, is_fresh }
    };
    let move_of = |from: &str, to: &str, until| Move { until: day(until), ..moved(from, to, 0) };
    for (from, is_fresh, until, now, expected) in [
        (Some("b"), true, -400, 31, "a"),
        (Some("b"), true, -400, 29, ""),
        (Some("b"), true, 60, 59, ""),
        (Some("b"), true, 60, 61, "a"),
        (Some("b"), false, -400, 31, ""),
        (None, true, -400, 31, ""),
        (Some("c"), true, -400, 31, "ab"),
        (Some("x"), true, -400, 31, ""),
    ] {
        let moves = [move_of("a", "b", until), move_of("b", "c", until)];
        let first = Remembered::default().after(&moves, &Origin::default(), day(0));
        let then = first.after(&moves, &origin(from, is_fresh), day(1));
        assert_eq!(left(&then, day(now)), expected, "{from:?} {is_fresh} {until} {now}");
        assert_eq!(left(&then.after(&moves, &origin(None, true), day(2)), day(now)), expected, "kept");
    }
    // A move that was put right begins anew, and what a wrong clock wrote is no reason to wait for it.
    let (wrong, right) = ([move_of("a", "b", -1)], [move_of("a", "c", -1)]);
    let wrong = Remembered::default().after(&wrong, &origin(Some("b"), true), day(0));
    assert_eq!(left(&wrong.after(&right, &origin(None, true), day(40)), day(40)), "");
    let ahead = Remembered::default().after(&right, &origin(None, true), day(4000));
    let healed = ahead.after(&right, &origin(Some("c"), true), day(0));
    assert_eq!(left(&healed, day(31)), "a");
}

#[test]
fn state_of_an_older_version_has_none() {
    let read: Remembered = serde_json::from_str("{}").unwrap();
    assert_eq!(read, Remembered::default());
}
