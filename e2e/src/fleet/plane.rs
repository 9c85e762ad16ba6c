//! One simulated data plane: poll, ask for leave, start, report; as pdp-sync does, without anything to install.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::Counts;
use super::script::{Lot, Script};
use crate::connection::{Answer, Connection, get, post};
use crate::wire::{Wire, unix_now};

const ASSIGNMENT: &str = "assignment?line=pdp-2026";
const READY: &str = "ready?line=pdp-2026";
const REPORTS: &str = "reports?line=pdp-2026";
/// After a lost connection (milliseconds).
const PAUSE: Duration = Duration::from_millis(300);
/// A login is renewed after this (seconds); it is good for ten minutes.
const RENEW: i64 = 300;

pub(super) struct Plane {
    pub(super) wire: Arc<Wire>,
    pub(super) host: String,
    pub(super) clock: PathBuf,
    pub(super) script: Arc<Script>,
    pub(super) counts: Arc<Counts>,
    /// The last good level and its hex SHA-256.
    pub(super) current: Option<(u32, String)>,
    /// Levels and attempts that failed here.
    pub(super) quarantined: Vec<(u32, u32)>,
}

/// A level as an assignment offers it.
struct Offer {
    level: u32,
    sha256: String,
    attempt: u32,
}

impl Plane {
    /// Until told to stop.
    pub(super) async fn live(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.live_on() => {}
            _ = stop.changed() => {}
        }
    }

    /// Servers restart, and connections are lost; that is none of the data plane's business.
    async fn live_on(mut self) {
        loop {
            let _ = self.connected().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn connected(&mut self) -> Result<()> {
        let mut connection = Connection::open(&self.host).await?;
        self.report(&mut connection, None).await?;
        let (mut tag, mut login) = (None::<String>, (String::new(), 0));
        loop {
            let now = self.now();
            if now >= login.1 + RENEW || now < login.1 {
                login = (self.wire.token(now), now);
            }
            let known = tag.as_ref().map_or_else(String::new, |tag| format!("if-none-match: {tag}\r\n"));
            let more = format!("{known}prefer: wait=50\r\n");
            let answer =
                connection.ask(&get(&self.host, &self.wire.path(ASSIGNMENT), &login.0, &more)).await?;
            match answer.status {
                200 if self.is_waiting(&mut connection, &login.0, &answer).await? => {
                    tokio::time::sleep(self.script.again).await;
                }
                200 => tag = answer.tag,
                304 => {}
                _ => {
                    self.counts.refused.fetch_add(1, Relaxed);
                    tokio::time::sleep(self.script.again).await;
                }
            }
        }
    }

    /// Does what an assignment says; true if it was offered a level and has to ask for leave again.
    async fn is_waiting(
        &mut self,
        connection: &mut Connection,
        login: &str,
        answer: &Answer,
    ) -> Result<bool> {
        let Some(offer) = self.offer(&opened(&answer.body)?) else { return Ok(false) };
        let lot = self.script.lot(&self.wire.id(), offer.level, offer.attempt);
        if lot == Lot::Deferred {
            self.report(connection, Some((&offer, "deferred"))).await?;
            return Ok(false);
        }
        if !self.is_granted(connection, login, &offer).await? {
            return Ok(true);
        }
        self.install(connection, &offer, lot).await.map(|()| false)
    }

    /// What is above the installed level and hasn't failed here.
    fn offer(&self, assignment: &Value) -> Option<Offer> {
        let ceiling = &assignment["ceiling"];
        let level = u32::try_from(ceiling["level"].as_u64()?).ok()?;
        let attempt = assignment["attempt"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        let above = self.current.as_ref().is_none_or(|(current, _)| level > *current);
        let sha256 = ceiling["sha256"].as_str()?.to_owned();
        (above && !self.quarantined.contains(&(level, attempt))).then_some(Offer { level, sha256, attempt })
    }

    async fn is_granted(&self, connection: &mut Connection, login: &str, offer: &Offer) -> Result<bool> {
        let body = json!({ "level": offer.level, "sha256": offer.sha256, "attempt": offer.attempt });
        let request = post(&self.host, &self.wire.path(READY), Some(login), body.to_string().as_bytes());
        let mut answer = connection.ask(&request).await?;
        if self.script.doubled {
            answer = connection.ask(&request).await?;
        }
        if answer.status != 200 {
            self.counts.refused.fetch_add(1, Relaxed);
            return Ok(false);
        }
        Ok(opened(&answer.body)?["start"]["level"] == offer.level)
    }

    async fn install(&mut self, connection: &mut Connection, offer: &Offer, lot: Lot) -> Result<()> {
        self.counts.starts();
        self.report(connection, Some((offer, "started"))).await?;
        tokio::time::sleep(self.script.takes).await;
        match lot {
            Lot::Silent => std::future::pending().await,
            Lot::Failed => {
                self.quarantined.push((offer.level, offer.attempt));
                self.report(connection, Some((offer, "failed"))).await?;
                self.counts.fails();
                Ok(())
            }
            Lot::Healthy | Lot::Deferred => {
                self.current = Some((offer.level, offer.sha256.clone()));
                self.counts.healthy.fetch_add(1, Relaxed);
                self.report(connection, Some((offer, "healthy"))).await
            }
        }
    }

    async fn report(&self, connection: &mut Connection, target: Option<(&Offer, &str)>) -> Result<()> {
        let current = self.current.as_ref();
        let current =
            current.map_or(Value::Null, |(level, sha256)| json!({ "level": level, "sha256": sha256 }));
        let (level, sha256, state) =
            target.map_or((0, "", ""), |(offer, state)| (offer.level, offer.sha256.as_str(), state));
        let mut report = self.wire.report(self.now(), current, level, sha256, state);
        match target {
            Some((offer, state)) => self.explain(&mut report["target"], offer, state),
            None => report["target"] = Value::Null,
        }
        let request = post(&self.host, &self.wire.path(REPORTS), None, &self.wire.seal(&report));
        for _ in 0..=usize::from(self.script.doubled) {
            let answer = connection.ask(&request).await?;
            if answer.status >= 400 {
                self.counts.refused.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    }

    fn explain(&self, target: &mut Value, offer: &Offer, state: &str) {
        target["attempt"] = offer.attempt.into();
        if state == "deferred" {
            let codes = self.script.reasons(&self.wire.id(), offer.level);
            target["codes"] = codes.iter().map(|code| json!({ "obstacle": code })).collect();
        }
        if let Some(component) = self.script.component.filter(|_| state == "failed") {
            target["component"] = component.into();
        }
    }

    /// The world's clock, which tests move.
    fn now(&self) -> i64 {
        let moved = std::fs::read_to_string(&self.clock).ok();
        let moved = moved.and_then(|text| text.trim().parse::<jiff::Timestamp>().ok());
        moved.map_or_else(unix_now, jiff::Timestamp::as_second)
    }
}

/// The payload of a signed answer. The simulated data plane trusts its server; pdp-sync doesn't.
fn opened(envelope: &[u8]) -> Result<Value> {
    let envelope: Value = serde_json::from_slice(envelope)?;
    let payload = STANDARD.decode(envelope["payload"].as_str().context("no payload")?)?;
    Ok(serde_json::from_slice(&payload)?)
}
