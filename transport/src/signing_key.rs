//! Ed25519 keys of directors and data planes: PKCS#8 PEM files, DSSE envelopes, short-lived tokens.

use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use pdp_policies::{At, document, dsse};
use serde::Serialize;

use crate::channel_server::{AUDIENCE, Claims, TOKEN_LIFE};
use crate::error::{Error, Kind, Result};
use crate::files;

/// A key file is small.
const MAX_KEY_BYTES: u64 = 16 * 1024;

/// A private Ed25519 key. Never printed.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    pkcs8: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public_pem().lines().nth(1).unwrap_or_default())
    }
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// `Io` when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        let failed = |_| Error::new(Kind::Io, "make a key", "the system gave no randomness");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        let pkcs8 = der.as_ref().to_vec();
        Ok(Self { pair, pkcs8 })
    }

    /// Reads a key file (PKCS#8 PEM, not encrypted), none if there is no such file.
    ///
    /// # Errors
    /// `BadCredentials` for anything but an Ed25519 key that only its owner may read.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let what = format!("key file {}", path.display());
        let Some(bytes) = files::read_capped(path, MAX_KEY_BYTES)? else { return Ok(None) };
        check_owner(path).map_err(|cause| Error::new(Kind::BadCredentials, &what, cause))?;
        Self::from_pem(&what, &bytes).map(Some)
    }

    /// Reads a key (PKCS#8 PEM, not encrypted); `what` names it in errors.
    ///
    /// # Errors
    /// `BadCredentials` for anything but an Ed25519 key.
    pub fn from_pem(what: &str, bytes: &[u8]) -> Result<Self> {
        let bad = |cause: &str| Error::new(Kind::BadCredentials, what, cause);
        let parsed = pem::parse(bytes).map_err(|_| bad("it is not a PEM file"))?;
        if parsed.tag() != "PRIVATE KEY" {
            return Err(bad("it is not an unencrypted PKCS#8 key (BEGIN PRIVATE KEY)"));
        }
        let pkcs8 = parsed.into_contents();
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| bad("it is not an Ed25519 key"))?;
        Ok(Self { pair, pkcs8 })
    }

    /// Writes the key file, readable by its owner alone.
    ///
    /// # Errors
    /// `DiskFull`, `Io`.
    pub fn write(&self, path: &Path) -> Result<()> {
        // The temporary file behind it is made with mode 0600, and renaming keeps that.
        files::write_atomic(path, self.to_pem().as_bytes())
    }

    /// The private key as PKCS#8 PEM, for a store that only its owner may read.
    pub fn to_pem(&self) -> String {
        pem::encode(&pem::Pem::new("PRIVATE KEY", self.pkcs8.clone()))
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

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// A DSSE envelope around a document.
    ///
    /// # Errors
    /// Never for documents of ours: all of them are JSON.
    pub fn seal(&self, payload_type: &str, value: &impl Serialize) -> Result<Vec<u8>> {
        let payload = document::write(value)
            .map_err(|e| Error::new(Kind::Garbage, "write a document", e.to_string()))?;
        dsse::seal(payload_type, &payload, |bytes| Ok(self.sign(bytes)))
    }

    /// A token that says who asks: a JWT (EdDSA) for the channel server, from `now` on for [`TOKEN_LIFE`].
    ///
    /// # Errors
    /// `BadCredentials` when the key can't sign.
    pub fn token(&self, subject: &str, now: At) -> Result<String> {
        let claims = Claims {
            sub: subject.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now.unix(),
            exp: now.plus(TOKEN_LIFE).unix(),
        };
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        let key = jsonwebtoken::EncodingKey::from_ed_der(&self.pkcs8);
        jsonwebtoken::encode(&header, &claims, &key)
            .map_err(|e| Error::new(Kind::BadCredentials, "sign a token", e.to_string()))
    }
}

/// A key that others may read is no secret. Group access is let through: Kubernetes mounts Secrets so.
fn check_owner(path: &Path) -> std::result::Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|e| e.to_string())?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(format!("everyone may read it (mode {:o}); run chmod 600", mode & 0o777));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_file_and_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        assert!(SigningKey::read(&path).unwrap().is_none());
        let key = SigningKey::generate().unwrap();
        key.write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = SigningKey::read(&path).unwrap().unwrap();
        assert_eq!(again.public_pem(), key.public_pem());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(SigningKey::read(&path).unwrap_err().kind, Kind::BadCredentials);
    }

    #[test]
    fn what_it_seals_its_public_half_opens() {
        let key = SigningKey::generate().unwrap();
        let list = pdp_policies::KeyList::active([key.public_pem()]);
        let envelope = key.seal(dsse::REPORT, &"hello").unwrap();
        let opened = dsse::open("x", &envelope, dsse::REPORT, &[list.keys[0].der().unwrap()]).unwrap();
        assert_eq!(opened, b"\"hello\"\n");
    }
}
