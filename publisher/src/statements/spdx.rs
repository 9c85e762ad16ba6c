//! Which digests an SPDX document says that it is about: those of the packages that it describes.

use std::collections::BTreeSet;

use pdp_policies::Digest;
use serde_json::Value;

use super::purl::Purl;

/// None if it names no digest at all.
pub(super) fn subjects(document: &Value) -> BTreeSet<Digest> {
    let described = described(document);
    let packages = list(&document["packages"]);
    let main = packages.filter(|it| it["SPDXID"].as_str().is_some_and(|id| described.contains(id)));
    main.flat_map(digests).collect()
}

/// Some tools list what they describe, others relate it.
fn described(document: &Value) -> BTreeSet<&str> {
    let listed = list(&document["documentDescribes"]).filter_map(Value::as_str);
    let related = list(&document["relationships"]).filter_map(|it| {
        let (from, to) = (it["spdxElementId"].as_str()?, it["relatedSpdxElement"].as_str()?);
        match it["relationshipType"].as_str()? {
            "DESCRIBES" if from == "SPDXRef-DOCUMENT" => Some(to),
            "DESCRIBED_BY" if to == "SPDXRef-DOCUMENT" => Some(from),
            _ => None,
        }
    });
    listed.chain(related).collect()
}

fn digests(package: &Value) -> Vec<Digest> {
    let version = package["versionInfo"].as_str().and_then(|text| text.parse().ok());
    let sums = list(&package["checksums"]).filter(|it| it["algorithm"] == "SHA256");
    let sums =
        sums.filter_map(|it| Digest::from_hex(&it["checksumValue"].as_str()?.to_ascii_lowercase()).ok());
    let purls = list(&package["externalRefs"]).filter(|it| it["referenceType"] == "purl");
    let purls = purls.filter_map(|it| Purl::parse(it["referenceLocator"].as_str()?)?.digest());
    version.into_iter().chain(sums).chain(purls).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_described_is_found_in_both_forms() {
        let (one, two, three) = (Digest::of(b"1"), Digest::of(b"2"), Digest::of(b"3"));
        let relation = |from: &str, kind: &str, to: &str| json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to });
        let document = |more: Value| {
            let mut document = json!({ "packages": [
                { "SPDXID": "SPDXRef-main", "versionInfo": one.to_string(),
                  "checksums": [{ "algorithm": "SHA256", "checksumValue": two.hex() }, { "algorithm": "SHA1", "checksumValue": "0" }],
                  "externalRefs": [{ "referenceType": "purl", "referenceLocator": format!("pkg:oci/a@{three}") }] },
                { "SPDXID": "SPDXRef-part", "versionInfo": Digest::of(b"part").to_string() },
            ] });
            for (key, value) in more.as_object().into_iter().flatten() {
                document[key] = value.clone();
            }
            document
        };
        for (more, found) in [
            (json!({ "documentDescribes": ["SPDXRef-main"] }), true),
            (json!({ "relationships": [relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-main")] }), true),
            (
                json!({ "relationships": [relation("SPDXRef-main", "DESCRIBED_BY", "SPDXRef-DOCUMENT")] }),
                true,
            ),
            (json!({ "relationships": [relation("SPDXRef-part", "DESCRIBES", "SPDXRef-main")] }), false),
            (json!({ "relationships": [relation("SPDXRef-main", "CONTAINS", "SPDXRef-part")] }), false),
            (json!({}), false),
        ] {
            let wanted = if found { BTreeSet::from([one, two, three]) } else { BTreeSet::new() };
            assert_eq!(subjects(&document(more.clone())), wanted, "{more}");
        }
    }
}
