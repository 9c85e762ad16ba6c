//! The committed reference is what the program prints.

#[test]
fn the_committed_reference_is_the_programs_own() {
    let (_, printed, _) = crate::publisher(&["reference"]);
    let committed =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli-publisher.md")).unwrap();
    assert_eq!(printed.trim_end(), committed.trim_end(), "run `make reference`");
}
