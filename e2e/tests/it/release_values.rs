//! Values of the release that platform and customer may override, from files to the customer's Git.

use std::path::PathBuf;
use std::process::Command;

use pdp_e2e::{DataPlane, Tools, World};
use serde_json::{Value, json};

use crate::locks::{Charts, chart, codes, pod};

const AGENT: &str = "logging-agent";
const ALL: &str = "replicas: 2\npool: {size: 1, class: small}\nmode: 0644\n";

/// A file of a data plane's repository, as Flux reads it; none if there is none.
fn file(world: &World, plane: &DataPlane, path: &str) -> Option<Value> {
    let files = world.git.files(&plane.name, "main").unwrap();
    let bytes = files.get(&format!("pdp/{path}"))?;
    Some(serde_saphyr::from_str(std::str::from_utf8(bytes).unwrap()).unwrap())
}

/// A data plane on a platform that passes once.
fn plane(world: &World, name: &str, platform: &str, more: &str) -> DataPlane {
    let plane = world.data_plane("acme", name, "general", more).unwrap();
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let there = text.replace("platform: azure", &format!("platform: {platform}"));
    std::fs::write(&plane.subscription, there).unwrap();
    let pass = plane.pass(world, &[]).unwrap();
    assert!(plane.level().is_some(), "{}", pass.stderr);
    plane
}

fn open(world: &World, level: u32, edit: impl FnOnce(&mut pdp_e2e::Line) -> anyhow::Result<()>) {
    world.release_with(level, "emergency", edit).unwrap();
    world.open(level, &["general=100"]).unwrap();
    world.publish_catalog().unwrap();
}

/// The values that the ConfigMap in the repository has, and its name.
fn given(world: &World, plane: &DataPlane) -> (Value, String) {
    let map = file(world, plane, &format!("{AGENT}/release-values.yaml")).unwrap();
    assert_eq!((&map["kind"], &map["immutable"]), (&json!("ConfigMap"), &json!(true)));
    let values = serde_json::from_str(map["data"]["values.yaml"].as_str().unwrap()).unwrap();
    (values, map["metadata"]["name"].as_str().unwrap().to_owned())
}

fn values_from(world: &World, plane: &DataPlane, component: &str) -> Vec<(String, bool)> {
    let release = file(world, plane, &format!("{component}/helm-release.yaml")).unwrap();
    let text = |it: &Value| it["name"].as_str().unwrap().to_owned();
    let all = release["spec"]["valuesFrom"].as_array().unwrap();
    all.iter().map(|it| (text(it), it["optional"] == true)).collect()
}

