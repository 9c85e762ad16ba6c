//! The chart's files without a cluster: what is generated is what is committed.

use std::process::Command;

fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_charts_definitions_are_the_programs_own() {
    let output = Command::new(env!("CARGO_BIN_EXE_pdp-sync")).arg("crds").output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        file("chart/files/crds.yaml"),
        "run `make reference`"
    );
}
