#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use semver::VersionReq;

use super::*;

const ASKED: [&str; 20] = [
    "0.0.0",
    "0.0.3",
    "0.0.4",
    "0.2.3",
    "0.2.4",
    "0.3.0",
    "1.0.0",
    "1.2.2",
    "1.2.3",
    "1.2.3-rc.1",
    "1.2.3-rc.2",
    "1.2.4",
    "1.3.0",
    "1.4.0",
    "1.4.9",
    "1.5.0",
    "2.0.0",
    "2.1.0",
    "3.0.0",
    "1.30.4",
];

fn range(text: &str) -> VersionRange {
    text.parse().unwrap_or_else(|bad| panic!("{bad}"))
}

fn here(text: &str) -> PresentVersion {
    text.parse().unwrap()
}

fn taken(text: &str) -> Option<String> {
    let range: VersionRange = text.parse().ok()?;
    let taken = ASKED.iter().filter(|asked| range.takes(&version(asked).unwrap()));
    Some(taken.copied().collect::<Vec<_>>().join(" "))
}

#[test]
fn versions_and_ranges_are_what_helm_takes_them_for() {
    let mut compared = 0;
    for line in include_str!("vectors.tsv").lines().filter(|line| !line.starts_with('#')) {
        let (kind, rest) = line.split_once('\t').unwrap();
        let (text, said) = rest.split_once('\t').unwrap();
        let found = match kind {
            "version" => version(text).map(|version| version.to_string()),
            _ => taken(text),
        };
        assert_eq!(found.as_deref().unwrap_or("-"), said, "{kind} {text:?}");
        compared += 1;
    }
    assert!(compared > 70, "{compared}");
}

#[test]
fn what_is_no_range_is_refused_in_words() {
    let bad = serde_json::from_str::<VersionRange>(r#"">= 1.33 & <\u001b[2K2""#).unwrap_err().to_string();
    assert_eq!(
        bad,
        "`>= 1.33 & <\\u{1b}[2K2` is no range of versions: write such as `>=1.33`, `>=1.33 <1.40`, `1.33 - 1.36` or \
         `~1.33 || ~1.35`, as for Helm"
    );
    let long = format!(">=1.33{}", " ".repeat(MAX_RANGE));
    let many = ["1"; MAX_ALTERNATIVES + 1].join("||");
    // Helm reads the last two otherwise than they look.
    for text in ["", " ", "||", "1 ||", "1.33\u{a0}", "newest", &long, &many, ">=1 1.2 - 1.4", "1||1.2 - 1.4"]
    {
        assert!(text.parse::<VersionRange>().is_err(), "{text:?}");
    }
}

/// Texts that `semver::VersionReq` printed into signed releases, and what they let in.
#[test]
fn what_older_releases_wrote_means_what_it_meant() {
    for (text, met, unmet) in [
        (">=1.33", "1.33.0 1.40.1 2.0.0", "1.32.9"),
        (">=1.33, <1.40", "1.33.0 1.39.9", "1.32.9 1.40.0"),
        ("^1.30", "1.30.0 1.36.3", "1.29.9 2.0.0"),
        ("~1.30", "1.30.0 1.30.9", "1.31.0"),
        ("=1.2.3", "1.2.3", "1.2.4"),
        ("=1.30", "1.30.0 1.30.7", "1.31.0"),
        (">1.30", "1.31.0", "1.30.9"),
        ("<=1.30", "1.30.9", "1.31.0"),
        ("1.*", "1.0.0 1.30.4", "2.0.0"),
        ("*", "0.0.1 1.30.4", ""),
        ("^0.2.3", "0.2.9", "0.3.0"),
        ("~0.0.0", "0.0.9", "0.1.0 1.30.4"),
        (">=0.9.0-rc.1", "0.9.0-rc.1 0.9.0", "0.9.0-beta.1"),
    ] {
        let (now, before): (_, VersionReq) = (range(text), text.parse().unwrap());
        assert!(now.is_as_before(), "{text}");
        assert_eq!(before.to_string(), text);
        for (versions, expected) in [(met, true), (unmet, false)] {
            for asked in versions.split_whitespace() {
                assert_eq!(now.lets_in(&here(asked)), expected, "{text} {asked}");
                assert_eq!(before.matches(&version(asked).unwrap()), expected, "{text} {asked}, before");
            }
        }
    }
    for text in
        ["1.30", "1.30.4", "v1.30", ">=1.33 <1.40", "1.33 - 1.36", "~1.33 || ~1.35", "!=1.34.2", "1.30.x"]
    {
        assert!(!range(text).is_as_before(), "{text}");
    }
}

#[test]
fn the_lowest_version_that_is_let_in_is_found_wherever_it_lies() {
    let zero = Version::new(0, 0, 0);
    for (text, lowest) in [
        (">=1.33", Some("1.33.0")),
        (">=2 <1", None),
        (">=1.33 <1.33", None),
        (">1.33.4 <1.33.6", Some("1.33.5")),
        (">1.33.4 <1.33.5", None),
        (">=3 <2 || 1.777.x", Some("1.777.0")),
        ("!=0.x", Some("1.0.0")),
        ("!=*", Some("0.0.1")),
        ("=0.9.0-rc.1", Some("0.9.0-rc.1")),
        (">0.9.0-rc.1 <0.9.0-rc.2", Some("0.9.0-rc.1.0")),
        (">=0.9.0-0 <0.9.0-rc.1", Some("0.9.0-alpha")),
        // Nothing that is here is any of these.
        ("=1.34.1-gke.1829001", None),
        (">=0.9.0-0 <0.9.0", None),
    ] {
        let found = range(text).lowest(&zero, None).map(|version| version.to_string());
        assert_eq!(found.as_deref(), lowest, "{text}");
    }
    let (from, below) = (Version::new(1, 30, 0), Version::new(1, 34, 0));
    for (text, lowest) in [(">=1.34.0-0", None), ("<1.36", Some("1.30.0")), ("~1.33", Some("1.33.0"))] {
        let found = range(text).lowest(&from, Some(&below)).map(|version| version.to_string());
        assert_eq!(found.as_deref(), lowest, "{text}");
    }
}

/// A version without a suffix; small numbers meet often.
fn release() -> impl Strategy<Value = Version> {
    (0_u64..4, 0_u64..4, 0_u64..4).prop_map(|(major, minor, patch)| Version::new(major, minor, patch))
}

fn present() -> impl Strategy<Value = PresentVersion> {
    let suffix = prop::sample::select(vec!["", "-alpha.1", "-rc.0", "-rc.1", "-gke.1", "-eks-1", "+k3s1"]);
    (release(), suffix).prop_map(|(version, suffix)| here(&format!("v{version}{suffix}")))
}

/// One bound as Rust's requirements print it.
fn bound_of_before() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["=", ">", ">=", "<", "<=", "~", "^"]);
    let number =
        prop::sample::select(vec!["0", "1", "1.2", "0.0", "0.2", "1.2.3", "0.0.0", "0.0.3", "2.0.1"]);
    (operator, number).prop_map(|(operator, number)| format!("{operator}{number}"))
}

