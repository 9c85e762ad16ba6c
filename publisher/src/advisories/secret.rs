//! What is under embargo stands in nothing that goes out. Pure.

use pdp_policies::disclosure::Disclosed;

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
}
