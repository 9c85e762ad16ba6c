//! A simulated data plane: it speaks the real protocol with a real key, and installs nothing.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::channel_server::ChannelServer;
use crate::key::Key;

/// Payload type of a report.
const REPORT: &str = "application/vnd.wso2.pdp.report.v1+json";

/// A data plane on the wire.
#[derive(Debug)]
pub struct Wire {
    /// The customer.
    pub organization: String,
    /// The data plane.
    pub data_plane: String,
    key: Key,
}

/// RFC 3339 of a Unix time.
pub fn rfc3339(unix: i64) -> String {
    jiff::Timestamp::from_second(unix).unwrap_or_default().to_string()
}

/// The real time, in Unix seconds.
pub fn unix_now() -> i64 {
    jiff::Timestamp::now().as_second()
}

impl Wire {
    /// One with a new key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(organization: &str, data_plane: &str) -> Result<Self> {
        Ok(Self { organization: organization.into(), data_plane: data_plane.into(), key: Key::new()? })
    }

    /// `<organization>/<data plane>`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.organization, self.data_plane)
    }

    /// The path of its endpoints, such as `assignment?line=pdp-2026`.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/data-planes/{}/{rest}", self.id())
    }

    /// The public half of its key, SPKI PEM.
    pub fn public_pem(&self) -> String {
        self.key.public_pem()
    }

    /// What it introduces itself with.
    pub fn enrolment(&self, token: &str) -> Vec<u8> {
        json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "token": token, "organization": self.organization,
            "dataPlane": self.data_plane, "publicKey": self.public_pem(), "pdpSync": "0.1.0",
        })
        .to_string()
        .into_bytes()
    }

    /// Enrols with a token that the admin makes.
    ///
    /// # Errors
    /// When the server refuses either.
    pub fn enrol(&self, server: &ChannelServer) -> Result<()> {
        let life = json!({ "life": "1h" }).to_string().into_bytes();
        let path = self.path("enrolment-tokens");
        let (status, made) = server.call(Method::POST, &path, Some(&server.token), Some(life))?;
        ensure!(status == 200, "{path}: {status} {made}");
        let made: Value = serde_json::from_str(&made)?;
        let enrolment = self.enrolment(made["token"].as_str().unwrap_or_default());
        let (status, answer) = server.call(Method::POST, "/v1/enrolments", None, Some(enrolment))?;
        ensure!(status == 200, "enrol {}: {status} {answer}", self.id());
        Ok(())
    }

    /// Its login, good for ten minutes from `now` (Unix seconds).
    pub fn token(&self, now: i64) -> String {
        self.token_with(&json!({
            "sub": self.id(), "aud": "updates.pdp.wso2.com/channel-server", "iat": now, "exp": now + 600,
        }))
    }

    /// A login with these claims.
    pub fn token_with(&self, claims: &Value) -> String {
        self.key.login(claims)
    }

    /// A report as of `now` (Unix seconds): what is installed, and how far it is with a level.
    pub fn report(&self, now: i64, current: Value, level: u32, sha256: &str, state: &str) -> Value {
        json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "issued": rfc3339(now), "expires": rfc3339(now + 3600),
            "organization": self.organization, "dataPlane": self.data_plane, "current": current,
            "target": { "level": level, "sha256": sha256, "attempt": 1, "state": state },
            "catalog": { "timestamp": 1, "channels": 1, "targets": 1 }, "pdpSync": "0.1.0",
        })
    }

    /// A report in its envelope.
    pub fn seal(&self, report: &Value) -> Vec<u8> {
        self.key.seal(REPORT, report)
    }
}
