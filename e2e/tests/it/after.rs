//! A data plane that goes first: its report travels as a file, and counts by its key alone.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::{DataPlane, Program};

use crate::attack::note;
use crate::base::{base, unix_now};
use crate::forge::{expires, sha256};

/// What staging hands out, and the fingerprint of its key.
fn handed(staging: &DataPlane) -> (String, String) {
    let state = staging.state.to_string_lossy();
    let printed = base().world.run(Program::PdpSync, &["report", "--state", &state], &[]).unwrap();
    assert!(printed.ok(), "{}", printed.stderr);
    let value: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
    let pem: String =
        value["publicKey"].as_str().unwrap().lines().filter(|line| !line.starts_with('-')).collect();
    (printed.stdout, format!("sha256:{}", sha256(&STANDARD.decode(pem).unwrap())))
}

fn details(plane: &DataPlane) -> String {
    let status = plane.status().unwrap();
    let all = status["obstacles"].as_array().unwrap().iter().filter(|it| it["code"] == "AfterOther");
    all.map(|it| it["detail"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn prod_follows_staging_once_its_own_word_says_that_it_was_healthy_for_long_enough() {
    let base = base();
    let at = |hours: i64| expires(unix_now() + hours * 3600);
    let probe = "  probe: {command: [sh, -c, 'exit 0'], interval: 1s}\n";
    let staging = base.world.data_plane("first", "staging", "general", probe).unwrap();
    let other = base.world.data_plane("first", "dev", "general", probe).unwrap();
    for plane in [&staging, &other] {
        plane.pass(&base.world, &[("PDP_NOW", &at(0))]).unwrap();
        assert_eq!(plane.level(), Some(42));
    }
    let (young, fingerprint) = handed(&staging);
    let folder = base.world.path("reports-of-first");
    std::fs::create_dir_all(&folder).unwrap();
    let more = format!(
        "  reportsOf: {}\n  policy: {{after: [{{dataPlane: staging, fingerprint: '{fingerprint}', healthyFor: 1h}}]}}\n",
        folder.display(),
    );
    let prod = base.world.data_plane("first", "prod", "general", &more).unwrap();
    let pass = |hours: i64| {
        prod.pass(&base.world, &[("PDP_NOW", &at(hours))]).unwrap();
        details(&prod)
    };
    assert!(pass(0).contains("no report of it is at hand"), "{}", details(&prod));
    let put = |report: &str| std::fs::write(folder.join("staging.json"), report).unwrap();
    put(&handed(&other).0);
    assert!(pass(0).contains("UnknownSigner"), "{}", details(&prod));
    note("report-of-another-data-plane", "AfterOther", "delay only");
    put(&young);
    assert!(pass(0).contains("has to be for 1h"), "{}", details(&prod));
    // What it said then doesn't grow older by itself.
    assert!(pass(2).contains("has to be for 1h"), "{}", details(&prod));
    staging.pass(&base.world, &[("PDP_NOW", &at(2))]).unwrap();
    put(&handed(&staging).0);
    assert_eq!((pass(2), prod.level()), (String::new(), Some(42)));
}
