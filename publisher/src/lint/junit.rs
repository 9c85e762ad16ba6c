//! Findings as JUnit XML, as GitLab, Azure Pipelines and Jenkins read it: each one is a test that failed.

use pdp_policies::printable;

use super::Finding;

/// The whole file; without findings one test that passed, of the file that was read.
pub(crate) fn junit(release: &str, findings: &[Finding]) -> String {
    let count = findings.len();
    let cases: String = match findings {
        [] => format!(
            "    <testcase classname=\"{0}\" name=\"release lint\" file=\"{0}\" time=\"0\"/>\n",
            escaped(release)
        ),
        _ => findings.iter().map(case).collect(),
    };
    let tests = count.max(1);
    let counts = format!("tests=\"{tests}\" failures=\"{count}\" errors=\"0\" skipped=\"0\" time=\"0\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"release lint\" {counts}>\n{cases}  \
         </testsuite>\n</testsuites>\n"
    )
}

fn case(finding: &Finding) -> String {
    let line = finding.line.map(|line| format!(" line=\"{line}\"")).unwrap_or_default();
    let (path, message) = (escaped(&finding.path), escaped(&finding.message));
    format!(
        "    <testcase classname=\"{path}\" name=\"{}: {message}\" file=\"{path}\"{line} time=\"0\">\n      \
         <failure type=\"{}\" message=\"{message}\">{}</failure>\n    </testcase>\n",
        finding.code,
        finding.code,
        escaped(&finding.to_string())
    )
}

/// For text and attributes alike; what no XML may hold is shown as its escape.
fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    let mut written = String::with_capacity(text.len());
    for c in lines.join("\n").chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => written.extend(c.escape_unicode()),
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_test_that_failed() {
        let finding = |message: &str, line| Finding {
            file: "42/release.yaml".to_owned(),
            place: "base".to_owned(),
            code: "BaseMissing",
            message: message.to_owned(),
            hint: "name it".to_owned(),
            path: "42/release.yaml".to_owned(),
            line,
        };
        let sly = "</failure>&\"'\u{1b}\u{ffff} ]]>";
        insta::assert_snapshot!(junit(
            "42/release.yaml",
            &[finding("not there", Some(6)), finding(sly, None)]
        ));
    }

    #[test]
    fn nothing_found_is_a_test_that_passed() {
        insta::assert_snapshot!(junit("a&b/release.yaml", &[]));
    }
}
