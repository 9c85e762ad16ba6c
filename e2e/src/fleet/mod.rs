//! A fleet of simulated data planes: thousands, each with its own key and connection, speaking the real protocol to a
//! real channel server. They install nothing; a script says what becomes of each level.

mod plane;
mod script;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::connection::{Connection, post};
use crate::wire::Wire;
use crate::world::World;
pub use script::{Lot, Script};

/// So many connections enrol the fleet.
const ENROLLING: usize = 8;

/// Enrolled data planes, not playing yet.
#[derive(Debug)]
pub struct Fleet {
    wires: Vec<Arc<Wire>>,
    host: String,
    clock: std::path::PathBuf,
}

/// What the fleet has done so far. Counted where it happens, not read from the server.
#[derive(Debug, Default)]
pub struct Counts {
    /// Starts by grant.
    pub started: AtomicUsize,
    /// Good ends.
    pub healthy: AtomicUsize,
    /// Bad ends.
    pub failed: AtomicUsize,
    /// Requests that were answered with 4xx or 5xx.
    pub refused: AtomicUsize,
    moments: Mutex<Moments>,
}

/// When what counts happened.
#[derive(Debug, Default, Clone, Copy)]
pub struct Moments {
    /// The first bad end was reported.
    pub first_failure: Option<Instant>,
    /// The last start began.
    pub last_start: Option<Instant>,
}

impl Counts {
    /// When it happened.
    pub fn moments(&self) -> Moments {
        *self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn starts(&self) {
        self.started.fetch_add(1, Relaxed);
        self.moments.lock().unwrap_or_else(PoisonError::into_inner).last_start = Some(Instant::now());
    }

    fn fails(&self) {
        self.failed.fetch_add(1, Relaxed);
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.first_failure.get_or_insert_with(Instant::now);
    }
}

impl Fleet {
    /// Makes the organizations of each ring and enrols their data planes over the real API: `(ring, organizations,
    /// data planes of each)`.
    ///
    /// # Errors
    /// When the server refuses one.
    pub fn enrol(runtime: &Runtime, world: &World, rings: &[(&str, usize, usize)]) -> Result<Self> {
        let (server, mut wires) = (world.server()?, Vec::new());
        for (ring, organizations, planes) in rings {
            for organization in 0..*organizations {
                let name = format!("{ring}-{organization}");
                let body = json!({ "ring": ring, "reason": "simulated" }).to_string().into_bytes();
                let path = format!("/v1/organizations/{name}");
                let (status, answer) =
                    server.call(reqwest::Method::PUT, &path, Some(&server.token), Some(body))?;
                ensure!(status == 200, "{path}: {status} {answer}");
                for plane in 0..*planes {
                    wires.push(Arc::new(Wire::new(&name, &format!("dp-{plane}"))?));
                }
            }
        }
        let host = server.url().trim_start_matches("http://").to_owned();
        runtime.block_on(enrol(&host, &server.token, &wires))?;
        Ok(Self { wires, host, clock: world.path("clock") })
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.wires.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.wires.is_empty()
    }

    /// Lets them play until the result is dropped. All of them stand at level `installed` (with its hex SHA-256).
    pub fn play(&self, runtime: &Runtime, script: Script, installed: Option<(u32, String)>) -> Playing {
        let (counts, script, stop) = (Arc::<Counts>::default(), Arc::new(script), watch::Sender::new(false));
        for wire in &self.wires {
            let plane = plane::Plane {
                wire: Arc::clone(wire),
                host: self.host.clone(),
                clock: self.clock.clone(),
                script: Arc::clone(&script),
                counts: Arc::clone(&counts),
                current: installed.clone(),
                quarantined: Vec::new(),
            };
            runtime.spawn(plane.live(stop.subscribe()));
        }
        Playing { counts, stop }
    }
}

/// A fleet at work; it stops with this value.
#[derive(Debug)]
pub struct Playing {
    /// What it did.
    pub counts: Arc<Counts>,
    stop: watch::Sender<bool>,
}

impl Playing {
    /// Starts, good ends, bad ends.
    pub fn so_far(&self) -> (usize, usize, usize) {
        let Counts { started, healthy, failed, .. } = &*self.counts;
        (started.load(Relaxed), healthy.load(Relaxed), failed.load(Relaxed))
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// Enrols everybody over the real API, each with a token of its own. `host` is `host:port`.
///
/// # Errors
/// When the server refuses one.
pub async fn enrol(host: &str, admin: &str, wires: &[Arc<Wire>]) -> Result<()> {
    let mut tasks = Vec::new();
    for part in 0..ENROLLING {
        let part: Vec<_> = wires.iter().skip(part).step_by(ENROLLING).cloned().collect();
        let (host, admin) = (host.to_owned(), admin.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&host).await?;
            for wire in part {
                one(&mut connection, &host, &admin, &wire).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn one(connection: &mut Connection, host: &str, admin: &str, wire: &Wire) -> Result<()> {
    let request = post(host, &wire.path("enrolment-tokens"), Some(admin), b"{\"life\":\"1h\"}");
    let answer: Value = serde_json::from_slice(&connection.ask(&request).await?.body)?;
    let token = answer["token"].as_str().context("no token")?;
    let answer = connection.ask(&post(host, "/v1/enrolments", None, &wire.enrolment(token))).await?;
    ensure!(answer.status == 200, "{}", String::from_utf8_lossy(&answer.body));
    Ok(())
}
