//! Scenarios as files (`fixtures/rollouts/scenarios`): what came out once comes out again. `WRITE_SCENARIOS=1` writes
//! the tables anew, for people to look at what has changed.

#![expect(clippy::disallowed_methods, reason = "a test reads its files; the library doesn't")]

use std::path::{Path, PathBuf};

use pdp_policies::RingPlan;
use pdp_policies::rollout::simulate::Scenario;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rollouts/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_scenario_comes_out_as_its_table_says() {
    let (plan, mut wrong) = (RingPlan::shipped().unwrap(), Vec::new());
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let (scenario, expected) =
            Scenario::read(&text).unwrap_or_else(|e| panic!("{}: {e:?}", file.display()));
        assert_eq!(scenario.problems(&plan), Vec::<String>::new(), "{}", file.display());
        let (_, table) = scenario.play(&plan).unwrap();
        if std::env::var_os("WRITE_SCENARIOS").is_some() {
            std::fs::write(&file, Scenario::write(&text, &table)).unwrap();
        } else if expected != Some(&*table) {
            wrong.push(format!("{}:\n{table}\n", file.display()));
        }
    }
    assert!(wrong.is_empty(), "another table than the file's:\n{}", wrong.join("\n"));
}

#[test]
fn every_scenario_says_what_it_shows() {
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("# "), "{}: the first line says what it shows", file.display());
    }
}
