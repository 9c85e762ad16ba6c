//! Attacks on the channel server: forged, cloned and replayed reports, stolen tokens, tricks with logins.

use std::sync::OnceLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pdp_e2e::{Wire, World, rfc3339};
use reqwest::Method;
use serde_json::{Value, json};

use crate::attack::note;
use crate::base::unix_now;

/// A server with level 41 open to `canary`, for all attacks.
pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) sha256: String,
}

pub(crate) fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let mut world = World::start().unwrap();
        world.serve().unwrap();
        for (name, ring) in [("acme", "canary"), ("other", "canary"), ("shop", "general")] {
            world.organization(name, ring).unwrap();
        }
        world.release(41, "emergency").unwrap();
        world.wait_for_ring(41, "canary", "open").unwrap();
        let sha256 = world.sha256(41).unwrap();
        Served { world, sha256 }
    })
}

impl Served {
    pub(crate) fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> (u16, Value) {
        let (status, body) = self.world.server().unwrap().call(method, path, token, body).unwrap();
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: Vec<u8>) -> (u16, Value) {
        self.call(Method::POST, path, token, Some(body))
    }

    pub(crate) fn one_time_token(&self, id: &str) -> String {
        self.world.publisher(&["pdp", "token", id]).unwrap().stdout.trim().to_owned()
    }

    /// An enrolled data plane on the wire.
    pub(crate) fn enrolled(&self, organization: &str, data_plane: &str) -> Wire {
        let wire = Wire::new(organization, data_plane).unwrap();
        wire.enrol(self.world.server().unwrap()).unwrap();
        wire
    }

    pub(crate) fn report(&self, wire: &Wire, envelope: Vec<u8>) -> (u16, Value) {
        self.post(&wire.path("reports?line=pdp-2026"), None, envelope)
    }

    /// How many events there are of a data plane.
    fn events_of(&self, id: &str) -> usize {
        self.world
            .server()
            .unwrap()
            .events()
            .unwrap()
            .iter()
            .filter(|event| event["body"].as_str().unwrap().contains(id))
            .count()
    }

    fn shown(&self, wire: &Wire) -> Value {
        self.world.server().unwrap().admin(&format!("/v1/data-planes/{}", wire.id())).unwrap()
    }

    /// A refused report: this code, nothing counted, and the log names who it was about.
    fn refuses_report(&self, name: &'static str, wire: &Wire, envelope: Vec<u8>, expected: (u16, &str)) {
        let before = (self.shown(wire)["heard"].clone(), self.shown(wire)["target"].clone());
        let (status, answer) = self.report(wire, envelope);
        assert_eq!((status, answer["code"].as_str().unwrap_or_default()), expected, "{name}: {answer}");
        let after = (self.shown(wire)["heard"].clone(), self.shown(wire)["target"].clone());
        assert_eq!(after, before, "{name}: nothing is counted");
        let words = self.world.server().unwrap().words();
        assert!(
            words.lines().any(|l| l.contains("report refused") && l.contains(&wire.id())),
            "{name}: {words}"
        );
        note(name, expected.1, "refused");
    }
}

#[test]
fn reports_that_are_forged_cloned_replayed_or_from_another_time() {
    let served = served();
    let (victim, thief) = (served.enrolled("acme", "reports"), served.enrolled("other", "reports"));
    let now = unix_now();
    let (sha256, none) = (served.sha256.as_str(), Value::Null);
    let good = victim.report(now, none.clone(), 41, sha256, "waiting");
    assert_eq!(served.report(&victim, victim.seal(&good)).0, 204);
    assert_eq!(served.report(&victim, victim.seal(&good)).0, 204, "the same once more is no harm");
    let failed = victim.report(now + 1, none.clone(), 41, sha256, "failed");
    served.refuses_report("report-forged", &victim, thief.seal(&failed), (401, "LoginNeeded"));
    let clone = thief.report(now + 1, none.clone(), 41, sha256, "failed");
    served.refuses_report("report-cloned", &victim, victim.seal(&clone), (403, "NotAllowed"));
    let older = victim.report(now - 60, none.clone(), 41, sha256, "failed");
    served.refuses_report("report-replayed", &victim, victim.seal(&older), (409, "OlderThanLast"));
    let ahead = victim.report(now + 3600, none.clone(), 41, sha256, "failed");
    served.refuses_report("report-from-the-future", &victim, victim.seal(&ahead), (422, "ClockSkew"));
    let mut expired = victim.report(now + 1, none.clone(), 41, sha256, "failed");
    expired["expires"] = rfc3339(now - 1).into();
    served.refuses_report("report-expired", &victim, victim.seal(&expired), (422, "Expired"));
    let unknown = victim.report(now + 1, none.clone(), 99, sha256, "failed");
    served.refuses_report("report-of-unknown-level", &victim, victim.seal(&unknown), (422, "UnknownLevel"));
    let mut copied = victim.report(now + 1, none, 41, sha256, "failed");
    copied["clusterId"] = format!("sha256:{}", "11".repeat(32)).into();
    served.refuses_report("report-of-another-cluster", &victim, victim.seal(&copied), (409, "OtherCluster"));
}

