//! Data planes that all want level 41 at once.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::{ChannelServer, Wire, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::base::unix_now;

/// What somebody heard who asked for leave to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Granted,
    /// An assignment that holds it, with this code.
    Held(String),
    /// An error with this status and code.
    Refused(u16, String),
    /// No answer.
    Nothing,
}

/// Enrolled data planes in ring `canary`, to which level 41 is open.
pub(crate) struct Crowd {
    pub(crate) wires: Vec<Wire>,
    sha256: String,
}

impl Crowd {
    /// So many; the first wave lets `cap` of them start.
    pub(crate) fn gather(world: &World, size: usize, cap: usize) -> Self {
        world.organization("crowd", "canary").unwrap();
        world
            .plan(|plan| {
                // All of them may be in flight at once: the wave's cap is what holds.
                let plan =
                    plan.replacen("inFlight: {count: 3}", "inFlight: {count: 256}\n    slowStart: false", 1);
                plan.replacen("{count: 1}", &format!("{{count: {cap}}}"), 1)
            })
            .unwrap();
        world.release(41, "emergency").unwrap();
        world.wait_for_ring(41, "canary", "open").unwrap();
        let wires = (0..size).map(|n| {
            let wire = Wire::new("crowd", &format!("dp-{n}")).unwrap();
            wire.enrol(world.server().unwrap()).unwrap();
            wire
        });
        Self { wires: wires.collect(), sha256: world.sha256(41).unwrap() }
    }

    /// One of them asks.
    pub(crate) fn ask(&self, wire: &Wire, server: &ChannelServer) -> Heard {
        let ready = json!({ "level": 41, "sha256": self.sha256, "attempt": 1 }).to_string().into_bytes();
        let (path, token) = (wire.path("ready?line=pdp-2026"), wire.token(unix_now()));
        let Ok((status, answer)) = server.call(Method::POST, &path, Some(&token), Some(ready)) else {
            return Heard::Nothing;
        };
        if status != 200 {
            return Heard::Refused(status, code(&answer));
        }
        let assignment = payload(&answer);
        match assignment["start"].is_object() {
            true => Heard::Granted,
            false => Heard::Held(assignment["hold"][0].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// All of them ask at once, one server after the other; in their order, what they heard. `meanwhile` can see how
    /// many have been answered.
    pub(crate) fn ask_while(
        &self,
        servers: &[&ChannelServer],
        meanwhile: impl FnOnce(&dyn Fn() -> usize),
    ) -> Vec<Heard> {
        let answered = &AtomicUsize::new(0);
        let ask = |wire: &Wire, server: &ChannelServer| {
            let heard = self.ask(wire, server);
            answered.fetch_add(1, Relaxed);
            heard
        };
        std::thread::scope(|scope| {
            let pairs = self.wires.iter().zip(servers.iter().cycle());
            let asking: Vec<_> = pairs.map(|(wire, server)| scope.spawn(move || ask(wire, server))).collect();
            meanwhile(&|| answered.load(Relaxed));
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        })
    }

    /// All of them ask at once; how many have leave to start now. The others hear that there is none for them.
    pub(crate) fn grants(&self, servers: &[&ChannelServer]) -> usize {
        let heard = self.ask_while(servers, |_| ());
        let others = heard.iter().filter(|heard| **heard != Heard::Granted);
        let none = Heard::Held("NoGrant".to_owned());
        assert_eq!(others.filter(|heard| **heard != none).collect::<Vec<_>>(), Vec::<&Heard>::new());
        heard.iter().filter(|heard| **heard == Heard::Granted).count()
    }

    /// One of them reports that it waits; status and code.
    pub(crate) fn report(&self, wire: &Wire, server: &ChannelServer, at: i64) -> (u16, String) {
        self.say(wire, server, at, "waiting")
    }

    /// One of them reports how far it is; status and code.
    pub(crate) fn say(&self, wire: &Wire, server: &ChannelServer, at: i64, state: &str) -> (u16, String) {
        let report = wire.seal(&wire.report(at, Value::Null, 41, &self.sha256, state));
        let path = wire.path("reports?line=pdp-2026");
        let (status, answer) = server.call(Method::POST, &path, None, Some(report)).unwrap();
        (status, code(&answer))
    }
}

/// The stable code of an error; nothing of another answer.
pub(crate) fn code(answer: &str) -> String {
    let problem: Value = serde_json::from_str(answer).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().to_owned()
}

/// What is in a signed envelope.
pub(crate) fn payload(envelope: &str) -> Value {
    let envelope: Value = serde_json::from_str(envelope).unwrap();
    serde_json::from_slice(&STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()).unwrap()
}
