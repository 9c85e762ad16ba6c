//! Attacks by whoever owns the registry, or an artifact key.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::{Harm, Program};
use serde_json::{Value, json};

use crate::attack::{Attack, note};
use crate::forge::{Stolen, sha256};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// Level 42's descriptor.
fn release(attack: &Attack) -> Value {
    serde_json::from_slice(&attack.base.at_42["targets/release-pdp-2026-42.json"]).unwrap()
}

fn bundle_digest(attack: &Attack) -> String {
    release(attack)["bundle"]["digest"].as_str().unwrap().to_owned()
}

fn router_digest(attack: &Attack) -> String {
    let release = release(attack);
    let router =
        release["components"].as_array().unwrap().iter().find(|c| c["name"] == "choreo-connect-router");
    router.unwrap()["artifact"]["chart"]["digest"].as_str().unwrap().to_owned()
}

/// The digest of the router chart's layer.
fn router_layer(attack: &Attack) -> String {
    let url = manifest_url(attack, &router_digest(attack));
    let manifest: Value = reqwest::blocking::get(url).unwrap().json().unwrap();
    manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
}

fn manifest_url(attack: &Attack, name: &str) -> String {
    format!("http://{}/v2/pdp/pdp-2026/manifests/{name}", attack.registry().host())
}

fn harmed(name: &'static str, what: impl Fn(&Attack) -> String, harm: Harm, code: &str) {
    let attack = Attack::with_registry(name);
    attack.serve(&attack.base.at_42);
    attack.registry().faults().add("GET", &what(&attack), harm, None);
    attack.is_refused_with(code);
}

#[test]
fn endless_blob() {
    harmed("endless-blob", router_layer, Harm::Endless, "TooLarge");
}

#[test]
fn truncated_blob() {
    harmed("truncated-blob", router_layer, Harm::Shortened, "DigestMismatch");
}

#[test]
fn a_login_page_in_place_of_a_blob_is_only_a_delay() {
    harmed("page-as-blob", router_layer, Harm::Page, "Garbage");
}

#[test]
fn a_connection_that_breaks_off_is_only_a_delay() {
    harmed("connection-breaks-off", router_layer, Harm::Truncated, "Unreachable");
}

#[test]
fn swapped_blob() {
    harmed("swapped-blob", router_layer, Harm::Swapped, "DigestMismatch");
}

#[test]
fn endless_manifest() {
    harmed("endless-manifest", bundle_digest, Harm::Endless, "TooLarge");
}

#[test]
fn swapped_manifest() {
    harmed("swapped-manifest", router_digest, Harm::Swapped, "DigestMismatch");
}

#[test]
fn garbage_instead_of_a_manifest() {
    harmed("garbage-manifest", bundle_digest, Harm::Garbage, "DigestMismatch");
}

#[test]
fn signatures_hidden() {
    let attack = Attack::with_registry("signatures-hidden");
    attack.serve(&attack.base.at_42);
    attack.registry().without_referrers(true);
    attack.is_refused_with("Unsigned");
}

/// Attaches a statement to a digest, signed by `key`.
fn attach(attack: &Attack, subject: &str, predicate: &str, stated: &str, key: &Stolen) {
    attach_more(attack, subject, (predicate, &json!({})), stated, key);
}

fn attach_more(
    attack: &Attack,
    subject: &str,
    (predicate, says): (&str, &Value),
    stated: &str,
    key: &Stolen,
) {
    let host = attack.registry().host();
    let client = reqwest::blocking::Client::new();
    let statement = serde_json::to_vec(&json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": predicate, "predicate": says,
        "subject": [{ "digest": { "sha256": stated.trim_start_matches("sha256:") } }],
    }));
    let statement = statement.unwrap();
    let signature = key.sign(&sigstore_types::pae("application/vnd.in-toto+json", &statement));
    let der = sigstore_types::DerPublicKey::from_pem(&key.public_pem).unwrap();
    let hint = STANDARD.encode(hex::decode(sha256(der.as_bytes())).unwrap());
    let bundle = serde_json::to_vec(&json!({
        "mediaType": BUNDLE, "verificationMaterial": { "publicKey": { "hint": hint } },
        "dsseEnvelope": { "payload": STANDARD.encode(&statement), "payloadType": "application/vnd.in-toto+json",
            "signatures": [{ "sig": STANDARD.encode(signature) }] },
    }));
    let bundle = bundle.unwrap();
    for blob in [bundle.clone(), b"{}".to_vec()] {
        let start = client.post(format!("http://{host}/v2/pdp/pdp-2026/blobs/uploads/")).send().unwrap();
        let location = start.headers()["location"].to_str().unwrap();
        let url =
            if location.starts_with('/') { format!("http://{host}{location}") } else { location.to_owned() };
        let join = if url.contains('?') { '&' } else { '?' };
        let put =
            client.put(format!("{url}{join}digest=sha256:{}", sha256(&blob))).body(blob).send().unwrap();
        assert!(put.status().is_success());
    }
    let of = |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": format!("sha256:{}", sha256(bytes)), "size": bytes.len() });
    let subject_bytes = client.get(manifest_url(attack, subject)).send().unwrap().bytes().unwrap();
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": BUNDLE,
        "config": of("application/vnd.oci.empty.v1+json", b"{}"), "layers": [of(BUNDLE, &bundle)],
        "subject": of("application/vnd.oci.image.index.v1+json", &subject_bytes),
    }));
    let manifest = manifest.unwrap();
    let digest = format!("sha256:{}", sha256(&manifest));
    let mut entry = of("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["artifactType"] = BUNDLE.into();
    put_manifest(attack, &digest, manifest);
    // Where the registry keeps no referrers, the fallback tag does.
    let fallback = serde_json::to_vec(&json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry],
    }));
    put_manifest(attack, &subject.replace(':', "-"), fallback.unwrap());
}

