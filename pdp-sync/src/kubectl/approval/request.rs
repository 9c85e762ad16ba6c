//! `kubectl pdp request`: a person asks for approvals of the level that waits, with a signature of their own.

use pdp_policies::API_VERSION;
use pdp_policies::instruction::{ApprovalRequest, REQUEST_NAMESPACE};
use pdp_transport::cli::failure::Result;

use super::{Paper, Signing, put};
use crate::kubectl::cluster::Cluster;

#[derive(Debug, clap::Args)]
pub(in crate::kubectl) struct Args {
    #[command(flatten)]
    signing: Signing,
}

pub(in crate::kubectl) async fn run(args: &Args) -> Result<u8> {
    let signing = &args.signing;
    let cluster = Cluster::of(&signing.common).await?;
    let of = cluster.subscription(signing.common.name.as_deref()).await?;
    let now = pdp_transport::cli::clock::now();
    let expires = now.plus(signing.life);
    let document = ApprovalRequest {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        issued: now,
        expires,
        organization: of.spec.organization.clone(),
        data_plane: signing.data_plane(&of),
        sha256: signing.target(&of)?,
        reason: signing.reason.clone(),
        ticket: signing.ticket.clone(),
    };
    put(
        &cluster,
        &of,
        signing,
        Paper { verb: "request", namespace: REQUEST_NAMESPACE, document, expires },
        now,
    )
    .await
}
