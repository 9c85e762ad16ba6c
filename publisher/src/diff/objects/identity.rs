//! Which object of a cluster it is, whatever version of its API it is written in.

use std::fmt;

use pdp_policies::{KubernetesName, printable};
use serde_json::Value;

/// Group, kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    group: String,
    pub(super) kind: String,
    /// The namespace of the component where it names none.
    namespace: String,
    pub(super) name: String,
    /// The namespace as it is written.
    written: Option<String>,
}

impl Identity {
    /// None of what is no object.
    pub(super) fn of(object: &Value, home: &KubernetesName) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let api = object["apiVersion"].as_str().unwrap_or_default();
        let written = text(&object["metadata"]["namespace"]).filter(|it| it != home.as_str());
        Some(Self {
            group: api.split_once('/').map_or("", |(group, _)| group).to_owned(),
            kind: text(&object["kind"])?,
            namespace: written.clone().unwrap_or_else(|| home.to_string()),
            name: text(&object["metadata"]["name"])?,
            written,
        })
    }

    /// Such as `apps/Deployment`; `Service` alone for the core group.
    pub(super) fn group_kind(&self) -> String {
        match self.group.as_str() {
            "" => self.kind.clone(),
            group => format!("{group}/{}", self.kind),
        }
    }

    fn key(&self) -> (&str, &str, &str, &str) {
        (&self.kind, &self.group, &self.namespace, &self.name)
    }
}

impl PartialOrd for Identity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Identity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (printable(&self.kind), printable(&self.name));
        match &self.written {
            Some(namespace) => write!(f, "{kind} {}/{name}", printable(namespace)),
            None => write!(f, "{kind} {name}"),
        }
    }
}
