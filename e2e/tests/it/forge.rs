//! What an attacker does with stolen keys: signs whatever they like, in the right format.

use std::collections::BTreeMap;

use pdp_e2e::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sigstore::crypto::SigningScheme;
use sigstore::crypto::signing_key::{SigStoreKeyPair, SigStoreSigner};

use crate::base::Files;

/// A stolen key.
pub(crate) struct Stolen {
    pub(crate) id: String,
    pub(crate) listed: Value,
    pub(crate) public_pem: String,
    signer: SigStoreSigner,
}

impl Stolen {
    /// Unlocks one of the vendor's key files.
    pub(crate) fn from(world: &World, name: &str) -> Self {
        let file = std::fs::read(world.key(name)).unwrap();
        Self::of(SigStoreKeyPair::from_encrypted_pem(&file, b"test keys only").unwrap())
    }

    /// A key of the attacker's own.
    pub(crate) fn own() -> Self {
        let signer = SigningScheme::ECDSA_P256_SHA256_ASN1.create_signer().unwrap();
        Self::of(signer.to_sigstore_keypair().unwrap())
    }

    fn of(pair: SigStoreKeyPair) -> Self {
        let public_pem = pair.public_key_to_pem().unwrap();
        let listed = json!({ "keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": public_pem } });
        let key: sigstore_tuf::Key = serde_json::from_value(listed.clone()).unwrap();
        let signer = pair.to_sigstore_signer(&SigningScheme::ECDSA_P256_SHA256_ASN1).unwrap();
        Self { id: key.key_id().unwrap(), listed, public_pem, signer }
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.signer.sign(bytes).unwrap()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Replaces the payload of a role file and signs it with exactly these keys.
pub(crate) fn resign(files: &mut Files, path: &str, keys: &[&Stolen], edit: impl FnOnce(&mut Value)) {
    let mut file: Value = serde_json::from_slice(&files[path]).unwrap();
    edit(&mut file["signed"]);
    files.insert(path.to_owned(), signed(&file["signed"], keys));
}

/// A complete signed file.
pub(crate) fn signed(payload: &Value, keys: &[&Stolen]) -> Vec<u8> {
    let bytes = sigstore_tuf::canonical_json::to_canonical_bytes(payload).unwrap();
    let signatures: Vec<_> =
        keys.iter().map(|key| json!({ "keyid": key.id, "sig": hex::encode(key.sign(&bytes)) })).collect();
    serde_json::to_vec_pretty(&json!({ "signatures": signatures, "signed": payload })).unwrap()
}

/// Signs snapshot and timestamp anew over whatever stands there, as of `unix`, living for a week.
pub(crate) fn freshen(files: &mut Files, unix: i64, snapshot: &Stolen, timestamp: &Stolen) {
    let expires = expires(unix + 6 * 86_400);
    let meta: BTreeMap<_, _> = ["targets", "releases", "channels"]
        .iter()
        .map(|role| (format!("{role}.json"), pin(files, role)))
        .collect();
    resign(files, "metadata/snapshot.json", &[snapshot], |signed| {
        signed["version"] = unix.into();
        signed["expires"] = expires.clone().into();
        signed["meta"] = json!(meta);
    });
    let pinned = pin(files, "snapshot");
    resign(files, "metadata/timestamp.json", &[timestamp], |signed| {
        signed["version"] = unix.into();
        signed["expires"] = expires.into();
        signed["meta"] = json!({ "snapshot.json": pinned });
    });
}

fn pin(files: &Files, role: &str) -> Value {
    let bytes = &files[&format!("metadata/{role}.json")];
    let file: Value = serde_json::from_slice(bytes).unwrap();
    json!({ "version": file["signed"]["version"], "length": bytes.len(), "hashes": { "sha256": sha256(bytes) } })
}

/// RFC 3339 of a Unix time.
pub(crate) fn expires(unix: i64) -> String {
    pdp_e2e::rfc3339(unix)
}

/// Puts a target file and names it in a role's payload.
pub(crate) fn put_target(files: &mut Files, signed: &mut Value, name: &str, content: &[u8]) {
    signed["targets"][name] = json!({ "length": content.len(), "hashes": { "sha256": sha256(content) } });
    files.insert(format!("targets/{name}"), content.to_vec());
}

/// Raises a role's version by one.
pub(crate) fn bump(signed: &mut Value) {
    signed["version"] = (signed["version"].as_u64().unwrap() + 1).into();
}

/// A role with one more target, signed by `keys`.
pub(crate) fn list(files: &mut Files, role: &str, name: &str, content: &[u8], keys: &[&Stolen]) {
    let path = format!("metadata/{role}.json");
    let mut file: Value = serde_json::from_slice(&files[&path]).unwrap();
    bump(&mut file["signed"]);
    put_target(files, &mut file["signed"], name, content);
    files.insert(path, signed(&file["signed"], keys));
}
