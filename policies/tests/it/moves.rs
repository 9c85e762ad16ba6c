//! Successors of addresses: their form, chains, and what a channel may not say.

use pdp_policies::moves::{Address, MAX_MOVES, Move, MoveKind, successors};
use pdp_policies::{At, Channel, RingPlan, Span, document};
use serde_json::{Value, json};

use crate::vendor::{line, now};

const CATALOG: MoveKind = MoveKind::Catalog;
const ARTIFACTS: MoveKind = MoveKind::Artifacts;
const SERVER: MoveKind = MoveKind::Server;

fn address(text: &str) -> Address {
    text.parse().unwrap_or_else(|why| panic!("{why}"))
}

fn moved(kind: MoveKind, from: &str, to: &str) -> Move {
    let until = now().plus(Span::from_seconds(86_400));
    Move { kind, from: address(from), to: address(to), since: now(), until }
}

fn problems(moves: Vec<Move>) -> Vec<String> {
    Channel { moves, ..Channel::new(line(), RingPlan::shipped().unwrap()) }.problems()
}

/// The addresses of a chain.
fn chain(moves: &[Move], kind: MoveKind, from: &str, at: At) -> Vec<String> {
    successors(moves, kind, &address(from), at).into_iter().map(|hop| hop.to.to_string()).collect()
}

#[test]
fn an_address_has_one_form() {
    for good in [
        "https://git.example/wso2/catalog",
        "https://git.example:8443/wso2/catalog.git",
        "https://updates.example",
        "https://10.0.0.1/x",
        "https://[fd00::1]:8443/x",
        "http://127.0.0.1:3000/catalog",
        "http://localhost:3000",
        "http://[::1]:3000/x",
        "registry.example/pdp/catalog",
        "registry.example",
        "registry.example:5000/pdp",
        "localhost:5000/a",
    ] {
        assert_eq!(good.parse::<Address>().unwrap().to_string(), good);
    }
    let long = format!("https://git.example/{}", "a".repeat(500));
    for bad in [
        "",
        "catalog",
        "/srv/catalog",
        "ssh://git.example/x",
        "file:///srv/x",
        "HTTPS://git.example/x",
        "https://GIT.example/x",
        "https://git.example/x/",
        "https://git.example//x",
        "https://git.example/../x",
        "https://git.example:443/x",
        "https://git.example:0/x",
        "https://git.example:070/x",
        "https://git.example:99999/x",
        "https://user@git.example/x",
        "https://user:password@git.example/x",
        "https://git.example/x?y",
        "https://git.example/x#y",
        "https://git.example/%2e%2e/x",
        "https://git.example/x y",
        "https://git.example/x\n",
        "https://git.example\\@evil.example/x",
        "https://-git.example/x",
        "https://git..example/x",
        "https://127.1/x",
        "https://0x7f.1/x",
        "https://2130706433/x",
        "https://127.0.0.01/x",
        "https://[fd00:0::1]/x",
        "http://git.example/x",
        "http://127.0.0.1.example/x",
        "registry.example/Pdp",
        "registry.example/pdp:tag",
        "registry.example/pdp@sha256",
        "registry.example/",
        long.as_str(),
    ] {
        assert!(bad.parse::<Address>().is_err(), "{bad}");
    }
}

#[test]
fn what_people_wrote_in_a_subscription_is_brought_into_that_form() {
    for (written, form) in [
        ("https://Git.Example/catalog/", "https://git.example/catalog"),
        ("HTTPS://git.example:443/catalog", "https://git.example/catalog"),
        ("http://localhost:80/x", "http://localhost/x"),
        ("https://git.example/", "https://git.example"),
        ("Registry.example:5000/a", "registry.example:5000/a"),
    ] {
        assert_eq!(Address::loosely(written).unwrap().to_string(), form);
    }
    for never in ["/srv/catalog", "https://u:p@git.example/x", "https://git.example/x?token=y"] {
        assert!(Address::loosely(never).is_err(), "{never}");
    }
}

#[test]
fn moves_are_followed_in_chains_that_end() {
    let moves = [
        moved(CATALOG, "https://a.example/c", "https://b.example/c"),
        moved(CATALOG, "https://b.example/c", "https://c.example/c"),
        moved(SERVER, "https://a.example", "https://s.example"),
        moved(ARTIFACTS, "r.example", "n.example/old"),
        moved(ARTIFACTS, "r.example/pdp", "p.example"),
        moved(ARTIFACTS, "n.example", "m.example"),
    ];
    let at = now();
    let both = ["https://b.example/c", "https://c.example/c"];
    assert_eq!(chain(&moves, CATALOG, "https://a.example/c", at), both);
    assert_eq!(chain(&moves, CATALOG, "https://b.example/c", at), both[1..]);
    for (kind, stays) in [
        (CATALOG, "https://c.example/c"),
        (CATALOG, "https://a.example/c/d"),
        (CATALOG, "https://a.example"),
        (SERVER, "https://a.example/c"),
        (ARTIFACTS, "r.example:5000/pdp"),
    ] {
        assert_eq!(chain(&moves, kind, stays, at), Vec::<String>::new(), "{stays}");
    }
    for (from, to) in [
        ("r.example/x", &["n.example/old/x", "m.example/old/x"][..]),
        ("r.example/pdpx/y", &["n.example/old/pdpx/y", "m.example/old/pdpx/y"]),
        ("r.example/pdp/x/y", &["p.example/x/y"]),
        ("r.example/pdp", &["p.example"]),
    ] {
        assert_eq!(chain(&moves, ARTIFACTS, from, at), to, "{from}");
    }
    let before = At::from_unix(at.unix() - 1);
    assert_eq!(chain(&moves, CATALOG, "https://a.example/c", before), Vec::<String>::new());
    let circle = [
        moved(CATALOG, "https://a.example/c", "https://b.example/c"),
        moved(CATALOG, "https://b.example/c", "https://a.example/c"),
    ];
    assert_eq!(chain(&circle, CATALOG, "https://a.example/c", at).len(), 2, "it ends all the same");
    let growing = [moved(ARTIFACTS, "r.example", "r.example/deeper")];
    assert_eq!(chain(&growing, ARTIFACTS, "r.example/x", at), ["r.example/deeper/x"]);
}

