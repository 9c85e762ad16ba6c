//! What a document says, whenever it was made: which others say the same, and which were replaced since. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pdp_policies::Digest;
use serde_json::Value;

use super::{Found, Kind};

/// What one document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// A newer document of a series replaces the older ones: an SBOM those of its kind about the same name, a VEX document
    /// those with its `@id`.
    series: (String, String),
    /// When it was made or changed, and its version; one without a time is older than all others.
    made: (Option<Timestamp>, u64),
    whole: Digest,
    /// Without what is new each time that a tool makes the document.
    gist: Digest,
}

impl Said {
    pub(crate) fn of(predicate_type: &str, document: &Value) -> Self {
        let shape = Shape::of(predicate_type);
        let text = |path: &str| document.pointer(path).and_then(Value::as_str);
        let made = shape.times.iter().find_map(|path| text(path)?.parse().ok());
        let version = document.get("version").and_then(Value::as_u64).unwrap_or_default();
        let mut gist = document.clone();
        shape.fresh.iter().for_each(|path| take_out(&mut gist, path));
        Self {
            series: (predicate_type.to_owned(), text(shape.name).unwrap_or_default().to_owned()),
            made: (made, version),
            whole: digest(document),
            gist: digest(&gist),
        }
    }
}

/// Where a kind of document says what, as JSON pointers.
struct Shape {
    name: &'static str,
    /// The first of these that is there.
    times: &'static [&'static str],
    fresh: &'static [&'static str],
}

impl Shape {
    fn of(predicate_type: &str) -> Self {
        match Kind::named(predicate_type) {
            Some(Kind::CycloneDx) => Self {
                name: "/metadata/component/name",
                times: &["/metadata/timestamp"],
                fresh: &["/serialNumber", "/version", "/metadata/timestamp"],
            },
            Some(Kind::Spdx) => Self {
                name: "/name",
                times: &["/creationInfo/created"],
                fresh: &["/documentNamespace", "/creationInfo/created"],
            },
            Some(Kind::OpenVex) => Self {
                name: "/@id",
                times: &["/last_updated", "/timestamp"],
                fresh: &["/last_updated", "/timestamp", "/version"],
            },
            None => Self { name: "", times: &[], fresh: &[] },
        }
    }
}

fn take_out(document: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    if let Some(fields) = document.pointer_mut(parent).and_then(Value::as_object_mut) {
        fields.remove(key);
    }
}

fn digest(document: &Value) -> Digest {
    Digest::of(document.to_string().as_bytes())
}

/// Those that no other one replaces, each once.
pub(crate) fn newest(mut found: Vec<Found>) -> Vec<Found> {
    let mut last = BTreeMap::new();
    for it in &found {
        let made = last.entry((it.subject, it.said.series.clone())).or_insert(it.said.made);
        *made = it.said.made.max(*made);
    }
    let mut seen = BTreeSet::new();
    found.retain(|it| {
        let is_last = last.get(&(it.subject, it.said.series.clone())) == Some(&it.said.made);
        is_last && seen.insert((it.subject, it.key.clone(), it.said.whole))
    });
    found
}

