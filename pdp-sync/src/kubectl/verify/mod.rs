//! `kubectl pdp verify`: what was decided, what Flux's objects say, what Flux says that it applied: one digest.

mod artifacts;
mod component;
mod pods;
mod report;

use kube::ResourceExt;
use pdp_policies::decision::DecisionRecord;
use pdp_transport::cli::Failure;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{print, say};
use serde_json::Value;

use super::cluster::{Cluster, Kind};
use super::{Common, secrets, seen};
use crate::crd::{SUBSCRIPTION_LABEL, UpdateSubscription};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Compares the images of the pods in the components' namespaces, too.
    #[arg(long)]
    pods: bool,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let record = secrets::record(&cluster, &of).await?.ok_or_else(|| nothing_decided(&of))?;
    let found = Found {
        objects: objects(&cluster, &of).await?,
        pods: if args.pods { Some(pods(&cluster, &record).await?) } else { None },
        keys: keys(&cluster, &of).await?,
    };
    let report = report::report(&of, &record, &found);
    print(args.common.output, &report, &report::text(&report))?;
    Ok(report.exit())
}

/// What was read in the cluster.
#[derive(Debug, Default)]
struct Found {
    objects: Objects,
    /// None if nobody asked for them.
    pods: Option<Vec<Value>>,
    /// Names of the files with artifact keys.
    keys: Vec<String>,
}

/// The subscription's Flux objects.
#[derive(Debug, Default)]
struct Objects {
    sources: Vec<Value>,
    releases: Vec<Value>,
    kustomizations: Vec<Value>,
}

async fn objects(cluster: &Cluster, of: &UpdateSubscription) -> Result<Objects> {
    let label = format!("{SUBSCRIPTION_LABEL}={}", of.name_any());
    let namespace = of.namespace().unwrap_or_default();
    Ok(Objects {
        sources: cluster.list(Kind::OCI_REPOSITORY, &namespace, &label).await?,
        releases: cluster.list(Kind::HELM_RELEASE, &namespace, &label).await?,
        kustomizations: cluster.list(Kind::KUSTOMIZATION, &namespace, &label).await?,
    })
}

async fn pods(cluster: &Cluster, record: &DecisionRecord) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for namespace in pods::namespaces(record) {
        found.extend(cluster.list(Kind::POD, &namespace, "").await?);
    }
    Ok(found)
}

/// Only their names: they are for the commands that are printed.
async fn keys(cluster: &Cluster, of: &UpdateSubscription) -> Result<Vec<String>> {
    let (secret, missing) = secrets::if_allowed(cluster.secret(of, &secrets::artifact_keys_of(of)).await)?;
    if let Some(missing) = missing {
        say(&format!("◎ the names of the artifact keys aren't known: {missing}"));
    }
    let names = secret.and_then(|secret| secret.data).unwrap_or_default().into_keys();
    Ok(names.filter(|name| name.ends_with(".pub")).collect())
}

fn nothing_decided(of: &UpdateSubscription) -> Failure {
    let secret = secrets::decision_of(of);
    Failure::new("NotFound", format!("{}: no decision record", seen::id(of)))
        .cause(format!("Secret {}/{secret} holds no record.json", of.namespace().unwrap_or_default()))
        .hint(format!("was anything installed yet? kubectl pdp why {}", seen::place(of)))
        .exit(exit::NOT_FOUND)
}