fn bound() -> impl Strategy<Value = String> {
    let open = prop::sample::select(vec![
        "*",
        "1.x",
        "!=1.2",
        "!=1.2.3",
        "1 - 2.1",
        "1.2",
        "v2",
        ">=1.2.3-0",
        "<2-rc.1",
    ]);
    prop_oneof![bound_of_before(), open.prop_map(str::to_owned)]
}

fn any_range() -> impl Strategy<Value = String> {
    let bounds = prop::collection::vec(bound(), 1..4).prop_map(|bounds| bounds.join(", "));
    prop::collection::vec(bounds, 1..4).prop_map(|alternatives| alternatives.join(" || "))
}

proptest! {
    #[test]
    fn a_range_is_written_as_it_was_read(text in any_range()) {
        let json = serde_json::to_string(&range(&text)).unwrap();
        prop_assert_eq!(&json, &format!("\"{text}\""));
        prop_assert_eq!(serde_json::from_str::<VersionRange>(&json).unwrap(), range(&text));
    }

    #[test]
    fn alternatives_let_in_what_one_of_them_does(a in any_range(), b in any_range(), here in present()) {
        let both = range(&format!("{a} || {b}"));
        prop_assert_eq!(both.lets_in(&here), range(&a).lets_in(&here) || range(&b).lets_in(&here));
        let version = here.judged();
        prop_assert_eq!(both.takes(version), range(&a).takes(version) || range(&b).takes(version));
    }

    #[test]
    fn bounds_let_in_what_all_of_them_do(bounds in prop::collection::vec(bound(), 1..4), here in present()) {
        let all = bounds.iter().all(|bound| range(bound).lets_in(&here));
        prop_assert_eq!(range(&bounds.join(", ")).lets_in(&here), all);
    }

    #[test]
    fn releases_are_let_in_as_helm_takes_them(text in any_range(), version in release()) {
        prop_assume!(!text.contains("~0.0.0"));
        prop_assert_eq!(range(&text).lets_in(&version.clone().into()), range(&text).takes(&version));
    }

    #[test]
    fn a_vendors_suffix_changes_nothing(text in any_range(), version in release()) {
        let plain = range(&text).lets_in(&version.clone().into());
        for suffix in ["-gke.1829001", "-eks-113cf36", "+k3s1", "+rke2r1"] {
            let suffixed = here(&format!("v{version}{suffix}"));
            prop_assert_eq!(range(&text).lets_in(&suffixed), plain);
        }
    }

    #[test]
    fn what_comes_before_a_release_is_below_it_and_goes_with_it(text in bound_of_before(), version in release()) {
        let around = |before: &str, after: &str| format!("{before}{version}{after}");
        let rc = here(&around("", "-rc.1"));
        // No bound without a suffix lets in a release candidate alone.
        prop_assert!(!range(&text).lets_in(&rc) || range(&text).lets_in(&version.clone().into()));
        prop_assert!(!range(&around(">=", "")).lets_in(&rc));
        prop_assert!(range(&around(">=", "-0")).lets_in(&rc));
        prop_assert!(!range(&around("<", "")).lets_in(&rc));
    }

    #[test]
    fn every_requirement_of_before_lets_in_the_releases_that_it_did(
        bounds in prop::collection::vec(bound_of_before(), 1..4),
        version in release(),
    ) {
        let before: VersionReq = bounds.join(", ").parse().unwrap();
        let now = range(&before.to_string());
        prop_assert!(now.is_as_before());
        prop_assert_eq!(now.lets_in(&version.clone().into()), before.matches(&version));
    }

    #[test]
    fn edges_are_all_that_has_to_be_looked_at(text in any_range(), version in release()) {
        let range = range(&text);
        let zero = Version::new(0, 0, 0);
        let below = range.edges().into_iter().filter(|edge| edge.pre.is_empty() && *edge <= version).max();
        let edge = below.unwrap_or(zero);
        prop_assert_eq!(range.takes(&version), range.takes(&edge), "{}", edge);
        prop_assert_eq!(range.lets_in(&version.into()), range.lets_in(&edge.into()));
    }
}
