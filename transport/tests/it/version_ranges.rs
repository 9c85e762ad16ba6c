//! Versions and ranges mean to us what they mean to the Helm that helm-controller is built with: rows and generated ranges
//! are compared with the real program, and so is what it says of a chart in a cluster.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use pdp_policies::VersionRange;
use pdp_policies::version_range::version;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::helm_yaml::Chart;

const ROWS: &str = include_str!("../../../policies/src/version_range/vectors.tsv");
/// Prints which versions are in each range.
const TAKEN: &str = "{{- $out := dict }}{{ range $range := .Values.ranges }}{{ $row := list }}\
    {{ range $.Values.versions }}{{ $row = append $row (semverCompare $range .) }}{{ end }}\
    {{ $out = set $out $range $row }}{{ end }}values: {{ toJson $out | b64enc }}\n";
/// Prints each version as it is read.
const READ: &str = "{{- $out := dict }}{{ range $text := .Values.versions }}{{ $it := semver $text }}\
    {{ $out = set $out $text (list (printf \"%d.%d.%d\" $it.Major $it.Minor $it.Patch) $it.Prerelease) }}\
    {{ end }}values: {{ toJson $out | b64enc }}\n";
/// Helm takes these, and reads them otherwise than they look.
const STRICTER: [&str; 3] = ["1||1.2 - 1.4", "1 || 2||1 - 3", "1.x.|"];
const GENERATED: usize = 400;
/// So many of those that we refuse are asked for, each alone.
const REFUSED: usize = 40;

fn rows(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_kind = ROWS.lines().filter_map(move |line| line.strip_prefix(kind)?.strip_prefix('\t'));
    of_kind.map(|line| line.split_once('\t').unwrap())
}

fn versions() -> Vec<String> {
    let numbers =
        (0..4).flat_map(|n| (0..4).map(move |m| (n, m))).flat_map(|(n, m)| [0, 1, 3].map(|p| (n, m, p)));
    let releases = numbers.map(|(n, m, p)| format!("{n}.{m}.{p}"));
    let before =
        releases.clone().flat_map(|release| ["-0", "-alpha.1", "-rc.1"].map(|pre| format!("{release}{pre}")));
    releases.chain(before).collect()
}

/// What Helm takes of `versions`, by range; none if it refuses one of the ranges.
fn helm_takes(chart: &Chart, ranges: &[String], versions: &[String]) -> Option<Value> {
    chart.write("values.yaml", &json!({ "ranges": ranges, "versions": versions }).to_string());
    chart.rendered(&[])
}

fn generated() -> impl Strategy<Value = String> {
    let number = "v?[0-3x*](\\.[0-3x*]){0,2}(-0|-rc\\.1|-gke\\.1)?(\\+b)?";
    let bound = format!("(!=|>=|<=|=>|=<|~>|~|\\^|=|>|<|) ?{number}");
    let item = prop_oneof![6 => like(&bound), 1 => like(&format!("{number} - {number}"))];
    let separator = prop::sample::select(vec![" ", ", ", ",", " || ", " , "]);
    prop::collection::vec((item, separator), 1..5).prop_map(|items| {
        let text: String = items.iter().map(|(item, separator)| format!("{item}{separator}")).collect();
        text[..text.len() - items.last().unwrap().1.len()].to_owned()
    })
}

fn like(pattern: &str) -> impl Strategy<Value = String> + use<> {
    proptest::string::string_regex(pattern).unwrap()
}

fn compare(chart: &Chart, ranges: &[String]) {
    let versions = versions();
    let read: Vec<_> = versions.iter().map(|text| version(text).unwrap()).collect();
    let theirs = helm_takes(chart, ranges, &versions).expect("Helm refuses a range that we take");
    for range in ranges {
        let ours: VersionRange = range.parse().unwrap();
        let ours: Vec<_> = read.iter().map(|version| ours.takes(version)).collect();
        assert_eq!(json!(ours), theirs[range], "{range}");
    }
}

