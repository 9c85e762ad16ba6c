//! Bad input at the channel server: clear 4xx or exit, nothing counted.

use pdp_e2e::{Program, World, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use crate::base::unix_now;
use crate::server_attacks::served;

const COMMANDS: &str = "/v1/rollouts/pdp-2026/41/commands";

fn order(command: Value) -> Option<Vec<u8>> {
    Some(json!({ "command": command, "reason": "r" }).to_string().into_bytes())
}

#[test]
fn names_that_are_no_names_and_bodies_that_are_no_documents() {
    let served = served();
    let token = served.world.server().unwrap().token.clone();
    let events = served.world.server().unwrap().events().unwrap().len();
    let body = |value: Value| Some(value.to_string().into_bytes());
    let set = || body(json!({ "ring": "canary", "reason": "test" }));
    let life = || body(json!({ "life": "1h" }));
    for (method, path, sent, status, code) in [
        (Method::PUT, "/v1/organizations/x%27%3B%20DROP%20TABLE%20events%3B--", set(), 400, "BadName"),
        (Method::PUT, "/v1/organizations/%3Cscript%3Ealert(1)%3C%2Fscript%3E", set(), 400, "BadName"),
        (Method::PUT, "/v1/organizations/..%2f..%2fetc", set(), 400, "BadName"),
        (Method::PUT, "/v1/organizations/UPPER", set(), 400, "BadName"),
        (
            Method::PUT,
            "/v1/organizations/acme",
            body(json!({ "ring": "genral", "reason": "r" })),
            422,
            "UnknownRing",
        ),
        (
            Method::PUT,
            "/v1/organizations/acme",
            body(json!({ "ring": "canary", "reason": " " })),
            400,
            "BadReason",
        ),
        (
            Method::PUT,
            "/v1/organizations/acme",
            body(json!({ "ring": "canary", "reason": "a\nb" })),
            400,
            "BadReason",
        ),
        (
            Method::PUT,
            "/v1/organizations/acme",
            body(json!({ "ring": "canary", "reasn": "r" })),
            422,
            "Unreadable",
        ),
        (Method::PUT, "/v1/organizations/acme", Some(b"{".to_vec()), 400, "Unreadable"),
        (Method::POST, "/v1/data-planes/nobody/prod/enrolment-tokens", life(), 404, "NotFound"),
        (
            Method::POST,
            "/v1/data-planes/acme/x/enrolment-tokens",
            body(json!({ "life": "31d" })),
            400,
            "BadLife",
        ),
        (
            Method::POST,
            "/v1/data-planes/acme/x/enrolment-tokens",
            body(json!({ "life": "10" })),
            422,
            "Unreadable",
        ),
        (Method::GET, "/v1/data-planes/acme/nobody", None, 404, "NotFound"),
        (Method::GET, "/v1/data-planes?limit=many", None, 400, "BadQuery"),
        (Method::GET, "/v1/rollouts/pdp-2026/99", None, 404, "NotFound"),
        (Method::GET, "/v1/rollouts/pdp-2026/abc", None, 400, "BadName"),
        (Method::GET, "/v1/nothing", None, 404, "NotFound"),
        (
            Method::POST,
            COMMANDS,
            order(json!({ "acknowledge": { "ring": "early", "wave": 0 } })),
            409,
            "RingNotOpenYet",
        ),
        (
            Method::POST,
            COMMANDS,
            order(json!({ "acknowledge": { "ring": "canary", "wave": 8 } })),
            409,
            "OtherWave",
        ),
        (
            Method::POST,
            COMMANDS,
            order(json!({ "expedite": { "ring": "canary", "wave": 0 } })),
            409,
            "NotSoaking",
        ),
        (
            Method::POST,
            COMMANDS,
            order(json!({ "halt": { "scope": { "ring": { "ring": "cnary" } } } })),
            409,
            "UnknownRing",
        ),
        (Method::POST, COMMANDS, order(json!({ "retry": {} })), 409, "NothingFailed"),
        (
            Method::POST,
            COMMANDS,
            order(json!({ "skip": { "pdp": { "organization": "acme", "dataPlane": "nobody" } } })),
            404,
            "NotFound",
        ),
        (Method::POST, COMMANDS, order(json!({ "explode": {} })), 422, "Unreadable"),
        (
            Method::POST,
            COMMANDS,
            body(json!({ "command": { "pause": {} }, "reason": " " })),
            400,
            "BadReason",
        ),
        (Method::POST, COMMANDS, body(json!({ "command": { "pause": {} } })), 422, "Unreadable"),
    ] {
        let (got, answer) = served.call(method.clone(), path, Some(&token), sent);
        assert_eq!(
            (got, answer["code"].as_str().unwrap_or_default()),
            (status, code),
            "{method} {path}: {answer}"
        );
    }
    assert_eq!(served.world.server().unwrap().events().unwrap().len(), events, "nothing was written down");
}

#[test]
fn a_body_without_end_is_cut_off_and_a_wrong_envelope_is_refused() {
    let served = served();
    let wire = served.enrolled("acme", "large");
    let path = wire.path("reports?line=pdp-2026");
    let url = format!("{}{path}", served.world.server().unwrap().url());
    // Who is still sending when the connection is closed may not get to read why; and nobody else shall send on it.
    let refused = || {
        let answer = reqwest::blocking::Client::new().post(&url).body(vec![b'{'; 1 << 20]).send();
        answer.is_ok_and(|answer| {
            answer.status() == 413 && answer.text().is_ok_and(|it| it.contains("TooLarge"))
        })
    };
    wait_for("word that it is too large", refused).unwrap();
    for (body, status) in [(b"{}".to_vec(), 400), (b"not json".to_vec(), 400), (Vec::new(), 400)] {
        assert_eq!(served.post(&path, None, body).0, status);
    }
    let ready = json!({ "level": 99, "sha256": "00".repeat(32), "attempt": 1 }).to_string().into_bytes();
    let (status, answer) =
        served.post(&wire.path("ready?line=pdp-2026"), Some(&wire.token(unix_now())), ready);
    assert_eq!((status, answer["code"].as_str()), (422, Some("UnknownLevel")), "{answer}");
    let (status, _) =
        served.call(Method::GET, &wire.path("assignment?line=nothing"), Some(&wire.token(unix_now())), None);
    assert_eq!(status, 404);
    let (status, _) = served.call(Method::GET, &wire.path("assignment"), Some(&wire.token(unix_now())), None);
    assert_eq!(status, 400);
}

#[test]
fn a_level_that_was_opened_to_nobody_counts_nothing_and_the_brake_grants_nothing() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    // The brake first, then the level: it never opens to anybody.
    let (a, b) = (world.key("manager-1"), world.key("manager-2"));
    let stop = ["channel", "stop", "--line", "pdp-2026", "--reason", "not yet", "--key", &a, "--key", &b];
    world.publisher(&stop).unwrap();
    world.publish_catalog().unwrap();
    world.release(41, "normal").unwrap();
    wait_for("the brake", || world.rollout(41).is_ok_and(|view| view["braked"] == "Stopped")).unwrap();
    let server = world.server().unwrap();
    let sha256 = world.sha256(41).unwrap();
    let (wire, now) = (pdp_e2e::Wire::new("acme", "prod").unwrap(), unix_now());
    wire.enrol(server).unwrap();
    let post = |path: &str, token: Option<&str>, body: Vec<u8>| {
        server.call(Method::POST, path, token, Some(body)).unwrap()
    };
    let report = wire.report(now, Value::Null, 41, &sha256, "healthy");
    let (status, answer) = post(&wire.path("reports?line=pdp-2026"), None, wire.seal(&report));
    assert_eq!((status, answer.contains("LevelNeverOpened")), (422, true), "{answer}");
    let ready = json!({ "level": 41, "sha256": sha256, "attempt": 1 }).to_string().into_bytes();
    let (status, _) = post(&wire.path("ready?line=pdp-2026"), Some(&wire.token(now)), ready);
    assert_eq!(status, 200, "an answer with a hold code");
    let shown = server.admin(&format!("/v1/data-planes/{}", wire.id())).unwrap();
    assert!(shown["heard"].is_null(), "{shown}");
    assert!(world.rollout(41).unwrap()["rings"].as_array().unwrap().iter().all(|ring| ring["starts"] == 0));
}

