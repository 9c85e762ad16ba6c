//! What Flux makes of the names of images.

use pdp_e2e::cluster::{Kind, shared};
use serde_json::json;

use crate::plane::Plane;
use crate::scenario::Scenario;

const NAMESPACE: &str = "names";
const ENFORCER: &str = "choreo-connect-enforcer";
/// The first one is a regular expression that takes the second one, too.
const NAMES: [&str; 2] = ["quay.example/team/proxy.v2", "quay.example/team/proxy-v2"];
/// Of images that the fixtures have.
const DIGESTS: [&str; 2] = [
    "b59443ebef601231aba29da87505a797088f509abd0cdf242544bc17616d801a",
    "9d6df553f24a43f595269abb4803da4fadbbe2ae92bb2e63d01cb9f650a6d92c",
];

#[test]
fn two_images_whose_names_are_alike_to_kustomize_each_get_their_own_digest() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: an image's entry reaches that image alone");
    let digests = DIGESTS.map(|digest| format!("sha256:{digest}"));
    let images: Vec<_> =
        NAMES.iter().zip(&digests).map(|(name, digest)| json!({ "name": name, "digest": digest })).collect();
    let plane = Plane::at_41(&cluster, NAMESPACE, |line| {
        let [one, other] = NAMES;
        let container =
            |name: &str, image: &str| format!("        - name: {name}\n          image: \"{image}:1\"\n");
        let more = format!("containers:\n{}{}", container("one", one), container("other", other));
        line.replace(ENFORCER, "templates/workload.yaml", "containers:\n", &more)?;
        let own = line.component(ENFORCER)?["images"].as_array().cloned().unwrap_or_default();
        line.set(ENFORCER, "images", [own, images].concat().into())
    });
    plane.world.open(42, &["general=100"]).unwrap();
    plane.subscription.until_level(&plane.pdp_sync, 42).unwrap();
    let strategy = plane.live(Kind::HELM_RELEASE, ENFORCER)["spec"]["postRenderStrategy"].clone();
    assert_eq!(strategy, "combined", "hooks, too, whatever the controller's feature gates say");
    let found = cluster.api.get(Kind::DEPLOYMENT, &format!("wso2-dataplane-{NAMESPACE}"), ENFORCER);
    let containers = found.unwrap().unwrap()["spec"]["template"]["spec"]["containers"].clone();
    let host = plane.world.registry_host();
    for (number, (name, digest)) in NAMES.iter().zip(&digests).enumerate() {
        let path = name.split_once('/').unwrap().1;
        assert_eq!(containers[number]["image"], format!("{host}/{path}@{digest}"));
    }
}