#[test]
fn a_stolen_enrolment_token_is_refused_and_recorded_once() {
    let served = served();
    let (owner, thief) = (Wire::new("acme", "stolen").unwrap(), Wire::new("acme", "stolen").unwrap());
    let token = served.one_time_token("acme/stolen");
    let first = served.post("/v1/enrolments", None, owner.enrolment(&token));
    assert_eq!(first.0, 200, "{}", first.1);
    assert_eq!(served.post("/v1/enrolments", None, owner.enrolment(&token)), first, "same key: same answer");
    for _ in 0..3 {
        let (status, answer) = served.post("/v1/enrolments", None, thief.enrolment(&token));
        assert_eq!((status, answer["code"].as_str()), (409, Some("TokenUsed")), "{answer}");
    }
    let events = served.world.server().unwrap().events().unwrap();
    let recorded = events.iter().filter(|e| {
        e["subject"] == "acme/stolen" && e["body"].as_str().unwrap().contains("enrolmentRefused")
    });
    assert_eq!(recorded.count(), 1);
    note("stolen-enrolment-token", "TokenUsed", "refused and recorded");

    let elsewhere = Wire::new("other", "stolen").unwrap();
    let token = served.one_time_token("acme/elsewhere");
    let (status, _) = served.post("/v1/enrolments", None, elsewhere.enrolment(&token));
    assert_eq!(status, 401, "a token is for one data plane");
    note("enrolment-token-for-another", "LoginNeeded", "refused");
    let copy = served.one_time_token("acme/copy");
    let mut enrolment: Value = serde_json::from_slice(&owner.enrolment(&copy)).unwrap();
    enrolment["dataPlane"] = "copy".into();
    let (status, answer) = served.post("/v1/enrolments", None, enrolment.to_string().into_bytes());
    assert_eq!((status, answer["code"].as_str()), (409, Some("KeyInUse")), "{answer}");
    note("cloned-identity", "KeyInUse", "refused");
}

#[test]
fn logins_with_other_algorithms_subjects_and_times() {
    let served = served();
    let (wire, other) = (served.enrolled("acme", "logins"), served.enrolled("acme", "logins-2"));
    let now = unix_now();
    let path = wire.path("assignment?line=pdp-2026");
    let ask = |token: &str| served.call(Method::GET, &path, Some(token), None).0;
    assert_eq!(ask(&wire.token(now)), 200);
    let claims = |iat: i64, exp: i64| json!({ "sub": wire.id(), "aud": "updates.pdp.wso2.com/channel-server", "iat": iat, "exp": exp });
    let hs256 = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &claims(now, now + 600),
        &EncodingKey::from_secret(wire.public_pem().as_bytes()),
    );
    let unsigned = {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims(now, now + 600)))
    };
    let mut audience = claims(now, now + 600);
    audience["aud"] = "someone else".into();
    for (name, token, status) in [
        ("login-by-shared-secret", hs256.unwrap(), 401),
        ("login-without-signature", unsigned, 401),
        ("login-of-another-data-plane", other.token(now), 401),
        (
            "login-for-another-subject",
            wire.token_with(&{
                let mut c = claims(now, now + 600);
                c["sub"] = other.id().into();
                c
            }),
            403,
        ),
        ("login-for-another-audience", wire.token_with(&audience), 401),
        ("login-that-lives-for-a-year", wire.token_with(&claims(now, now + 365 * 86_400)), 401),
        ("login-dated-ahead", wire.token_with(&claims(now + 3600, now + 4000)), 401),
        ("login-expired", wire.token_with(&claims(now - 7200, now - 6700)), 401),
    ] {
        assert_eq!(ask(&token), status, "{name}");
        note(name, if status == 403 { "NotAllowed" } else { "LoginNeeded" }, "refused");
    }
}

