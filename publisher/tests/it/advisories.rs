//! What may be written about vulnerabilities, and what of it goes out before its time.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::{command, run};

const CHART: &str = "{apiVersion: v2, name: a, version: 1.0.0}\n";
const ONE: &str = "id: WSO2-2026-0142, severity: critical, confirmedAt: 2026-11-20T08:00:00Z, publishedAt: 2026-11-22T08:00:00Z";
const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const NOW: &str = "2026-11-23T08:00:00Z";
const LATER: &str = "2026-12-20T08:00:00Z";

/// A line's folder with a level 1 of one chart `a`, and what release.yaml says of advisories.
struct Line(TempDir);

impl Line {
    fn new(advisories: &str) -> Self {
        let line = Self(tempfile::tempdir().unwrap());
        line.write("charts/a/Chart.yaml", CHART);
        line.write(
            "1/release.yaml",
            &format!(
                "apiVersion: updates.pdp.wso2.com/v1\nline: pdp\nlevel: 1\nversion: '1'\nkind: security\n\
                 repository: registry.example.com/pdp\ncomponents:\n  - {{name: a, version: 1.0.0, stage: 1, chart: {{name: a, \
                 path: ../charts/a}}, releaseName: a, namespace: a, onFailure: rollback, timeout: 5m, settle: 10s}}\n{advisories}"
            ),
        );
        line
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn ran(&self, verb: &str, more: &[&str], now: &str) -> (i32, String, String) {
        let file = self.path("1/release.yaml");
        let args = [&["release", verb, file.to_str().unwrap(), "-o", "json"], more].concat();
        run(command(&args).env("PDP_NOW", now))
    }

    /// `code path:line` of every finding.
    fn lint(&self) -> Vec<String> {
        let (_, stdout, stderr) = self.ran("lint", &[], NOW);
        let findings: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{stderr}"));
        let name = |it: &Value| {
            Path::new(it["path"].as_str().unwrap()).file_name().unwrap().to_str().unwrap().to_owned()
        };
        let all = findings.as_array().unwrap().iter();
        all.map(|it| format!("{} {}:{}", it["code"].as_str().unwrap(), name(it), it["line"])).collect()
    }

    /// Everything in the built folder, one after the other, with what the command said.
    fn built(&self, now: &str) -> (Vec<u8>, String) {
        let out = self.path("out");
        let _ = std::fs::remove_dir_all(&out);
        let (code, stdout, stderr) = self.ran("build", &["--out", out.to_str().unwrap()], now);
        assert_eq!(code, 0, "{stdout}{stderr}");
        let mut all = Vec::new();
        files(&out, &mut all);
        (all, stdout)
    }
}

fn files(folder: &Path, all: &mut Vec<u8>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, all);
        } else {
            all.extend(path.file_name().unwrap().as_encoded_bytes());
            all.extend(std::fs::read(&path).unwrap());
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|it| it == text.as_bytes())
}

