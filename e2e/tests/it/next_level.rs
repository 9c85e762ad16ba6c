//! What the next level does to clusters is told before anybody signs it: from files, from a built release, from the catalog.

use std::path::Path;

use pdp_e2e::{Finished, Tools};
use serde_json::{Value, json};

use crate::attack::note;
use crate::keys_doc::shell;
use crate::release_doc::image;
use crate::rings::Story;

const BEFORE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "quay.io/acme/agent:VERSION"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: agent}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
"#;
const AFTER: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: pdp-agent}}
  template:
    metadata: {labels: {app: pdp-agent}}
    spec: {containers: [{name: agent, image: "quay.io/acme/agent:VERSION"}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: agent}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "quay.io/acme/agent:VERSION"}]}}}
"#;

fn definition(versions: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: as.example.com}}\n\
         spec: {{group: example.com, scope: Namespaced, names: {{kind: A, plural: as}}, versions: [{versions}]}}\n"
    )
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A level with one chart of its own.
fn level(story: &Story, level: u32, version: &str, template: &str, versions: &str) {
    let chart = story.world.path(&format!("line/charts/agent-{version}"));
    write(&chart.join("Chart.yaml"), &format!("apiVersion: v2\nname: agent\nversion: {version}\n"));
    write(&chart.join("templates/all.yaml"), &template.replace("VERSION", version));
    write(&chart.join("crds/a.yaml"), &definition(versions));
    // What the definition loses is meant.
    let drops = "drops: [CustomResourceDefinition/as.example.com/v1]\n";
    let base = if level > 7 { format!("base: {}\n{drops}", level - 1) } else { String::new() };
    let text = format!(
        "apiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: {level}\nversion: '{level}'\nkind: update\n{base}\
         repository: registry.wso2.example/pdp/pdp-2026\nrequires: {{kubernetes: '>=1.33', flux: '>=2.9'}}\n\
         components:\n  - {{name: agent, version: {version}, stage: 1, chart: {{name: agent, path: ../charts/agent-{version}}}, \
         releaseName: agent, namespace: pdp, onFailure: rollback, timeout: 5m, settle: 1s}}\n"
    );
    write(&story.world.path(&format!("line/{level}/release.yaml")), &text);
    image(&story.world, "acme/agent", version);
}

fn ran(story: &Story, line: &str) -> Finished {
    let helm = Tools::for_charts().unwrap().path("helm4");
    let via = story.world.registry_host();
    let given = format!("export PUBLISHER_HELM={} PUBLISHER_LOCK_VIA={via}; ", helm.display());
    let finished = shell(&story.world, &format!("{given}{line}"));
    assert!(finished.ok(), "{line}: {}{}", finished.stdout, finished.stderr);
    finished
}

fn published(story: &Story, level: u32) {
    for line in [
        "publisher release lock line/N/release.yaml",
        "publisher release build line/N/release.yaml --out out/N",
        "publisher release sign out/N --key vendor/keys/artifact.key",
        "publisher release publish out/N --key vendor/keys/ci.key --key vendor/keys/release-1.key",
    ] {
        ran(story, &line.replace('N', &level.to_string()));
    }
    story.world.publish_catalog().unwrap();
}

