//! The frame of attacks with the director's key: a stolen server, a data plane at level 41 that listens to it.

use pdp_e2e::{Impostor, Key, World};
use serde_json::{Value, json};

use crate::attack::Attack;
use crate::base::{Files, base, unix_now};
use crate::forge::{expires, sha256};

pub(crate) const ASSIGNMENT: &str = "application/vnd.wso2.pdp.assignment.v1+json";
pub(crate) const RING_STATE: &str = "application/vnd.wso2.pdp.ring-state.v1+json";
/// All rings but `regulated` are past their earliest time then: two hours after the promotion.
pub(crate) const LATER: i64 = 2 * 3600 + 600;

/// The director's key, out of the vendor's own key file.
pub(crate) fn stolen_key(world: &World) -> Key {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("director.pem");
    world.publisher(&["key", "export", &world.key("director"), "--out", &out.to_string_lossy()]).unwrap();
    Key::read(&out).unwrap()
}

/// One attack by whoever holds the server and its key.
pub(crate) struct Stage {
    pub(crate) attack: Attack,
    pub(crate) impostor: Impostor,
    pub(crate) director: Key,
    name: &'static str,
}

impl Stage {
    /// A data plane in ring `early` that took level 41 by an honest grant.
    pub(crate) fn at_41(name: &'static str) -> Self {
        Self::at_41_in(name, "early", "")
    }

    pub(crate) fn at_41_in(name: &'static str, ring: &str, more: &str) -> Self {
        let stage = Self::fresh(name, ring, more, &base().at_41);
        // Honest words of a moment before the attack, when even `regulated` had long been open.
        let mut honest = stage.assignment(&base().at_41, 41);
        honest["issued"] = expires(unix_now() + LATER - 60).into();
        stage.say(&honest);
        let at = if ring == "regulated" { unix_now() + 13 * 3600 } else { unix_now() + LATER };
        if ring == "regulated" {
            honest["issued"] = expires(at - 60).into();
            honest["start"]["until"] = expires(at + 3600).into();
            honest["expires"] = expires(at + 3600).into();
            stage.say(&honest);
        }
        let first =
            stage.attack.data_plane.pass(&stage.attack.base.world, &[("PDP_NOW", &expires(at))]).unwrap();
        let status = stage.attack.data_plane.status().unwrap();
        assert_eq!(stage.attack.data_plane.level(), Some(41), "{}\n{status:#}", first.stderr);
        stage.attack.serve(&base().at_42);
        stage
    }

    /// A data plane that has installed nothing yet.
    pub(crate) fn fresh(name: &'static str, ring: &str, more: &str, catalog: &Files) -> Self {
        let impostor = Impostor::start().unwrap();
        let base = base();
        let token = base.world.path("impostor.token");
        std::fs::write(&token, format!("pdpe_{}", "s".repeat(43))).unwrap();
        let more = format!(
            "  instruction: {{server: {{url: \"{}\", enrolmentToken: {}}}}}\n{more}",
            impostor.url(),
            token.display()
        );
        let attack = Attack::prepared(name, catalog, ring, &more);
        let enrolled =
            json!({ "id": { "organization": "victim", "dataPlane": name }, "ring": ring, "pollAfter": "5s" });
        impostor.says("enrolments", enrolled.to_string().into_bytes());
        Self { attack, impostor, director: stolen_key(&base.world), name }
    }

    /// What an honest server would say: this level is the ceiling, and may start.
    pub(crate) fn assignment(&self, catalog: &Files, level: u32) -> Value {
        let now = unix_now() + LATER;
        let release = &catalog[&format!("targets/release-pdp-2026-{level}.json")];
        let sha256 = sha256(release);
        json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "issued": expires(now), "expires": expires(now + 12 * 3600),
            "organization": "victim", "dataPlane": self.name, "ring": "early",
            "ceiling": { "line": "pdp-2026", "level": level, "length": release.len(), "sha256": sha256 },
            "minCatalog": { "channels": 1, "targets": 1 },
            "start": { "level": level, "sha256": sha256, "attempt": 1, "until": expires(now + 3600) },
            "pollAfter": "1m",
        })
    }

    /// The stolen server says this from now on, validly signed.
    pub(crate) fn say(&self, assignment: &Value) {
        self.say_raw(self.director.seal(ASSIGNMENT, assignment));
    }

    pub(crate) fn say_raw(&self, envelope: Vec<u8>) {
        self.impostor.says("assignment", envelope.clone());
        self.impostor.says("ready", envelope);
    }

    /// The next pass must say `code` and write nothing.
    pub(crate) fn is_refused_with(&self, code: &str) {
        self.attack.is_refused_at(code, &[("PDP_NOW", &expires(unix_now() + LATER))]);
    }

    /// One more pass; the level after it.
    pub(crate) fn pass_at(&self, unix: i64) -> Option<u64> {
        let pass =
            self.attack.data_plane.pass(&self.attack.base.world, &[("PDP_NOW", &expires(unix))]).unwrap();
        assert!(pass.code.is_some_and(|code| code < 2), "{}", pass.stderr);
        self.attack.data_plane.level()
    }

    /// An honest word is followed after the attack: the data plane isn't deaf.
    pub(crate) fn is_not_deaf(&self, director: &Key, catalog: &Files) {
        let mut honest = self.assignment(catalog, 42);
        honest["issued"] = expires(unix_now() + LATER + 1).into();
        self.say_raw(director.seal(ASSIGNMENT, &honest));
        assert_eq!(
            self.pass_at(unix_now() + LATER + 60),
            Some(42),
            "{:#}",
            self.attack.data_plane.status().unwrap()
        );
    }
}
