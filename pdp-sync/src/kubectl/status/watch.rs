//! A line at every change.

use futures_util::TryStreamExt;
use kube::ResourceExt;
use kube::runtime::{WatchStreamExt, watcher};
use pdp_policies::At;
use pdp_transport::cli::clock::now;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::list;
use serde_json::json;

use crate::crd::{ConditionType, UpdateSubscription};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::request::{Request, SUBSCRIPTIONS};
use crate::kubectl::{Common, seen};

/// Follows until the stream ends or is interrupted; the first trouble ends it.
pub(super) async fn follow(cluster: &Cluster, common: &Common) -> Result<u8> {
    let only = common.name.as_ref().map(|name| format!("metadata.name={name}"));
    let config = watcher::Config { field_selector: only, ..Default::default() };
    let mut changes = Box::pin(watcher(cluster.api::<UpdateSubscription>(), config).applied_objects());
    let request = Request::all("watch", SUBSCRIPTIONS, cluster.namespace());
    let mut said = std::collections::BTreeMap::new();
    while let Some(one) = changes.try_next().await.map_err(|error| failed(&request, &error))? {
        let (key, line) = (format!("{}/{}", one.namespace().unwrap_or_default(), one.name_any()), line(&one));
        if said.insert(key, line.clone()).as_ref() != Some(&line) {
            list(
                common.output,
                &json!({ "at": now(), "subscription": super::value(&one) }),
                [super::name(&one, common.all_namespaces)],
                &stamped(&line, now()),
            )?;
        }
    }
    Ok(exit::DONE)
}

/// What a watch that failed means.
pub(in crate::kubectl) fn failed(request: &Request, error: &watcher::Error) -> Failure {
    match error {
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => request.failed(cause),
        watcher::Error::WatchError(status) => request.failed(&kube::Error::Api(status.clone())),
        other => {
            Failure::new("Unreachable", "watch subscriptions").cause(other).hint("run the command again")
        }
    }
}

fn stamped(line: &str, at: At) -> String {
    format!("{at}  {line}")
}

/// What of a subscription is worth a line.
fn line(of: &UpdateSubscription) -> String {
    let mut words = vec![format!("{}  {}", seen::place(of), seen::level_words(of)), seen::health(of)];
    words.extend(seen::target_words(of).map(|target| format!("◎ {target}")));
    words.push(format!("Ready={}", seen::condition_word(of, ConditionType::Ready)));
    words.extend(seen::condition(of, ConditionType::Blocked).map(|c| format!("Blocked={}", c.reason)));
    words.extend(seen::condition(of, ConditionType::Stalled).map(|c| format!("✗ Stalled={}", c.reason)));
    words.extend(of.spec.suspend.then(|| "✗ suspended".to_owned()));
    words.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing;

    #[test]
    fn a_line_says_where_each_is() {
        let lines: Vec<_> = testing::all().iter().map(|(_, one)| line(one)).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