#[test]
fn each_refusal_is_told_once_with_its_line() {
    let other = ONE.replace("0142", "0143");
    // Entries stand in the lines 10 and 11.
    for (first, second, wanted) in [
        (ONE.to_owned(), String::new(), &[][..]),
        (
            format!("{ONE}, cves: [CVE-2026-41123], cvss: '{VECTOR}', embargoedUntil: {LATER}"),
            String::new(),
            &[],
        ),
        (ONE.to_owned(), other.clone(), &[]),
        (ONE.to_owned(), ONE.to_owned(), &["AdvisoryTwice release.yaml:11"]),
        (
            format!("{ONE}, cves: [CVE-2026-41123]"),
            format!("{other}, cves: [CVE-2026-41123]"),
            &["AdvisoryTwice release.yaml:11"],
        ),
        (
            format!("{ONE}, cves: [CVE-2026-41123, CVE-2026-41123]"),
            String::new(),
            &["AdvisoryTwice release.yaml:10"],
        ),
        (format!("{ONE}, cves: [CVE-1]"), String::new(), &["BadAdvisory release.yaml:10"]),
        (ONE.replace("severity: critical, ", ""), String::new(), &["BadAdvisory release.yaml:10"]),
        (
            format!("{}, cvss: '{VECTOR}'", ONE.replace("critical", "medium")),
            String::new(),
            &["SeverityContradicts release.yaml:10"],
        ),
        (format!("{ONE}, components: [b]"), String::new(), &["AdvisoryContradicts release.yaml:10"]),
        (format!("{ONE}, components: [a, a]"), String::new(), &["AdvisoryContradicts release.yaml:10"]),
        (
            format!(
                "{ONE}, components: [a], notAffected: [{{component: a, justification: component_not_present}}]"
            ),
            String::new(),
            &["AdvisoryContradicts release.yaml:10"],
        ),
        (
            format!("{ONE}, notAffected: [{{component: a, justification: component_not_present}}]"),
            String::new(),
            &["AdvisoryContradicts release.yaml:10"],
        ),
        (
            format!("{ONE}, embargoedUntil: 2027-05-23T08:00:00Z"),
            String::new(),
            &["EmbargoTooLong release.yaml:10"],
        ),
        (format!("{ONE}, embargoedUntil: 2027-05-22T08:00:00Z"), String::new(), &[]),
        (
            format!("{}, embargoedUntil: {LATER}", ONE.replace("WSO2-2026-0142", "CVE-2026-41123")),
            String::new(),
            &["EmbargoTold release.yaml:10"],
        ),
        (format!("{ONE}, unknown: 1"), String::new(), &["BadYaml release.yaml:10"]),
    ] {
        let second = if second.is_empty() { second } else { format!("  - {{{second}}}\n") };
        let line = Line::new(&format!("advisories:\n  - {{{first}}}\n{second}"));
        assert_eq!(line.lint(), wanted, "{first}{second}");
    }
}

#[test]
fn a_file_of_advisories_is_judged_as_release_yaml_is_and_with_it() {
    let own = format!("advisories:\n  - {{{ONE}}}\n");
    let file = |text: &str| format!("advisories:\n  - {{{text}}}\n");
    let named = "advisoryFiles: [advisories.yaml]\n";
    let other = ONE.replace("0142", "0143");
    for (own, more, text, wanted) in [
        ("", named, file(ONE), &[][..]),
        (&own, named, file(&other), &[]),
        ("", named, "advisories: []\n".to_owned(), &["NoAdvisory release.yaml:10"]),
        (&own, named, file(ONE), &["AdvisoryTwice advisories.yaml:2"]),
        ("", named, file(&format!("{ONE}, cves: [CVE-1]")), &["BadAdvisory advisories.yaml:2"]),
        (
            "",
            named,
            file(&format!("{ONE}, unknown: 1")),
            &["BadYaml advisories.yaml:2", "NoAdvisory release.yaml:10"],
        ),
        ("", named, "- a\n".to_owned(), &["BadYaml advisories.yaml:1", "NoAdvisory release.yaml:10"]),
        (&own, "advisoryFiles: [nothing.yaml]\n", file(ONE), &["AdvisoriesUnreadable release.yaml:11"]),
        (
            &own,
            "advisoryFiles: [../../advisories.yaml]\n",
            file(ONE),
            &["AdvisoriesUnreadable release.yaml:11"],
        ),
        (&own, "advisoryFiles: [/etc/passwd]\n", file(ONE), &["AdvisoriesUnreadable release.yaml:11"]),
    ] {
        let line = Line::new(&format!("{own}{more}"));
        line.write("1/advisories.yaml", &text);
        let mut found = line.lint();
        // Nothing to point at but the file.
        found
            .iter_mut()
            .for_each(|it| *it = it.replace("NoAdvisory release.yaml:null", "NoAdvisory release.yaml:10"));
        assert_eq!(found, wanted, "{own}{more}{text}");
    }
}

#[test]
fn what_is_under_embargo_stands_nowhere_in_what_is_built_whatever_the_clock_says() {
    let title = "Anybody reads secrets";
    let secret = format!(
        "{ONE}, introducedIn: 1, cves: [CVE-2026-41123], cvss: '{VECTOR}', title: {title}, description: Read me, components: [a]"
    );
    let line = Line::new(&format!("advisories:\n  - {{{secret}, embargoedUntil: {LATER}}}\n"));
    let (bytes, said) = line.built(NOW);
    for word in ["CVE-", VECTOR, title, "Read me", "introducedIn"] {
        assert!(!has(&bytes, word) && !said.contains(word), "{word}");
    }
    assert!(has(&bytes, "WSO2-2026-0142") && has(&bytes, LATER) && has(&bytes, "critical"));
    assert_eq!(line.built("2027-01-01T08:00:00Z").0, bytes, "a level is the same on any day");
    // It would be found.
    let open = Line::new(&format!("advisories:\n  - {{{secret}}}\n"));
    let (bytes, _) = open.built(NOW);
    assert!(has(&bytes, "CVE-2026-41123") && has(&bytes, VECTOR) && has(&bytes, "introducedIn"));
    assert!(!has(&bytes, title), "a descriptor has no room for texts");
}

