//! Waiting for the pod that this one replaces. The old pdp-sync runs until the new one is ready, so that a new one that
//! never gets up can be put back; two must not make passes at once.

use std::time::Duration;

use kube::Client;
use kube::api::ListParams;
use kube::core::Request;
use pdp_policies::At;
use serde::Deserialize;

use crate::cluster::Cluster;

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Whoever can't see the other pods goes on after so many looks: Kubernetes has taken the elder away by then.
const BLIND_LOOKS: u32 = 60;

/// This pod and its siblings.
#[derive(Debug, Clone)]
pub(crate) struct Siblings {
    /// The name of this pod.
    pub(crate) own: String,
    /// The label selector of all pods of the Deployment.
    pub(crate) selector: String,
}

#[derive(Deserialize)]
struct Pods {
    items: Vec<Pod>,
}

/// The little that is read of a pod.
#[derive(Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    creation_timestamp: At,
    deletion_timestamp: Option<At>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    r#type: String,
    status: String,
}

/// Comes back once no elder sibling makes passes.
pub(super) async fn gone(cluster: &Cluster, siblings: &Siblings) {
    let path = format!("/api/v1/namespaces/{}/pods", cluster.namespace);
    let parameters = ListParams::default().labels(&siblings.selector);
    let mut blind = 0;
    while blind < BLIND_LOOKS {
        match list(&cluster.client, &path, &parameters).await {
            Ok(pods) => match elder(&siblings.own, &pods) {
                None => return,
                Some(elder) => tracing::info!(elder, "waiting for the elder pdp-sync to end"),
            },
            Err(error) => {
                blind += 1;
                tracing::warn!(%error, "the pods of pdp-sync can't be listed");
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn list(client: &Client, path: &str, parameters: &ListParams) -> Result<Vec<Pod>, kube::Error> {
    let request = Request::new(path).list(parameters).map_err(kube::Error::BuildRequest)?;
    client.request::<Pods>(request).await.map(|pods| pods.items)
}

/// A pod that was there before this one and is still at work. Pure.
fn elder<'a>(own: &str, pods: &'a [Pod]) -> Option<&'a str> {
    let ours = pods.iter().find(|pod| pod.metadata.name == own).map(Pod::age);
    let others = pods.iter().filter(|pod| pod.metadata.name != own && pod.is_at_work());
    let mut before = others.filter(|pod| ours.is_none_or(|ours| pod.age() < ours));
    before.next().map(|pod| pod.metadata.name.as_str())
}

impl Pod {
    /// Two that were made in one second are told apart by their names.
    fn age(&self) -> (At, &str) {
        (self.metadata.creation_timestamp, &self.metadata.name)
    }

    fn is_at_work(&self) -> bool {
        let ready = self.status.conditions.iter().any(|it| it.r#type == "Ready" && it.status == "True");
        ready && self.metadata.deletion_timestamp.is_none()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn pod(name: &str, created: &str, ready: &str, deleted: Option<&str>) -> Pod {
        let pod = json!({
            "metadata": { "name": name, "creationTimestamp": created, "deletionTimestamp": deleted },
            "status": { "conditions": [{ "type": "Ready", "status": ready }] },
        });
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn only_an_elder_that_works_is_waited_for() {
        let (early, late) = ("2026-11-20T10:00:00Z", "2026-11-20T10:05:00Z");
        let own = || pod("own", "2026-11-20T10:03:00Z", "False", None);
        for (other, waits) in [
            (pod("other", early, "True", None), true),
            (pod("other", early, "False", None), false),
            (pod("other", early, "True", Some(late)), false),
            (pod("other", late, "True", None), false),
            (pod("a-twin", "2026-11-20T10:03:00Z", "True", None), true),
            (pod("z-twin", "2026-11-20T10:03:00Z", "True", None), false),
        ] {
            let name = other.metadata.name.clone();
            assert_eq!(elder("own", &[own(), other]), waits.then_some(name.as_str()), "{name}");
        }
        assert_eq!(elder("own", &[own()]), None);
        assert_eq!(elder("own", &[]), None);
    }
}
