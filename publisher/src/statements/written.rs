//! What the build writes itself: an SBOM of the whole level, and a VEX document of what it fixes. The same level gives the same
//! bytes: times are the advisories' own.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::disclosure::{Disclosed, Justification, NotAffected};
use pdp_policies::release::{Component, Release};
use pdp_policies::{ComponentName, Digest};
use pdp_transport::cli::failure::{Result, internal};
use serde_json::{Value, json};

use super::kind::OPENVEX_CONTEXT;
use super::openvex::{Document, Product, Statement, Status, Vulnerability};
use super::purl::Purl;

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

/// The VEX document: `fixed`, of the components that had it with their images, and `not_affected` of those that look as if they
/// had. Of what is under embargo it says its id, and that the level fixes it. None if there is nothing to say.
///
/// # Errors
/// `Internal`.
pub(crate) fn vex(release: &Release, told: &[Disclosed]) -> Result<Option<Value>> {
    let Some(last) = told.iter().map(|it| it.advisory.published_at).max() else { return Ok(None) };
    let document = Document {
        context: OPENVEX_CONTEXT.to_owned(),
        id: format!("urn:uuid:{}", uuid(&Digest::of(format!("vex of {}", release.bundle.digest).as_bytes()))),
        author: release.bundle.repository.clone(),
        role: None,
        timestamp: last.into(),
        last_updated: None,
        version: 1,
        tooling: None,
        statements: told.iter().flat_map(|it| statements(release, it)).collect(),
    };
    serde_json::to_value(document).map(Some).map_err(internal)
}

/// What is said of one advisory: who had it, and who has not, by reason.
fn statements(release: &Release, told: &Disclosed) -> Vec<Statement> {
    if told.advisory.embargoed_until.is_some() {
        return vec![statement(told, &[], level(release), Status::Fixed, None)];
    }
    let cves: Vec<_> = told.advisory.cves.iter().map(|cve| cve.as_str().to_owned()).collect();
    let of = |names: &[&ComponentName]| -> BTreeMap<String, Product> {
        let components = release.components.iter().filter(|it| names.contains(&&it.name));
        components.flat_map(|it| products(release, it)).collect()
    };
    let had = of(&told.components.iter().collect::<Vec<_>>());
    let mut all = vec![statement(
        told,
        &cves,
        if had.is_empty() { level(release) } else { had.clone() },
        Status::Fixed,
        None,
    )];
    for (why, names) in by_reason(&told.not_affected) {
        // An image that both have was fixed: it can't be said of it that it never had it.
        let mut spared = of(&names);
        spared.retain(|purl, _| !had.contains_key(purl));
        if !spared.is_empty() {
            all.push(statement(told, &cves, spared, Status::NotAffected, Some(why)));
        }
    }
    all
}

/// Components by the reason why they don't have it, in the order of OpenVEX. What two have for two reasons is said once.
fn by_reason(spared: &[NotAffected]) -> Vec<(Justification, Vec<&ComponentName>)> {
    let of = |why| spared.iter().filter(move |it| it.justification == why).map(|it| &it.component).collect();
    let all = Justification::ALL.into_iter().map(|why| (why, of(why)));
    all.filter(|(_, names): &(_, Vec<_>)| !names.is_empty()).collect()
}

fn statement(
    told: &Disclosed,
    cves: &[String],
    products: BTreeMap<String, Product>,
    status: Status,
    justification: Option<Justification>,
) -> Statement {
    let mut names: Vec<_> = cves.iter().chain([&told.advisory.id]).cloned().collect();
    names.dedup();
    Statement {
        id: None,
        version: None,
        timestamp: Some(told.advisory.published_at.into()),
        last_updated: None,
        vulnerability: Vulnerability { id: None, name: names.remove(0), description: None, aliases: names },
        products: products.into_values().collect(),
        status,
        supplier: None,
        status_notes: None,
        justification,
        impact_statement: None,
        action_statement: None,
        action_statement_timestamp: None,
    }
}

fn level(release: &Release) -> BTreeMap<String, Product> {
    let purl = Purl::oci(&release.bundle.repository, &release.bundle.digest).to_string();
    BTreeMap::from([(purl.clone(), product(&purl, &release.bundle.digest))])
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

    fn told(affected: &[&str], spared: &[&str], embargo: bool) -> Disclosed {
        let spared =
            spared.iter().map(|name| json!({ "component": name, "justification": "component_not_present" }));
        let mut value = json!({
            "id": "WSO2-2026-1", "cves": ["CVE-2026-1000"], "severity": "high", "components": affected,
            "confirmedAt": "2027-01-15T08:00:00Z", "publishedAt": "2027-01-15T08:00:00Z",
            "notAffected": spared.collect::<Vec<_>>(),
        });
        if embargo {
            value["embargoedUntil"] = "2027-02-15T08:00:00Z".into();
        }
        serde_json::from_value(value).unwrap()
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
            let document = vex(&release, &[told(&affected, &[], false)]).unwrap().unwrap();
            assert_eq!(problems(Kind::OpenVex, &document).unwrap(), [], "{document}");
            let statement = &document["statements"][0];
            let found = statement["products"].as_array().unwrap().len();
            assert_eq!((found, &statement["status"]), (products, &json!("fixed")), "{affected:?}");
            assert_eq!(
                statement["vulnerability"],
                json!({ "name": "CVE-2026-1000", "aliases": ["WSO2-2026-1"] })
            );
            assert_eq!(document["timestamp"], "2027-01-15T08:00:00Z");
        }
    }

    #[test]
    fn who_never_had_it_is_said_with_the_reason_and_of_no_image_both_ways() {
        let release = release();
        // Both have `quay.io/x/two`: it was fixed.
        let document = vex(&release, &[told(&["b"], &["a"], false)]).unwrap().unwrap();
        assert_eq!(problems(Kind::OpenVex, &document).unwrap(), [], "{document}");
        let spared = &document["statements"][1];
        assert_eq!(
            (&spared["status"], &spared["justification"]),
            (&json!("not_affected"), &json!("component_not_present"))
        );
        let purls: Vec<_> =
            spared["products"].as_array().unwrap().iter().map(|it| it["@id"].as_str().unwrap()).collect();
        assert_eq!(purls.len(), 2, "{purls:?}");
        assert!(purls.iter().all(|purl| !purl.contains("two")), "{purls:?}");
    }

    #[test]
    fn of_what_is_under_embargo_nothing_is_said_but_that_the_level_fixes_it() {
        let document = vex(&release(), &[told(&["b"], &["a"], true)]).unwrap().unwrap();
        assert_eq!(document["statements"].as_array().unwrap().len(), 1, "{document}");
        let statement = &document["statements"][0];
        assert_eq!(statement["vulnerability"], json!({ "name": "WSO2-2026-1" }));
        assert_eq!(statement["products"].as_array().unwrap().len(), 1);
        assert!(
            !document.to_string().contains("CVE-") && !document.to_string().contains("quay.io"),
            "{document}"
        );
    }
}
