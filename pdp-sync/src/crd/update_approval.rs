//! `UpdateApproval`: a person's signed yes or no to one release.
#![expect(unreachable_pub, reason = "what the derive writes for the root type")]

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// A signed approval, as `ssh-keygen -Y sign -n approval@updates.pdp.wso2.com` made it.
#[derive(CustomResource, KubeSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "updates.pdp.wso2.com",
    version = "v1",
    kind = "UpdateApproval",
    plural = "updateapprovals",
    shortname = "uappr",
    category = "pdp",
    namespaced,
    doc = "One person's signed yes or no to one release; counted by the policy of a subscription.",
    label("app.kubernetes.io/part-of", "pdp-sync"),
    annotation("kustomize.toolkit.fluxcd.io/substitute", "disabled"),
    annotation("helm.sh/resource-policy", "keep"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct UpdateApprovalSpec {
    /// The approval document, to the byte as it was signed (JSON).
    #[schemars(length(min = 1, max = 65536))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("what was signed can't be changed: make another approval"))]
    pub document: String,
    /// Its signature: armoured SSHSIG, namespace `approval@updates.pdp.wso2.com`.
    #[schemars(length(min = 1, max = 65536))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("a signature can't be changed: make another approval"))]
    pub signature: String,
}
