//! Where programs read from a terminal: each place has to look whether there is one.

use std::collections::BTreeSet;
use std::path::Path;

use crate::codes::sources;

/// Those that ask a person; each fails with `NotConfirmed` without a terminal, and has a test that says so.
const ASKING: &[&str] = &[
    "publisher/src/commands/catalog/sign.rs",
    "publisher/src/commands/key/ceremony/sign.rs",
    "transport/src/cli/confirm.rs",
];

#[test]
fn only_known_places_read_from_a_terminal_and_each_looks_for_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for crate_ in ["transport", "publisher", "channel-server", "pdp-sync"] {
        sources(&root.join(crate_).join("src"), &mut files);
    }
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        if ["stdin()", "/dev/tty", "rpassword", "dialoguer"].iter().any(|word| text.contains(word)) {
            assert!(text.contains("is_terminal()"), "{}", file.display());
            found.insert(file.strip_prefix(&root).unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(found, ASKING.iter().map(|path| (*path).to_owned()).collect());
}
