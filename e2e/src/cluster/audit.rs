//! What each service account asked the API server for, from the server's own audit log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Only service accounts of tests: administrators, the control plane and Flux would drown them.
pub(super) const POLICY: &str = "apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: None, userGroups: [\"system:serviceaccounts:kube-system\", \"system:serviceaccounts:flux-system\"]}
  - {level: Metadata, userGroups: [\"system:serviceaccounts\"]}
  - {level: None}
";

/// A moment in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(u64);

/// One request of a service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What was needed for it.
    pub right: Right,
    /// Its namespace, empty if it has none.
    pub namespace: String,
    /// Its object, empty for a list or watch.
    pub name: String,
    /// HTTP status; 403 is a missing right.
    pub code: u64,
}

/// A verb on a resource, as RBAC grants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Such as `helm.toolkit.fluxcd.io`; empty for the core group.
    pub group: String,
    /// Such as `updatesubscriptions/status`.
    pub resource: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: String,
}

impl Request {
    /// True if it could change something.
    pub fn is_write(&self) -> bool {
        !["get", "list", "watch"].contains(&self.right.verb.as_str())
    }
}

/// All rights that the rules of a Role or ClusterRole grant, one by one.
pub fn rights(role: &Value) -> BTreeSet<Right> {
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut granted = BTreeSet::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    granted.insert(Right { group: group.clone(), resource: resource.clone(), verb });
                }
            }
        }
    }
    granted
}

/// The end of the log as it is now.
pub(super) fn now(log: &Path) -> Moment {
    Moment(std::fs::metadata(log).map_or(0, |about| about.len()))
}

/// The requests of a user since a moment, in the order of their answers.
pub(super) fn requests(log: &Path, user: &str, since: Moment) -> Result<Vec<Request>> {
    let mut file = File::open(log).with_context(|| format!("open {}", log.display()))?;
    file.seek(SeekFrom::Start(since.0))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    // The last line may be half written.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(lines.filter(|event| event["user"]["username"] == user).filter_map(|event| request(&event)).collect())
}

/// None for a watch that only ends: its start was counted.
fn request(event: &Value) -> Option<Request> {
    let object = &event["objectRef"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verb = text(&event["verb"]);
    if verb == "watch" && event["stage"] == "ResponseComplete" && event["responseStatus"]["code"] == 200 {
        return None;
    }
    let mut resource = text(&object["resource"]);
    if let Some(subresource) = object["subresource"].as_str() {
        resource = format!("{resource}/{subresource}");
    }
    Some(Request {
        right: Right { group: text(&object["apiGroup"]), resource, verb },
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
    })
}
