//! Commands by which people ask for approvals, and give or refuse them: signed by their own `ssh-keygen`.

pub(super) mod decide;
pub(super) mod request;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kube::ResourceExt;
use pdp_policies::{At, DataPlaneName, Digest, Level, Span};
use pdp_transport::cli::confirm::confirm;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{print, say};
use serde::Serialize;
use serde_json::json;

use super::cluster::Cluster;
use super::{Common, seen, words};
use crate::crd::{UpdateApproval, UpdateApprovalSpec, UpdateSubscription};

/// What all of them take.
#[derive(Debug, clap::Args)]
struct Signing {
    #[command(flatten)]
    common: Common,
    /// The key: a private key, or the public half of one that ssh-agent or a FIDO token holds.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The level that is meant, so that no other one is signed by mistake.
    #[arg(long)]
    level: u32,
    /// Why, for people.
    #[arg(long)]
    reason: String,
    /// The change ticket.
    #[arg(long)]
    ticket: Option<String>,
    /// How long it counts, at most 90d.
    #[arg(long, default_value = "30d")]
    life: Span,
    /// For this data plane alone, not for all of its organization.
    #[arg(long)]
    only_here: bool,
    /// Doesn't ask.
    #[arg(short, long)]
    yes: bool,
    /// Prints what would be signed, and signs nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Signing {
    /// The release that waits, by its content.
    fn target(&self, of: &UpdateSubscription) -> Result<Digest> {
        let target = seen::status(of).target.as_ref().filter(|target| target.level == Level(self.level));
        let target = target.ok_or_else(|| {
            Failure::new("NotFound", format!("level {} doesn't wait at {}", self.level, seen::id(of)))
                .hint(format!("kubectl pdp status {}", seen::place(of)))
        })?;
        Ok(target.release_digest)
    }

    fn data_plane(&self, of: &UpdateSubscription) -> Option<DataPlaneName> {
        self.only_here.then(|| of.spec.data_plane.clone())
    }
}

/// What is signed, and as what.
struct Paper<'a, T> {
    verb: &'a str,
    namespace: &'a str,
    document: T,
    expires: At,
}

/// Shows the document, asks, signs it, and puts it beside the subscription.
async fn put<T: Serialize>(
    cluster: &Cluster,
    of: &UpdateSubscription,
    args: &Signing,
    paper: Paper<'_, T>,
    now: At,
) -> Result<u8> {
    let Paper { verb, namespace, document, expires } = paper;
    let text = serde_json::to_string_pretty(&document).map_err(internal)?;
    if args.dry_run {
        print(args.common.output, &document, &text)?;
        say("◎ nothing was signed: --dry-run");
        return Ok(exit::DONE);
    }
    say(&format!("{} {verb}:\n{text}", seen::id(of)));
    confirm(&format!("{verb} level {}", args.level), &args.level.to_string(), args.yes)?;
    let signature = sign(&args.key, namespace, &text)?;
    let name = name(verb, args.level, now, &signature);
    let approval = UpdateApproval::new(&name, UpdateApprovalSpec { document: text, signature });
    let made = cluster.create(of, &approval).await?.name_any();
    let said = format!(
        "✔ {made} says so until {}\n  kubectl pdp why {}",
        words::when(expires, now),
        seen::place(of)
    );
    print(args.common.output, &json!({ "approval": made, "document": document }), &said)?;
    Ok(exit::DONE)
}

/// By the person's own `ssh-keygen`, which asks for passphrase and touch, and knows their agent.
fn sign(key: &Path, namespace: &str, document: &str) -> Result<String> {
    let signing = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", namespace, "-f"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut signing = signing.map_err(|error| {
        Failure::new("NotSigned", "start ssh-keygen").cause(error).hint("install OpenSSH")
    })?;
    if let Some(mut stdin) = signing.stdin.take() {
        // One that ended already says why itself.
        let _ = stdin.write_all(document.as_bytes());
    }
    let signed = signing.wait_with_output().map_err(internal)?;
    if !signed.status.success() {
        return Err(Failure::new("NotSigned", format!("ssh-keygen couldn't sign with {}", key.display()))
            .hint("name a key that the policy names, or its public half with the key in ssh-agent"));
    }
    String::from_utf8(signed.stdout).map_err(internal)
}
/// A name of its own, also where two people sign within one second.
fn name(verb: &str, level: u32, now: At, signature: &str) -> String {
    let digest = Digest::of(signature.as_bytes()).to_string();
    let digest: String = digest.trim_start_matches("sha256:").chars().take(8).collect();
    format!("{verb}-{level}-{}-{digest}", now.unix())
}
