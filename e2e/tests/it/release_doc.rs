//! Every command of docs/release-engineering.md does what the page says, in its order: from a chart to a promoted level.

use std::path::Path;

use pdp_e2e::{Tools, World};
use serde_json::json;

use crate::keys_doc::{blocks, shell};
use crate::locks::sha256;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const PART: &str = "application/vnd.oci.image.manifest.v1+json";
/// In the shape of the page's own: the solver's image is an argument.
const VALUES: &str = "image: {repository: quay.io/jetstack/cert-manager-controller, tag: v1.19.4}\n\
                      acmesolver: {image: {registry: quay.io, repository: jetstack/cert-manager-acmesolver, tag: v1.19.4}}\n";
const TEMPLATE: &str = r#"apiVersion: v1
kind: Pod
metadata: {name: controller}
spec:
  containers:
    - name: controller
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
      args: ["--acme-http01-solver-image={{ with .Values.acmesolver.image }}{{ .registry }}/{{ .repository }}:{{ .tag }}{{ end }}"]
"#;

/// The chart as it is pulled, in the folder that the page names.
fn pulled(world: &World) {
    let about = "apiVersion: v2\nname: cert-manager\nversion: v1.19.4\n";
    for (path, text) in
        [("Chart.yaml", about), ("values.yaml", VALUES), ("templates/controller.yaml", TEMPLATE)]
    {
        let file = world.path(&format!("pdp-2026/charts/cert-manager/{path}"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
}

/// An index with the image of one platform, in the registry under its tag.
pub(crate) fn image(world: &World, path: &str, tag: &str) {
    let content = world.registry.content();
    let config = json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{}", sha256(&format!("{path}:{tag}"))), "size": 2 });
    let part = json!({ "schemaVersion": 2, "mediaType": PART, "config": config, "layers": [] }).to_string();
    let digest = content.put(path, &format!("{tag}-amd64"), PART, part.as_bytes()).unwrap();
    let platform = json!({ "os": "linux", "architecture": "amd64" });
    let part = json!({ "mediaType": PART, "digest": digest, "size": part.len(), "platform": platform });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [part] }).to_string();
    content.put(path, tag, INDEX, index.as_bytes()).unwrap();
}

#[test]
fn every_command_from_a_chart_to_a_promoted_level_works_as_the_page_says() {
    let world = World::start().unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/release-engineering.md");
    let page = std::fs::read_to_string(page).unwrap();
    pulled(&world);
    ["jetstack/cert-manager-controller", "jetstack/cert-manager-acmesolver"]
        .iter()
        .for_each(|path| image(&world, path, "v1.19.4"));
    let file = world.path("pdp-2026/7/release.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, blocks(&page, "yaml")[0]).unwrap();
    for (name, text) in [("certificate-manager", "replicas: 2\n"), ("certificate-manager-azure", "zone: a\n")]
    {
        let file = world.path(&format!("pdp-2026/7/values/{name}.yaml"));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    let helm = Tools::for_charts().unwrap().path("helm4");
    let given =
        format!("export PUBLISHER_HELM={} PUBLISHER_LOCK_VIA={}; ", helm.display(), world.registry_host());
    let lines: Vec<_> = blocks(&page, "sh").into_iter().flat_map(str::lines).collect();
    assert_eq!(lines.len(), 13);
    for line in lines {
        let finished = shell(&world, &format!("{given}{}", line.split(" #").next().unwrap()));
        assert!(finished.ok(), "{line}: {}{}", finished.stdout, finished.stderr);
    }
    world.open(7, &["general=100"]).unwrap();
    world.publish_catalog().unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.level(), Some(7));
}
