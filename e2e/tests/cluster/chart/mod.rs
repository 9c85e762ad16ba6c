//! pdp-sync's chart, installed by the real helm-controller into a namespace that takes restricted pods alone.

mod admission;
mod artifact;
mod install;
mod rights;

use pdp_e2e::Registry;
use pdp_e2e::cluster::{Cluster, Kind, condition};
use serde_json::{Value, json};

/// A namespace with one release of the chart.
struct Release<'a> {
    cluster: &'a Cluster,
    namespace: String,
    registry: Registry,
    values: Value,
}

/// Values that every test sets: nothing of a chart is by tag.
fn by_digest() -> Value {
    json!({ "image": { "digest": format!("sha256:{}", "5".repeat(64)) } })
}

impl<'a> Release<'a> {
    /// An empty namespace that refuses pods with more rights than `restricted` allows.
    fn new(cluster: &'a Cluster, namespace: &str) -> Self {
        let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
        let object = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace, "labels": labels },
        });
        cluster.api.apply(Kind::NAMESPACE, &object).unwrap();
        let registry = Registry::start().unwrap();
        Self { cluster, namespace: namespace.to_owned(), registry, values: by_digest() }
    }

    /// Merges further values in at the top level.
    fn with(mut self, key: &str, value: Value) -> Self {
        self.values[key] = value;
        self
    }

    /// Pushes the files and lets Flux apply them by digest.
    fn apply(&self, files: &[(String, String)]) -> String {
        let digest = artifact::push(&self.registry, files);
        let metadata = json!({ "name": "pdp-sync", "namespace": self.namespace });
        let source = json!({
            "apiVersion": Kind::OCI_REPOSITORY.api_version(), "kind": Kind::OCI_REPOSITORY.name(),
            "metadata": metadata,
            "spec": {
                "interval": "1h", "url": artifact::url(&self.registry), "insecure": true, "ref": { "digest": digest },
                "layerSelector": { "mediaType": artifact::LAYER, "operation": "copy" },
            },
        });
        let release = json!({
            "apiVersion": Kind::HELM_RELEASE.api_version(), "kind": Kind::HELM_RELEASE.name(),
            "metadata": metadata,
            "spec": {
                "interval": "1h", "timeout": "2m", "values": self.values,
                "chartRef": { "kind": "OCIRepository", "name": "pdp-sync" },
            },
        });
        self.cluster.api.apply(Kind::OCI_REPOSITORY, &source).unwrap();
        self.cluster.api.apply(Kind::HELM_RELEASE, &release).unwrap();
        digest
    }

    /// Installs the chart as it is.
    fn installed(self) -> Self {
        let digest = self.apply(&artifact::files());
        self.until_ready(&digest);
        self
    }

    fn until_ready(&self, digest: &str) {
        self.until("the release to be ready", |release| {
            condition(release, "Ready")["status"] == "True"
                && release["status"]["observedGeneration"] == release["metadata"]["generation"]
                && release["status"]["lastAttemptedRevisionDigest"] == digest
        });
    }

    fn until(&self, what: &str, condition: impl Fn(&Value) -> bool) {
        let waited = self.cluster.wait_for(what, || condition(&self.get(Kind::HELM_RELEASE, "pdp-sync")));
        assert!(waited.is_ok(), "{waited:?}\n{:#}", self.get(Kind::HELM_RELEASE, "pdp-sync")["status"]);
    }

    /// An object of the namespace, null if there is none.
    fn get(&self, kind: Kind, name: &str) -> Value {
        self.cluster.api.get(kind, &self.namespace, name).unwrap().unwrap_or_default()
    }

    /// What the release consists of, `<name> <kind>` each.
    fn inventory(&self) -> Vec<String> {
        let release = self.get(Kind::HELM_RELEASE, "pdp-sync");
        let entries = release["status"]["inventory"]["entries"].as_array().cloned().unwrap_or_default();
        let named = |entry: &Value| {
            let parts: Vec<_> = entry["id"].as_str().unwrap().split('_').map(str::to_owned).collect();
            format!("{} {}", parts[1], parts[3])
        };
        entries.iter().map(named).collect()
    }
}
