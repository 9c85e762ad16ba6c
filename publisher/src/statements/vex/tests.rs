#![allow(clippy::unwrap_used)]
use pdp_policies::Digest;
use serde_json::json;

use super::*;
use crate::release_file::ReleaseFile;
use crate::statements::About;

const VEX: &str = "https://openvex.dev/ns/v0.2.0";

/// A level with a chart, and one image under two names.
fn file() -> ReleaseFile {
    let (cilium, envoy) = (Digest::of(b"cilium"), Digest::of(b"envoy"));
    let text = format!(
        "apiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: 40\nversion: 1\nkind: update\n\
         repository: registry.example/pdp/pdp-2026\ncomponents:\n  - {{name: network, version: v1.2.3, stage: 1, \
         chart: {{name: cilium, path: ../c}}, releaseName: c, namespace: c, onFailure: hold, timeout: 1m, settle: 1s, images: \
         [{{name: quay.io/cilium/cilium, digest: \"{cilium}\"}}, \
         {{name: envoy, from: docker.io/envoyproxy/envoy, digest: \"{envoy}\"}}]}}\n"
    );
    pdp_policies::yaml::read(&text).unwrap()
}

fn scope() -> Scope {
    Scope::of(&file())
}

fn vex(statements: Value) -> Value {
    json!({
        "@context": VEX, "@id": "https://a.example/vex", "author": "a", "timestamp": "2026-11-01T00:00:00Z",
        "version": 1, "statements": statements,
    })
}

fn of(vulnerability: &str, status: &str, products: Value) -> Value {
    let (why, what) = ("not reachable", "update");
    let mut statement = json!({
        "vulnerability": { "name": vulnerability }, "products": products, "status": status,
    });
    match status {
        "not_affected" => statement["impact_statement"] = json!(why),
        "affected" => statement["action_statement"] = json!(what),
        _ => {}
    }
    statement
}

/// Codes with their places.
fn judged(documents: &[Value]) -> Vec<(String, &'static str)> {
    let mut spoken = Spoken::default();
    let each = documents.iter().flat_map(|it| check("a.json", it, &scope(), &mut spoken));
    each.map(|it| (it.place, it.code)).collect()
}

fn products(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "@id": id })).collect()
}

#[test]
fn of_a_product_and_a_vulnerability_one_thing_is_said_once() {
    let cilium = Digest::of(b"cilium");
    let by_digest = format!("pkg:oci/cilium@sha256%3A{}", cilium.hex());
    let by_name = "pkg:oci/cilium?repository_url=quay.io/cilium/cilium";
    let reference = format!("quay.io/cilium/cilium@{cilium}");
    let fixed = |ids: &[&str]| of("CVE-1", "fixed", products(ids));
    let (twice, contradiction) = ("VexProductTwice", "VexContradiction");
    for (statements, wanted) in [
        (vec![fixed(&[&by_digest]), of("CVE-2", "fixed", products(&[&by_digest]))], vec![]),
        (vec![fixed(&[&by_digest, "pkg:oci/envoy"])], vec![]),
        // The same thing under other names is the same thing.
        (vec![fixed(&[&by_digest, &by_digest])], vec![("statements.0.products.1", twice)]),
        (vec![fixed(&[&by_digest, by_name])], vec![("statements.0.products.1", twice)]),
        (vec![fixed(&[&by_digest]), fixed(&[&reference])], vec![("statements.1.products.0", twice)]),
        (
            vec![fixed(&[&by_digest]), of("CVE-1", "affected", products(&["quay.io/cilium/cilium"]))],
            vec![("statements.1.products.0", contradiction)],
        ),
        // Another name of the vulnerability.
        (
            vec![
                json!({ "vulnerability": { "name": "GHSA-1", "aliases": ["CVE-1"] }, "products": products(&[&by_digest]), "status": "fixed" }),
                of("CVE-1", "not_affected", products(&[&by_digest])),
            ],
            vec![("statements.1.products.0", contradiction)],
        ),
        // Of different parts different things can be true.
        (
            vec![
                of(
                    "CVE-1",
                    "affected",
                    json!([{ "@id": by_digest, "subcomponents": [{ "@id": "pkg:golang/a@1" }] }]),
                ),
                of(
                    "CVE-1",
                    "not_affected",
                    json!([{ "@id": by_digest, "subcomponents": [{ "@id": "pkg:golang/b@1" }] }]),
                ),
            ],
            vec![],
        ),
        (
            vec![
                of(
                    "CVE-1",
                    "affected",
                    json!([{ "@id": by_digest, "subcomponents": [{ "@id": "pkg:golang/a@1" }] }]),
                ),
                of(
                    "CVE-1",
                    "fixed",
                    json!([{ "@id": by_digest, "subcomponents": [{ "@id": "pkg:golang/a@1" }] }]),
                ),
            ],
            vec![("statements.1.products.0", contradiction)],
        ),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(|(place, code)| (place.to_owned(), code)).collect();
        assert_eq!(judged(&[vex(json!(statements))]), wanted, "{statements:?}");
        // Over two documents as in one.
        let apart: Vec<_> = statements.iter().map(|it| vex(json!([it]))).collect();
        let codes: Vec<_> = judged(&apart).into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, wanted.iter().map(|(_, code)| *code).collect::<Vec<_>>(), "{statements:?}");
    }
}