#[test]
fn an_old_address_is_kept_as_signed_and_never_for_less_than_a_correction_takes() {
    let day = |days: i64| At::from_unix(now().unix() + days * 86_400);
    for (until, first_read, kept) in
        [(730, 0, 730), (31, 0, 31), (30, 0, 30), (1, 0, 30), (1, 400, 430), (730, 710, 740), (730, -9, 730)]
    {
        let one = Move { until: day(until), ..moved(CATALOG, "https://a.example/c", "https://b.example/c") };
        assert_eq!(one.kept_until(day(first_read)), day(kept), "{until} {first_read}");
    }
}

#[test]
fn a_channel_with_moves_that_make_no_sense_is_refused() {
    let (a, b, c) = ("https://a.example/c", "https://b.example/c", "https://c.example/c");
    assert_eq!(problems(vec![moved(CATALOG, a, b), moved(CATALOG, b, c)]), Vec::<String>::new());
    assert_eq!(problems(vec![moved(CATALOG, a, b), moved(SERVER, a, b)]), Vec::<String>::new());
    let late = Move { until: now(), ..moved(CATALOG, a, b) };
    let here = "http://127.0.0.1:3000/c";
    for (moves, words) in [
        (vec![moved(CATALOG, a, a)], "to itself"),
        (vec![moved(CATALOG, a, b), moved(CATALOG, a, c)], "two moves"),
        (vec![moved(CATALOG, a, b), moved(CATALOG, b, a)], "in a circle"),
        (vec![moved(CATALOG, a, b), moved(CATALOG, b, c), moved(CATALOG, c, a)], "in a circle"),
        (vec![moved(ARTIFACTS, "r.example", "r.example/x")], "in a circle"),
        (vec![moved(CATALOG, a, "r.example/c")], "is a URL and the other"),
        (vec![moved(CATALOG, "https://a.example", b)], "names no repository"),
        (vec![moved(ARTIFACTS, a, b)], "is a URL: write host"),
        (vec![moved(SERVER, "r.example", "s.example")], "is no URL"),
        (vec![late], "ends before it begins"),
        (vec![moved(CATALOG, a, here)], "whatever machine follows it"),
        (vec![moved(CATALOG, a, "https://[::ffff:127.0.0.1]/c")], "whatever machine follows it"),
        (vec![moved(CATALOG, a, "https://0.0.0.0/c")], "whatever machine follows it"),
        (vec![moved(CATALOG, a, "https://x.localhost/c")], "whatever machine follows it"),
        ((0..=MAX_MOVES).map(|n| moved(CATALOG, &format!("https://a.example/{n}"), b)).collect(), "at most"),
    ] {
        let said = problems(moves);
        assert!(said.iter().any(|problem| problem.contains(words)), "{words}: {said:?}");
    }
    assert_eq!(problems(vec![moved(CATALOG, here, "http://localhost:4000/c")]), Vec::<String>::new());
}

#[test]
fn a_channel_keeps_its_moves_and_refuses_kinds_and_addresses_that_are_none() {
    let mut channel = Channel::new(line(), RingPlan::shipped().unwrap());
    let without = document::write(&channel).unwrap();
    assert!(!String::from_utf8(without).unwrap().contains("moves"));
    channel.moves.push(moved(CATALOG, "https://a.example/c", "https://b.example/c"));
    let bytes = document::write(&channel).unwrap();
    assert_eq!(Channel::read("channel", &bytes).unwrap(), channel);
    let written: Value = serde_json::from_slice(&bytes).unwrap();
    let mut later = written.clone();
    later["moves"][0]["note"] = json!("what a later version adds");
    assert_eq!(Channel::read("channel", &serde_json::to_vec(&later).unwrap()).unwrap(), channel);
    for (field, value) in [
        ("kind", json!("wallet")),
        ("to", json!("https://u@b.example/c")),
        ("to", json!("https://a.example/c")),
        ("since", json!("soon")),
    ] {
        let mut other = written.clone();
        other["moves"][0][field] = value;
        assert!(Channel::read("channel", &serde_json::to_vec(&other).unwrap()).is_err(), "{field}");
    }
}
