//! A vendor in memory: keys, releases and a signed catalog, all through the public API.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_policies::release::{Artifact, Bundle, Component, Image, OnFailure, ReleaseKind, Requires};
use pdp_policies::trust::{
    COSIGN_PREDICATE, Catalog, Floors, Judged, SIGSTORE_BUNDLE, Verified, catalog, metadata,
};
use pdp_policies::{
    API_VERSION, ARTIFACT_KEYS, At, CatalogTree, Channel, DIRECTOR_KEYS, Digest, KeyList, Level, Line,
    Percent, Promotion, Release, RingPlan, Span, Tempo, document, dsse,
};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;

/// 2026-11-23T08:00:00Z.
/// A public key of a person, with its owner's name.
pub(crate) const KEY_OF_A_PERSON: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID37WWmuZ+jU0UKh8aK3u3ZdLT34SNcJAp0pCoyRyza2 a.lind";
pub(crate) const NOW: i64 = 1_795_420_800;

pub(crate) fn now() -> At {
    At::from_unix(NOW)
}

pub(crate) fn line() -> Line {
    "pdp-2026".parse().unwrap()
}

pub(crate) struct Key {
    pair: KeyPair,
    pub(crate) id: String,
    pub(crate) listed: Value,
    pub(crate) pem: String,
}

impl Key {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate_ecdsa_p256().unwrap();
        let pem = pair.public_key_der().unwrap().to_pem();
        let (id, listed) = metadata::key(&pem).unwrap();
        Self { pair, id, listed, pem }
    }
}

impl Key {
    /// A DSSE envelope by this key.
    pub(crate) fn seal(&self, payload_type: &str, document: &impl serde::Serialize) -> Vec<u8> {
        let payload = document::write(document).unwrap();
        let sign = |bytes: &[u8]| Ok::<_, ()>(self.pair.sign(bytes).unwrap().as_bytes().to_vec());
        dsse::seal(payload_type, &payload, sign).unwrap()
    }

    /// A Sigstore bundle by this key over a digest.
    pub(crate) fn bundle(&self, digest: &Digest) -> Vec<u8> {
        self.states(digest, COSIGN_PREDICATE)
    }

    /// The same with another predicate.
    pub(crate) fn states(&self, digest: &Digest, predicate_type: &str) -> Vec<u8> {
        let statement = serde_json::to_vec(&json!({
            "_type": "https://in-toto.io/Statement/v1", "subject": [{ "digest": { "sha256": digest.hex() } }],
            "predicateType": predicate_type, "predicate": {},
        }))
        .unwrap();
        let kind = "application/vnd.in-toto+json";
        let signature = self.pair.sign(&sigstore_types::pae(kind, &statement)).unwrap();
        let envelope = json!({
            "payload": STANDARD.encode(&statement), "payloadType": kind,
            "signatures": [{ "sig": STANDARD.encode(signature.as_bytes()) }],
        });
        let material = json!({ "publicKey": { "hint": STANDARD.encode([0; 32]) } });
        let bundle = json!({
            "mediaType": SIGSTORE_BUNDLE, "verificationMaterial": material, "dsseEnvelope": envelope,
        });
        serde_json::to_vec(&bundle).unwrap()
    }
}

/// Two people per role and one key each for snapshot and timestamp.
pub(crate) struct Vendor {
    pub(crate) root: [Key; 2],
    pub(crate) targets: [Key; 2],
    pub(crate) releases: [Key; 2],
    pub(crate) channels: [Key; 2],
    pub(crate) snapshot: [Key; 1],
    pub(crate) timestamp: [Key; 1],
    pub(crate) artifact: Key,
}

pub(crate) fn signed(payload: &Value, keys: &[impl Borrow<Key>]) -> Vec<u8> {
    let bytes = metadata::signing_bytes(payload).unwrap();
    let sign = |key: &Key| (key.id.clone(), key.pair.sign(&bytes).unwrap().as_bytes().to_vec());
    metadata::envelope(payload, &keys.iter().map(|key| sign(key.borrow())).collect()).unwrap()
}

fn role(keys: &[Key]) -> Value {
    json!({ "keyids": keys.iter().map(|k| &k.id).collect::<Vec<_>>(), "threshold": keys.len() })
}

impl Vendor {
    pub(crate) fn new() -> Self {
        let two = || [Key::new(), Key::new()];
        Self {
            root: two(),
            targets: two(),
            releases: two(),
            channels: two(),
            snapshot: [Key::new()],
            timestamp: [Key::new()],
            artifact: Key::new(),
        }
    }

    pub(crate) fn root_bytes(&self) -> Vec<u8> {
        let all = self.root.iter().chain(&self.targets).chain(&self.snapshot).chain(&self.timestamp);
        let keys: BTreeMap<_, _> = all.map(|key| (key.id.clone(), key.listed.clone())).collect();
        let payload = json!({
            "_type": "root", "spec_version": metadata::SPEC_VERSION, "version": 1, "consistent_snapshot": false,
            "expires": "2027-11-23T08:00:00Z", "keys": keys,
            "roles": { "root": role(&self.root), "targets": role(&self.targets),
                "snapshot": role(&self.snapshot), "timestamp": role(&self.timestamp) },
        });
        signed(&payload, &self.root)
    }

