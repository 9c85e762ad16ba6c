//! `UpdateSubscription`: what the customer wants, as the Kubernetes object of that kind.
#![expect(unreachable_pub, reason = "what the derive writes for the root type")]
#![expect(clippy::duplicated_attributes, reason = "columns share a type or a priority")]

use kube::{CustomResource, KubeSchema};
use pdp_policies::policy::Policy;
use pdp_policies::{ComponentName, DataPlaneName, Level, Line, Organization, Platform, Ring, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::{KeyOf, NameOf, ReportsOf, TimeZones};

use super::status::UpdateSubscriptionStatus;

/// One data plane's subscription to a release line. Secrets, ConfigMaps and sources lie in its own namespace.
#[derive(CustomResource, KubeSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "updates.pdp.wso2.com",
    version = "v1",
    kind = "UpdateSubscription",
    plural = "updatesubscriptions",
    shortname = "usub",
    category = "pdp",
    namespaced,
    status = "UpdateSubscriptionStatus",
    derive = "PartialEq",
    doc = "Keeps all that WSO2 installs in this data plane at the level that vendor and customer agree on.",
    label("app.kubernetes.io/part-of", "pdp-sync"),
    annotation("kustomize.toolkit.fluxcd.io/substitute", "disabled"),
    annotation("helm.sh/resource-policy", "keep"),
    printcolumn(name = "Level", type_ = "integer", json_path = ".status.level"),
    printcolumn(name = "Target", type_ = "integer", json_path = ".status.target.level"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Blocked",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Blocked")].reason"#
    ),
    printcolumn(name = "Next", type_ = "date", json_path = ".status.nextAction.at", priority = 1),
    printcolumn(name = "Ring", type_ = "string", json_path = ".status.instruction.ring", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.ring) || has(self.instruction) && has(self.instruction.server)")
        .message("spec.ring is needed unless the server tells it (spec.instruction.server)"),
    validation = Rule::new("!(has(self.instruction) && has(self.instruction.approval)) || has(self.policy) && has(self.policy.approval)")
        .message("spec.instruction.approval needs spec.policy.approval: who may approve?"),
    validation = Rule::new("!has(self.policy) || !has(self.policy.after) || self.policy.after.all(after, has(after.key) != has(after.fingerprint))")
        .message("an entry of spec.policy.after names either `key` or `fingerprint`"),
    validation = Rule::new("!has(self.policy) || !has(self.policy.after) || self.policy.after.all(after, after.dataPlane != self.dataPlane)")
        .message("an entry of spec.policy.after names this data plane: it would wait for itself for ever"),
    validation = Rule::new("!has(self.policy) || !has(self.policy.freezes) || self.policy.freezes.all(freeze, timestamp(freeze.from) < timestamp(freeze.until))")
        .message("a freeze in spec.policy.freezes ends before it begins: it would hold nothing"),
    validation = Rule::new("!has(self.policy) || !has(self.policy.pin) || timestamp(self.policy.pin.expires) > timestamp('1970-01-01T00:00:00Z')")
        .message("spec.policy.pin.expires is no day of the calendar"),
    // CEL sees no field of two types, so approvers aren't counted here.
    validation = Rule::new("!has(self.policy) || !has(self.policy.approval) || (has(self.policy.approval.quorum) ? self.policy.approval.quorum >= 1 : has(self.policy.approval.groups))")
        .message("spec.policy.approval.quorum is always reached: write 1 to the number of approvers, or groups"),
    validation = Rule::new("!has(self.policy) || !has(self.policy.approval) || !has(self.policy.approval.groups) || self.policy.approval.groups.all(group, group.quorum >= 1)")
        .message("a group of spec.policy.approval.groups has a quorum that is always reached: write 1 to the number of its approvers"),
    validation = Rule::new("!has(self.policy) || !has(self.policy.windows) || self.policy.windows.all(window, window.cron.matches('^ *[^ ]+ +[^ ]+ +([*] +[^ ]+ +[^ ]+|[^ ]+ +[^ ]+ +[*]) *$'))")
        .message("spec.policy.windows: a cron has five fields, and names days of the month or weekdays: with both, cron opens on either; write 6#1 for the first Saturday")
)]
pub struct UpdateSubscriptionSpec {
    /// The customer, as the vendor knows it. Can't be changed.
    #[x_kube(validation = Rule::new("self == oldSelf").message("an organization can't be changed: make another subscription"))]
    pub organization: Organization,
    /// This data plane within the organization. Can't be changed.
    #[x_kube(validation = Rule::new("self == oldSelf").message("a data plane can't be renamed: make another subscription"))]
    pub data_plane: DataPlaneName,
    /// The release line. Can't be changed: levels are ordered within a line only.
    #[x_kube(validation = Rule::new("self == oldSelf").message("levels are ordered within a line only: make another subscription"))]
    pub line: Line,
    /// Its own ring; under the server it may be left out, and what enrolment answered is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<Ring>,
    /// Where the data plane runs.
    pub platform: Platform,
    /// Where the vendor's catalog comes from.
    pub catalog: CatalogSource,
    /// The vendor's root. Read once; a later change is reported, not used.
    #[serde(default)]
    pub root: Root,
    /// What opens levels besides the channel's own door; nothing if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<Instruction>,
    /// The customer's registry in place of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// Login for the vendor's registry if there is no mirror: a Secret of type `kubernetes.io/dockerconfigjson`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_secret_ref: Option<NameOf>,
    /// Whether artifacts need signatures beside being named by digest in the signed catalog.
    #[serde(default)]
    pub signatures: Signatures,
    /// Whether Flux verifies the signatures too (`spec.verify` of its sources).
    #[serde(default)]
    pub verify: Verify,
    /// Optional components that aren't wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub leave_out: Vec<ComponentName>,
    /// The ConfigMaps that Helm values come from.
    #[serde(default)]
    pub values: Values,
    /// Reports of the data planes that `policy.after` names, where no server hands them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports_of: Option<ReportsOf>,
    /// Zone data for windows, newer than pdp-sync's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zones: Option<TimeZones>,
    /// The customer's instruments: pins, windows, freezes, approvals.
    #[serde(default)]
    pub policy: Policy,
    /// Goes back to the last good level, and starts nothing as long as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// How often to look without a reason.
    #[serde(default = "five_minutes")]
    #[schemars(regex(pattern = r"^[0-9]+(s|m|h|d)$"))]
    pub interval: Span,
    /// Does nothing while true; what runs keeps running.
    #[serde(default)]
    pub suspend: bool,
    /// Further CAs for catalog, server and registry: the key `ca.crt` of this Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<NameOf>,
}

