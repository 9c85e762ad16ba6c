//! What stands in for the parts that don't run here: a scheduler, and the files that a kubelet's world needs.

use std::path::Path;

use anyhow::{Context, Result};
use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// The key that signs service accounts' tokens.
pub(super) fn service_account_key(path: &Path) -> Result<()> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok().context("no randomness")?;
    let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().ok().context("no key")?;
    Ok(std::fs::write(path, pem::encode(&pem::Pem::new("EC PRIVATE KEY", der.as_ref().to_vec())))?)
}

/// The one node, and a rule that puts every pod on it.
pub(super) fn node_and_scheduler() -> [Value; 3] {
    let admission = "admissionregistration.k8s.io/v1";
    [
        json!({
            "apiVersion": admission, "kind": "MutatingAdmissionPolicy", "metadata": { "name": "on-n0" },
            "spec": {
                "matchConstraints": { "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
                }]},
                "matchConditions": [{ "name": "unscheduled", "expression": "!has(object.spec.nodeName)" }],
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "mutations": [{ "patchType": "JSONPatch", "jsonPatch": {
                    "expression": "[JSONPatch{op: \"add\", path: \"/spec/nodeName\", value: \"n0\"}]",
                }}],
            },
        }),
        json!({
            "apiVersion": admission, "kind": "MutatingAdmissionPolicyBinding",
            "metadata": { "name": "on-n0" }, "spec": { "policyName": "on-n0" },
        }),
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n0" } }),
    ]
}
