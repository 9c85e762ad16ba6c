//! The customer's Helm values: the platform's first, then the component's own; what doesn't fit holds.

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use pdp_e2e::{Line, wait_for};
use serde_json::{Value, json};

use crate::plane::Plane;
use crate::scenario::Scenario;

const NAMESPACE: &str = "values";
const IMAGES: &str = "values-images";
const ENFORCER: &str = "choreo-connect-enforcer";
const SCHEMA: &str =
    r#"{ "type": "object", "properties": { "replicas": { "type": "integer", "maximum": 5 } } }"#;

fn replicas(plane: &Plane<'_>, namespace: &str, name: &str) -> u64 {
    let found = plane.cluster.api.get(Kind::DEPLOYMENT, namespace, name).unwrap().unwrap();
    found["spec"]["replicas"].as_u64().unwrap()
}

#[test]
fn values_that_do_not_fit_hold_and_fitting_ones_reach_the_workload_in_order() {
    let cluster = shared();
    let _scenario =
        Scenario::begin("customer: values that don't fit hold; platform's, then the component's own");
    let plane = Plane::at_41(&cluster, NAMESPACE, |line| line.write(ENFORCER, "values.schema.json", SCHEMA));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let before = plane.live(Kind::HELM_RELEASE, ENFORCER)["metadata"]["generation"].clone();
    plane.give("pdp-platform-values", "replicas: 2\n");
    plane.give(&format!("pdp-values-{ENFORCER}"), "replicas: s3cret\n");
    plane.world.open(42, &["general=100"]).unwrap();
    let held = |state: &SubscriptionState| state.obstacles() == ["CustomerValuesInvalid"];
    subscription.until(pdp_sync, "values that don't fit to hold", held).unwrap();
    let state = subscription.state();
    let obstacle = &state.status("obstacles")[0];
    let detail = obstacle["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("ConfigMap pdp-values-{ENFORCER}")), "{detail}");
    assert!(detail.contains("replicas") && !detail.contains("s3cret"), "the path, never the value: {detail}");
    assert_eq!(obstacle["owner"], "customer");
    assert_eq!((state.level(), state.target(), state.phase()), (Some(41), Some(42), "waiting"));
    assert!(
        state.is("Ready") && state.history().len() == 1,
        "a hold, not a failure: {}",
        subscription.describe()
    );
    assert_eq!(plane.live(Kind::HELM_RELEASE, ENFORCER)["metadata"]["generation"], before);

    plane.give(&format!("pdp-values-{ENFORCER}"), "replicas: [\n");
    let unreadable = |state: &SubscriptionState| {
        let words = state.status("obstacles")[0]["detail"].as_str().unwrap_or_default().to_owned();
        held(state) && words != detail && words.contains(&format!("pdp-values-{ENFORCER}"))
    };
    subscription.until(pdp_sync, "values that aren't YAML to hold", unreadable).unwrap();
    plane.give(&format!("pdp-values-{ENFORCER}"), "replicas: 3\n");
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(replicas(&plane, "wso2-dataplane-values", ENFORCER), 3, "the component's own win");
    assert_eq!(replicas(&plane, "cert-manager-values", "certificate-manager"), 2, "the platform's for all");
}

/// Of an image that the fixtures have.
const TOOL: &str = "9d6df553f24a43f595269abb4803da4fadbbe2ae92bb2e63d01cb9f650a6d92c";

/// A level whose enforcer is told of a second image by an argument, which values carry.
fn with_a_tool(line: &mut Line) -> anyhow::Result<()> {
    line.replace(
        ENFORCER,
        "templates/workload.yaml",
        "- name: main",
        "- name: main\n          args: [\"--tool={{ .Values.tool }}\"]",
    )?;
    line.replace(ENFORCER, "values.yaml", "replicas: 1", "replicas: 1\ntool: quay.example/acme/tool:1")?;
    let image = format!("quay.example/acme/tool:1@sha256:{TOOL}");
    line.set(ENFORCER, "imageValues", json!([{ "image": image, "values": { "tool": "{name}:1@{digest}" } }]))
}

#[test]
fn values_that_name_an_image_are_refused_and_those_of_the_release_come_last() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: values never say which image runs");
    let plane = Plane::at_41(&cluster, IMAGES, with_a_tool);
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let theirs = format!("pdp-values-{ENFORCER}");
    plane.give(&theirs, "image: {repository: evil.example/thing}\ntool: evil.example/s3cret:1\n");
    plane.world.open(42, &["general=100"]).unwrap();
    let held = |state: &SubscriptionState| state.obstacles() == ["CustomerValuesInvalid"; 2];
    subscription.until(pdp_sync, "values that name images to hold", held).unwrap();
    let state = subscription.state();
    for (obstacle, place) in [(0, ": image.repository: "), (1, ": tool: ")] {
        let detail = state.status("obstacles")[obstacle]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&theirs) && detail.contains(place) && !detail.contains("s3cret"), "{detail}");
    }
    assert_eq!((state.level(), state.phase()), (Some(41), "waiting"));

    plane.give(&theirs, "replicas: 2\n");
    subscription.until_level(pdp_sync, 42).unwrap();
    let workload = || {
        let found = cluster.api.get(Kind::DEPLOYMENT, &format!("wso2-dataplane-{IMAGES}"), ENFORCER);
        found.unwrap().unwrap()["spec"].clone()
    };
    let tool = format!("--tool={}/acme/tool:1@sha256:{TOOL}", plane.world.registry_host());
    let args = |workload: &Value| workload["template"]["spec"]["containers"][0]["args"].clone();
    assert_eq!(args(&workload()), json!([tool]), "from the mirror, by digest");

    // Afterwards nobody asks pdp-sync: Flux takes the new values, but the release's come last.
    plane.give(&theirs, "replicas: 3\ntool: evil.example/thing:1\n");
    let ask = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "now" } } });
    cluster.api.patch(Kind::HELM_RELEASE, IMAGES, ENFORCER, &ask).unwrap();
    wait_for("Flux to take the new values", || workload()["replicas"] == 3).unwrap();
    assert_eq!(args(&workload()), json!([tool]));
}
