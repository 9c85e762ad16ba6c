//! Servers and their database killed and cut off: nothing is granted twice, nothing granted is forgotten.

use std::time::{Duration, Instant};

use pdp_e2e::{ChannelServer, Forwarder, wait_for};
use reqwest::Method;
use serde_json::json;

use crate::base::unix_now;
use crate::crowd::{Crowd, Heard, code};
use crate::replicated::{Replicated, is_unready, poll, until};

/// Nobody waits for longer to hear that it can't be done now.
const BOUND: Duration = Duration::from_secs(30);

fn away() -> Heard {
    Heard::Refused(503, "DatabaseUnavailable".to_owned())
}

#[test]
fn a_server_killed_in_mid_crowd_neither_loses_a_grant_nor_gives_one_too_many() {
    let three = Replicated::begin(3);
    let crowd = three.crowd(256, 100);
    let [a, b, victim] = three.servers()[..] else { panic!("three servers") };
    let heard = crowd.ask_while(&[a, b, victim], |answered| {
        wait_for("the first answers", || answered() > 0).unwrap();
        victim.kill();
    });
    assert!(heard.contains(&Heard::Nothing), "it was killed while they asked it");
    assert!(!heard.iter().any(|it| matches!(it, Heard::Refused(..))), "the others don't mind: {heard:?}");
    assert_eq!(crowd.grants(&[a, b]), 100);
    three.log_is_whole();
    three.world.start_replica(victim).unwrap();
    victim.ready().unwrap();
    three.until_starts(100);
    assert_eq!(crowd.grants(&[victim, a, b]), 100);
    three.log_is_whole();
}

#[test]
fn without_its_database_a_server_answers_polls_and_writes_nothing() {
    let three = Replicated::begin(3);
    let crowd = three.crowd(12, 10);
    let (servers, first) = (three.servers(), &crowd.wires[0]);
    assert_eq!(crowd.ask(first, servers[0]), Heard::Granted);
    three.until_starts(1);
    let before = servers[0].events().unwrap();
    let tag = poll(servers[0], first, "").1;
    three.postgres.kill();
    three.until_all("word that it can't work", |server| is_unready(server, "DatabaseUnavailable"));
    for (server, wire) in servers.iter().zip(&crowd.wires[1..]) {
        assert_eq!((poll(server, first, "").0, poll(server, first, &tag).0), (200, 304));
        assert_eq!((crowd.ask(first, server), crowd.ask(wire, server)), (away(), away()));
        let refused = (503, "DatabaseUnavailable".to_owned());
        assert_eq!(crowd.report(wire, server, unix_now()), refused);
        assert_eq!(move_organization(server), refused);
    }
    three.postgres.restart().unwrap();
    three.until_ready();
    for (server, wire) in servers.iter().zip(&crowd.wires[1..]) {
        assert_eq!((crowd.ask(first, server), crowd.ask(wire, server)), (Heard::Granted, Heard::Granted));
        assert_eq!(crowd.report(wire, server, unix_now()).0, 204);
        assert_eq!(server.events().unwrap()[..before.len()], before, "no event is lost or changed");
    }
    three.until_starts(4);
    three.log_is_whole();
}

fn move_organization(server: &ChannelServer) -> (u16, String) {
    let body = json!({ "ring": "early", "reason": "a test" }).to_string().into_bytes();
    let path = "/v1/organizations/crowd";
    let (status, answer) = server.call(Method::PUT, path, Some(&server.token), Some(body)).unwrap();
    (status, code(&answer))
}

