//! Ed25519 keys of data planes and directors, as they sign on the wire.

use anyhow::{Context, Result};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// A private key.
#[derive(Debug)]
pub struct Key {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

impl Key {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> Result<Self> {
        let pair = Ed25519KeyPair::generate()?;
        let der: Pkcs8V1Der<'_> = pair.as_der()?;
        let pkcs8 = der.as_ref().to_vec();
        Ok(Self { pair, pkcs8 })
    }

    /// One that lies in a file (PKCS#8 PEM).
    ///
    /// # Errors
    /// When it isn't one.
    pub fn read(file: &std::path::Path) -> Result<Self> {
        let pkcs8 = pem::parse(std::fs::read(file)?)?.into_contents();
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).ok().context("not an Ed25519 key")?;
        Ok(Self { pair, pkcs8 })
    }

    /// The public half, SPKI PEM.
    pub fn public_pem(&self) -> String {
        let der: std::result::Result<PublicKeyX509Der<'_>, _> = self.pair.public_key().as_der();
        let der = der.map(|der| der.as_ref().to_vec()).unwrap_or_default();
        pem::encode_config(
            &pem::Pem::new("PUBLIC KEY", der),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        )
    }

    /// The 32 bytes of the public half.
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A signature.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// A login (JWT, EdDSA) with these claims.
    pub fn login(&self, claims: &Value) -> String {
        let key = EncodingKey::from_ed_der(&self.pkcs8);
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap_or_default()
    }

    /// A document in a DSSE envelope.
    pub fn seal(&self, payload_type: &str, document: &Value) -> Vec<u8> {
        let payload = document.to_string();
        let mut signed =
            format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
        signed.extend_from_slice(payload.as_bytes());
        let signature = STANDARD.encode(self.pair.sign(&signed));
        let payload = STANDARD.encode(payload);
        json!({ "payloadType": payload_type, "payload": payload, "signatures": [{ "sig": signature }] })
            .to_string()
            .into_bytes()
    }
}
