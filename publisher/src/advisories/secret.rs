//! What is under embargo stands in nothing that goes out. Pure.

use pdp_policies::disclosure::Disclosed;
use serde_json::Value;

/// A shorter id is a word like any other (bytes): only a text that is nothing else names it.
const LEAST_IN_TEXT: usize = 6;

/// What of it stands in these bytes, in whatever case; none if nothing does. What is packed isn't looked into.
pub(crate) fn secret_in<'a>(stated: &'a [Disclosed], bytes: &[u8]) -> Option<&'a str> {
    let secret = stated.iter().map(|it| &it.advisory).filter(|it| it.embargoed_until.is_some());
    let mut words = secret.flat_map(|it| {
        it.cves.iter().map(|cve| cve.as_str()).chain(it.cvss.as_ref().map(|cvss| cvss.as_str()))
    });
    // Most levels have none.
    let first = words.next()?;
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    std::iter::once(first).chain(words).find(|word| text.contains(&word.to_ascii_lowercase()))
}

/// The id of one under embargo that a document names. The level itself says such an id, and nothing beside it; an SBOM or a VEX
/// document says where to look.
pub(crate) fn secret_id_in<'a>(stated: &'a [Disclosed], document: &Value) -> Option<&'a str> {
    let secret = stated.iter().map(|it| &it.advisory).filter(|it| it.embargoed_until.is_some());
    secret.map(|it| it.id.as_str()).find(|id| names(document, &id.to_ascii_lowercase()))
}

fn names(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => has_word(&text.to_ascii_lowercase(), id),
        Value::Array(all) => all.iter().any(|it| names(it, id)),
        Value::Object(fields) => {
            fields.iter().any(|(key, it)| has_word(&key.to_ascii_lowercase(), id) || names(it, id))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `WSO2-2026-01` doesn't stand in `WSO2-2026-0142`.
fn has_word(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    let begins = |rest: &str| !rest.ends_with(|c: char| c.is_alphanumeric());
    let mut found = text.match_indices(word).map(|(at, _)| (&text[..at], &text[at + word.len()..]));
    text == word
        || (word.len() >= LEAST_IN_TEXT && found.any(|(before, after)| begins(before) && ends(after)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_under_embargo_is_found_and_what_is_not_may_stand_there() {
        let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let one = |cve: &str, embargo: Option<&str>| -> Disclosed {
            let value = json!({
                "id": "a", "cves": [cve], "cvss": vector, "severity": "critical", "components": [], "embargoedUntil": embargo,
                "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
            });
            serde_json::from_value(value).unwrap()
        };
        let both = [one("CVE-2026-1111", None), one("CVE-2026-2222", Some("2026-12-20T08:00:00Z"))];
        for (text, found) in [
            (&b"fixes CVE-2026-1111"[..], None),
            (b"fixes CVE-2026-2222.", Some("CVE-2026-2222")),
            (b"\xff\xfe cve-2026-2222", Some("CVE-2026-2222")),
            (b"CVE-2026-222", None),
            (b"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(vector)),
            (b"", None),
        ] {
            assert_eq!(secret_in(&both, text), found, "{}", String::from_utf8_lossy(text));
            assert_eq!(secret_in(&both[..1], text), None);
        }
    }

    #[test]
    fn a_document_that_names_what_is_under_embargo_is_found() {
        let one = |id: &str, embargo: Option<&str>| -> Disclosed {
            let value = json!({
                "id": id, "severity": "critical", "components": [], "embargoedUntil": embargo,
                "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
            });
            serde_json::from_value(value).unwrap()
        };
        let until = Some("2026-12-20T08:00:00Z");
        let all = [one("WSO2-2026-01", until), one("WSO2-2026-02", None), one("a", until)];
        for (document, found) in [
            (
                json!({ "statements": [{ "vulnerability": { "name": "WSO2-2026-01" } }] }),
                Some("WSO2-2026-01"),
            ),
            (json!({ "aliases": ["wso2-2026-01"] }), Some("WSO2-2026-01")),
            (json!({ "note": "fixes WSO2-2026-01." }), Some("WSO2-2026-01")),
            (json!({ "WSO2-2026-01": true }), Some("WSO2-2026-01")),
            (json!(["WSO2-2026-0142", "XWSO2-2026-01", "WSO2-2026-02"]), None),
            (json!({ "name": "a" }), Some("a")),
            (json!({ "name": "a library", "version": 1 }), None),
        ] {
            assert_eq!(secret_id_in(&all, &document), found, "{document}");
        }
    }
}