#[test]
fn a_product_is_something_of_the_level() {
    let cilium = Digest::of(b"cilium");
    let other = Digest::of(b"other");
    for (product, known) in [
        (json!({ "@id": "pkg:oci/cilium" }), true),
        (json!({ "@id": "pkg:oci/envoy?repository_url=docker.io/envoyproxy/envoy:v1" }), true),
        (json!({ "@id": "envoy" }), true),
        (json!({ "@id": "network" }), true),
        (json!({ "@id": "pkg:helm/cilium@1.2.3" }), true),
        (json!({ "@id": "pkg:helm/cilium@1.2.4" }), false),
        (json!({ "@id": "pdp-2026" }), true),
        (json!({ "@id": "pkg:oci/pdp-2026?repository_url=registry.example/pdp/pdp-2026" }), true),
        (json!({ "identifiers": { "purl": "pkg:oci/cilium" } }), true),
        (json!({ "hashes": { "sha-256": cilium.hex() } }), true),
        (json!({ "hashes": { "sha-256": other.hex() } }), false),
        (json!({ "@id": format!("quay.io/cilium/cilium@{other}") }), false),
        (json!({ "@id": format!("pkg:oci/cilium@{other}") }), false),
        (json!({ "@id": "pkg:oci/cilium?repository_url=ghcr.io/cilium/cilium" }), false),
        (json!({ "@id": "quay.io/other/cilium" }), false),
        (json!({ "@id": "https://a.example/product" }), false),
        (json!({}), false),
    ] {
        let found = judged(&[vex(json!([of("CVE-1", "fixed", json!([product]))]))]);
        let wanted = vec![("statements.0.products.0".to_owned(), "VexProductUnknown")];
        assert_eq!(found, if known { vec![] } else { wanted }, "{product}");
    }
}

#[test]
fn a_statement_is_about_a_component_an_image_or_the_level() {
    let (file, cilium, part) = (file(), Digest::of(b"cilium"), Digest::of(b"part"));
    let image = |digest, part_of| {
        let repository = "quay.io/cilium/cilium".to_owned();
        Ok(About::Image { repository, digest, part_of })
    };
    for (of, wanted) in [
        (None, Ok(About::Level)),
        (Some("network".to_owned()), Ok(About::Component("network".parse().unwrap()))),
        (Some("quay.io/cilium/cilium".to_owned()), image(cilium, None)),
        (Some(format!("quay.io/cilium/cilium:v1@{cilium}")), image(cilium, None)),
        (Some(format!("quay.io/cilium/cilium@{part}")), image(part, Some(cilium))),
        (
            Some("envoy".to_owned()),
            Ok(About::Image {
                repository: "docker.io/envoyproxy/envoy".to_owned(),
                digest: Digest::of(b"envoy"),
                part_of: None,
            }),
        ),
        (Some("quay.io/cilium/other".to_owned()), Err(())),
        (Some("No Image".to_owned()), Err(())),
    ] {
        let found = Scope::of(&file).about(of.as_deref(), &file).map_err(|_| ());
        assert_eq!(found, wanted, "{of:?}");
    }
}
