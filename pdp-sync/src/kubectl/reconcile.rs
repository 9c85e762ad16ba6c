//! `kubectl pdp reconcile`: asks for a look now, and waits until it was taken.

use std::time::Duration;

use kube::core::DynamicObject;
use kube::runtime::wait::await_condition;
use kube::{Api, ResourceExt};
use pdp_policies::{At, Span};
use pdp_transport::cli::Failure;
use pdp_transport::cli::clock::now;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{print, say};
use serde_json::{Value, json};

use super::cluster::{Cluster, Kind};
use super::request::{Request, SUBSCRIPTIONS};
use super::why::{text, why};
use super::{Common, seen};
use crate::crd::{CatalogSource, FORCE_AT, FluxSourceKind, REQUESTED_AT, UpdateSubscription};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
    /// Lets Flux fetch the catalog first (`spec.catalog.fluxSource`).
    #[arg(long)]
    with_source: bool,
    /// Asks to act beyond the usual (`reconcile.fluxcd.io/forceAt`).
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    patience: Patience,
}

/// How long to wait.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Patience {
    /// Waits so long at most; `0s` doesn't wait.
    #[arg(long, default_value = "60s", value_name = "SPAN")]
    timeout: Span,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    if of.spec.suspend {
        return Err(Failure::new("Suspended", format!("{} is suspended: nobody looks", seen::id(&of)))
            .hint(format!("kubectl pdp resume {}", seen::place(&of))));
    }
    if args.with_source {
        fetch_source(&cluster, &of, args.patience).await?;
    }
    let asked = stamp(now(), of.metadata.annotations.as_ref().and_then(|all| all.get(REQUESTED_AT)));
    cluster.patch(&of, &json!({ "metadata": { "annotations": annotations(&asked, args.force) } })).await?;
    finish(&cluster, &of, &asked, args.patience, &args.common).await
}

/// Waits until the request was answered, and says what came of it.
pub(super) async fn finish(
    cluster: &Cluster,
    of: &UpdateSubscription,
    asked: &str,
    patience: Patience,
    common: &Common,
) -> Result<u8> {
    if patience.timeout.seconds() == 0 {
        print(common.output, &json!({ "requestedAt": asked }), &format!("✔ asked for a look at {asked}"))?;
        return Ok(pdp_transport::cli::exit::DONE);
    }
    say(&format!("◎ asked; waiting up to {} for pdp-sync", patience.timeout));
    let handled =
        |one: &UpdateSubscription| seen::status(one).last_handled_reconcile_at.as_deref() == Some(asked);
    let after = until(cluster.api_of(of), of, SUBSCRIPTIONS, patience, handled).await?;
    let why = why(&after, now());
    print(common.output, &why, &text(&why, now()))?;
    Ok(why.exit())
}

/// The next request: now, or a second after the one before, so that it is always another text.
pub(super) fn stamp(now: At, before: Option<&String>) -> String {
    let before = before.and_then(|text| text.parse::<At>().ok()).filter(|before| *before >= now);
    before.map_or(now, |before| before.plus(Span::from_seconds(1))).to_string()
}

/// The annotations of a request.
pub(super) fn annotations(asked: &str, force: bool) -> Value {
    match force {
        true => json!({ REQUESTED_AT: asked, FORCE_AT: asked }),
        false => json!({ REQUESTED_AT: asked }),
    }
}

async fn fetch_source(cluster: &Cluster, of: &UpdateSubscription, patience: Patience) -> Result<()> {
    let (kind, name) = source(of)?;
    let namespace = of.namespace().unwrap_or_default();
    let asked = now().to_string();
    let change = json!({ "metadata": { "annotations": { REQUESTED_AT: asked } } });
    cluster.patch_kind(kind, &namespace, name, &change).await?;
    if patience.timeout.seconds() == 0 {
        return Ok(());
    }
    say(&format!("◎ asked {} {name}; waiting up to {} for Flux", kind.0, patience.timeout));
    let handled = |one: &DynamicObject| one.data["status"]["lastHandledReconcileAt"] == asked.as_str();
    let mut source = of.clone();
    source.metadata.name = Some(name.to_owned());
    until(cluster.kind(kind, &namespace), &source, kind.1, patience, handled).await.map(|_| ())
}

