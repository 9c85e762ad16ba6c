//! Changes of a key list: a key comes into use, goes out of use, or is taken back for ever.

use std::fmt;

use sigstore_crypto::{SigningScheme, VerificationKey};
use sigstore_types::DerPublicKey;

use crate::keys::{ARTIFACT_KEYS, DIRECTOR_KEYS, KeyList, KeyState, ListedKey};
use crate::time::At;

/// What the keys of a list are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// They sign instructions (Ed25519).
    Director,
    /// They sign OCI artifacts (ECDSA P-256).
    Artifact,
    /// They sign statements about artifacts (ECDSA P-256).
    Statement,
}

/// Why a list isn't changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadKeyChange {
    /// The text is no public key.
    Unreadable,
    /// A key of another type than the purpose needs.
    WrongType(KeyPurpose),
    /// It is on the list already. One that was revoked never comes back.
    Listed(KeyState),
    /// It isn't on the list.
    NotListed,
    /// Nobody could sign any more.
    LastActive,
}

impl KeyPurpose {
    /// The catalog target with its keys.
    pub fn file(self) -> &'static str {
        match self {
            Self::Director => DIRECTOR_KEYS,
            Self::Artifact | Self::Statement => ARTIFACT_KEYS,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Director => "director",
            Self::Artifact => "artifact",
            Self::Statement => "statement",
        }
    }

    /// True for a key of the type that it needs.
    pub fn fits(self, key: &DerPublicKey) -> bool {
        let Ok(key) = VerificationKey::from_spki(key) else { return false };
        match self {
            Self::Director => key.scheme() == SigningScheme::Ed25519,
            Self::Artifact | Self::Statement => {
                key.scheme() == SigningScheme::EcdsaP256Sha256 && is_uncompressed(key.as_bytes())
            }
        }
    }
}

/// A compressed point is the same key in another form: it would stand in two lists, or beside itself.
fn is_uncompressed(point: &[u8]) -> bool {
    point.len() == 65 && point.first() == Some(&4)
}

impl KeyList {
    /// What the list says of a key, none if it isn't listed.
    pub fn state_of(&self, key: &DerPublicKey) -> Option<KeyState> {
        self.position(key).and_then(|place| self.keys.get(place)).map(|key| key.state)
    }

    /// With one more key in use.
    ///
    /// # Errors
    /// `Unreadable`, `WrongType`, `Listed`.
    pub fn add(&self, purpose: KeyPurpose, public_pem: &str) -> Result<Self, BadKeyChange> {
        let key = DerPublicKey::from_pem(public_pem).map_err(|_| BadKeyChange::Unreadable)?;
        if !purpose.fits(&key) {
            return Err(BadKeyChange::WrongType(purpose));
        }
        if let Some(state) = self.state_of(&key) {
            return Err(BadKeyChange::Listed(state));
        }
        let mut list = self.clone();
        let public_key = public_pem.to_owned();
        list.keys.push(ListedKey { public_key, state: KeyState::Active, retired_at: None });
        Ok(list)
    }

    /// With a key out of use from `at` on.
    ///
    /// # Errors
    /// `NotListed`, `Listed` for one that is out of use or revoked already, `LastActive`.
    pub fn retire(&self, key: &DerPublicKey, at: At) -> Result<Self, BadKeyChange> {
        let mut list = self.clone();
        let listed = list.listed(key)?;
        if listed.state != KeyState::Active {
            return Err(BadKeyChange::Listed(listed.state));
        }
        (listed.state, listed.retired_at) = (KeyState::Retired, Some(at));
        list.usable()
    }

    /// With a key of which nothing counts any more, nor ever will. It stays listed: nobody can add it again.
    ///
    /// # Errors
    /// `NotListed`, `Listed` for one that is revoked already, `LastActive`.
    pub fn revoke(&self, key: &DerPublicKey) -> Result<Self, BadKeyChange> {
        let mut list = self.clone();
        let listed = list.listed(key)?;
        if listed.state == KeyState::Revoked {
            return Err(BadKeyChange::Listed(listed.state));
        }
        listed.state = KeyState::Revoked;
        list.usable()
    }

    fn usable(self) -> Result<Self, BadKeyChange> {
        let usable = self.active_keys().next().is_some();
        usable.then_some(self).ok_or(BadKeyChange::LastActive)
    }

    fn position(&self, key: &DerPublicKey) -> Option<usize> {
        self.keys.iter().position(|listed| listed.der().as_ref() == Some(key))
    }

    fn listed(&mut self, key: &DerPublicKey) -> Result<&mut ListedKey, BadKeyChange> {
        let place = self.position(key);
        place.and_then(|place| self.keys.get_mut(place)).ok_or(BadKeyChange::NotListed)
    }
}

impl BadKeyChange {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "BadCredentials",
            Self::WrongType(_) => "WrongKeyType",
            Self::Listed(KeyState::Revoked) => "KeyRevoked",
            Self::Listed(KeyState::Active | KeyState::Retired) => "KeyListed",
            Self::NotListed => "KeyNotListed",
            Self::LastActive => "LastActiveKey",
        }
    }

    /// The next step.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unreadable => "give the public half, which ends in .pub",
            Self::WrongType(_) => "did you take the key of another role?",
            Self::Listed(KeyState::Revoked) => "a revoked key never comes back: make a new one",
            Self::Listed(KeyState::Retired) => {
                "a key out of use doesn't come back: make a new one, or revoke this one"
            }
            Self::Listed(KeyState::Active) | Self::NotListed => "the command `list` shows all keys",
            Self::LastActive => "add the next key first, and publish that",
        }
    }
}

impl fmt::Display for BadKeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "it is no public key in SPKI PEM",
            Self::WrongType(KeyPurpose::Director) => "a director's key is Ed25519",
            Self::WrongType(KeyPurpose::Artifact) => "an artifact key is ECDSA P-256, its point uncompressed",
            Self::WrongType(KeyPurpose::Statement) => {
                "a statement key is ECDSA P-256, its point uncompressed"
            }
            Self::Listed(KeyState::Active) => "it is listed already, and in use",
            Self::Listed(KeyState::Retired) => "it is listed already, and out of use",
            Self::Listed(KeyState::Revoked) => "it is revoked",
            Self::NotListed => "it isn't listed",
            Self::LastActive => "no key would be in use any more: nobody could sign",
        })
    }
}