#[test]
fn what_was_answered_before_the_database_was_killed_is_still_so_afterwards() {
    let three = Replicated::begin(3);
    let crowd = three.crowd(96, 64);
    let heard = crowd.ask_while(&three.servers(), |answered| {
        wait_for("some answers", || answered() >= 8).unwrap();
        three.postgres.kill();
    });
    assert!(
        heard.contains(&Heard::Granted) && heard.contains(&away()),
        "it was killed in between: {heard:?}"
    );
    three.until_all("word that it can't work", |server| is_unready(server, "DatabaseUnavailable"));
    three.postgres.restart().unwrap();
    three.until_ready();
    let granted = heard.iter().zip(&crowd.wires).filter(|(heard, _)| **heard == Heard::Granted);
    for ((_, wire), server) in granted.zip(three.servers().iter().cycle()) {
        assert_eq!(crowd.ask(wire, server), Heard::Granted, "{}", wire.id());
    }
    assert_eq!(crowd.grants(&three.servers()), 64);
    three.until_starts(64);
    three.log_is_whole();
}

#[test]
fn a_server_that_hangs_in_mid_transaction_loses_the_lock_and_comes_back_by_itself() {
    let mut three = Replicated::begin(2);
    let between = Forwarder::start(three.postgres.port()).unwrap();
    three.replicas.push(three.world.replica_on(&three.postgres.address_by(between.port())).unwrap());
    let crowd = three.crowd(64, 40);
    let [a, b, hung] = three.servers()[..] else { panic!("three servers") };
    let heard = crowd.ask_while(&[hung], |answered| {
        wait_for("the first answers", || answered() > 0).unwrap();
        between.freeze();
        wait_for("a grant elsewhere", || crowd.ask(&crowd.wires[0], a) == Heard::Granted).unwrap();
    });
    assert!(heard.contains(&away()) && !heard.contains(&Heard::Nothing), "all are told in time: {heard:?}");
    until(hung, "word that it can't work", |server| is_unready(server, "DatabaseUnavailable"));
    assert_eq!(poll(hung, &crowd.wires[0], "").0, 200);
    is_told_in_time(&crowd, hung);
    assert_eq!(crowd.grants(&[a, b]), 40);
    between.thaw();
    hung.ready().unwrap();
    three.until_starts(40);
    assert_eq!(crowd.grants(&[hung, a, b]), 40);
    three.log_is_whole();
}

fn is_told_in_time(crowd: &Crowd, server: &ChannelServer) {
    let begun = Instant::now();
    assert_eq!(crowd.ask(&crowd.wires[0], server), away());
    assert!(begun.elapsed() < BOUND, "told after {:?}", begun.elapsed());
}

#[test]
fn nobody_is_silent_while_the_database_takes_no_reports() {
    let mut two = Replicated::begin(2);
    let (begun, hour) = (unix_now(), 3600);
    two.world.set_now(begun).unwrap();
    let crowd = two.crowd(1, 10);
    let first = &crowd.wires[0];
    assert_eq!(crowd.ask(first, two.servers()[0]), Heard::Granted);
    assert_eq!(crowd.say(first, two.servers()[0], begun, "started").0, 204);
    two.postgres.kill();
    two.until_all("word that it can't work", |server| is_unready(server, "DatabaseUnavailable"));
    assert_eq!(crowd.say(first, two.servers()[1], begun, "started").0, 503);
    two.world.set_now(begun + hour).unwrap();
    two.postgres.restart().unwrap();
    two.until_ready();
    // Nobody says anything, so a server finds out by itself that it can be told again.
    let anew = |event: &serde_json::Value| event["body"].as_str().unwrap_or_default().contains("listensAnew");
    until(two.servers()[0], "since when silence counts again", |server| {
        server.events().is_ok_and(|events| events.iter().any(anew))
    });
    // From then on it does: the one that started says nothing more, and that halts the ring.
    two.world.set_now(begun + hour + 16 * 60).unwrap();
    two.until_all("the halt", |server| server.rollout(41).is_ok_and(|view| view["halts"][0].is_object()));
    let view = two.servers()[0].rollout(41).unwrap();
    let since = view["halts"][0]["at"].as_str().unwrap();
    assert_eq!(since, pdp_e2e::rfc3339(begun + hour + 16 * 60), "not before: {view:#}");
    two.log_is_whole();
}
