//! Findings as SARIF 2.1.0, which code scanning reads.

use std::collections::BTreeMap;

use pdp_policies::{Digest, printable};
use serde_json::{Value, json};

use super::Finding;

/// The whole file; without findings a run that found nothing.
pub(crate) fn sarif(findings: &[Finding]) -> Value {
    let codes: BTreeMap<&str, &Finding> =
        findings.iter().rev().map(|finding| (finding.code, finding)).collect();
    let rules: Vec<_> = codes.values().map(|finding| rule(finding)).collect();
    let index = |code: &str| codes.keys().position(|known| *known == code);
    let results: Vec<_> = findings.iter().map(|finding| result(finding, index(finding.code))).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "publisher release lint",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    json!({
        "id": finding.code,
        "name": finding.code,
        "shortDescription": { "text": finding.code },
        "help": { "text": printable(&finding.hint) },
        "defaultConfiguration": { "level": "error" },
    })
}

fn result(finding: &Finding, rule: Option<usize>) -> Value {
    let text = format!("{}\n{}", printable(&finding.message), printable(&finding.hint));
    // A line of its own is asked for of every result that is shown.
    let region = json!({ "startLine": finding.line.unwrap_or(1) });
    json!({
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": "error",
        "message": { "text": text },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": uri(&finding.path) }, "region": region },
            "logicalLocations": [{ "fullyQualifiedName": printable(&finding.place) }],
        }],
        "partialFingerprints": { "finding/v1": fingerprint(finding) },
    })
}

/// The same for the same finding, wherever its line moves.
fn fingerprint(finding: &Finding) -> String {
    let parts = [finding.code, &finding.path, &finding.place, &finding.message];
    Digest::of(parts.join("\0").as_bytes()).short()
}

/// A path as a relative reference, or a `file:` address if it is absolute. Where a chart was fetched from is an address.
fn uri(path: &str) -> String {
    if path.contains("://") {
        return path.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    }
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(byte);
    let escaped = path.bytes().map(|byte| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    let escaped: String = escaped.collect();
    if escaped.starts_with('/') { format!("file://{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: &'static str, path: &str, line: Option<usize>) -> Finding {
        let text = |text: &str| text.to_owned();
        Finding {
            file: text(path),
            place: text("base"),
            code,
            message: text("not \u{1b}there"),
            hint: text("name it"),
            path: text(path),
            line,
        }
    }

    #[test]
    fn each_code_is_a_rule_and_each_finding_names_file_and_line() {
        let findings = [
            finding("BaseMissing", "42/release.yaml", Some(6)),
            finding("BadVersion", "42/release.yaml", Some(9)),
            finding("BadVersion", "charts/a b/Chart.yaml", None),
        ];
        let mut found = sarif(&findings);
        found["runs"][0]["tool"]["driver"]["version"] = json!("[version]");
        insta::assert_json_snapshot!(found);
    }

    #[test]
    fn nothing_found_is_a_run_without_results() {
        let found = sarif(&[]);
        assert_eq!(found["runs"][0]["results"], json!([]));
        assert_eq!(found["runs"][0]["tool"]["driver"]["rules"], json!([]));
    }

    #[test]
    fn a_path_is_a_reference_that_no_reader_takes_for_something_else() {
        for (path, wanted) in [
            ("42/release.yaml", "42/release.yaml"),
            ("a b/ä%:#?.yaml", "a%20b/%C3%A4%25%3A%23%3F.yaml"),
            ("/line/42/release.yaml", "file:///line/42/release.yaml"),
            ("oci://host/path:1 2", "oci://host/path:12"),
        ] {
            assert_eq!(uri(path), wanted);
        }
    }
}