#[test]
fn people_may_do_what_their_role_lets_them_and_nothing_else() {
    let served = served();
    let wire = served.enrolled("acme", "people");
    let database = served.world.server().unwrap().database.clone();
    let create = |name: &str, more: &[&str]| {
        let mut args = vec!["token", "create", "--name", name, "--database", &database];
        args.extend(more);
        let made = served.world.run(pdp_e2e::Program::ChannelServer, &args, &[]).unwrap();
        assert!(made.ok(), "{}", made.stderr);
        made.stdout.trim().to_owned()
    };
    let viewer = create("viewer", &["--role", "org-viewer", "--organization", "acme"]);
    let approver = create("approver", &["--role", "org-approver", "--organization", "acme"]);
    let auditor = create("auditor", &["--role", "auditor"]);
    let engineer = create("engineer", &["--role", "release-engineer"]);
    let expired = create("expired", &["--role", "admin", "--life", "1s"]);
    let move_org = || json!({ "ring": "canary", "reason": "test" }).to_string().into_bytes();
    let token = || json!({ "life": "1h" }).to_string().into_bytes();
    let own = format!("/v1/data-planes/{}", wire.id());
    let (theirs, tokens) =
        ("/v1/data-planes/other/prod/enrolment-tokens", "/v1/data-planes/acme/new/enrolment-tokens");
    let put = Method::PUT;
    let (get, post) = (Method::GET, Method::POST);
    for (who, method, path, body, status) in [
        (&viewer, &get, own.as_str(), None, 200),
        (&viewer, &get, "/v1/rollouts", None, 403),
        (&viewer, &get, "/v1/events", None, 403),
        (&viewer, &post, tokens, Some(token()), 403),
        (&viewer, &put, "/v1/organizations/acme", Some(move_org()), 403),
        (&approver, &post, tokens, Some(token()), 200),
        (&approver, &post, theirs, Some(token()), 403),
        (&approver, &put, "/v1/organizations/acme", Some(move_org()), 403),
        (&auditor, &get, "/v1/events", None, 200),
        (&auditor, &put, "/v1/organizations/acme", Some(move_org()), 403),
        (&engineer, &put, "/v1/organizations/acme", Some(move_org()), 200),
        (&engineer, &get, "/v1/rollouts", None, 200),
    ] {
        let (got, answer) = served.call(method.clone(), path, Some(who), body);
        assert_eq!(got, status, "{method} {path}: {answer}");
    }
    let listed = served.call(Method::GET, "/v1/organizations", Some(&viewer), None).1;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "others are not even listed: {listed}");
    note("api-token-of-another-role", "NotAllowed", "refused");
    pdp_e2e::wait_for("the token to expire", || {
        served.call(Method::GET, "/v1/rollouts", Some(&expired), None).0 == 401
    })
    .unwrap();
    note("api-token-expired", "LoginNeeded", "refused");
    let id = served.call(Method::GET, "/v1/events?limit=1000", Some(&auditor), None).1["items"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|e| {
            let body: Value = serde_json::from_str(e["body"].as_str()?).ok()?;
            (body["tokenCreated"]["name"] == "engineer")
                .then(|| body["tokenCreated"]["id"].as_str().map(str::to_owned))?
        })
        .unwrap();
    let revoked = served.world.run(
        pdp_e2e::Program::ChannelServer,
        &["token", "revoke", &id, "--database", &database],
        &[],
    );
    assert!(revoked.unwrap().ok());
    assert_eq!(served.call(Method::GET, "/v1/rollouts", Some(&engineer), None).0, 401, "at once");
    // A data plane's login is no person's, nor the other way round.
    assert_eq!(served.call(Method::GET, "/v1/rollouts", Some(&wire.token(unix_now())), None).0, 401);
    let path = wire.path("assignment?line=pdp-2026");
    assert_eq!(served.call(Method::GET, &path, Some(&auditor), None).0, 401);
    note("logins-mixed-up", "LoginNeeded", "refused");
}

#[test]
fn a_data_plane_that_was_shut_out_is_heard_no_more() {
    let served = served();
    let wire = served.enrolled("acme", "lost");
    let now = unix_now();
    served.world.publisher(&["pdp", "revoke", "acme/lost", "--reason", "the laptop was stolen"]).unwrap();
    let path = wire.path("assignment?line=pdp-2026");
    assert_eq!(served.call(Method::GET, &path, Some(&wire.token(now)), None).0, 401);
    let report = wire.report(now, Value::Null, 41, &served.sha256, "failed");
    assert_eq!(served.report(&wire, wire.seal(&report)).0, 401);
    let before = served.events_of("acme");
    let again = Wire::new("acme", "lost").unwrap();
    let token = served.one_time_token("acme/lost");
    assert_eq!(served.post("/v1/enrolments", None, again.enrolment(&token)).0, 200, "it may enrol anew");
    assert!(served.events_of("acme") > before);
    note("revoked-data-plane", "LoginNeeded", "refused");
}