#[test]
fn databases_that_cannot_be_used_are_an_exit_with_a_hint() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::start().unwrap();
    let folder = world.path("databases");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let list = |name: &str| {
        world.run(Program::ChannelServer, &["token", "list", "--database", &file(name)], &[]).unwrap()
    };
    assert!(list("good.db").ok());

    std::fs::write(
        file("text.db"),
        "this is not a database, it is only a text that is long enough to be read",
    )
    .unwrap();
    let text = list("text.db");
    assert!(text.code == Some(2) && text.stderr.contains("error[DatabaseUnreadable]"), "{}", text.stderr);

    std::fs::copy(file("good.db"), file("newer.db")).unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'future', 1, x'00', 0)";
    sqlite(&file("newer.db"), newer);
    let newer = list("newer.db");
    assert!(newer.code == Some(2) && newer.stderr.contains("error[DatabaseTooNew]"), "{}", newer.stderr);

    // Root may write anything; a file system that is mounted read-only stops everybody, a folder only others.
    let missing = world
        .run(Program::ChannelServer, &["token", "list", "--database", "/proc/nowhere/x.db"], &[])
        .unwrap();
    assert!(
        missing.code == Some(2) && missing.stderr.contains("error[DatabaseReadOnly]"),
        "{}",
        missing.stderr
    );

    std::fs::copy(file("good.db"), file("tampered.db")).unwrap();
    let made = ["token", "create", "--name", "x", "--role", "admin", "--database", &file("tampered.db")];
    assert!(world.run(Program::ChannelServer, &made, &[]).unwrap().ok());
    let verify = || {
        world
            .run(Program::ChannelServer, &["verify-events", "--database", &file("tampered.db")], &[])
            .unwrap()
    };
    assert!(verify().ok(), "{}", verify().stdout);
    sqlite(&file("tampered.db"), "DROP TRIGGER events_stay; UPDATE events SET actor = 'nobody'");
    assert_eq!(verify().code, Some(1), "{}", verify().stdout);
    let _ = std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755));
}

