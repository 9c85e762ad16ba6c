//! Which places are asked, in which order.
#![allow(clippy::unwrap_used)]

use pdp_policies::At;
use pdp_policies::moves::{Address, Move, MoveKind};
use pdp_transport::cli::failure::{Failure, Result};

use super::{FLUX_SOURCE, Places, Remembered, places};

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> At {
    At::from_unix(NOW + seconds)
}

fn moved(from: &str, to: &str, until: i64) -> Move {
    let address = |name: &str| format!("https://{name}.example/c").parse().unwrap();
    Move { kind: MoveKind::Catalog, from: address(from), to: address(to), since: at(-9), until: at(until) }
}

fn remembered(moves: &[Move], dropped: &[Move]) -> Remembered {
    Remembered { moves: moves.to_vec(), dropped: dropped.to_vec() }
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
        places("a".to_owned(), here, MoveKind::Catalog, remembered, at(0), make, |old| {
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
    assert_eq!(asked(&remembered(&[], &[moved("a", "b", 9)])), "ab", "taken back: the last resort");
}

#[test]
fn a_move_that_was_taken_back_is_kept_until_the_old_address_is_known_to_answer() {
    let (one, other) = (moved("a", "b", 9), moved("c", "d", 9));
    let both = remembered(&[one.clone(), other.clone()], &[]);
    let after = both.after(std::slice::from_ref(&other), false);
    assert_eq!(after, remembered(std::slice::from_ref(&other), std::slice::from_ref(&one)));
    assert_eq!(after.after(std::slice::from_ref(&other), false), after, "kept");
    assert_eq!(
        after.after(std::slice::from_ref(&other), true),
        remembered(std::slice::from_ref(&other), &[])
    );
    let again = Move { until: at(99), ..one };
    assert_eq!(
        after.after(std::slice::from_ref(&again), false).dropped.len(),
        1,
        "listed again: only `other`"
    );
    let server = Move { kind: MoveKind::Server, ..moved("a", "b", 9) };
    assert_eq!(remembered(&[server], &[]).after(&[], false), Remembered::default());
}

#[test]
fn state_of_an_older_version_has_none() {
    let read: Remembered = serde_json::from_str("{}").unwrap();
    assert_eq!(read, Remembered::default());
}
