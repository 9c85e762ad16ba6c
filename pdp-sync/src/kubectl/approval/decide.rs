//! `kubectl pdp approve` and `reject`: a person's signed yes or no to the level that waits.

use kube::ResourceExt;
use pdp_policies::instruction::{APPROVAL_NAMESPACE, Approval, ApprovalDecision, ApprovalRequest};
use pdp_policies::{API_VERSION, At, Digest, trust};
use pdp_transport::cli::failure::{Failure, Result};

use super::{Paper, Signing, put};
use crate::crd::{UpdateApproval, UpdateSubscription};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::seen;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    signing: Signing,
    /// Who asked for it; may not sign it.
    #[arg(long)]
    requester: String,
    /// The signed request that it answers, by the name of its UpdateApproval; the only one for this level if absent.
    #[arg(long, value_name = "NAME")]
    request: Option<String>,
}

pub(in crate::kubectl) async fn run(args: &Args, decision: ApprovalDecision) -> Result<u8> {
    let cluster = Cluster::of(&args.signing.common).await?;
    let of = cluster.subscription(args.signing.common.name.as_deref()).await?;
    let now = pdp_transport::cli::clock::now();
    let sha256 = args.signing.target(&of)?;
    let request = match asks(&of) || args.request.is_some() {
        true => Some(request(&cluster.approvals(&of).await?, sha256, args.request.as_deref(), &of)?),
        false => None,
    };
    let document = approval(&of, args, decision, sha256, request, now);
    let verb = match decision {
        ApprovalDecision::Approve => "approve",
        ApprovalDecision::Reject => "reject",
    };
    let expires = document.expires;
    put(&cluster, &of, &args.signing, Paper { verb, namespace: APPROVAL_NAMESPACE, document, expires }, now)
        .await
}

/// True if the policy lists who may ask.
fn asks(of: &UpdateSubscription) -> bool {
    of.spec.policy.approval.as_ref().is_some_and(|rule| !rule.requesters.is_empty())
}

/// The request that is answered.
fn request(
    all: &[UpdateApproval],
    release: Digest,
    named: Option<&str>,
    of: &UpdateSubscription,
) -> Result<Digest> {
    let of_release = |it: &UpdateApproval| {
        let read: Option<ApprovalRequest> = serde_json::from_str(&it.spec.document).ok();
        trust::is_request(it.spec.signature.as_bytes()) && read.is_some_and(|read| read.sha256 == release)
    };
    let meant = |it: &&UpdateApproval| named.is_none_or(|name| it.name_any() == name) && of_release(it);
    let found: Vec<_> = all.iter().filter(meant).collect();
    match found.as_slice() {
        [one] => Ok(Digest::of(one.spec.document.as_bytes())),
        [] => {
            Err(Failure::new("NotFound", format!("no signed request for this level beside {}", seen::id(of)))
                .hint("whoever asks signs first: kubectl pdp request"))
        }
        several => {
            let names: Vec<_> = several.iter().map(|it| it.name_any()).collect();
            Err(Failure::new("Ambiguous", format!("{} requests for this level", names.len()))
                .hint(format!("name one with --request: {}", names.join(", "))))
        }
    }
}

/// It binds the content that was looked at.
fn approval(
    of: &UpdateSubscription,
    args: &Args,
    decision: ApprovalDecision,
    sha256: Digest,
    request: Option<Digest>,
    now: At,
) -> Approval {
    let Signing { reason, ticket, life, .. } = &args.signing;
    Approval {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: now,
        expires: now.plus(*life),
        organization: of.spec.organization.clone(),
        data_plane: args.signing.data_plane(of),
        sha256,
        decision,
        requester: args.requester.clone(),
        request,
        reason: reason.clone(),
        ticket: ticket.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{now, subscription, waiting};
    use serde_json::json;

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
        let target = seen::status(&of).target.as_ref().unwrap();
        let asked = args(target.level.0);
        let sha256 = asked.signing.target(&of).unwrap();
        assert_eq!(sha256, target.release_digest);
        let made = approval(&of, &asked, ApprovalDecision::Approve, sha256, None, now());
        assert_eq!((made.organization.as_str(), made.data_plane, made.sha256), ("nordbank", None, sha256));
        let other = args(target.level.0 + 1).signing.target(&of).unwrap_err();
        assert!(other.code == "NotFound" && other.hint.is_some());
    }

    #[test]
    fn a_request_is_answered_where_the_policy_lists_who_may_ask() {
        assert!(!asks(&subscription(&json!({}))));
        let rule = json!({ "quorum": 1, "approvers": ["a"], "requesters": ["b"] });
        let asking = subscription(&json!({ "spec": { "policy": { "approval": rule } } }));
        assert!(asks(&asking));
        let missing = request(&[], Digest::of(b"42"), None, &asking).unwrap_err();
        assert!(missing.code == "NotFound" && missing.hint.unwrap().contains("kubectl pdp request"));
    }
}
