//! Which digests a CycloneDX document says that it is about: those of its main component.

use std::collections::BTreeSet;

use pdp_policies::Digest;
use serde_json::Value;

use super::purl::Purl;

/// None if it names no digest at all.
pub(super) fn subjects(document: &Value) -> BTreeSet<Digest> {
    let main = &document["metadata"]["component"];
    let purl = main["purl"].as_str().and_then(Purl::parse).and_then(|purl| purl.digest());
    let version = main["version"].as_str().and_then(|text| text.parse().ok());
    let bom_ref = main["bom-ref"].as_str().and_then(Purl::parse).and_then(|purl| purl.digest());
    let hashes = main["hashes"].as_array().into_iter().flatten();
    let hashes = hashes.filter(|hash| hash["alg"] == "SHA-256").filter_map(|hash| hash["content"].as_str());
    let hashes = hashes.filter_map(|hex| Digest::from_hex(&hex.to_ascii_lowercase()).ok());
    [purl, version, bom_ref].into_iter().flatten().chain(hashes).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_place_where_tools_write_the_digest_is_read() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        for (main, wanted) in [
            (json!({ "purl": format!("pkg:oci/a@sha256%3A{}", one.hex()) }), vec![one]),
            (json!({ "version": one.to_string() }), vec![one]),
            (json!({ "version": "1.2.3" }), vec![]),
            (json!({ "bom-ref": format!("pkg:oci/a@{two}") }), vec![two]),
            (json!({ "hashes": [{ "alg": "SHA-256", "content": one.hex() }] }), vec![one]),
            (json!({ "hashes": [{ "alg": "SHA-1", "content": "00" }] }), vec![]),
            (json!({ "purl": format!("pkg:npm/a@{one}") }), vec![]),
            (json!(null), vec![]),
        ] {
            let document = json!({ "metadata": { "component": main } });
            assert_eq!(subjects(&document), wanted.into_iter().collect(), "{document}");
        }
        // What it consists of is another matter.
        let parts = json!({ "components": [{ "version": one.to_string() }] });
        assert_eq!(subjects(&parts), BTreeSet::new());
    }
}
