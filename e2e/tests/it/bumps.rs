//! A newer chart of a component: looked for where its makers publish it, pinned, and told what it brings.

use std::path::PathBuf;

use pdp_e2e::{Finished, Outside, Program, WebHost, World};
use serde_json::{Value, json};

use crate::chart_sources::{digest, push_as};

const RELEASE: &str = "# Reviewed by two.\napiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: 2\nversion: '2'\nkind: update\n\
    repository: registry.example.com/pdp/pdp-2026\ncomponents:\n  - name: alpha\n    version: 1.0.0   # as tested\n    stage: 1\n\
    \x20   chart: {name: alpha, SOURCE}\n    releaseName: alpha\n    namespace: default\n    onFailure: rollback\n    timeout: 5m\n\
    \x20   settle: 10s\n    images: []\n";

/// A packed chart `alpha` whose one value is the tag.
pub(crate) fn chart(version: &str, tag: &str) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let about = format!("apiVersion: v2\nname: alpha\nversion: {version}\nappVersion: '{tag}'\n");
    for (path, text) in [("Chart.yaml", about), ("values.yaml", format!("tag: '{tag}'\n"))] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("alpha/{path}"), text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

struct Desk {
    world: World,
    file: PathBuf,
}

impl Desk {
    fn with(world: World, source: &str) -> Self {
        let file = world.path("release.yaml");
        std::fs::write(&file, RELEASE.replace("SOURCE", source)).unwrap();
        Self { world, file }
    }

    fn bump(&self, more: &[&str]) -> Finished {
        let args = ["release", "bump", "alpha", "--file", self.file.to_str().unwrap()];
        self.world.run(Program::Publisher, &[&args, more].concat(), &[]).unwrap()
    }

    fn told(&self, more: &[&str]) -> Value {
        let finished = self.bump(&[more, &["-o", "json"]].concat());
        assert!(finished.ok(), "{}", finished.stderr);
        serde_json::from_str(&finished.stdout).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }
}

#[test]
fn the_newest_chart_of_a_registry_is_pinned_and_what_it_brings_is_told() {
    let world = World::prepare(Outside::default(), false).unwrap();
    let old = push_as(&world, "1.0.0", &chart("1.0.0", "1"));
    let versions = ["1.0.7", "1.4.0", "2.0.0_up2", "2.1.0-rc.1", "latest"];
    let pushed = versions.map(|tag| push_as(&world, tag, &chart(&tag.replace('_', "+"), tag)));
    let source = format!("oci: \"oci://{}/charts/alpha\", digest: \"{old}\"", world.registry.host());
    let desk = Desk::with(world, &source);
    let before = desk.text();

    for (reach, to) in [("patch", "1.0.7"), ("minor", "1.4.0"), ("any", "2.0.0+up2")] {
        assert_eq!(desk.told(&["--reach", reach, "--dry-run"])["to"], to);
    }
    assert_eq!(desk.text(), before, "a trial writes nothing");

    let told = desk.told(&["--reach", "patch"]);
    assert_eq!((&told["digest"], &told["written"]), (&json!(pushed[0]), &json!(true)));
    assert_eq!(told["newer"], json!(["2.1.0-rc.1", "2.0.0+up2", "1.4.0", "1.0.7"]));
    assert_eq!(told["brings"]["values"], json!([{ "field": "/tag", "was": "1", "is": "1.0.7" }]));
    let expected = before.replace("1.0.0 ", "1.0.7 ").replace(&old, &pushed[0]);
    assert_eq!(desk.text(), expected, "nothing else changes, comments least of all");
    let lint =
        desk.world.run(Program::Publisher, &["release", "lint", desk.file.to_str().unwrap()], &[]).unwrap();
    assert!(lint.ok(), "{}{}", lint.stdout, lint.stderr);

    let nothing = desk.bump(&["--reach", "patch"]);
    assert!(nothing.ok() && nothing.stdout.contains("nothing newer within reach"), "{}", nothing.stdout);
    assert_eq!(desk.told(&["2.1.0-rc.1"])["to"], "2.1.0-rc.1", "whoever names a version gets it");
    // The way back is a version, too.
    assert_eq!(desk.told(&["1.0.0"])["digest"], json!(old));
    assert_eq!(desk.text(), before);
    let missing = desk.bump(&["9.9.9"]);
    assert!(!missing.ok() && missing.stderr.contains("error[NotFound]"), "{}", missing.stderr);
}

#[test]
fn a_repository_over_http_is_asked_too_and_a_first_pin_is_added() {
    let web = WebHost::start().unwrap();
    let entry = |version: &str| json!({ "name": "alpha", "version": version, "urls": [format!("alpha-{version}.tgz")] });
    let index = json!({ "apiVersion": "v1", "entries": { "alpha": [entry("1.2.0"), entry("1.0.0")] } });
    web.put("/charts/index.yaml", index.to_string().as_bytes());
    let packed = chart("1.2.0", "b");
    web.put("/charts/alpha-1.2.0.tgz", &packed);
    let world = World::prepare(Outside::default(), false).unwrap();
    let desk = Desk::with(world, &format!("repository: \"http://{}/charts\"", web.host()));
    let told = desk.told(&[]);
    assert_eq!((&told["to"], &told["digest"]), (&json!("1.2.0"), &json!(digest(&packed))));
    assert_eq!(told["brings"], Value::Null, "the old one was never pinned");
    assert!(
        desk.text().contains(&format!("{{name: alpha, digest: {}, repository", digest(&packed))),
        "{}",
        desk.text()
    );
}

#[test]
fn what_nobody_publishes_is_refused_and_nothing_is_written() {
    let world = World::prepare(Outside::default(), false).unwrap();
    let desk = Desk::with(world, "path: alpha");
    let before = desk.text();
    for (more, code) in [(&[][..], "NotFetched"), (&["1.0.1"], "NotFetched"), (&["--file", "/nowhere"], "")] {
        let refused = desk.bump(more);
        assert!(!refused.ok() && refused.stderr.contains(code), "{more:?}: {}", refused.stderr);
    }
    let args = ["release", "bump", "beta", "--file", desk.file.to_str().unwrap()];
    let refused = desk.world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(
        refused.stderr.contains("error[NotFound]") && refused.stderr.contains("it has: alpha"),
        "{}",
        refused.stderr
    );
    assert_eq!(desk.text(), before);
}
