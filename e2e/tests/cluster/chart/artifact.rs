//! pdp-sync's chart as `helm push` would put it into a registry.

use std::path::Path;

use pdp_e2e::Registry;
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const REPOSITORY: &str = "charts/pdp-sync";
pub(super) const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// A group of its own: the tests beside this one keep theirs.
pub(super) const GROUP: &str = "chart-test.pdp.wso2.com";

/// The chart's files by their path.
pub(super) fn shipped() -> Vec<(String, String)> {
    let mut found = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../pdp-sync/chart"), "", &mut found);
    found.sort();
    found
}

/// The same, in the tests' own group.
pub(super) fn files() -> Vec<(String, String)> {
    let mut found = shipped();
    for (_, text) in &mut found {
        *text = text.replace("updates.pdp.wso2.com", GROUP);
    }
    found
}

fn read(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &format!("{path}/"), found);
        } else {
            found.push((path, std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

/// Pushes a chart and gives its digest.
pub(super) fn push(registry: &Registry, files: &[(String, String)]) -> String {
    let text = &files.iter().find(|(path, _)| path == "Chart.yaml").unwrap().1;
    let chart: Value = serde_saphyr::from_str(text).unwrap();
    let (config, layer) = (serde_json::to_vec(&chart).unwrap(), pack(files));
    let described =
        |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.cncf.helm.config.v1+json", &config),
        "layers": [described(LAYER, &layer)],
    });
    let (http, root) = (client(), format!("http://{}/v2/{REPOSITORY}", registry.host()));
    for blob in [&config, &layer] {
        let begun = good(http.post(format!("{root}/blobs/uploads/")).send());
        let place = begun.headers()["location"].to_str().unwrap();
        let place = if place.starts_with('/') {
            format!("http://{}{place}", registry.host())
        } else {
            place.to_owned()
        };
        let and = if place.contains('?') { '&' } else { '?' };
        good(http.put(format!("{place}{and}digest={}", digest(blob))).body(blob.clone()).send());
    }
    let bytes = manifest.to_string().into_bytes();
    let name = digest(&bytes);
    let put = http.put(format!("{root}/manifests/{name}")).body(bytes);
    good(put.header("content-type", "application/vnd.oci.image.manifest.v1+json").send());
    name
}

/// As Flux finds it.
pub(super) fn url(registry: &Registry) -> String {
    format!("oci://{}/{REPOSITORY}", registry.host())
}

fn client() -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

fn good(answer: reqwest::Result<Response>) -> Response {
    answer.unwrap().error_for_status().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// One folder named like the chart at the top, gzipped.
fn pack(files: &[(String, String)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("pdp-sync/{path}"), text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}