fn read(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn what_a_level_does_to_clusters_is_told_from_files_and_from_the_catalog_alike() {
    let story = Story::begin(&[("acme", "canary")]);
    let both = "{name: v1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}, \
                {name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}";
    let one = "{name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}";
    level(&story, 7, "1.0.0", BEFORE, both);
    level(&story, 8, "1.1.0", AFTER, one);
    published(&story, 7);
    story.world.promote(7, &["--tempo", "emergency"]).unwrap();
    story.world.publish_catalog().unwrap();
    let known = || story.world.rollout(7).is_ok_and(|view| !view["created"].is_null());
    pdp_e2e::wait_for("the server to know the level", known).unwrap();
    assert_eq!(story.round()["acme-prod"], Some(7));
    assert_eq!(story.round()["acme-prod"], Some(7));
    ran(&story, "publisher release lock line/8/release.yaml");

    // Before it is built.
    let line = "publisher release diff 7 line/8/release.yaml --line pdp-2026 --objects -o json";
    let diff = read(&ran(&story, line));
    assert_eq!((&diff["from"]["dataPlanes"], &diff["to"]["dataPlanes"]), (&json!(1), &json!(0)));
    let objects = &diff["components"][0]["objects"];
    let fixed = json!([{ "object": "Deployment agent", "field": "/spec/selector" }]);
    let rights = json!([{ "object": "Role agent", "gained": ["list secrets"], "lost": [] }]);
    let hooks = json!([{ "object": "Job migrate", "when": ["pre-upgrade"], "changed": true }]);
    let lost = json!([{ "name": "as.example.com", "break": "versionDropped", "version": "v1" }]);
    for (field, expected) in [
        ("fixed", &fixed),
        ("rights", &rights),
        ("hooks", &hooks),
        ("definitions", &lost),
        ("restarts", &json!(["Deployment agent"])),
        ("deleted", &json!(["ConfigMap old"])),
        ("left", &json!([])),
    ] {
        assert_eq!(&objects[field], expected, "{field}: {objects:#}");
    }

    // Published, and not promoted: what people are about to sign.
    published(&story, 8);
    for other in ["out/8", "8"] {
        let line = line.replace("line/8/release.yaml", other);
        assert_eq!(read(&ran(&story, &line)), diff, "{other}");
    }
    let text = ran(&story, "publisher release diff 7 8 --line pdp-2026 --objects").stdout;
    for words in [
        "on 1 data planes: level 7; on 0: level 8",
        "✗ no cluster changes /spec/selector of Deployment agent",
        "✗ as.example.com: version v1 is gone, which was served",
        "! rights gained by Role agent: list secrets",
        "! deletes ConfigMap old",
        "restarts Deployment agent",
        "runs Job migrate (pre-upgrade, another one than before)",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let back = read(&ran(&story, "publisher release diff 8 7 --line pdp-2026 --objects -o json"));
    assert_eq!(back["components"][0]["objects"]["new"], json!(["ConfigMap old"]));

    let list = read(&ran(&story, "publisher release list --line pdp-2026 -o json"));
    let states: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["level"], &row["state"], &row["dataPlanes"]))
        .collect();
    assert_eq!(
        states,
        [(&json!(8), &json!("published"), &json!(0)), (&json!(7), &json!("promoted"), &json!(1))]
    );

    // Files need no catalog; a level does.
    let alone = "unset PUBLISHER_CATALOG PUBLISHER_ROOT; publisher release diff out/7 line/8/release.yaml --line pdp-2026 -o json";
    assert_eq!(read(&ran(&story, alone))["components"][0]["name"], "agent");

    // Who has no folder of level 8 goes on from the catalog, and changes nothing by that.
    ran(&story, "publisher release init 9 --from 8 --line pdp-2026 --version 9 --in fresh");
    ran(&story, "publisher release lock fresh/9/release.yaml");
    let same = read(&ran(&story, "publisher release diff 8 fresh/9/release.yaml --line pdp-2026 -o json"));
    assert_eq!((&same["components"], &same["unchanged"]), (&json!([]), &json!(["agent"])), "{same:#}");

    // A bundle that nobody vouches for isn't rendered.
    story.world.registry.without_referrers(true);
    let unsigned = shell(&story.world, "publisher release diff 7 8 --line pdp-2026 --objects");
    assert!(!unsigned.ok() && unsigned.stderr.contains("error[Unsigned]"), "{}", unsigned.stderr);
    note("diff-of-an-unsigned-bundle", "Unsigned", "refused");
    story.world.registry.without_referrers(false);

    for (line, words) in [
        (
            "unset PUBLISHER_CATALOG; publisher release diff 7 out/8 --line pdp-2026",
            "error[CatalogNeeded]: a level of the catalog is named, and no catalog",
        ),
        (
            "publisher release diff 7 99 --line pdp-2026",
            "error[NotFound]: the catalog has no level 99 of line `pdp-2026`",
        ),
        (
            "publisher release diff 7 8 --line pdp-2025",
            "error[NotFound]: the catalog has no level 7 of line `pdp-2025`",
        ),
        (
            "publisher release diff out/7 out/8 --line pdp-2025",
            "error[OtherLine]: level 7 is of line `pdp-2026`",
        ),
    ] {
        let refused = shell(&story.world, line);
        assert!(!refused.ok() && refused.stderr.starts_with(words), "{line}: {}", refused.stderr);
    }
}
