//! Whoever holds the database can destroy the log, but not rewrite it unnoticed.

use pdp_e2e::ChannelServer;
use reqwest::Method;
use serde_json::json;

use crate::attack::note;
use crate::base::unix_now;
use crate::crowd::{Heard, code};
use crate::replicated::{Replicated, is_unready};

const NEWEST: &str = "(SELECT max(seq) FROM events)";
/// It looks like one, but is the hash of nothing that was written.
const HASH: &str = "md5('forged') || md5('forged')";

#[test]
fn the_log_in_postgresql_takes_new_rows_and_nothing_else() {
    let one = Replicated::begin(1);
    let server = one.world.server().unwrap();
    let before = server.events().unwrap();
    for statement in ["UPDATE events SET actor = 'nobody'", "DELETE FROM events", "TRUNCATE events"] {
        let refused = one.postgres.sql(statement).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    assert_eq!(server.events().unwrap()[..before.len()], before);
    one.log_is_whole();
    note("log-rewritten-in-postgresql", "-", "refused by the database");
}

/// An administrator of the database takes the guard away and does this: two servers that know better stop.
fn stops(name: &str, forgery: &str) -> Replicated {
    let two = Replicated::begin(2);
    two.world.organization("acme", "canary").unwrap();
    two.until_all("the organization", |server| {
        server.admin("/v1/organizations").is_ok_and(|list| list["items"][0]["name"] == "acme")
    });
    let (off, on) = ("ALTER TABLE events DISABLE TRIGGER USER", "ALTER TABLE events ENABLE TRIGGER USER");
    two.postgres.sql(&format!("{off}; {forgery}; {on}")).unwrap();
    let events = || two.postgres.sql("SELECT count(*) FROM events").unwrap();
    let before = events();
    for server in two.servers() {
        assert_eq!(make_token(server), (503, "LogForked".to_owned()), "{name}");
    }
    two.until_all("word of it", |server| is_unready(server, "LogForked"));
    assert_eq!(events(), before, "{name}: nothing is written behind it");
    note(name, "LogForked", "nothing granted");
    two
}

fn make_token(server: &ChannelServer) -> (u16, String) {
    let (path, life) = ("/v1/data-planes/acme/prod/enrolment-tokens", json!({ "life": "1h" }));
    let body = Some(life.to_string().into_bytes());
    let (status, answer) = server.call(Method::POST, path, Some(&server.token), body).unwrap();
    (status, code(&answer))
}

fn is_found(forged: &Replicated) {
    let verified = forged.world.verify_events().unwrap();
    assert_eq!(verified.code, Some(1), "{}{}", verified.stdout, verified.stderr);
}

#[test]
fn an_event_that_was_rewritten_stops_all_servers() {
    let set = format!("body = replace(body, 'contract', 'a favour'), hash = {HASH}");
    is_found(&stops("event-rewritten", &format!("UPDATE events SET {set} WHERE seq = {NEWEST}")));
}

#[test]
fn an_event_that_no_server_wrote_stops_all_servers() {
    let columns = "seq, at, actor, subject, body, hash";
    let row = format!("SELECT seq + 1, at, actor, subject, body, {HASH} FROM events WHERE seq = {NEWEST}");
    is_found(&stops("event-forged", &format!("INSERT INTO events ({columns}) {row}")));
}

#[test]
fn a_database_that_forgot_what_servers_know_stops_them() {
    // What is left is whole; only who was there knows more. A standby that lagged looks like this, too.
    stops("event-forgotten", &format!("DELETE FROM events WHERE seq = {NEWEST}")).log_is_whole();
}

#[test]
fn reports_that_are_gone_stop_all_servers() {
    let two = Replicated::begin(2);
    let crowd = two.crowd(1, 10);
    let (wire, servers) = (&crowd.wires[0], two.servers());
    assert_eq!(crowd.report(wire, servers[0], unix_now()).0, 204);
    let path = format!("/v1/data-planes/{}", wire.id());
    two.until_all("the report", |server| server.admin(&path).is_ok_and(|view| view["heard"].is_string()));
    two.postgres.sql("DELETE FROM reports").unwrap();
    for server in servers {
        assert_eq!(make_token(server), (503, "LogForked".to_owned()));
    }
    two.until_all("word of it", |server| is_unready(server, "LogForked"));
    note("reports-forgotten", "LogForked", "nothing granted");
}

#[test]
fn rows_that_make_no_sense_stop_no_server() {
    let two = Replicated::begin(2);
    let crowd = two.crowd(2, 10);
    // The lease, a stranger's report under another name, and a report that is none.
    let columns = "organization, data_plane, received, body, version";
    two.postgres
        .sql(&format!(
            "INSERT INTO kept VALUES ('publisher', 'x -9223372036854775808')
             ON CONFLICT (name) DO UPDATE SET value = excluded.value;
             INSERT INTO reports ({columns}) VALUES ('crowd', 'dp-0', 1, '{{}}', 1000), ('no one', '%', -1, 'x', 1001);
             INSERT INTO seen VALUES ('no one', '%', 9223372036854775807)"
        ))
        .unwrap();
    for (wire, server) in crowd.wires.iter().zip(two.servers()) {
        assert_eq!(crowd.ask(wire, server), Heard::Granted);
        assert_eq!(crowd.report(wire, server, unix_now()).0, 204);
    }
    two.until_starts(2);
    two.until_ready();
}