/// What the real Helm makes of the values that a `HelmRelease` names, in that order.
fn rendered(world: &World, sources: &[&str]) -> Value {
    let (folder, helm) = (world.path("helm"), Tools::for_charts().unwrap().path("helm4"));
    std::fs::create_dir_all(folder.join("chart/templates")).unwrap();
    let write = |path: &str, text: &str| {
        std::fs::write(folder.join(path), text).unwrap();
        folder.join(path)
    };
    write("chart/Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0}");
    write("chart/values.yaml", "replicas: 1\n");
    write("chart/templates/all.yaml", "{{ .Values | toJson }}\n");
    let files: Vec<PathBuf> =
        sources.iter().enumerate().map(|(n, text)| write(&format!("{n}.yaml"), text)).collect();
    let mut command = Command::new(helm);
    command.arg("template").arg("a").arg(folder.join("chart"));
    for file in &files {
        command.arg("-f").arg(file);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_saphyr::from_str(&String::from_utf8_lossy(&output.stdout)).unwrap()
}

#[test]
fn each_platform_gets_its_own_below_the_customers_and_a_change_of_values_changes_the_release() {
    let world = World::start().unwrap();
    open(&world, 40, |line| {
        line.values(AGENT, None, ALL)?;
        line.values(AGENT, Some("azure"), "replicas: 3\npool: {class: large}\n")
    });
    let (azure, aws) = (plane(&world, "azure", "azure", ""), plane(&world, "aws", "aws", ""));
    let (on_azure, name) = given(&world, &azure);
    let (on_aws, other) = given(&world, &aws);
    let pool = |class: &str| json!({ "size": 1, "class": class });
    assert_eq!(on_azure, json!({ "replicas": 3, "mode": 420, "pool": pool("large") }));
    assert_eq!(on_aws, json!({ "replicas": 2, "mode": 420, "pool": pool("small") }));
    assert!(name != other && name.starts_with("pdp-release-values-logging-agent-"), "{name} {other}");

    let optional = |name: &str| (name.to_owned(), true);
    let others = |component: &str| {
        let each = format!("pdp-platform-values-{component}");
        [optional("pdp-platform-values"), optional(&each), optional(&format!("pdp-values-{component}"))]
    };
    let mut wanted = vec![(name.clone(), false)];
    wanted.extend(others(AGENT));
    assert_eq!(values_from(&world, &azure, AGENT), wanted);
    assert_eq!(values_from(&world, &azure, "logging-api"), others("logging-api"));
    let list = file(&world, &azure, "kustomization.yaml").unwrap()["resources"].to_string();
    assert!(list.contains("logging-agent/release-values.yaml") && !list.contains("logging-api/release"));

    let text = on_azure.to_string();
    let merged = rendered(&world, &[&text, "pool: {size: 5}\n", "replicas: 9\n"]);
    assert_eq!(merged, json!({ "replicas": 9, "mode": 420, "pool": { "size": 5, "class": "large" } }));

    // The same chart with other values on one platform alone; then without any.
    open(&world, 41, |line| {
        line.values(AGENT, None, ALL)?;
        line.values(AGENT, Some("azure"), "replicas: 4\n")
    });
    azure.pass(&world, &[]).unwrap();
    aws.pass(&world, &[]).unwrap();
    assert_eq!((azure.level(), aws.level()), (Some(41), Some(41)));
    let (now, renamed) = given(&world, &azure);
    assert_eq!(now, json!({ "replicas": 4, "mode": 420, "pool": pool("small") }));
    assert_eq!(values_from(&world, &azure, AGENT)[0], (renamed.clone(), false));
    assert!(renamed != name && given(&world, &aws) == (on_aws, other), "Flux sees a change on azure alone");
    open(&world, 42, |_| Ok(()));
    azure.pass(&world, &[]).unwrap();
    assert_eq!(azure.level(), Some(42));
    assert_eq!(file(&world, &azure, "logging-agent/release-values.yaml"), None);
    assert_eq!(values_from(&world, &azure, AGENT), others(AGENT));
}

#[test]
fn going_back_brings_the_old_values_back() {
    let world = World::start().unwrap();
    open(&world, 40, |line| line.values(AGENT, None, ALL));
    let probe =
        "  probe: {command: [sh, -c, 'test $PDP_LEVEL = 40 || test $PDP_STAGE -lt 4'], interval: 1s}\n";
    let plane = plane(&world, "prod", "azure", probe);
    let before = (given(&world, &plane), values_from(&world, &plane, AGENT));
    for (level, values) in [(41, Some("replicas: 7\n")), (42, None)] {
        open(&world, level, |line| values.map_or(Ok(()), |text| line.values(AGENT, None, text)));
        plane.pass(&world, &[]).unwrap();
        assert_eq!(plane.level(), Some(40), "level {level} fails");
        assert_eq!((given(&world, &plane), values_from(&world, &plane, AGENT)), before, "after {level}");
    }
}

const SCHEMA: &str =
    r#"{ "type": "object", "properties": { "replicas": { "type": "integer", "maximum": 5 } } }"#;

/// A chart with a proxy that is off, and files of values beside the release.
fn charts(files: &[(&str, &str)]) -> (Charts, (String, PathBuf)) {
    let charts = Charts::start();
    for tag in ["1", "2"] {
        charts.image("acme/app", tag);
    }
    charts.image("acme/proxy", "7");
    let values = "replicas: 1\nimage: {repository: quay.example/acme/app, tag: '1'}\n";
    let template = pod("{{ .Values.image.repository }}:{{ .Values.image.tag }}", "");
    let one = chart(&charts.world, "one", values, &template);
    std::fs::write(one.1.join("values.schema.json"), SCHEMA).unwrap();
    std::fs::create_dir_all(charts.folder.join("values")).unwrap();
    for (name, text) in files {
        std::fs::write(charts.folder.join("values").join(name), text).unwrap();
    }
    (charts, one)
}

const BOTH: &str = ", values: values/all.yaml, platformValues: {aws: values/aws.yaml}";

#[test]
fn images_of_values_are_found_on_each_platform_locked_and_nobody_elses() {
    let aws = "image: {tag: '2'}\nproxy: {enabled: false, image: 'quay.example/acme/proxy:7'}\n";
    let (charts, one) = charts(&[("all.yaml", "replicas: 2\n"), ("aws.yaml", aws)]);
    charts.release(std::slice::from_ref(&one), "");
    assert_eq!(charts.lock(&[]).code, Some(0));
    let names = |charts: &Charts| -> Vec<String> {
        let lines = charts.locked()["one"].clone();
        lines.iter().map(|line| line.split(" | ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&charts), ["quay.example/acme/app:1"]);
    // Two tags of one name are two images, and a post-renderer would give both the same digest.
    charts.release(std::slice::from_ref(&one), BOTH);
    assert_eq!(codes(&charts.lint().1), ["LockStale"]);
    let locked = charts.lock(&[]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    let all = ["quay.example/acme/app:1", "quay.example/acme/app:2", "quay.example/acme/proxy:7"];
    assert_eq!(names(&charts), all);
    assert_eq!(codes(&charts.lint().1), ["TwoDigests"]);

    // Rendered alike everywhere, and it builds.
    charts.release(std::slice::from_ref(&one), &BOTH.replace("all.yaml", "aws.yaml"));
    std::fs::write(one.1.join("values.yaml"), "replicas: 1\nimage: {repository: quay.example/acme/app}\n")
        .unwrap();
    charts.release(std::slice::from_ref(&one), &BOTH.replace("all.yaml", "aws.yaml"));
    let locked = charts.lock(&[]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    assert_eq!(charts.lint(), (Some(0), Vec::new()), "{:?}", charts.locked());
    let built = charts.built();
    assert_eq!(built["critical"], json!(["releaseValues"]));
    let component = &built["components"][0];
    assert_eq!(component["platformValues"]["aws"]["image"], json!({ "tag": "2" }));
    let paths = component["imagePaths"].as_array().unwrap();
    assert!(paths.contains(&json!("/proxy/image")) && paths.contains(&json!("/image/tag")), "{paths:?}");
}

#[test]
fn values_that_no_data_plane_could_use_are_findings_with_their_path() {
    let files =
        [("all.yaml", "replicas: 2\n"), ("aws.yaml", "replicas: 9\n"), ("two.yaml", "a: 1\n---\nb: 2\n")];
    let (charts, one) = charts(&files);
    let only = |more: &str| format!(", values: values/all.yaml{more}");
    for (more, wanted, words) in [
        (only(""), None, ""),
        (only(", platformValues: {aws: values/aws.yaml}"), Some("SchemaViolation"), "replicas: "),
        (", values: values/two.yaml".to_owned(), Some("ValuesUnreadable"), "more than one document"),
        (", values: values/none.yaml".to_owned(), Some("ValuesUnreadable"), "there is no such file"),
        (", values: ../../secret.yaml".to_owned(), Some("ValuesUnreadable"), "leaves the line's folder"),
        (
            only(", platforms: [azure], platformValues: {aws: values/all.yaml}"),
            Some("BadValues"),
            "where it doesn't run",
        ),
        (only(", platformValues: {solaris: values/all.yaml}"), Some("BadYaml"), "solaris"),
    ] {
        charts.release(std::slice::from_ref(&one), &more);
        let (_, findings) = charts.lint();
        let of = |code: &str| findings.iter().find(|finding| finding["code"] == code);
        match wanted {
            None => assert!(of("SchemaViolation").is_none() && of("BadValues").is_none(), "{findings:#?}"),
            Some(code) => {
                let message = of(code).unwrap_or_else(|| panic!("{more}: {findings:#?}"))["message"].clone();
                assert!(message.as_str().unwrap().contains(words), "{more}: {message}");
            }
        }
    }

    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(1024 * 1024));
    std::fs::write(one.1.join("values.schema.json"), large).unwrap();
    for (more, found) in [(only(""), true), (String::new(), false)] {
        charts.release(std::slice::from_ref(&one), &more);
        let findings = charts.lint().1;
        assert_eq!(codes(&findings).contains(&"SchemaViolation"), found, "{more}: {findings:#?}");
    }
}
