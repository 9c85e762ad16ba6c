//! The public key of a data plane: Ed25519, 32 bytes.

use sigstore_types::DerPublicKey;

/// What stands before the 32 bytes in an SPKI (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PublicKey([u8; 32]);

impl PublicKey {
    /// From an SPKI PEM, none for anything else.
    pub(crate) fn from_pem(pem: &str) -> Option<Self> {
        let der = DerPublicKey::from_pem(pem).ok()?;
        Some(Self(der.as_bytes().strip_prefix(&SPKI)?.try_into().ok()?))
    }

    /// The 32 bytes.
    pub(crate) fn raw(&self) -> &[u8; 32] {
        &self.0
    }

    /// As SPKI.
    pub(crate) fn der(&self) -> DerPublicKey {
        DerPublicKey::new([SPKI.as_slice(), &self.0].concat())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_ed25519_is_read_and_comes_back_as_it_was() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let key = PublicKey::from_pem(pem).unwrap();
        assert_eq!(key.der().to_pem().replace('\r', ""), pem);
        let p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdhUL5M0eEAm5+AqHZpWVUcVSm0fP\nCUqTqbbRFDGGGkcXYDMPLYbfRKMSTZGZGvmNIBAKtOBIFtVPzmsYGXjbBQ==\n-----END PUBLIC KEY-----\n";
        assert!(PublicKey::from_pem(p256).is_none());
        assert!(PublicKey::from_pem("").is_none());
    }
}
