//! A simulated data plane: it speaks the real protocol with a real key, and installs nothing.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// Payload type of a report.
const REPORT: &str = "application/vnd.wso2.pdp.report.v1+json";

/// A data plane on the wire.
#[derive(Debug)]
pub struct Wire {
    /// The customer.
    pub organization: String,
    /// The data plane.
    pub data_plane: String,
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

/// RFC 3339 of a Unix time.
pub fn rfc3339(unix: i64) -> String {
    jiff::Timestamp::from_second(unix).unwrap_or_default().to_string()
}

impl Wire {
    /// One with a new key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new(organization: &str, data_plane: &str) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::generate()?;
        let der: Pkcs8V1Der<'_> = pair.as_der()?;
        let pkcs8 = der.as_ref().to_vec();
        Ok(Self { organization: organization.into(), data_plane: data_plane.into(), pair, pkcs8 })
    }

    /// `<organization>/<data plane>`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.organization, self.data_plane)
    }

    /// The path of its endpoints, such as `assignment?line=pdp-2026`.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/data-planes/{}/{rest}", self.id())
    }

    /// The public half, SPKI PEM.
    pub fn public_pem(&self) -> String {
        let der: Result<PublicKeyX509Der<'_>, _> = self.pair.public_key().as_der();
        let der = der.map(|der| der.as_ref().to_vec()).unwrap_or_default();
        pem::encode_config(
            &pem::Pem::new("PUBLIC KEY", der),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        )
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

    /// Its login, good for ten minutes from `now` (Unix seconds).
    pub fn token(&self, now: i64) -> String {
        self.token_with(&json!({
            "sub": self.id(), "aud": "updates.pdp.wso2.com/channel-server", "iat": now, "exp": now + 600,
        }))
    }

    /// A login with these claims.
    pub fn token_with(&self, claims: &Value) -> String {
        let key = EncodingKey::from_ed_der(&self.pkcs8);
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap_or_default()
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
        let payload = report.to_string();
        let mut signed = format!("DSSEv1 {} {REPORT} {} ", REPORT.len(), payload.len()).into_bytes();
        signed.extend_from_slice(payload.as_bytes());
        let signature = STANDARD.encode(self.pair.sign(&signed));
        let payload = STANDARD.encode(payload);
        json!({ "payloadType": REPORT, "payload": payload, "signatures": [{ "sig": signature }] })
            .to_string()
            .into_bytes()
    }
}