fn put_manifest(attack: &Attack, name: &str, bytes: Vec<u8>) {
    let kind = match serde_json::from_slice::<Value>(&bytes).unwrap()["manifests"].is_array() {
        true => "application/vnd.oci.image.index.v1+json",
        false => "application/vnd.oci.image.manifest.v1+json",
    };
    let put = reqwest::blocking::Client::new().put(manifest_url(attack, name)).header("content-type", kind);
    assert!(put.body(bytes).send().unwrap().status().is_success());
}

/// A registry that holds everything but the vendor's signatures, with the attacker's own instead.
fn with_own_signature(
    name: &'static str,
    predicate: &str,
    stated: impl Fn(&Attack) -> String,
    stolen: bool,
) -> Attack {
    let attack = Attack::unsigned_registry(name);
    attack.serve(&attack.base.at_42);
    let key = if stolen { Stolen::from(&attack.base.world, "artifact") } else { Stolen::own() };
    attach(&attack, &bundle_digest(&attack), predicate, &stated(&attack), &key);
    attack
}

#[test]
fn signed_by_the_attackers_own_key() {
    with_own_signature("foreign-signer", SIGNED, bundle_digest, false).is_refused_with("UnknownSigner");
}

#[test]
fn a_scan_report_is_not_a_release_signature() {
    let sbom = "https://spdx.dev/Document";
    with_own_signature("wrong-predicate", sbom, bundle_digest, true).is_refused_with("WrongPredicate");
}

#[test]
fn a_signature_of_something_else() {
    with_own_signature("transplanted-signature", SIGNED, router_digest, true).is_refused_with("WrongSubject");
}

#[test]
fn a_foreign_referrer_beside_the_signature() {
    let attack = Attack::with_registry("foreign-referrer-beside");
    attack.serve(&attack.base.at_42);
    attach(&attack, &bundle_digest(&attack), SIGNED, &bundle_digest(&attack), &Stolen::own());
    attack.is_harmless();
}

#[test]
fn a_statement_beside_the_signature_that_no_data_plane_reads() {
    let attack = Attack::with_registry("large-statement-beside");
    attack.serve(&attack.base.at_42);
    let large = json!({ "bomFormat": "x".repeat(4 << 20) });
    let bundle = bundle_digest(&attack);
    attach_more(&attack, &bundle, ("https://cyclonedx.org/bom", &large), &bundle, &Stolen::own());
    attack.is_harmless();
}

#[test]
fn tags_moved_behind_everyones_back() {
    let attack = Attack::with_registry("tags-moved");
    attack.serve(&attack.base.at_42);
    let other = reqwest::blocking::get(manifest_url(&attack, "41")).unwrap().bytes().unwrap().to_vec();
    put_manifest(&attack, "42", other);
    let host = attack.registry().host();
    let args = ["release", "verify", "42", "--line", "pdp-2026", "--registry", &host];
    let verified = attack.base.world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(verified.code == Some(1) && verified.stderr.contains("error[TagMoved]"), "{}", verified.stderr);
    // Nobody installs by tag, so a data plane takes what was signed.
    attack.is_harmless();
    attack.note("TagMoved", "without effect on data planes; `release verify` raises the alarm");
}

#[test]
fn an_image_swapped_behind_its_tag() {
    let attack = Attack::with_registry("image-swapped-behind-tag");
    attack.serve(&attack.base.at_42);
    attack.is_harmless();
    let files = attack.base.world.git.files(&attack.data_plane.name, "main").unwrap();
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with("helm-release.yaml")) {
        let text = String::from_utf8_lossy(content);
        assert!(text.contains("digest: sha256:"), "{path} runs an image by tag:\n{text}");
    }
    attack.note("-", "without effect: every image runs by digest");
}

#[test]
fn stolen_artifact_key_alone() {
    let attack = Attack::with_registry("stolen-artifact-key");
    let key = Stolen::from(&attack.base.world, "artifact");
    let malice = serde_json::to_vec(&json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "artifactType": "application/vnd.wso2.pdp.release.v1", "manifests": [],
    }));
    let digest = format!("sha256:{}", sha256(malice.as_ref().unwrap()));
    put_manifest(&attack, "41", malice.unwrap());
    attach(&attack, &digest, SIGNED, &digest, &key);
    // The registry says what it likes; the catalog names the digest.
    attack.serve(&attack.base.at_42);
    attack.is_harmless();
    note("stolen-artifact-key", "-", "without effect: only the catalog names what is installed");
}
