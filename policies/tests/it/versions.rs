//! The tables of docs/formats.md about versions, row by row, and what a release says of them.

use pdp_policies::{PresentVersion, Release, VersionRange, document};

use crate::vendor::release;

const DOC: &str = include_str!("../../../docs/formats.md");

/// The rows behind the line `<!-- table: NAME -->`: what stands in code in each cell.
fn table(name: &str) -> Vec<Vec<Vec<String>>> {
    let (_, rest) = DOC.split_once(&format!("<!-- table: {name} -->")).unwrap();
    let rows =
        rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(|it| it.replace('\u{1}', "|")).collect();
    rows.skip(2)
        .map(|row| row.replace("\\|", "\u{1}").trim_matches('|').split('|').map(code).collect())
        .collect()
}

fn here(text: &str) -> PresentVersion {
    text.parse().unwrap()
}

#[test]
fn the_documented_ranges_are_met_by_what_the_table_says() {
    let rows = table("ranges");
    assert!(rows.len() >= 9, "{rows:?}");
    for row in rows {
        let [ranges, met, unmet] = row.as_slice() else { panic!("{row:?}") };
        for text in ranges {
            let range: VersionRange = text.parse().unwrap();
            assert!(!met.is_empty() && !unmet.is_empty());
            met.iter().for_each(|version| assert!(range.lets_in(&here(version)), "{text} {version}"));
            unmet.iter().for_each(|version| assert!(!range.lets_in(&here(version)), "{text} {version}"));
        }
    }
}

#[test]
fn the_documented_versions_count_as_the_table_says() {
    let rows = table("versions");
    assert!(rows.len() >= 7, "{rows:?}");
    for row in rows {
        let [said, counts_as] = row.as_slice() else { panic!("{row:?}") };
        for text in said {
            assert_eq!(here(text).judged().to_string(), counts_as[0], "{text}");
            assert_eq!(here(text).to_string(), *text);
        }
    }
}

#[test]
fn a_range_that_older_readers_misread_is_named_as_critical() {
    for (range, named) in
        [(">=1.33, <1.40", false), ("^1.30", false), ("1.30", true), ("~1.33 || ~1.35", true)]
    {
        let mut release = release(42);
        release.requires.kubernetes = Some(range.parse().unwrap());
        let feature = release.requires.feature();
        assert_eq!(feature.is_some(), named, "{range}");
        assert_eq!(release.problems().is_empty(), !named, "{range}");
        release.critical.extend(feature.map(str::to_owned));
        let bytes = document::write(&release).unwrap();
        assert_eq!(Release::read("release", &bytes).unwrap(), release, "{range}");
    }
}

#[test]
fn what_is_no_range_refuses_the_release_and_says_why() {
    let mut value = serde_json::to_value(release(42)).unwrap();
    value["requires"]["kubernetes"] = "newest".into();
    let refusal = Release::read("release", value.to_string().as_bytes()).unwrap_err().to_string();
    assert!(refusal.contains("`newest` is no range of versions: write such as `>=1.33`"), "{refusal}");
}
