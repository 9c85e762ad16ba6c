//! What all levels together say of each advisory: a level never changes, so what is found out later stands in a later one.

use std::collections::BTreeMap;

use pdp_policies::release::{Advisory, Release};
use pdp_policies::{At, Digest};

use crate::advisories::rated;

/// Every advisory once, by its id.
pub(super) fn merged(releases: &[(Release, Digest)]) -> BTreeMap<String, Advisory> {
    let mut found: BTreeMap<String, Advisory> = BTreeMap::new();
    for advisory in releases.iter().flat_map(|(release, _)| &release.advisories) {
        let more = match found.remove(&advisory.id) {
            Some(known) => both(known, advisory),
            None => advisory.clone(),
        };
        found.insert(more.id.clone(), more);
    }
    found
}

/// The worse of both in everything; all CVE ids. Whichever comes first, it is the same.
fn both(one: Advisory, other: &Advisory) -> Advisory {
    Advisory {
        cves: one.cves.union(&other.cves).cloned().collect(),
        cvss: [&one, other].into_iter().max_by_key(|it| score(it)).and_then(|it| it.cvss.clone()),
        severity: one.severity.max(other.severity),
        known_exploited: one.known_exploited || other.known_exploited,
        // Where one doesn't say it, every level before the fix counts.
        introduced_in: one.introduced_in.zip(other.introduced_in).map(|(a, b)| a.min(b)),
        confirmed_at: one.confirmed_at.min(other.confirmed_at),
        published_at: one.published_at.min(other.published_at),
        // An embargo that ended early is told by the next level, which names the advisory without one.
        embargoed_until: one.embargoed_until.zip(other.embargoed_until).map(|(a, b): (At, At)| a.max(b)),
        id: one.id,
    }
}

/// Tenths, and the vector: of two with one number it is always the same one. None without a vector.
fn score(it: &Advisory) -> Option<(i64, &str)> {
    let vector = it.cvss.as_ref()?.as_str();
    let tenths = rated(vector).map_or(0, |it| (it.score * 10.0).round() as i64);
    Some((tenths, vector))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    const BAD: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const MILD: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

    fn advisory(more: &Value) -> Advisory {
        let mut value = json!({
            "id": "a", "severity": "low", "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
        });
        more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn of_two_words_about_one_advisory_the_worse_counts_whichever_comes_first() {
        let (early, late) = ("2026-11-10T08:00:00Z", "2026-12-20T08:00:00Z");
        for (field, one, other, wanted) in [
            (
                "cves",
                json!(["CVE-2026-1000"]),
                json!(["CVE-2026-2000"]),
                json!(["CVE-2026-1000", "CVE-2026-2000"]),
            ),
            ("cvss", json!(BAD), json!(MILD), json!(BAD)),
            ("cvss", json!(null), json!(MILD), json!(MILD)),
            ("severity", json!("critical"), json!("low"), json!("critical")),
            ("knownExploited", json!(true), json!(false), json!(true)),
            ("introducedIn", json!(41), json!(43), json!(41)),
            ("introducedIn", json!(41), json!(null), json!(null)),
            ("confirmedAt", json!(early), json!(late), json!(early)),
            ("publishedAt", json!(early), json!(late), json!(early)),
            ("embargoedUntil", json!(early), json!(late), json!(late)),
            ("embargoedUntil", json!(null), json!(late), json!(null)),
        ] {
            let (one, other) = (advisory(&json!({ field: one })), advisory(&json!({ field: other })));
            for (a, b) in [(&one, &other), (&other, &one)] {
                let found = serde_json::to_value(both(a.clone(), b)).unwrap();
                assert_eq!(found[field], wanted, "{field}");
            }
        }
    }
}
