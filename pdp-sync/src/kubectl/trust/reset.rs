//! `kubectl pdp trust reset`: forgets what was seen.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use pdp_policies::Digest;
use pdp_policies::trust::metadata;
use pdp_transport::cli::confirm::confirm;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{print, say};
use pdp_transport::cli::{exit, root};
use serde_json::{Value, json};

use crate::crd::TRUST_SECRET;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::{Common, secrets, seen};
use crate::pin::Pin;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    common: Common,
    /// The vendor's root to start again from (`1.root.json`).
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// Doesn't ask.
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let bytes = root::read(&args.root)?;
    let version = version(&args.root, &bytes)?;
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let name = secrets::state_of(&of);
    let (state, pin) = (cluster.secret(&of, &name).await?, cluster.secret(&of, TRUST_SECRET).await?);
    if state.is_none() && pin.is_none() {
        let what = format!("Secret {}/{name}", of.namespace().unwrap_or_default());
        return Err(Failure::new("NotFound", what)
            .hint("nothing was seen yet: pdp-sync starts from the root of spec.root by itself"));
    }
    let sha256 = Digest::of(&bytes);
    say(&lost(&seen::id(&of).to_string(), version, sha256));
    let word = of.spec.data_plane.as_str();
    confirm(&format!("forget what {} has seen", seen::id(&of)), word, args.yes)?;
    // In this order: what was left half done is seen by pdp-sync as done, or is simply done again.
    if let Some(state) = &state {
        cluster.patch_secret(&of, &name, &change(state, &bytes)).await?;
    }
    if let Some(pin) = &pin {
        cluster.patch_secret(&of, TRUST_SECRET, &pinned(pin, &bytes, &of.name_any())).await?;
    }
    let text = format!(
        "✔ forgotten; the next look starts from root {version}\n  kubectl pdp reconcile {}",
        seen::place(&of)
    );
    print(
        args.common.output,
        &json!({ "pdp": seen::id(&of).to_string(), "root": { "version": version, "sha256": sha256 } }),
        &text,
    )?;
    Ok(exit::DONE)
}

/// A file that isn't a root would only be found out at the next look, when the floors are gone already.
fn version(path: &std::path::Path, bytes: &[u8]) -> Result<u64> {
    let failed = |cause: String| {
        Failure::new("Unreadable", format!("root {}", path.display()))
            .cause(cause)
            .hint("it is `metadata/1.root.json` of the vendor's ceremony")
    };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| failed(error.to_string()))?;
    if value["signed"]["_type"] != "root" {
        return Err(failed("it is not a TUF root".to_owned()));
    }
    metadata::version(bytes).map_err(failed)
}

/// What protection is lost.
fn lost(pdp: &str, version: u64, sha256: Digest) -> String {
    [
        format!("{pdp} would forget everything that it has seen, and trust root version {version}:"),
        format!("  {sha256}"),
        "  compare this digest with the vendor's, over another channel than the file came by".to_owned(),
        "  ✗ until the next look whoever serves the catalog may serve an old one that hasn't expired:"
            .to_owned(),
        "    withdrawals, brakes and newer keys that it had seen could be hidden".to_owned(),
        "  ✗ a level that was rewritten since it was seen isn't noticed any more".to_owned(),
        "  ✔ what is installed stays; the decision record stays; no older level than that starts".to_owned(),
    ]
    .join("\n")
}

/// Only on what was looked at: floors that rose meanwhile are a `Conflict`.
fn change(state: &Secret, root: &[u8]) -> Value {
    json!({
        "metadata": { "resourceVersion": state.metadata.resource_version },
        "data": { "floors.json": null, "moves.json": null, "root.json": STANDARD.encode(root) },
    })
}

/// The namespace's pin follows, on what was looked at, too.
fn pinned(pin: &Secret, root: &[u8], holder: &str) -> Value {
    let data = Pin { root: root.to_vec(), holder: holder.to_owned() }.data();
    json!({ "metadata": { "resourceVersion": pin.metadata.resource_version }, "data": data })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::secret;

    #[test]
    fn only_a_root_is_taken() {
        let path = std::path::Path::new("root.json");
        assert_eq!(version(path, br#"{"signed":{"_type":"root","version":1}}"#).unwrap(), 1);
        for (bytes, cause) in [
            (&b"no json"[..], "expected"),
            (br#"{"signed":{"_type":"targets","version":1}}"#, "not a TUF root"),
            (br#"{"signed":{"_type":"root"}}"#, "no version"),
        ] {
            let failure = version(path, bytes).unwrap_err();
            assert!(
                failure.code == "Unreadable" && failure.cause.as_ref().unwrap().contains(cause),
                "{failure}"
            );
        }
    }

    #[test]
    fn the_floors_go_the_root_comes_nothing_else_changes() {
        let change = change(&secret(&[("floors.json", b"{}"), ("policy.json", b"{}")]), b"root");
        assert_eq!(
            change["data"],
            json!({ "floors.json": null, "moves.json": null, "root.json": "cm9vdA==" })
        );
        assert_eq!(change["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn the_pin_of_the_namespace_follows() {
        let change = pinned(&secret(&[("root.json", b"old"), ("subscription", b"pdp")]), b"root", "prod");
        assert_eq!(change["data"], json!({ "root.json": "cm9vdA==", "subscription": "cHJvZA==" }));
        assert_eq!(change["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn what_is_lost_is_said() {
        insta::assert_snapshot!(lost("nordbank/prod", 1, Digest::of(b"root")));
    }
}
