//! Findings of `release lint` where CI systems look for them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::fixtures;

/// In the folder of a bad release, so that paths are relative.
fn lint(folder: &Path, env: &[(&str, &str)], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_publisher"));
    command.args(["release", "lint", "release.yaml"]).args(more).current_dir(folder);
    command.env_remove("GITHUB_ACTIONS").env_remove("TF_BUILD").envs(env.iter().copied());
    command.output().unwrap()
}

fn bad(name: &str) -> std::path::PathBuf {
    fixtures().join("bad").join(name)
}

#[test]
fn findings_name_file_and_line() {
    for (name, wanted) in [
        ("no-version", "(release.yaml:9, components.alpha.version)"),
        ("bad-repository", "(release.yaml:6, repository)"),
        ("chart-name-differs", "(chart/Chart.yaml)"),
        ("duplicate-key", "(release.yaml:7:1)"),
        ("hotfix-without-base", "(release.yaml, base)"),
    ] {
        let output = lint(&bad(name), &[], &[]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(wanted), "{name}: {text}");
    }
}

#[test]
fn annotations_come_on_stderr_in_the_words_of_the_system_and_only_there() {
    let folder = bad("no-version");
    for (env, begin) in [
        (
            "GITHUB_ACTIONS",
            "::error file=release.yaml,line=9,title=BadVersion::`banana` is no version of a chart%0A",
        ),
        (
            "TF_BUILD",
            "##vso[task.logissue type=error;sourcepath=release.yaml;linenumber=9;code=BadVersion;]`banana` is no version of a chart%0A",
        ),
    ] {
        let output = lint(&folder, &[(env, "true")], &["-o", "json"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with(begin) && stderr.lines().count() == 1, "{stderr}");
        let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(findings[0]["line"], 9);
    }
    assert!(lint(&folder, &[], &[]).stderr.is_empty());
}

#[test]
fn reports_are_written_for_good_and_for_bad_releases() {
    let out = tempfile::tempdir().unwrap();
    let (sarif, junit) = (out.path().join("a.sarif"), out.path().join("a.xml"));
    let more = ["--sarif", sarif.to_str().unwrap(), "--junit", junit.to_str().unwrap()];
    let good = fixtures().join("pdp-2026/40");
    for (folder, code, findings) in [(bad("unsorted-levels"), 1, 3), (good, 0, 0)] {
        let output = lint(&folder, &[], &more);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&std::fs::read(&sarif).unwrap()).unwrap();
        assert_eq!(report["runs"][0]["results"].as_array().unwrap().len(), findings, "{report:#}");
        let xml = std::fs::read_to_string(&junit).unwrap();
        assert_eq!(xml.matches("<failure ").count(), findings, "{xml}");
        assert_eq!(xml.matches("<testcase ").count(), findings.max(1), "{xml}");
    }
}
