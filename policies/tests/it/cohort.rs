//! The published vectors, drawn by our code and by `sha256sum`.

use std::io::Write;
use std::process::{Command, Stdio};

use pdp_policies::{Digest, PdpId, cohort};

const VECTORS: &str = include_str!("../../../docs/cohort-vectors.tsv");

#[test]
fn the_published_vectors_hold_here_and_with_another_tool() {
    let mut count = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let [release, organization, data_plane, draw] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let pdp =
            PdpId { organization: organization.parse().unwrap(), data_plane: data_plane.parse().unwrap() };
        let ours = cohort::draw(&Digest::from_hex(release).unwrap(), &pdp);
        assert_eq!(format!("{ours:016x}"), draw, "{line}");
        let theirs = sha256sum(&format!("{release}/{organization}/{data_plane}"));
        assert_eq!(&theirs[..16], draw, "{line}");
        count += 1;
    }
    assert!(count >= 5, "{count} vectors");
}

fn sha256sum(text: &str) -> String {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}