/// Where the catalog comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CatalogSource {
    /// A Flux source of this namespace: Flux's own connection and credentials.
    FluxSource {
        /// Its kind.
        kind: FluxSourceKind,
        /// Its name.
        #[schemars(length(min = 1, max = 253))]
        name: String,
    },
    /// An OCI artifact, straight from its registry.
    Oci {
        /// `host[:port]/path`.
        repository: String,
        /// Its tag.
        tag: String,
        /// Login: a Secret of type `kubernetes.io/dockerconfigjson`.
        #[serde(default, skip_serializing_if = "Option::is_none", rename = "secretRef")]
        secret_ref: Option<NameOf>,
    },
    /// A Git branch, straight from its host.
    Git {
        /// `https://...`.
        url: String,
        /// Its branch.
        branch: String,
        /// A Secret with the key `password` (or a token there).
        #[serde(default, skip_serializing_if = "Option::is_none", rename = "secretRef")]
        secret_ref: Option<NameOf>,
    },
}

/// The kinds of Flux sources that can hold a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FluxSourceKind {
    /// source.toolkit.fluxcd.io/v1
    GitRepository,
    /// source.toolkit.fluxcd.io/v1
    OCIRepository,
}

/// The ConfigMap with the vendor's `1.root.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Root {
    /// Name and key.
    pub config_map_ref: KeyOf,
}

impl Default for Root {
    fn default() -> Self {
        Self { config_map_ref: KeyOf { name: "pdp-root".to_owned(), key: "1.root.json".to_owned() } }
    }
}

/// What opens levels besides the channel's own door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Instruction {
    /// The channel server's assignments.
    Server(Server),
    /// The director's ring state, for data planes without the server.
    RingState(RingStateSource),
    /// The customer's approvals alone.
    Approval {},
}

/// The channel server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Its address: https, or http on this machine.
    #[schemars(length(max = 2048))]
    pub url: String,
    /// A Secret with the one-time enrolment token; needed until enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment_token_secret_ref: Option<KeyOf>,
    /// What is told about this data plane: levels, digests and codes from closed lists, or nothing.
    #[serde(default)]
    pub reports: crate::subscription::Reports,
}

/// Where ring state comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RingStateSource {
    /// A Git branch.
    Git {
        /// `https://...`.
        url: String,
        /// Its branch.
        branch: String,
    },
    /// An OCI repository, tag `ring-state-<line>`.
    Oci {
        /// `host[:port]/path`.
        repository: String,
    },
}

