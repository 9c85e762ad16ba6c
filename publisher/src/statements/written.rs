//! What the build writes itself: an SBOM of the whole level, and a VEX document of what it fixes. The same level gives the same
//! bytes: times are the advisories' own.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::release::{Component, Release};
use pdp_policies::{At, ComponentName, Digest};
use pdp_transport::cli::failure::{Result, internal};
use serde_json::{Value, json};

use super::kind::OPENVEX_CONTEXT;
use super::openvex::{Document, Product, Statement, Status, Vulnerability};
use super::purl::Purl;

/// What the level fixes, as far as a VEX document says it.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    /// The advisory's id, under which it always goes.
    pub(crate) id: String,
    /// Its CVEs, as far as they may be told.
    pub(crate) names: Vec<String>,
    /// The components that had it; empty if that isn't known.
    pub(crate) affected: BTreeSet<ComponentName>,
    /// When the fix was published.
    pub(crate) published_at: At,
}

/// The SBOM: the level, its components, and their images.
pub(crate) fn sbom(release: &Release) -> Value {
    let level = Purl::oci(&release.bundle.repository, &release.bundle.digest).to_string();
    let mut listed = BTreeMap::new();
    let mut holds = BTreeMap::from([(level.clone(), BTreeSet::new())]);
    for component in &release.components {
        let own = purl_of(release, component);
        listed.insert(own.clone(), artifact(component, &own));
        let images =
            component.images.iter().map(|image| (Purl::oci(image.pull_name(), &image.digest), image));
        let images: BTreeMap<_, _> = images.map(|(purl, image)| (purl.to_string(), image)).collect();
        for (purl, image) in &images {
            let entry = entry("container", image.pull_name(), &image.digest.to_string(), purl, &image.digest);
            listed.entry(purl.clone()).or_insert(entry);
            holds.entry(purl.clone()).or_default();
        }
        holds.entry(level.clone()).or_default().insert(own.clone());
        holds.entry(own).or_default().extend(images.into_keys());
    }
    let name = release.line.to_string();
    let main = entry("application", &name, &release.version, &level, &release.bundle.digest);
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": format!("urn:uuid:{}", uuid(&release.bundle.digest)),
        "metadata": {
            "component": main,
            "properties": [{ "name": "updates.pdp.wso2.com:level", "value": release.level.to_string() }],
        },
        "components": listed.into_values().collect::<Vec<_>>(),
        "dependencies": holds.into_iter().map(|(of, on)| json!({ "ref": of, "dependsOn": on })).collect::<Vec<_>>(),
    })
}

/// The VEX document: `fixed`, of the components that had it with their images; where those aren't known, of the level. None if
/// there is nothing to say.
///
/// # Errors
/// `Internal`.
pub(crate) fn vex(release: &Release, fixed: &[Fixed]) -> Result<Option<Value>> {
    let Some(last) = fixed.iter().map(|it| it.published_at).max() else { return Ok(None) };
    let document = Document {
        context: OPENVEX_CONTEXT.to_owned(),
        id: format!("urn:uuid:{}", uuid(&Digest::of(format!("vex of {}", release.bundle.digest).as_bytes()))),
        author: release.bundle.repository.clone(),
        role: None,
        timestamp: last.into(),
        last_updated: None,
        version: 1,
        tooling: None,
        statements: fixed.iter().map(|it| statement(release, it)).collect(),
    };
    serde_json::to_value(document).map(Some).map_err(internal)
}

fn statement(release: &Release, fixed: &Fixed) -> Statement {
    let mut names: Vec<_> = fixed.names.iter().chain([&fixed.id]).cloned().collect();
    names.dedup();
    let affected = release.components.iter().filter(|it| fixed.affected.contains(&it.name));
    let mut products: BTreeMap<String, Product> = affected.flat_map(|it| products(release, it)).collect();
    if products.is_empty() {
        let level = Purl::oci(&release.bundle.repository, &release.bundle.digest);
        products.insert(level.to_string(), product(&level.to_string(), &release.bundle.digest));
    }
    Statement {
        id: None,
        version: None,
        timestamp: Some(fixed.published_at.into()),
        last_updated: None,
        vulnerability: Vulnerability { id: None, name: names.remove(0), description: None, aliases: names },
        products: products.into_values().collect(),
        status: Status::Fixed,
        supplier: None,
        status_notes: None,
        justification: None,
        impact_statement: None,
        action_statement: None,
        action_statement_timestamp: None,
    }
}

fn products(release: &Release, component: &Component) -> Vec<(String, Product)> {
    let own = (purl_of(release, component), component.artifact.digest());
    let images = component.images.iter();
    let images = images.map(|it| (Purl::oci(it.pull_name(), &it.digest).to_string(), it.digest));
    let all = std::iter::once(own).chain(images);
    all.map(|(purl, digest)| (purl.clone(), product(&purl, &digest))).collect()
}