#[test]
fn an_embargo_that_is_over_is_told_and_refuses_nothing() {
    let line = Line::new(&format!("advisories:\n  - {{{ONE}, embargoedUntil: {LATER}}}\n"));
    let (code, stdout, stderr) = line.ran("lint", &[], NOW);
    assert_eq!((code, stdout.trim(), stderr.as_str()), (0, "[]", ""));
    let (code, stdout, stderr) = line.ran("lint", &[], LATER);
    assert_eq!((code, stdout.trim()), (0, "[]"), "{stderr}");
    assert!(
        stderr.contains("EmbargoOver: the embargo of `WSO2-2026-0142` was over") && stderr.contains(":10,"),
        "{stderr}"
    );
}

#[test]
fn files_and_values_that_tell_what_is_under_embargo_are_refused() {
    let line =
        Line::new(&format!("advisories:\n  - {{{ONE}, cves: [CVE-2026-41123], embargoedUntil: {LATER}}}\n"));
    line.write("charts/a/README.md", "# News\n\nfixes cve-2026-41123\n");
    assert_eq!(line.lint(), ["EmbargoTold README.md:null"]);
    line.write("charts/a/README.md", "# News\n");
    assert_eq!(line.lint(), [""; 0]);
    let file = line.path("1/release.yaml");
    let text =
        std::fs::read_to_string(&file).unwrap().replace("version: '1'", "version: fix of CVE-2026-41123");
    std::fs::write(&file, text).unwrap();
    let out = line.path("out");
    let (code, _, stderr) = line.ran("build", &["--out", out.to_str().unwrap()], NOW);
    assert!(code != 0 && stderr.contains("EmbargoTold"), "{stderr}");
    assert!(!out.join("release-pdp-1.json").exists());
}

#[test]
fn names_of_files_and_statements_that_tell_what_is_under_embargo_are_refused() {
    let advisories = format!("advisories:\n  - {{{ONE}, cves: [CVE-2026-41123], embargoedUntil: {LATER}}}\n");
    let line = Line::new(&advisories);
    line.write("charts/a/docs/cve-2026-41123.md", "# News\n");
    assert_eq!(line.lint(), ["EmbargoTold cve-2026-41123.md:null"]);

    for (file, name, found) in [
        ("vex.json", "CVE-2026-41124", &[][..]),
        ("vex.json", "CVE-2026-41123", &["EmbargoTold vex.json:null"]),
        // The level says the id, and nothing of where to look.
        ("vex.json", "WSO2-2026-0142", &["EmbargoTold vex.json:null"]),
        ("cve-2026-41123.json", "CVE-2026-41124", &["EmbargoTold cve-2026-41123.json:null"]),
    ] {
        let line = Line::new(&format!("{advisories}statements:\n  - {{path: {file}}}\n"));
        let vex = serde_json::json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://a.example/vex", "author": "a",
            "timestamp": "2026-11-01T00:00:00Z", "version": 1,
            "statements": [{ "vulnerability": { "name": name }, "products": [{ "@id": "a" }], "status": "fixed" }],
        });
        line.write(&format!("1/{file}"), &vex.to_string());
        assert_eq!(line.lint(), found, "{file} {name}");
    }
}

#[test]
fn files_of_advisories_do_not_go_over_into_the_next_level() {
    let line = Line::new("advisoryFiles: [advisories.yaml]\n");
    line.write("1/advisories.yaml", &format!("advisories:\n  - {{{ONE}}}\n"));
    line.write("1/notes.txt", "stays\n");
    let folder = line.path("");
    let args = ["release", "init", "2", "--from", "1", "--version", "2", "--in", folder.to_str().unwrap()];
    let (code, stdout, stderr) = run(&mut command(&args));
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(line.path("2/notes.txt").exists() && !line.path("2/advisories.yaml").exists());
    assert!(!std::fs::read_to_string(line.path("2/release.yaml")).unwrap().contains("advisor"));
}
