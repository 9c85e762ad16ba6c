//! `kubectl pdp approve` and `reject`: a person's signed yes or no to the level that waits, by their own `ssh-keygen`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kube::ResourceExt;
use pdp_policies::instruction::{APPROVAL_NAMESPACE, Approval, ApprovalDecision};
use pdp_policies::{API_VERSION, At, Level, Span};
use pdp_transport::cli::confirm::confirm;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{print, say};
use serde_json::json;

use super::cluster::Cluster;
use super::{Common, seen, words};
use crate::crd::{UpdateApproval, UpdateApprovalSpec, UpdateSubscription};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// The key: a private key, or the public half of one that ssh-agent or a FIDO token holds.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The level that is meant, so that no other one is signed by mistake.
    #[arg(long)]
    level: u32,
    /// Who asked for it; may not sign it.
    #[arg(long)]
    requester: String,
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

pub(super) async fn run(args: &Args, decision: ApprovalDecision) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let now = pdp_transport::cli::clock::now();
    let approval = approval(&of, args, decision, now)?;
    let document = serde_json::to_string_pretty(&approval).map_err(internal)?;
    if args.dry_run {
        print(args.common.output, &approval, &document)?;
        say("◎ nothing was signed: --dry-run");
        return Ok(exit::DONE);
    }
    let verb = verb(decision);
    say(&format!("{} {verb}:\n{document}", seen::id(&of)));
    confirm(&format!("{verb} level {}", args.level), &args.level.to_string(), args.yes)?;
    let signature = sign(&args.key, &document)?;
    let name = format!("{verb}-{}-{}", args.level, now.unix());
    let spec = UpdateApprovalSpec { document, signature };
    let made = cluster.create(&of, &UpdateApproval::new(&name, spec)).await?;
    let text = format!(
        "✔ {} says so, {}\n  kubectl pdp why {}",
        made.name_any(),
        words::when(approval.expires, now),
        seen::place(&of)
    );
    print(args.common.output, &json!({ "approval": made.name_any(), "document": approval }), &text)?;
    Ok(exit::DONE)
}

fn verb(decision: ApprovalDecision) -> &'static str {
    match decision {
        ApprovalDecision::Approve => "approve",
        ApprovalDecision::Reject => "reject",
    }
}

/// The document for the level that waits: it binds the content that was looked at.
fn approval(of: &UpdateSubscription, args: &Args, decision: ApprovalDecision, now: At) -> Result<Approval> {
    let target = seen::status(of).target.as_ref().filter(|target| target.level == Level(args.level));
    let target = target.ok_or_else(|| {
        Failure::new("NotFound", format!("level {} doesn't wait at {}", args.level, seen::id(of)))
            .hint(format!("kubectl pdp status {}", seen::place(of)))
    })?;
    let data_plane = args.only_here.then(|| of.spec.data_plane.clone());
    Ok(Approval {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: now,
        expires: now.plus(args.life),
        organization: of.spec.organization.clone(),
        data_plane,
        sha256: target.release_digest,
        decision,
        requester: args.requester.clone(),
        reason: args.reason.clone(),
        ticket: args.ticket.clone(),
    })
}

/// By the person's own `ssh-keygen`, which asks for passphrase and touch, and knows their agent.
fn sign(key: &Path, document: &str) -> Result<String> {
    let signing = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", APPROVAL_NAMESPACE, "-f"])
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{now, waiting};

    fn args(level: u32) -> Args {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let level = level.to_string();
        let line = ["x", "--key", "k", "--level", &level, "--requester", "d.ek", "--reason", "CVE"];
        <Line as clap::Parser>::parse_from(line).args
    }

    #[test]
    fn what_is_signed_binds_the_level_that_waits() {
        let of = waiting();
        let level = seen::status(&of).target.as_ref().unwrap().level.0;
        let made = approval(&of, &args(level), ApprovalDecision::Approve, now()).unwrap();
        assert_eq!(made.sha256, seen::status(&of).target.as_ref().unwrap().release_digest);
        assert_eq!((made.organization.as_str(), made.data_plane), ("nordbank", None));
        let other = approval(&of, &args(level + 1), ApprovalDecision::Reject, now()).unwrap_err();
        assert!(other.code == "NotFound" && other.hint.is_some());
    }
}
