//! `kubectl pdp trust show`.

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use pdp_policies::Digest;
use pdp_policies::instruction::Enrolled;
use pdp_policies::trust::{Floors, metadata};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::print;
use pdp_transport::signing_key::SigningKey;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::kubectl::cluster::Cluster;
use crate::kubectl::table::or_dash;
use crate::kubectl::{Common, secrets, seen};

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let state = cluster.secret(&of, &secrets::state_of(&of)).await?;
    let identity = cluster.secret(&of, &secrets::identity_of(&of)).await?;
    let place = |name: String| format!("Secret {}/{name}", of.namespace().unwrap_or_default());
    let trust = Trust {
        pdp: seen::id(&of).to_string(),
        seen: seen_floors(state.as_ref(), &place(secrets::state_of(&of)))?,
        identity: identity_of(identity.as_ref(), &place(secrets::identity_of(&of)))?,
    };
    print(args.common.output, &trust, &text(&trust))?;
    Ok(exit::DONE)
}

/// What is public of what it trusts.
#[derive(Debug, Serialize)]
pub(super) struct Trust {
    pdp: String,
    /// None before the first catalog.
    seen: Option<Seen>,
    /// None without a channel server.
    identity: Option<Identity>,
}

/// The floors: nothing older is accepted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    pinned_root: Root,
    root: Root,
    roles: BTreeMap<String, u64>,
    levels: usize,
}

/// A root by what people can compare.
#[derive(Debug, Serialize)]
struct Root {
    version: Option<u64>,
    sha256: Digest,
}

/// Who this data plane is to the channel server.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    enrolled_as: Option<String>,
    ring: Option<String>,
    /// SHA-256 of the public key (SPKI); none if there is no key yet.
    public_key: Option<Digest>,
}

impl Root {
    fn of(bytes: &[u8]) -> Self {
        Self { version: metadata::version(bytes).ok(), sha256: Digest::of(bytes) }
    }
}

fn seen_floors(state: Option<&Secret>, place: &str) -> Result<Option<Seen>> {
    let Some(bytes) = state.and_then(|state| secrets::bytes(state, "floors.json")) else { return Ok(None) };
    let floors: Floors =
        serde_json::from_slice(bytes).map_err(|error| unreadable(place, "floors.json", &error))?;
    Ok(Some(Seen {
        pinned_root: Root::of(floors.pinned_root()),
        root: Root::of(floors.root()),
        roles: floors.roles().map(|(name, role)| (name.to_owned(), role.version)).collect(),
        levels: floors.known_levels(),
    }))
}

/// The private key never leaves this function.
fn identity_of(secret: Option<&Secret>, place: &str) -> Result<Option<Identity>> {
    let Some(secret) = secret else { return Ok(None) };
    let enrolled: Option<Enrolled> = secrets::bytes(secret, "enrolled.json")
        .map(serde_json::from_slice)
        .transpose()
        .map_err(|error| unreadable(place, "enrolled.json", &error))?;
    let key = secrets::bytes(secret, "key.pem").map(|pem| SigningKey::from_pem(place, pem)).transpose()?;
    Ok(Some(Identity {
        enrolled_as: enrolled.as_ref().map(|enrolled| enrolled.id.to_string()),
        ring: enrolled.as_ref().map(|enrolled| enrolled.ring.to_string()),
        public_key: key.and_then(|key| fingerprint(&key.public_pem())),
    }))
}

/// SHA-256 of the key's DER form, as `openssl pkey -pubin -outform der | sha256sum` prints it.
fn fingerprint(pem: &str) -> Option<Digest> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    Some(Digest::of(&STANDARD.decode(body).ok()?))
}

/// serde's words may quote what they couldn't read; where isn't private.
fn unreadable(place: &str, key: &str, error: &serde_json::Error) -> Failure {
    Failure::new("Unreadable", format!("{key} of {place}"))
        .cause(format!("line {}, column {}", error.line(), error.column()))
        .hint("`kubectl pdp trust reset` starts again from a root file")
}

fn text(trust: &Trust) -> String {
    let mut lines = vec![trust.pdp.clone()];
    match &trust.seen {
        None => lines.push("  ◎ no catalog was seen yet".to_owned()),
        Some(seen) => {
            let root = |root: &Root| format!("version {}  {}", or_dash(root.version), root.sha256);
            lines.push(format!("  pinned root  {}", root(&seen.pinned_root)));
            lines.push(format!("  newest root  {}", root(&seen.root)));
            let roles: Vec<_> =
                seen.roles.iter().map(|(name, version)| format!("{name} {version}")).collect();
            lines.push(format!(
                "  never older than  {}",
                if roles.is_empty() { "-".to_owned() } else { roles.join(", ") }
            ));
            lines.push(format!("  levels whose content is known  {}", seen.levels));
        }
    }
    match &trust.identity {
        None => {
            lines.push("  ◎ it has no identity of its own: no channel server opens its levels".to_owned())
        }
        Some(identity) => {
            let ring = identity.ring.as_ref().map_or_else(String::new, |ring| format!(", ring `{ring}`"));
            let enrolled = identity
                .enrolled_as
                .as_ref()
                .map_or_else(|| "nobody yet".to_owned(), |id| format!("{id}{ring}"));
            lines.push(format!("  enrolled as  {enrolled}"));
            lines.push(format!("  public key   {}", or_dash(identity.public_key)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::secret;

    #[test]
    fn what_was_seen_and_who_it_is() {
        let root = br#"{"signed":{"version":1}}"#;
        let mut floors = serde_json::to_value(Floors::new(root.to_vec())).unwrap();
        floors["roles"]["channels"] = serde_json::json!({ "version": 12, "keys": Digest::of(b"keys") });
        floors["levels"]["release-pdp-2026-41.json"] =
            serde_json::json!({ "sha256": Digest::of(b"41").hex() });
        let state = secret(&[("floors.json", floors.to_string().as_bytes())]);
        let enrolled =
            br#"{"id":{"organization":"nordbank","dataPlane":"prod"},"ring":"general","pollAfter":"1m"}"#;
        let identity = secret(&[("enrolled.json", enrolled)]);
        let trust = Trust {
            pdp: "nordbank/prod".to_owned(),
            seen: seen_floors(Some(&state), "Secret pdp/x").unwrap(),
            identity: identity_of(Some(&identity), "Secret pdp/x").unwrap(),
        };
        insta::assert_snapshot!(text(&trust));
        let nothing = Trust { pdp: "nordbank/prod".to_owned(), seen: None, identity: None };
        insta::assert_snapshot!("nothing-yet", text(&nothing));
    }

    #[test]
    fn the_private_key_stays_where_it_is() {
        let pem = SigningKey::generate().unwrap();
        let file = tempfile::tempdir().unwrap();
        pem.write(&file.path().join("key.pem")).unwrap();
        let bytes = std::fs::read(file.path().join("key.pem")).unwrap();
        let identity = identity_of(Some(&secret(&[("key.pem", &bytes)])), "Secret pdp/x").unwrap().unwrap();
        assert_eq!(identity.public_key, fingerprint(&pem.public_pem()));
        let said = format!("{identity:?} {}", serde_json::to_string(&identity).unwrap());
        let private: String = String::from_utf8(bytes).unwrap().lines().nth(1).unwrap().into();
        assert!(!said.contains(&private));
        // A broken Secret is named, not quoted.
        let broken = secret(&[("key.pem", b"hunter2"), ("enrolled.json", b"\"hunter2")]);
        assert!(!identity_of(Some(&broken), "Secret pdp/x").unwrap_err().to_string().contains("hunter2"));
    }
}