    /// A catalog with these releases and this channel, signed at `at`.
    pub(crate) fn catalog(&self, releases: &[Release], channel: &Channel, at: At) -> CatalogTree {
        let mut tree = CatalogTree::new();
        tree.insert("metadata/1.root.json", self.root_bytes()).unwrap();
        let key_list = |pem: &str| document::write(&KeyList::active([pem.to_owned()])).unwrap();
        let lists = vec![
            (DIRECTOR_KEYS.to_owned(), key_list(&self.artifact.pem)),
            (ARTIFACT_KEYS.to_owned(), key_list(&self.artifact.pem)),
        ];
        let described: Vec<_> = releases
            .iter()
            .map(|r| (Release::target_name(&r.line, r.level), document::write(r).unwrap()))
            .collect();
        let channels = vec![(Channel::target_name(&channel.line), document::write(channel).unwrap())];
        let all = self.releases.iter().chain(&self.channels);
        let keys: BTreeMap<_, _> = all.map(|key| (key.id.clone(), key.listed.clone())).collect();
        let delegate = |name: &str, keys: &[Key], path: &str| {
            let mut role = role(keys);
            role["name"] = name.into();
            role["paths"] = json!([path]);
            role
        };
        let delegations = json!({ "keys": keys, "roles": [
            delegate("releases", &self.releases, "release-*.json"),
            delegate("channels", &self.channels, "channel-*.json"),
        ]});
        let roles = [
            ("targets", lists, Some(delegations), &self.targets),
            ("releases", described, None, &self.releases),
            ("channels", channels, None, &self.channels),
        ];
        let mut files = BTreeMap::new();
        for (name, targets, delegations, keys) in roles {
            let listed =
                targets.iter().map(|(name, bytes)| (name.clone(), metadata::target(bytes))).collect();
            let expires = at.plus(Span::from_seconds(40 * 86_400));
            let file = signed(&metadata::targets(1, expires, &listed, delegations), keys);
            files.insert(format!("{name}.json"), file.clone());
            tree.insert(&format!("metadata/{name}.json"), file).unwrap();
            for (name, bytes) in targets {
                tree.insert(&format!("targets/{name}"), bytes).unwrap();
            }
        }
        let expires = at.plus(Span::from_seconds(7 * 86_400));
        let snapshot = signed(&metadata::snapshot(at, expires, &files).unwrap(), &self.snapshot);
        let timestamp = signed(&metadata::timestamp(at, expires, &snapshot).unwrap(), &self.timestamp);
        tree.insert("metadata/snapshot.json", snapshot).unwrap();
        tree.insert("metadata/timestamp.json", timestamp).unwrap();
        tree
    }

    pub(crate) fn judge(&self, tree: CatalogTree, at: At) -> Judged {
        catalog(tree, &Floors::new(self.root_bytes()), at, true)
    }

    /// A catalog that is trusted.
    pub(crate) fn trusted(&self, releases: &[Release], channel: &Channel, at: At) -> Verified<Catalog> {
        match self.judge(self.catalog(releases, channel, now()), at) {
            Judged::Trusted(catalog, _) => *catalog,
            other => panic!("{other:?}"),
        }
    }
}

/// A release with one component.
pub(crate) fn release(level: u32) -> Release {
    Release {
        api_version: API_VERSION.into(),
        critical: vec![],
        line: line(),
        level: Level(level),
        version: format!("2026.11.{level}"),
        kind: ReleaseKind::Update,
        base: None,
        supersedes: vec![],
        requires: Requires::default(),
        usual_length: None,
        advisories: vec![],
        removed: vec![],
        bundle: Bundle {
            repository: "registry.wso2.example/pdp".into(),
            digest: Digest::of(&level.to_be_bytes()),
            size: 4,
        },
        components: vec![Component {
            name: "cilium".parse().unwrap(),
            version: "1.15.10".into(),
            stage: 1,
            artifact: Artifact::Chart { name: "cilium".into(), digest: Digest::of(b"chart"), size: 5 },
            release_name: "cilium".parse().unwrap(),
            namespace: "kube-system".parse().unwrap(),
            on_failure: OnFailure::Hold,
            timeout: Span::from_seconds(600),
            settle: Span::from_seconds(60),
            platforms: vec![],
            optional: false,
            images: vec![Image {
                name: "quay.io/cilium/cilium".into(),
                from: None,
                digest: Digest::of(b"image"),
                runtime: false,
            }],
            values: serde_json::Map::new(),
            platform_values: BTreeMap::new(),
            image_values: vec![],
            image_paths: vec![],
            outlives: vec![],
        }],
    }
}

/// A channel that promotes these releases and opens all of them to `general`.
pub(crate) fn channel(releases: &[Release]) -> Channel {
    let mut channel = Channel::new(line(), RingPlan::shipped().unwrap());
    for release in releases {
        let bytes = document::write(release).unwrap();
        let promotion = Promotion {
            sha256: Digest::of(&bytes),
            length: bytes.len() as u64,
            promoted_at: At::from_unix(NOW - 86_400),
            tempo: Tempo::Normal,
            opens_at: BTreeMap::from([("general".parse().unwrap(), At::from_unix(NOW - 3600))]),
            open_to: BTreeMap::from([("general".parse().unwrap(), Percent::ALL)]),
            supersedes: BTreeSet::new(),
            base: release.base,
            audience: BTreeSet::new(),
            asks_override: BTreeSet::new(),
        };
        channel.levels.insert(release.level, promotion);
    }
    channel
}