/// The Flux source of the catalog.
fn source(of: &UpdateSubscription) -> Result<(Kind, &str)> {
    match &of.spec.catalog {
        CatalogSource::FluxSource { kind: FluxSourceKind::GitRepository, name } => {
            Ok((Kind::GIT_REPOSITORY, name))
        }
        CatalogSource::FluxSource { kind: FluxSourceKind::OCIRepository, name } => {
            Ok((Kind::OCI_REPOSITORY, name))
        }
        CatalogSource::Oci { .. } | CatalogSource::Git { .. } => {
            Err(Failure::new("NoFluxSource", "the catalog doesn't come through Flux")
                .hint("leave out --with-source: pdp-sync fetches this catalog itself at every look"))
        }
    }
}

/// Watches one object until it is as wanted.
async fn until<K>(
    api: Api<K>,
    of: &UpdateSubscription,
    resource: &'static str,
    patience: Patience,
    wanted: impl Fn(&K) -> bool,
) -> Result<K>
where
    K: kube::Resource + Clone + std::fmt::Debug + Send + serde::de::DeserializeOwned + 'static,
{
    let name = of.name_any();
    let limit = Duration::from_secs(patience.timeout.seconds().unsigned_abs());
    let request = Request::one("watch", resource, &of.namespace().unwrap_or_default(), &name);
    let condition = |one: Option<&K>| one.is_some_and(&wanted);
    match tokio::time::timeout(limit, await_condition(api, &name, condition)).await {
        Ok(Ok(Some(found))) => Ok(found),
        Ok(Ok(None)) => Err(Failure::new("NotFound", format!("{name} was deleted meanwhile"))),
        Ok(Err(kube::runtime::wait::Error::ProbeFailed(error))) => {
            Err(super::status::watch_failed(&request, &error))
        }
        Err(_) => {
            let failure =
                Failure::new("TimedOut", format!("no answer from {name} within {}", patience.timeout));
            let hint = "does its controller run? `kubectl get pods -A`, and its logs; --timeout waits longer";
            Err(Failure { transient: true, ..failure.hint(hint) })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubectl::testing::{healthy, subscription};

    #[test]
    fn a_request_is_always_another_text() {
        let now: At = "2026-11-23T12:00:00Z".parse().unwrap();
        for (before, expected) in [
            (None, "2026-11-23T12:00:00Z"),
            (Some("2026-11-23T11:00:00Z"), "2026-11-23T12:00:00Z"),
            (Some("2026-11-23T12:00:00Z"), "2026-11-23T12:00:01Z"),
            (Some("2026-11-23T12:00:05Z"), "2026-11-23T12:00:06Z"),
            (Some("2026-11-23T13:00:00.123+01:00"), "2026-11-23T12:00:00Z"),
        ] {
            assert_eq!(stamp(now, before.map(str::to_owned).as_ref()), expected, "{before:?}");
        }
    }

    #[test]
    fn force_counts_only_with_the_same_text() {
        let both = annotations("2026-11-23T12:00:00Z", true);
        assert_eq!(both[REQUESTED_AT], both[FORCE_AT]);
        assert!(annotations("x", false).get(FORCE_AT).is_none());
    }

    #[test]
    fn only_a_flux_source_can_be_asked() {
        assert_eq!(source(&healthy()).unwrap().1, "pdp-catalog");
        let other = subscription(
            &json!({ "spec": { "catalog": { "oci": { "repository": "r.example/c", "tag": "catalog" } } } }),
        );
        assert_eq!(source(&other).unwrap_err().code, "NoFluxSource");
    }
}
