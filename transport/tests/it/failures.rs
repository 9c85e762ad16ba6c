//! The table of failures in the docs is the one in code.

use pdp_transport::{Kind, Row};

#[test]
fn the_table_of_failures_is_in_the_docs() {
    let doc = include_str!("../../../docs/failures.md");
    for Row { code, meaning, cause, hint, exit, waits, .. } in Kind::ALL.map(Kind::row) {
        let waits = if waits { "yes" } else { "no" };
        let row = format!("| `{code}` | {meaning} | {cause} | {hint} | {exit} | {waits} |\n");
        assert!(doc.contains(&row), "docs/failures.md lacks (make reference):\n{row}");
    }
}
