//! Everything that reads or writes the database, on PostgreSQL: written at one server, the same at all.

use pdp_e2e::{ChannelServer, Program, Wire};
use reqwest::Method;
use serde_json::{Value, json};

use crate::base::unix_now;
use crate::crowd::{Heard, code};
use crate::replicated::{Replicated, poll, until};

/// What people see.
const VIEWS: [&str; 8] = [
    "/v1/organizations",
    "/v1/data-planes?limit=1000",
    "/v1/data-planes/crowd/dp-1",
    "/v1/levels",
    "/v1/rollouts",
    "/v1/rollouts/pdp-2026/41",
    "/v1/everything",
    "/v1/events?limit=1000",
];

/// A view without the time, and without when whose poll came here.
fn settled(mut view: Value) -> Value {
    match &mut view {
        Value::Object(fields) => {
            fields.retain(|name, _| name != "now" && name != "seen");
            fields.values_mut().for_each(|value| *value = settled(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = settled(item.take())),
        _ => {}
    }
    view
}

fn views(server: &ChannelServer) -> Vec<Value> {
    VIEWS.iter().map(|path| settled(server.admin(path).unwrap())).collect()
}

/// What people change: method, path, body, and the event that it is.
fn changes() -> [(Method, &'static str, Value, &'static str); 11] {
    let (put, post) = (Method::PUT, Method::POST);
    let ring = |ring: Option<&str>| json!({ "ring": ring, "reason": "a test" });
    let command = |command: Value| json!({ "command": command, "reason": "a test" });
    let (early, canary) = (ring(Some("early")), ring(Some("canary")));
    let (tokens, commands) =
        ("/v1/data-planes/acme/prod/enrolment-tokens", "/v1/rollouts/pdp-2026/41/commands");
    let skip = json!({ "skip": { "pdp": { "organization": "crowd", "dataPlane": "dp-1" } } });
    let reason = json!({ "reason": "a test" });
    [
        (put.clone(), "/v1/organizations/acme", early.clone(), "organizationSet"),
        (put.clone(), "/v1/organizations/acme", canary, "organizationSet"),
        (post.clone(), tokens, json!({ "life": "1h" }), "enrolmentTokenIssued"),
        (put.clone(), "/v1/data-planes/acme/prod/ring", early, "ringOverridden"),
        (put, "/v1/data-planes/acme/prod/ring", ring(None), "ringOverridden"),
        (post.clone(), commands, command(json!({ "pause": {} })), "paused"),
        (post.clone(), commands, command(json!({ "continue": {} })), "continued"),
        (post.clone(), commands, command(skip), "skipped"),
        (post.clone(), "/v1/everything/halt", reason.clone(), "everythingHalted"),
        (post, "/v1/everything/resume", reason.clone(), "everythingResumeAsked"),
        (Method::DELETE, "/v1/data-planes/crowd/dp-0?reason=test", reason, "revoked"),
    ]
}

#[test]
fn what_people_change_at_one_server_is_in_the_log_at_once_and_soon_seen_at_all() {
    let three = Replicated::begin(3);
    three.crowd(2, 10);
    let servers = three.servers();
    for ((method, path, body, event), server) in changes().into_iter().zip(servers.iter().cycle()) {
        let (before, body) = (server.events().unwrap().len(), body.to_string().into_bytes());
        let (status, answer) = server.call(method.clone(), path, Some(&server.token), Some(body)).unwrap();
        assert_eq!(status, 200, "{method} {path}: {answer}");
        let is_it = |row: &Value| row["body"].as_str().unwrap().contains(&format!("\"{event}\""));
        for reader in &servers {
            assert!(reader.events().unwrap()[before..].iter().any(is_it), "{event} at {}", reader.url());
        }
    }
    three.until_all("the same views", |server| views(server) == views(servers[0]));
    said_once(&servers[0].events().unwrap());
    three.log_is_whole();
}

/// What servers see by themselves one of them writes down, not each.
fn said_once(events: &[Value]) {
    for event in ["created", "ringOpened", "catalogFollowed"] {
        let of_kind = |row: &&Value| row["body"].as_str().unwrap().contains(&format!("\"{event}\""));
        let bodies: Vec<_> = events.iter().filter(of_kind).map(|row| &row["body"]).collect();
        assert!(!bodies.is_empty() && bodies.windows(2).all(|pair| pair[0] != pair[1]), "{bodies:#?}");
    }
}

#[test]
fn a_data_plane_may_talk_to_another_server_each_time_and_so_may_a_thief_in_vain() {
    let three = Replicated::begin(3);
    let crowd = three.crowd(1, 10);
    let [a, b, c] = three.servers()[..] else { panic!("three servers") };
    let [owner, thief] = [0, 1].map(|_| Wire::new("crowd", "moving").unwrap());
    let life = Some(json!({ "life": "1h" }).to_string().into_bytes());
    let made = a.call(Method::POST, &owner.path("enrolment-tokens"), Some(&a.token), life).unwrap().1;
    let made: Value = serde_json::from_str(&made).unwrap();
    let enrol = |wire: &Wire, server: &ChannelServer| {
        let enrolment = wire.enrolment(made["token"].as_str().unwrap());
        let (status, answer) = server.call(Method::POST, "/v1/enrolments", None, Some(enrolment)).unwrap();
        (status, code(&answer))
    };
    assert_eq!(enrol(&owner, b).0, 200, "with a token that another server made just now");
    assert_eq!(enrol(&thief, c), (409, "TokenUsed".to_owned()));
    let path = format!("/v1/data-planes/{}", owner.id());
    three.until_all("the data plane", |server| server.admin(&path).is_ok());
    let now = unix_now();
    assert_eq!(crowd.report(&owner, a, now).0, 204);
    assert_eq!(crowd.report(&owner, b, now - 60), (409, "OlderThanLast".to_owned()), "replayed elsewhere");
    three.until_all("the report", |server| {
        server.admin(&path).is_ok_and(|view| !view["heard"].is_null() && view["target"]["state"] == "waiting")
    });
    for server in [b, c, a] {
        assert_eq!(crowd.ask(&owner, server), Heard::Granted);
    }
    three.until_starts(1);
    assert_eq!(poll(b, &owner, "").1, poll(a, &owner, "").1);
    assert_eq!(poll(c, &owner, "").1, poll(a, &owner, "").1);
    let shut_out = format!("{path}?reason=stolen");
    assert_eq!(c.call(Method::DELETE, &shut_out, Some(&c.token), None).unwrap().0, 200);
    for server in [a, b] {
        assert_eq!(crowd.ask(&owner, server), Heard::Refused(401, "LoginNeeded".to_owned()), "at once");
    }
    assert_eq!(crowd.report(&owner, a, now + 1).0, 401);
    three.log_is_whole();
}

#[test]
fn an_api_token_is_good_and_gone_at_every_server_at_once() {
    let three = Replicated::begin(3);
    let database = three.postgres.address();
    let token = |args: &[&str]| {
        let args = [&["token"][..], args, &["--database", &database, "-o", "json"]].concat();
        let done = three.world.run(Program::ChannelServer, &args, &[]).unwrap();
        assert!(done.ok(), "{}", done.stderr);
        serde_json::from_str::<Value>(&done.stdout).unwrap()
    };
    let made = token(&["create", "--name", "eve@wso2", "--role", "auditor"]);
    let (secret, id) = (made["token"].as_str().unwrap(), made["id"].as_str().unwrap());
    let ask = |server: &ChannelServer| server.call(Method::GET, "/v1/events", Some(secret), None).unwrap().0;
    assert_eq!(three.servers().into_iter().map(ask).collect::<Vec<_>>(), [200; 3]);
    let listed = |tokens: Value| {
        let tokens = tokens.as_array().cloned().unwrap_or_default();
        tokens.into_iter().find(|token| token["id"] == id).unwrap()
    };
    assert!(listed(token(&["list"]))["revoked"].is_null());
    token(&["revoke", id]);
    assert_eq!(three.servers().into_iter().map(ask).collect::<Vec<_>>(), [401; 3], "at once");
    assert!(!listed(token(&["list"]))["revoked"].is_null());
    three.log_is_whole();
}

#[test]
fn a_restore_halts_everything_at_all_servers_until_two_people_say_so() {
    let three = Replicated::begin(3);
    let crowd = three.crowd(3, 10);
    let database = three.postgres.address();
    let restore = ["restore", "--reason", "a drill", "--database", &database];
    let restored = three.world.run(Program::ChannelServer, &restore, &[]).unwrap();
    assert!(restored.ok(), "{}", restored.stderr);
    for (wire, server) in crowd.wires.iter().zip(three.servers()) {
        assert_eq!(crowd.ask(wire, server), Heard::Held("Halted".to_owned()), "at once");
    }
    let halted = |server: &ChannelServer| !server.admin("/v1/everything").unwrap()["halted"].is_null();
    three.until_all("the halt", halted);
    let bob = three.world.colleague("bob@wso2").unwrap();
    let [a, b, c] = three.servers()[..] else { panic!("three servers") };
    for (server, token, status) in [(a, &a.token, 200), (b, &b.token, 409), (c, &bob, 200)] {
        let body = Some(json!({ "reason": "looked at it" }).to_string().into_bytes());
        let answer = server.call(Method::POST, "/v1/everything/resume", Some(token), body).unwrap();
        assert_eq!(answer.0, status, "{}", answer.1);
    }
    three.until_all("the end of the halt", |server| !halted(server));
    assert_eq!(crowd.grants(&three.servers()), 3);
    three.log_is_whole();
}

#[test]
fn a_server_with_nothing_but_the_database_tells_data_planes_and_people_the_same() {
    let two = Replicated::begin(2);
    let crowd = two.crowd(12, 10);
    let servers = two.servers();
    assert_eq!(crowd.grants(&servers), 10);
    two.until_starts(10);
    assert_eq!(crowd.report(&crowd.wires[11], servers[1], unix_now()).0, 204);
    let told = |server: &ChannelServer| -> Vec<String> {
        crowd.wires.iter().map(|wire| poll(server, wire, "").1).collect()
    };
    let before = told(servers[0]);
    let late = two.world.replica().unwrap();
    assert_eq!(told(&late), before);
    until(&late, "the same views", |late| views(late) == views(servers[0]));
    assert_eq!(servers[0].terminate().unwrap(), Some(0), "a graceful stop");
    let last = two.world.replica().unwrap();
    let view = last.admin(&format!("/v1/data-planes/{}", crowd.wires[0].id())).unwrap();
    assert!(!view["seen"].is_null(), "who polled at another server was seen: {view:#}");
    assert_eq!(told(&last), before);
}