/// True if `key` said it of the same thing: this very document; or, as the last word so far, the same by another run of a tool.
pub(crate) fn is_said(said: &Said, key: &str, there: &[Found]) -> bool {
    let by_key = |it: &&Found| it.key == key;
    let last = newest(there.to_vec());
    there.iter().filter(by_key).any(|it| it.said.whole == said.whole)
        || last.iter().filter(by_key).any(|it| it.said.series == said.series && it.said.gist == said.gist)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_transport::oci::Manifest;
    use serde_json::json;

    use super::*;

    fn sbom(part: &str, day: u32) -> Value {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": format!("urn:uuid:{day}"),
            "metadata": { "timestamp": format!("2026-11-{day:02}T00:00:00Z"), "component": { "name": "cilium" } },
            "components": [{ "type": "library", "name": part }],
        })
    }

    fn spdx(day: u32) -> Value {
        json!({
            "spdxVersion": "SPDX-2.3", "name": "cilium", "documentNamespace": format!("https://a.example/{day}"),
            "creationInfo": { "created": format!("2026-11-{day:02}T00:00:00Z") }, "packages": [],
        })
    }

    fn vex(id: &str, status: &str, day: u32) -> Value {
        json!({
            "@id": id, "timestamp": "2026-11-01T00:00:00Z", "last_updated": format!("2026-11-{day:02}T00:00:00Z"), "version": day,
            "statements": [{ "vulnerability": { "name": "CVE-1" }, "status": status }],
        })
    }

    fn found(kind: Kind, document: &Value, key: &str) -> Found {
        let (subject, name) = (Digest::of(b"subject"), kind.predicate_type());
        let manifest = json!({ "schemaVersion": 2, "layers": [], "config": { "mediaType": "a", "digest": subject, "size": 0 } });
        let manifest: Manifest = serde_json::from_value(manifest).unwrap();
        Found {
            about: "it".to_owned(),
            subject,
            predicate_type: name.to_owned(),
            key: key.to_owned(),
            manifest: Digest::of(document.to_string().as_bytes()),
            said: Said::of(name, document),
            parts: manifest,
        }
    }

    #[test]
    fn what_a_key_said_last_is_not_said_again() {
        use Kind::{CycloneDx, OpenVex, Spdx};
        let (one, two) = ("one", "two");
        for (kind, there, document, again) in [
            (CycloneDx, vec![], sbom("musl", 1), false),
            (CycloneDx, vec![(sbom("musl", 1), one)], sbom("musl", 1), true),
            (CycloneDx, vec![(sbom("musl", 1), one)], sbom("musl", 2), true),
            (CycloneDx, vec![(sbom("musl", 1), one)], sbom("zlib", 2), false),
            (CycloneDx, vec![(sbom("musl", 1), two)], sbom("musl", 1), false),
            // Something else was said since.
            (CycloneDx, vec![(sbom("musl", 1), one), (sbom("zlib", 2), one)], sbom("musl", 3), false),
            (CycloneDx, vec![(sbom("musl", 1), one), (sbom("zlib", 2), one)], sbom("musl", 1), true),
            (Spdx, vec![(spdx(1), one)], spdx(2), true),
            (OpenVex, vec![(vex("a", "fixed", 1), one)], vex("a", "fixed", 2), true),
            (OpenVex, vec![(vex("a", "fixed", 1), one)], vex("a", "affected", 2), false),
            (OpenVex, vec![(vex("a", "fixed", 1), one)], vex("b", "fixed", 2), false),
        ] {
            let there: Vec<_> = there.iter().map(|(it, key)| found(kind, it, key)).collect();
            let said = Said::of(kind.predicate_type(), &document);
            assert_eq!(is_said(&said, one, &there), again, "{there:?} {document}");
        }
    }

    #[test]
    fn what_was_replaced_is_not_shown_and_nothing_is_shown_twice() {
        use Kind::{CycloneDx, OpenVex};
        let mut other = sbom("musl", 1);
        other["metadata"]["component"]["name"] = json!("envoy");
        let all = vec![
            found(CycloneDx, &sbom("musl", 1), "one"),
            found(CycloneDx, &sbom("zlib", 2), "one"),
            found(CycloneDx, &sbom("zlib", 2), "one"),
            found(CycloneDx, &sbom("zlib", 2), "two"),
            found(CycloneDx, &other, "one"),
            found(OpenVex, &vex("a", "affected", 1), "one"),
            found(OpenVex, &vex("a", "fixed", 2), "two"),
            found(OpenVex, &vex("b", "fixed", 1), "one"),
        ];
        let shown: Vec<_> = newest(all.clone()).into_iter().map(|it| (it.manifest, it.key)).collect();
        let wanted = [1, 3, 4, 6, 7].map(|n: usize| (all[n].manifest, all[n].key.clone()));
        assert_eq!(shown, wanted);
    }
}
