//! Statements against the schemas of their makers, offline.

use jsonschema::{PatternOptions, Retrieve, Uri};
use pdp_transport::cli::failure::{Result, internal};
use serde_json::Value;

use super::{Kind, openvex};

/// More of one document aren't told: who fixes one fixes many.
const MOST: usize = 10;

/// Something that a schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Keys and numbers with dots between them, as `components.0.name`; empty for all of it.
    pub(crate) place: String,
    pub(crate) message: String,
}

/// What is wrong with a document by the schema of its kind; values aren't shown.
///
/// # Errors
/// `Internal`: the schemas are our own files.
pub(crate) fn problems(kind: Kind, document: &Value) -> Result<Vec<Problem>> {
    let schema = match (kind, document.get("specVersion").and_then(Value::as_str)) {
        (Kind::OpenVex, _) => return Ok(openvex::problems(document)),
        (Kind::Spdx, _) => include_str!("../../schemas/spdx-2.3.json"),
        (Kind::CycloneDx, Some("1.4")) => include_str!("../../schemas/cyclonedx-1.4.json"),
        (Kind::CycloneDx, Some("1.5")) => include_str!("../../schemas/cyclonedx-1.5.json"),
        (Kind::CycloneDx, _) => include_str!("../../schemas/cyclonedx-1.6.json"),
    };
    let schema: Value = serde_json::from_str(schema).map_err(internal)?;
    let patterns = PatternOptions::fancy_regex().backtrack_limit(100_000).size_limit(1024 * 1024);
    let options = jsonschema::options().with_retriever(Beside).with_pattern_options(patterns);
    let validator = options.build(&schema).map_err(internal)?;
    let problems = validator.iter_errors(document).take(MOST).map(|error| Problem {
        place: error.instance_path().as_str().trim_start_matches('/').replace('/', "."),
        message: error.masked().to_string(),
    });
    Ok(problems.collect())
}

/// The two schemas that CycloneDX' own ones refer to. Nothing is fetched.
struct Beside;

impl Retrieve for Beside {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> std::result::Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let text = match uri.path().as_str().rsplit('/').next() {
            Some("jsf-0.82.SNAPSHOT.schema.json") => include_str!("../../schemas/cyclonedx-jsf.json"),
            Some("spdx.SNAPSHOT.schema.json") => include_str!("../../schemas/cyclonedx-licences.json"),
            _ => return Err("it is no schema of ours".into()),
        };
        Ok(serde_json::from_str(text)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn cyclonedx(version: &str, component: Value) -> Value {
        json!({ "bomFormat": "CycloneDX", "specVersion": version, "version": 1, "components": [component] })
    }

    fn spdx(change: impl FnOnce(&mut Value)) -> Value {
        let mut document = json!({
            "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "dataLicense": "CC0-1.0",
            "documentNamespace": "https://a.example/x",
            "creationInfo": { "created": "2026-11-01T00:00:00Z", "creators": ["Tool: x"] },
            "packages": [{ "SPDXID": "SPDXRef-a", "name": "a", "downloadLocation": "NOASSERTION" }],
        });
        change(&mut document);
        document
    }

    #[test]
    fn every_version_is_judged_by_its_own_schema() {
        let plain = json!({ "type": "container", "name": "x" });
        let licensed =
            |id: &str| json!({ "type": "library", "name": "x", "licenses": [{ "license": { "id": id } }] });
        let hashed = |hex: &str| json!({ "type": "file", "name": "x", "hashes": [{ "alg": "SHA-256", "content": hex }] });
        for (kind, document, place) in [
            (Kind::CycloneDx, cyclonedx("1.4", plain.clone()), None),
            (Kind::CycloneDx, cyclonedx("1.5", plain.clone()), None),
            (Kind::CycloneDx, cyclonedx("1.6", plain.clone()), None),
            (Kind::CycloneDx, cyclonedx("1.6", licensed("MIT")), None),
            (Kind::CycloneDx, cyclonedx("1.6", licensed("No-Such-Licence")), Some("components.0.licenses")),
            (Kind::CycloneDx, cyclonedx("1.6", hashed(&"0a".repeat(32))), None),
            (Kind::CycloneDx, cyclonedx("1.6", hashed("short")), Some("components.0.hashes.0.content")),
            (Kind::CycloneDx, cyclonedx("1.4", json!({ "type": "container" })), Some("components.0")),
            // A type of 1.6.
            (
                Kind::CycloneDx,
                cyclonedx("1.5", json!({ "type": "cryptographic-asset", "name": "x" })),
                Some("components.0.type"),
            ),
            (Kind::CycloneDx, cyclonedx("1.6", json!({ "type": "cryptographic-asset", "name": "x" })), None),
            (
                Kind::CycloneDx,
                cyclonedx("1.6", json!({ "type": "file", "name": "x", "colour": 1 })),
                Some("components.0"),
            ),
            (Kind::Spdx, spdx(|_| ()), None),
            (Kind::Spdx, spdx(|it| drop(it.as_object_mut().unwrap().remove("creationInfo"))), Some("")),
            (Kind::Spdx, spdx(|it| it["packages"][0] = json!({ "name": "a" })), Some("packages.0")),
        ] {
            let found = problems(kind, &document).unwrap();
            let first = found.first().map(|problem| problem.place.as_str());
            match place {
                None => assert_eq!(found, [], "{document}"),
                Some(place) => {
                    assert!(first.is_some_and(|it| it.starts_with(place)), "{document}: {found:?}")
                }
            }
        }
    }

    #[test]
    fn no_value_is_shown_and_not_everything_is_told() {
        let many: Vec<_> = (0..100).map(|_| json!({ "type": "secret\u{1b}[2K" })).collect();
        let document = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "components": many });
        let found = problems(Kind::CycloneDx, &document).unwrap();
        assert_eq!(found.len(), MOST);
        assert!(found.iter().all(|it| !it.message.contains("secret")), "{found:?}");
    }
}