/// The customer's registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mirror {
    /// `host[:port][/prefix]`, in place of the vendor's host.
    #[schemars(length(min = 1, max = 512))]
    pub host: String,
    /// Login: a Secret of type `kubernetes.io/dockerconfigjson`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NameOf>,
    /// CA and client certificate for Flux: a Secret with `ca.crt` (and `tls.crt`, `tls.key`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<NameOf>,
}

/// Whether artifacts need signatures beside being named by digest in the signed catalog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Signatures {
    /// Bundle and components carry a signature by a key of the catalog.
    #[default]
    Required,
    /// The digests in the catalog are enough: for mirrors that drop signatures.
    Catalog,
}

/// Whether Flux verifies signatures too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verify {
    /// Yes if signatures are required.
    #[default]
    Auto,
    /// No: pdp-sync's own verification stands alone.
    Off,
}

/// The ConfigMaps that Helm values come from, key `values.yaml`; all are optional, and the later ones win.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Values {
    /// Values for every chart. A chart whose schema is strict refuses what is meant for others.
    #[schemars(length(min = 1, max = 253))]
    pub platform: String,
    /// `<prefix><component>`: the platform's values for one chart.
    #[schemars(length(min = 1, max = 180))]
    pub platform_prefix: String,
    /// `<prefix><component>`: the customer's values for one chart.
    #[schemars(length(min = 1, max = 180))]
    pub customer_prefix: String,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            platform: "pdp-platform-values".to_owned(),
            platform_prefix: "pdp-platform-values-".to_owned(),
            customer_prefix: "pdp-values-".to_owned(),
        }
    }
}

/// A person's way back: it holds until they take it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// The installed level that is left; another installed level is not touched.
    pub from: Level,
    /// Why, for people.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
}

fn five_minutes() -> Span {
    Span::from_seconds(300)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// As strict as a file that people write: the derived type ignores what it doesn't know.
    #[derive(Deserialize)]
    struct Object {
        kind: String,
        metadata: std::collections::BTreeMap<String, String>,
        spec: UpdateSubscriptionSpec,
    }

    #[test]
    fn one_of_an_older_version_is_read_to_the_last_field_and_fits_the_schema() {
        let text = include_str!("../../../fixtures/frozen/55b220a/subscriptions/update-subscription.yaml");
        is_read_to_the_last_field(text);
        let definition =
            serde_json::to_value(<UpdateSubscription as kube::CustomResourceExt>::crd()).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let object: serde_json::Value = pdp_policies::yaml::read(text).unwrap();
        let judge = jsonschema::validator_for(schema).unwrap();
        let errors: Vec<_> = judge.iter_errors(&object).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }

    /// What the API server lets in is read: else one object would keep all others from being listed.
    #[test]
    fn the_schema_of_own_images_and_their_grammar_are_one() {
        let definition =
            serde_json::to_value(<UpdateSubscription as kube::CustomResourceExt>::crd()).unwrap();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let images = &schema["properties"]["spec"]["properties"]["policy"]["properties"]["ownImages"];
        assert_eq!(images["maxItems"], 64);
        let judge = jsonschema::validator_for(&images["items"]).unwrap();
        let agree = |text: &str| {
            let read = text.parse::<pdp_policies::ImageName>().is_ok();
            assert_eq!(judge.is_valid(&text.into()), read, "{text:?}: read {read}");
        };
        for text in
            ["a", "a.b/c", "A.b/c", "A/b", "a_b.c/d", "a.b:1/c", "a:1", "localhost/a", "a@b", "*", "a/*", ""]
        {
            agree(text);
        }
        let text = proptest::string::string_regex("[aB1._:/@-]{0,9}").unwrap();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..20_000 {
            agree(&proptest::strategy::ValueTree::current(
                &proptest::strategy::Strategy::new_tree(&text, &mut runner).unwrap(),
            ));
        }
    }

    #[test]
    fn the_documented_sample_is_read_to_the_last_field() {
        let doc = include_str!("../../../docs/formats.md");
        let (_, rest) = doc.split_once("<!-- sample: update-subscription -->\n```yaml\n").unwrap();
        is_read_to_the_last_field(rest.split_once("\n```").unwrap().0);
    }

    fn is_read_to_the_last_field(text: &str) {
        let text = text.replace("apiVersion: updates.pdp.wso2.com/v1\n", "");
        let object: Object = pdp_policies::yaml::read(&text).unwrap();
        assert_eq!(
            (object.kind.as_str(), object.metadata.contains_key("name")),
            ("UpdateSubscription", true)
        );
        assert_eq!(object.spec.data_plane.as_str(), "prod");
        assert_eq!(object.spec.verify, Verify::Auto);
        assert!(object.spec.policy.approval.is_some() && object.spec.mirror.is_some());
    }
}