#[test]
fn ranges_take_the_versions_that_helm_takes() {
    let chart = Chart::new(TAKEN);
    let (good, bad): (Vec<_>, Vec<_>) = rows("range").partition(|(_, said)| *said != "-");
    let good: Vec<_> = good.iter().map(|(text, _)| (*text).to_owned()).collect();
    compare(&chart, &good);
    assert!(good.len() > 50 && bad.len() > 5);
    for (text, _) in bad {
        assert!(helm_takes(&chart, &[text.to_owned()], &versions()).is_none(), "{text:?}");
    }
}

#[test]
fn generated_ranges_take_the_versions_that_helm_takes() {
    let chart = Chart::new(TAKEN);
    let mut runner = TestRunner::deterministic();
    let texts: Vec<_> =
        (0..GENERATED).map(|_| generated().new_tree(&mut runner).unwrap().current()).collect();
    let (good, bad): (Vec<_>, Vec<_>) =
        texts.into_iter().partition(|text| text.parse::<VersionRange>().is_ok());
    compare(&chart, &good);
    assert!(good.len() > GENERATED / 2 && bad.len() > 10, "{} {}", good.len(), bad.len());
    for text in bad.into_iter().take(REFUSED) {
        assert!(helm_takes(&chart, std::slice::from_ref(&text), &versions()).is_none(), "{text:?}");
    }
}

#[test]
fn what_helm_reads_otherwise_than_it_looks_is_no_range() {
    let chart = Chart::new(TAKEN);
    for text in STRICTER {
        assert!(
            helm_takes(&chart, &[text.to_owned()], &versions()).is_some(),
            "Helm refuses {text:?}: move the row"
        );
        assert!(text.parse::<VersionRange>().is_err(), "{text:?}");
    }
}

#[test]
fn versions_are_read_as_helm_reads_them() {
    let chart = Chart::new(READ);
    let read = |texts: &[&str]| {
        chart.write("values.yaml", &json!({ "versions": texts }).to_string());
        chart.rendered(&[])
    };
    let (good, bad): (Vec<_>, Vec<_>) = rows("version").partition(|(_, said)| *said != "-");
    let theirs = read(&good.iter().map(|(text, _)| *text).collect::<Vec<_>>()).unwrap();
    for (text, _) in good {
        let ours = version(text).unwrap();
        let numbers = format!("{}.{}.{}", ours.major, ours.minor, ours.patch);
        assert_eq!(json!([numbers, ours.pre.as_str()]), theirs[text], "{text}");
    }
    for (text, _) in bad {
        assert_eq!(read(&[text]), None, "{text:?}");
    }
}

/// An API server that says its version and has nothing.
fn cluster(says: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(&stream, says));
        }
    });
    address
}

fn answer(stream: &TcpStream, says: &str) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
        let path = request.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
        let body = match path.as_str() {
            "/version" => json!({ "major": "1", "minor": "34", "gitVersion": says }),
            "/api" => json!({ "kind": "APIVersions", "versions": ["v1"] }),
            "/apis" => json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] }),
            _ => json!({ "kind": "APIResourceList", "groupVersion": "v1", "resources": [] }),
        }
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if (&mut &*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// `helm template --kube-version` leaves suffixes out, which is why lint judges them itself.
#[test]
fn in_a_cluster_a_vendors_suffix_comes_before_the_release_for_helm() {
    let chart = Chart::new("");
    for (says, range, takes) in [
        ("v1.34.1-gke.1829001", ">=1.25", false),
        ("v1.34.1-gke.1829001", ">=1.25.0-0", true),
        ("v1.34.1-eks-113cf36", ">=1.34.1", false),
        ("v1.34.1-eks-113cf36", ">=1.34.1-0 <1.40", true),
        ("v1.34.1+k3s1", ">=1.34.1", true),
    ] {
        chart.write(
            "Chart.yaml",
            &format!("{{apiVersion: v2, name: rows, version: 1.0.0, kubeVersion: '{range}'}}\n"),
        );
        let address = cluster(says);
        let args = ["install", "rows", ".", "--dry-run=server", "--kube-apiserver", &address];
        assert_eq!(chart.helm(&args).is_some(), takes, "{says} {range}");
        let ours: VersionRange = range.parse().unwrap();
        assert_eq!(ours.takes(&version(says).unwrap()), takes, "{says} {range}");
        assert!(chart.helm(&["template", "rows", ".", "--kube-version", says]).is_some(), "{says} {range}");
    }
}
