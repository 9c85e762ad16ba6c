//! Findings as lines that a CI system shows beside the file that they are about.

use pdp_policies::printable;

use super::Finding;

/// A system that reads such lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ci {
    GitHubActions,
    AzurePipelines,
}

impl Ci {
    /// The one that we run in, by the variables that it sets.
    pub(crate) fn here() -> Option<Self> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if is_set("GITHUB_ACTIONS") {
            Some(Self::GitHubActions)
        } else {
            is_set("TF_BUILD").then_some(Self::AzurePipelines)
        }
    }
}

/// One line. Whatever would end it or begin another command is escaped as the system's own tools escape it.
pub(crate) fn annotation(ci: Ci, finding: &Finding) -> String {
    let text = format!("{}\n{}", printable(&finding.message), printable(&finding.hint));
    let path = printable(&finding.path);
    let line = |name: &str| finding.line.map(|line| format!("{name}={line}"));
    match ci {
        Ci::GitHubActions => {
            let property = |text: &str| escaped(text, &GITHUB_PROPERTY);
            let mut parts = vec![format!("file={}", property(&path))];
            parts.extend(line("line"));
            parts.push(format!("title={}", property(finding.code)));
            format!("::error {}::{}", parts.join(","), escaped(&text, &GITHUB_TEXT))
        }
        Ci::AzurePipelines => {
            let property = |text: &str| escaped(text, &AZURE_PROPERTY);
            let mut parts = vec!["type=error".to_owned(), format!("sourcepath={}", property(&path))];
            parts.extend(line("linenumber"));
            parts.push(format!("code={}", property(finding.code)));
            format!("##vso[task.logissue {};]{}", parts.join(";"), escaped(&text, &AZURE_TEXT))
        }
    }
}

const GITHUB_TEXT: [(char, &str); 3] = [('%', "%25"), ('\r', "%0D"), ('\n', "%0A")];
const GITHUB_PROPERTY: [(char, &str); 5] =
    [('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")];
/// Azure takes `%` as it is written, and this for one that is meant.
const AZURE_TEXT: [(char, &str); 3] = [('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A")];
const AZURE_PROPERTY: [(char, &str); 5] =
    [('%', "%AZP25"), ('\r', "%0D"), ('\n', "%0A"), (';', "%3B"), (']', "%5D")];

fn escaped(text: &str, table: &[(char, &str)]) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match table.iter().find(|(special, _)| *special == c) {
            Some((_, instead)) => written.push_str(instead),
            None => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(path: &str, line: Option<usize>, message: &str) -> Finding {
        Finding {
            file: path.to_owned(),
            place: "base".to_owned(),
            code: "BaseMissing",
            message: message.to_owned(),
            hint: "name it".to_owned(),
            path: path.to_owned(),
            line,
        }
    }

    #[test]
    fn a_finding_is_one_line_whatever_it_says() {
        let plain = finding("42/release.yaml", Some(6), "not there");
        let sly = finding("a,b:c;d]%\n\u{1b}.yaml", None, "100%\r\n::error::x ##vso[task.complete]");
        for (ci, finding, wanted) in [
            (
                Ci::GitHubActions,
                &plain,
                "::error file=42/release.yaml,line=6,title=BaseMissing::not there%0Aname it",
            ),
            (
                Ci::GitHubActions,
                &sly,
                "::error file=a%2Cb%3Ac;d]%25\\u{a}\\u{1b}.yaml,title=BaseMissing::100%25\\u{d}\\u{a}::error::x ##vso[task.complete]%0Aname it",
            ),
            (
                Ci::AzurePipelines,
                &plain,
                "##vso[task.logissue type=error;sourcepath=42/release.yaml;linenumber=6;code=BaseMissing;]not there%0Aname it",
            ),
            (
                Ci::AzurePipelines,
                &sly,
                "##vso[task.logissue type=error;sourcepath=a,b:c%3Bd%5D%AZP25\\u{a}\\u{1b}.yaml;code=BaseMissing;]100%AZP25\\u{d}\\u{a}::error::x ##vso[task.complete]%0Aname it",
            ),
        ] {
            assert_eq!(annotation(ci, finding), wanted);
        }
    }

    #[test]
    fn each_special_character_is_escaped_as_its_system_reads_it() {
        assert_eq!(escaped("%\r\n:,", &GITHUB_TEXT), "%25%0D%0A:,");
        assert_eq!(escaped("%\r\n:,", &GITHUB_PROPERTY), "%25%0D%0A%3A%2C");
        assert_eq!(escaped("%\r\n;]", &AZURE_TEXT), "%AZP25%0D%0A;]");
        assert_eq!(escaped("%\r\n;]", &AZURE_PROPERTY), "%AZP25%0D%0A%3B%5D");
    }
}