/// What an attacker with the file can do; there is no SQLite shell to rely on, so the program's own library does it.
fn sqlite(file: &str, sql: &'static str) {
    use sqlx::ConnectOptions;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection =
            sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    });
}

#[test]
fn a_full_disk_counts_nothing_and_the_server_goes_on_when_there_is_room() {
    let mut world = World::start().unwrap();
    world.serve().unwrap();
    world.organization("acme", "canary").unwrap();
    world.release(41, "emergency").unwrap();
    world.wait_for_ring(41, "canary", "open").unwrap();
    let server = world.server().unwrap();
    let wire = pdp_e2e::Wire::new("acme", "wants").unwrap();
    wire.enrol(server).unwrap();
    let wish = json!({ "level": 41, "sha256": world.sha256(41).unwrap(), "attempt": 1 }).to_string();
    let ready = || {
        let (path, token) = (wire.path("ready?line=pdp-2026"), wire.token(unix_now()));
        server.call(Method::POST, &path, Some(&token), Some(wish.clone().into_bytes())).unwrap()
    };
    server.kill();
    let mut command = std::process::Command::new("bash");
    let inner = world.server_command(server, &[]).unwrap();
    let mut script = "trap '' XFSZ; exec ".to_owned();
    script.push_str(&inner.get_program().to_string_lossy());
    for arg in inner.get_args() {
        script.push_str(&format!(" '{}'", arg.to_string_lossy()));
    }
    command.args(["-c", &script]);
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let log = world.path("full.log");
    let running = pdp_e2e::Running::start(command, log).unwrap();
    wait_for("the server to do its work", || server.get("/readyz").is_ok_and(|(status, _)| status == 200))
        .unwrap();
    // A file-size limit makes every further write fail as a full disk does.
    let limit = |size: &str| {
        let args = [format!("--pid={}", running.id()), format!("--fsize={size}:unlimited")];
        assert!(std::process::Command::new("prlimit").args(args).status().unwrap().success());
    };
    limit(&(std::fs::metadata(&server.database).unwrap().len() + 4096).to_string());
    let body = || Some(json!({ "life": "1h" }).to_string().into_bytes());
    let path = "/v1/data-planes/acme/prod/enrolment-tokens";
    let mut last = (0, String::new());
    wait_for("the disk to be full", || {
        last = server.call(Method::POST, path, Some(&server.token), body()).unwrap();
        last.0 != 200
    })
    .unwrap();
    assert_eq!(last.0, 503, "{}", last.1);
    assert!(last.1.contains("DatabaseFull") && !last.1.contains("sqlite"), "{}", last.1);
    for _ in 0..3 {
        let (status, answer) = ready();
        assert_eq!((status, answer.contains("DatabaseFull")), (503, true), "no grant unwritten: {answer}");
    }
    let starts = |world: &World| world.rollout(41).unwrap()["rings"][0]["starts"].clone();
    assert_eq!(starts(&world), 0);
    limit("unlimited");
    assert_eq!(server.call(Method::POST, path, Some(&server.token), body()).unwrap().0, 200, "there is room");
    assert_eq!((ready().0, starts(&world)), (200, json!(1)));
    let counted = server.events().unwrap().len();
    drop(running);
    world.start_server().unwrap();
    server.ready().unwrap();
    assert!(server.events().unwrap().len() >= counted, "nothing was lost");
    assert!(world.verify_events().unwrap().ok());
}
