//! Every bad release is refused with exactly the findings that it deserves, all at once.

use crate::{fixtures, publisher};

#[test]
fn each_bad_release_gets_exactly_its_findings() {
    let mut cases = 0;
    for entry in std::fs::read_dir(fixtures().join("bad")).unwrap() {
        let folder = entry.unwrap().path();
        let file = folder.join("release.yaml");
        let mut args = vec!["release", "lint", file.to_str().unwrap(), "-o", "json"];
        let base = folder.join("base.yaml");
        if base.exists() {
            args.extend(["--base-release", base.to_str().unwrap()]);
        }
        let (code, stdout, stderr) = publisher(&args);
        assert_eq!(code, 1, "{}: {stderr}", folder.display());
        let findings: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        let mut codes: Vec<_> =
            findings.as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
        codes.sort_unstable();
        let expected = std::fs::read_to_string(folder.join("expect.txt")).unwrap();
        assert_eq!(codes, expected.lines().collect::<Vec<_>>(), "{}: {findings:#}", folder.display());
        for finding in findings.as_array().unwrap() {
            for field in ["file", "place", "message", "hint"] {
                assert!(!finding[field].as_str().unwrap().is_empty(), "{field} of {finding}");
            }
        }
        cases += 1;
    }
    assert!(cases >= 20, "{cases} cases");
}

#[test]
fn the_fixtures_are_good() {
    for level in [40, 41, 42, 43] {
        let file = fixtures().join(format!("pdp-2026/{level}/release.yaml"));
        let (code, stdout, stderr) = publisher(&["release", "lint", file.to_str().unwrap()]);
        assert_eq!(code, 0, "{stdout}{stderr}");
    }
}

#[test]
fn charts_in_the_shapes_that_real_ones_have_are_good() {
    let mut cases = 0;
    for entry in std::fs::read_dir(fixtures().join("charts-real-shaped")).unwrap() {
        let file = entry.unwrap().path().join("release.yaml");
        let (code, stdout, stderr) = publisher(&["release", "lint", file.to_str().unwrap()]);
        assert_eq!(code, 0, "{}: {stdout}{stderr}", file.display());
        cases += 1;
    }
    assert!(cases >= 9, "{cases} cases");
}

#[test]
fn an_image_in_several_files_is_one_finding() {
    let file = fixtures().join("bad/image-in-three-files/release.yaml");
    let (_, stdout, _) = publisher(&["release", "lint", file.to_str().unwrap()]);
    assert!(stdout.contains("(also in 2 other file(s))") && stdout.contains("✗ 1 to fix"), "{stdout}");
}

#[test]
fn a_chart_that_is_a_link_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let level = folder.path().join("2");
    std::fs::create_dir_all(&level).unwrap();
    std::fs::copy(fixtures().join("bad/bad-stage/release.yaml"), level.join("release.yaml")).unwrap();
    std::fs::create_dir(level.join("chart")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", level.join("chart/Chart.yaml")).unwrap();
    let (code, stdout, _) = publisher(&["release", "lint", level.join("release.yaml").to_str().unwrap()]);
    assert!(code == 1 && stdout.contains("error[UnsafePath]"), "{stdout}");
}