fn product(purl: &str, digest: &Digest) -> Product {
    Product {
        id: Some(purl.to_owned()),
        identifiers: BTreeMap::from([("purl".to_owned(), purl.to_owned())]),
        hashes: BTreeMap::from([("sha-256".to_owned(), digest.hex())]),
        subcomponents: Vec::new(),
    }
}

/// Components lie in the bundle's repository.
fn purl_of(release: &Release, component: &Component) -> String {
    Purl::oci(&release.bundle.repository, &component.artifact.digest()).to_string()
}

fn artifact(component: &Component, purl: &str) -> Value {
    entry("application", component.name.as_str(), &component.version, purl, &component.artifact.digest())
}

fn entry(kind: &str, name: &str, version: &str, purl: &str, digest: &Digest) -> Value {
    json!({
        "type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl,
        "hashes": [{ "alg": "SHA-256", "content": digest.hex() }],
    })
}

/// A UUID of the eighth version: the beginning of a digest.
fn uuid(of: &Digest) -> String {
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&of.as_bytes()[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex::encode(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::record::is_of_another;
    use super::super::{Kind, problems};
    use super::*;

    fn release() -> Release {
        let digest = |name: &str| Digest::of(name.as_bytes());
        let component = |name: &str, images: &[&str]| {
            json!({
                "name": name, "version": "1.0.0", "stage": 1, "releaseName": name, "namespace": name,
                "artifact": { "chart": { "name": name, "digest": digest(name), "size": 1 } },
                "onFailure": "hold", "timeout": "1m", "settle": "1s",
                "images": images.iter().map(|it| json!({ "name": it, "digest": digest(it) })).collect::<Vec<_>>(),
            })
        };
        let value = json!({
            "apiVersion": pdp_policies::API_VERSION, "line": "pdp-2026", "level": 42, "version": "1", "kind": "update",
            "bundle": { "repository": "registry.example/pdp/pdp-2026", "digest": digest("bundle"), "size": 1 },
            "components": [component("a", &["quay.io/x/one", "quay.io/x/two"]), component("b", &["quay.io/x/two"])],
        });
        serde_json::from_value(value).unwrap()
    }

    fn fixed(affected: &[&str]) -> Fixed {
        Fixed {
            id: "WSO2-2026-1".to_owned(),
            names: vec!["CVE-2026-1".to_owned()],
            affected: affected.iter().map(|name| name.parse().unwrap()).collect(),
            published_at: At::from_unix(1_800_000_000),
        }
    }

    #[test]
    fn the_sbom_names_everything_once_keeps_to_the_standard_and_is_about_the_level() {
        let (release, again) = (release(), release());
        let document = sbom(&release);
        assert_eq!(problems(Kind::CycloneDx, &document).unwrap(), []);
        assert_eq!(serde_json::to_vec(&document).unwrap(), serde_json::to_vec(&sbom(&again)).unwrap());
        let purls: Vec<_> = document["components"].as_array().unwrap().iter().map(|it| &it["purl"]).collect();
        assert_eq!(purls.len(), 4, "{purls:?}");
        let graph: BTreeMap<_, _> = document["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["ref"].as_str().unwrap(), it["dependsOn"].as_array().unwrap().len()))
            .collect();
        let of =
            |repository: &str, name: &str| Purl::oci(repository, &Digest::of(name.as_bytes())).to_string();
        let own = "registry.example/pdp/pdp-2026";
        let found = ["bundle", "a", "b"].map(|name| graph[of(own, name).as_str()]);
        assert_eq!((found, graph[of("quay.io/x/two", "quay.io/x/two").as_str()]), ([2, 2, 1], 0));
        assert!(!is_of_another(Kind::CycloneDx, &document, &release.bundle.digest));
        assert!(is_of_another(Kind::CycloneDx, &document, &Digest::of(b"a")));
    }

    #[test]
    fn the_vex_document_names_who_had_it_or_the_level() {
        let release = release();
        assert_eq!(vex(&release, &[]).unwrap(), None);
        for (affected, products) in [(vec![], 1), (vec!["b"], 2), (vec!["a"], 3), (vec!["a", "b"], 4)] {
            let document = vex(&release, &[fixed(&affected)]).unwrap().unwrap();
            assert_eq!(problems(Kind::OpenVex, &document).unwrap(), [], "{document}");
            let statement = &document["statements"][0];
            let found = statement["products"].as_array().unwrap().len();
            assert_eq!((found, &statement["status"]), (products, &json!("fixed")), "{affected:?}");
            assert_eq!(
                statement["vulnerability"],
                json!({ "name": "CVE-2026-1", "aliases": ["WSO2-2026-1"] })
            );
            assert_eq!(document["timestamp"], "2027-01-15T08:00:00Z");
        }
        // What is under embargo goes by its id alone.
        let opaque = Fixed { names: Vec::new(), ..fixed(&[]) };
        let document = vex(&release, &[opaque]).unwrap().unwrap();
        assert_eq!(document["statements"][0]["vulnerability"], json!({ "name": "WSO2-2026-1" }));
    }
}
