//! A catalog of many levels, signed by keys of its own: copies of the newest level of a world, which can be installed.

mod levels;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use self::levels::{CHANNEL, Pattern};
use crate::key::Key;
use crate::wire::rfc3339;
use crate::world::World;

/// Files by their path.
type Files = BTreeMap<String, Vec<u8>>;

const DAY: i64 = 86_400;

/// Two of everybody, but one key each for what machines sign.
const HOLDERS: [(&str, usize); 6] =
    [("root", 2), ("targets", 2), ("releases", 2), ("channels", 2), ("snapshot", 1), ("timestamp", 1)];

/// A vendor that went on for long.
#[derive(Debug)]
pub struct Grown {
    holders: BTreeMap<&'static str, Vec<Key>>,
    /// All but what machines sign.
    files: Files,
}

impl Grown {
    /// Levels 1 to `levels`, all of them promoted and open. The highest is the world's newest level under another number;
    /// each one below it differs in some digests, as levels do.
    ///
    /// # Errors
    /// When the world has published no level yet.
    pub fn new(world: &World, levels: u32, now: i64) -> Result<Self> {
        let mut holders = BTreeMap::new();
        for (role, count) in HOLDERS {
            holders.insert(role, (0..count).map(|_| Key::new()).collect::<Result<Vec<_>>>()?);
        }
        let mut grown = Self { holders, files: Files::new() };
        let pattern = Pattern::of(world)?;
        let described: Files = (1..=levels).map(|level| pattern.descriptor(level, levels)).collect();
        let channel = pattern.channel(&described, now);
        grown.sign("root", "1.root", &grown.root(now))?;
        grown.list("targets", &pattern.lists, Some(grown.delegations()), now)?;
        grown.list("releases", &described, None, now)?;
        grown.list("channels", &[(CHANNEL.to_owned(), channel)].into(), None, now)?;
        Ok(grown)
    }

    /// The root that data planes of this vendor are installed with.
    ///
    /// # Errors
    /// Never in practice.
    pub fn root_file(&self) -> Result<&[u8]> {
        self.files.get("metadata/1.root.json").map(Vec::as_slice).context("a root")
    }

    /// The whole catalog as it is signed at a time.
    ///
    /// # Errors
    /// When it can't be signed.
    pub fn at(&self, unix: i64) -> Result<Files> {
        let mut files = self.files.clone();
        files.extend(self.refreshed(unix)?);
        Ok(files)
    }

    /// What a refresh at a time changes: `snapshot` and `timestamp`.
    ///
    /// # Errors
    /// When they can't be signed.
    pub fn refreshed(&self, unix: i64) -> Result<Files> {
        let pin = |bytes: &[u8], version: i64| json!({ "version": version, "length": bytes.len(), "hashes": { "sha256": sha256(bytes) } });
        let role = |role: &str, meta: Value| {
            json!({ "_type": role, "spec_version": "1.0.31", "version": unix,
                "expires": rfc3339(unix + 7 * DAY), "meta": meta })
        };
        let mut meta = BTreeMap::new();
        for name in ["targets", "releases", "channels"] {
            let file = self.files.get(&format!("metadata/{name}.json")).context("a signed role")?;
            meta.insert(format!("{name}.json"), pin(file, 1));
        }
        let snapshot = self.signed("snapshot", &role("snapshot", json!(meta)))?;
        let meta = json!({ "snapshot.json": pin(&snapshot, unix) });
        let timestamp = self.signed("timestamp", &role("timestamp", meta))?;
        Ok([
            ("metadata/snapshot.json".to_owned(), snapshot),
            ("metadata/timestamp.json".to_owned(), timestamp),
        ]
        .into())
    }

    fn root(&self, now: i64) -> Value {
        let top = ["root", "targets", "snapshot", "timestamp"];
        let keys: BTreeMap<_, _> = top.iter().flat_map(|role| self.keys(role)).collect();
        let roles: BTreeMap<_, _> = top.iter().map(|role| (*role, self.role(role))).collect();
        json!({ "_type": "root", "spec_version": "1.0.31", "version": 1, "consistent_snapshot": false,
            "expires": rfc3339(now + 365 * DAY), "keys": keys, "roles": roles })
    }

    fn delegations(&self) -> Value {
        let named = [("releases", "release-*.json"), ("channels", "channel-*.json")];
        let keys: BTreeMap<_, _> = named.iter().flat_map(|(role, _)| self.keys(role)).collect();
        let roles = named.map(|(name, path)| {
            let mut role = self.role(name);
            (role["name"], role["paths"]) = (json!(name), json!([path]));
            role
        });
        json!({ "keys": keys, "roles": roles })
    }

    /// Puts files, and a role that lists them.
    fn list(&mut self, role: &str, listed: &Files, delegations: Option<Value>, now: i64) -> Result<()> {
        let target =
            |bytes: &Vec<u8>| json!({ "length": bytes.len(), "hashes": { "sha256": sha256(bytes) } });
        let targets: BTreeMap<_, _> = listed.iter().map(|(name, bytes)| (name, target(bytes))).collect();
        let mut signed = json!({ "_type": "targets", "spec_version": "1.0.31", "version": 1,
            "expires": rfc3339(now + 40 * DAY), "targets": targets });
        if let Some(delegations) = delegations {
            signed["delegations"] = delegations;
        }
        self.sign(role, role, &signed)?;
        self.files.extend(listed.iter().map(|(name, bytes)| (format!("targets/{name}"), bytes.clone())));
        Ok(())
    }

    fn sign(&mut self, role: &str, file: &str, payload: &Value) -> Result<()> {
        let signed = self.signed(role, payload)?;
        self.files.insert(format!("metadata/{file}.json"), signed);
        Ok(())
    }

    /// A complete file, signed by all holders of a role.
    fn signed(&self, role: &str, payload: &Value) -> Result<Vec<u8>> {
        let bytes = sigstore_tuf::canonical_json::to_canonical_bytes(payload)?;
        let sign = |key: &Key| Ok(json!({ "keyid": id(key)?, "sig": hex::encode(key.sign(&bytes)) }));
        let signatures = self.of(role).iter().map(sign).collect::<Result<Vec<_>>>()?;
        Ok(serde_json::to_vec_pretty(&json!({ "signatures": signatures, "signed": payload }))?)
    }

    fn of(&self, role: &str) -> &[Key] {
        self.holders.get(role).map(Vec::as_slice).unwrap_or_default()
    }

    fn keys(&self, role: &str) -> Vec<(String, Value)> {
        self.of(role).iter().filter_map(|key| Some((id(key).ok()?, listed(key)))).collect()
    }

    fn role(&self, role: &str) -> Value {
        let ids: Vec<_> = self.keys(role).into_iter().map(|(id, _)| id).collect();
        json!({ "threshold": ids.len(), "keyids": ids })
    }
}

/// A key as TUF lists it.
fn listed(key: &Key) -> Value {
    json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex::encode(key.public()) } })
}

fn id(key: &Key) -> Result<String> {
    Ok(sha256(&sigstore_tuf::canonical_json::to_canonical_bytes(&listed(key))?))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
