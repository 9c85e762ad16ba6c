//! The chart without a cluster and without Helm. On a cluster: `e2e/tests/cluster/chart.rs`.

mod definitions;
mod monitoring;
mod rights;
mod values;

use serde_json::Value;

/// A file of this repository.
fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&file(path)).unwrap()
}

/// The cells of the Markdown tables in a part of a page, header rows left out.
fn rows(page: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let lines: Vec<_> = page.lines().filter(|line| line.starts_with('|')).collect();
    let header = |n: usize| lines.get(n + 1).is_some_and(|next| next.starts_with("| ---"));
    let body = lines.iter().enumerate().filter(|(n, line)| !line.starts_with("| ---") && !header(*n));
    body.map(|(_, line)| cells(line)).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
