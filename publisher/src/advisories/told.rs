//! An advisory as people are told of it.

use pdp_policies::printable;
use pdp_policies::release::Advisory;
use serde::Serialize;

use super::score::rated;

/// What is known, and the number that its vector comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    pub(crate) advisory: Advisory,
    /// None without a vector, or with one that this program can't read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
}

impl Told {
    pub(crate) fn of(advisory: &Advisory) -> Self {
        let score = advisory.cvss.as_ref().and_then(|it| rated(it.as_str()).ok()).map(|it| it.score);
        Self { advisory: advisory.clone(), score }
    }

    /// `WSO2-2026-0142 (Critical 9.8, exploited in the wild; CVE-2026-41123)`.
    pub(crate) fn words(&self) -> String {
        let it = &self.advisory;
        let score = self.score.map(|score| format!(" {score:.1}")).unwrap_or_default();
        let exploited = if it.known_exploited { ", exploited in the wild" } else { "" };
        let cves: Vec<_> = it.cves.iter().map(ToString::to_string).collect();
        let more = match it.embargoed_until {
            _ if !cves.is_empty() => format!("; {}", cves.join(", ")),
            Some(until) if it.cvss.is_none() => format!("; under embargo until {until}"),
            _ => String::new(),
        };
        format!("{} ({:?}{score}{exploited}{more})", printable(&it.id), it.severity)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_known_is_told_and_what_is_not_is_told_to_be_under_embargo() {
        let plain = json!({});
        let known = json!({
            "cves": ["CVE-2026-41123", "CVE-2026-41124"], "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "knownExploited": true,
        });
        let secret = json!({ "embargoedUntil": "2026-12-20T08:00:00Z" });
        let mut disclosed = known.clone();
        disclosed["embargoedUntil"] = secret["embargoedUntil"].clone();
        let later = json!({ "cvss": "CVSS:5.0/NEW:X" });
        for (more, words) in [
            (&plain, "W-1 (Critical)"),
            (&known, "W-1 (Critical 9.8, exploited in the wild; CVE-2026-41123, CVE-2026-41124)"),
            (&secret, "W-1 (Critical; under embargo until 2026-12-20T08:00:00Z)"),
            (&disclosed, "W-1 (Critical 9.8, exploited in the wild; CVE-2026-41123, CVE-2026-41124)"),
            (&later, "W-1 (Critical)"),
        ] {
            let mut value = json!({
                "id": "W-1", "severity": "critical", "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
            });
            more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
            let told = Told::of(&serde_json::from_value(value).unwrap());
            assert_eq!(told.words(), words);
            let score: Value = serde_json::to_value(&told).unwrap()["score"].clone();
            assert_eq!(score.is_null(), !words.contains("9.8"));
        }
    }
}
