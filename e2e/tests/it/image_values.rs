//! Images where no post-renderer comes: the release carries them in values, from charts to the customer's Git.

use pdp_e2e::World;
use serde_json::{Value, json};

use crate::locks::{Charts, chart, codes, pod};

const VALUES: &str = "tool: {registry: quay.example, repository: acme/tool, tag: '1'}\n";
const TOOL: &str =
    "--tool-image={{ .Values.tool.registry }}/{{ .Values.tool.repository }}:{{ .Values.tool.tag }}";
const CARRIED: &str = ", imageValues: [{image: 'quay.example/acme/tool:1', \
                       values: {tool: {registry: '{host}', repository: '{path}', tag: '1@{digest}'}}}]";

/// Of an image that the fixtures have.
const OF_FIXTURES: &str = "9d6df553f24a43f595269abb4803da4fadbbe2ae92bb2e63d01cb9f650a6d92c";

fn with_tool() -> (Charts, String) {
    let charts = Charts::start();
    let digest = charts.image("acme/tool", "1");
    charts.image("acme/app", "1");
    (charts, digest)
}

#[test]
fn an_argument_is_pinned_and_follows_to_a_mirror_without_an_edited_chart() {
    let (charts, digest) = with_tool();
    let one = chart(&charts.world, "one", VALUES, &pod("acme/app:1", TOOL));
    charts.release(std::slice::from_ref(&one), "");
    assert_eq!(charts.lock(&[]).code, Some(0));
    assert_eq!(codes(&charts.lint().1), ["UnpinnedImage"], "without values that carry it");
    charts.release(std::slice::from_ref(&one), CARRIED);
    assert_eq!(codes(&charts.lint().1), ["LockStale"]);
    let locked = charts.lock(&[]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    assert_eq!(charts.lint(), (Some(0), Vec::new()));
    let line = format!("quay.example/acme/tool:1@{digest} | quay.example/acme/tool | argument | values");
    assert!(charts.locked()["one"].contains(&line), "{:?}", charts.locked());

    // Its tag moves: what is locked stays until it is asked for again.
    let new = charts.image("acme/tool", "2");
    charts.world.registry.content().point("acme/tool", "1", &new).unwrap();
    assert_eq!(charts.lock(&["--check"]).code, Some(0));
    assert_eq!(charts.lock(&["--check", "--refresh"]).code, Some(1));

    let built = charts.built();
    assert_eq!(built["critical"], json!(["imageValues"]));
    let component = &built["components"][0];
    assert_eq!(component["imageValues"][0]["image"], "quay.example/acme/tool");
    assert_eq!(component["imageValues"][0]["digest"], digest.as_str());
    let paths = ["/tool/digest", "/tool/registry", "/tool/repository", "/tool/tag"];
    assert_eq!(component["imagePaths"], json!(paths));
}

#[test]
fn values_that_carry_nothing_or_no_mirror_are_findings() {
    let (charts, digest) = with_tool();
    let one = chart(&charts.world, "one", VALUES, &pod("acme/app:1", TOOL));
    let fixed = chart(
        &charts.world,
        "fixed",
        VALUES,
        &pod("acme/app:1", &format!("--tool-image=quay.example/acme/tool:1@{digest}")),
    );
    let half = CARRIED.replace("registry: '{host}', ", "");
    let idle = CARRIED.replace("values: {tool:", "values: {toll:");
    let declared = format!(", images: [{{name: quay.example/acme/tool, digest: '{digest}'}}]");
    for (chart, more, wanted) in [
        (&one, half.as_str(), vec!["UnmirroredImage"]),
        (&one, idle.as_str(), vec!["UnpinnedImage"]),
        (&fixed, "", vec!["UnmirroredImage"]),
        (&fixed, declared.as_str(), vec![]),
    ] {
        charts.release(std::slice::from_ref(chart), more);
        let locked = charts.lock(&[]);
        assert_eq!(locked.code, Some(0), "{more}: {}", locked.stderr);
        let (_, findings) = charts.lint();
        assert_eq!(codes(&findings), wanted, "{more}: {findings:#?}");
    }
    for (from, to, words) in [
        ("{path}", "{pth}", "has braces"),
        ("1@{digest}", "1", "no text has `{digest}`"),
        ("quay.example/acme/tool:1", "Not An Image", "is no image"),
    ] {
        charts.release(std::slice::from_ref(&one), &CARRIED.replace(from, to));
        let (code, findings) = charts.lint();
        let bad: Vec<_> = findings.iter().filter(|finding| finding["code"] == "BadImageValues").collect();
        let said = bad.iter().any(|finding| finding["message"].as_str().unwrap().contains(words));
        assert!(code == Some(1) && said, "{to}: {findings:#?}");
    }
    std::fs::remove_file(charts.folder.join("release.lock")).unwrap();
    charts.release(std::slice::from_ref(&one), CARRIED);
    assert!(codes(&charts.lint().1).contains(&"UnpinnedImage"), "no lock, no digest");
    charts.release(&[one], &CARRIED.replace("acme/tool:1", "acme/gone:1"));
    let missing = charts.lock(&[]);
    assert!(missing.code == Some(2) && missing.stderr.contains("error[ImageMissing]"), "{}", missing.stderr);
}

#[test]
fn a_data_plane_gives_them_to_flux_behind_its_mirror_after_all_other_values() {
    let world = World::start().unwrap();
    let digest = format!("sha256:{OF_FIXTURES}");
    let carried = json!([{
        "image": format!("quay.example/acme/tool:1@{digest}"),
        "values": { "tool": { "registry": "{host}", "repository": "{path}", "tag": "1@{digest}" }, "args": ["{name}"] },
    }]);
    world.release_with(40, "emergency", |line| line.set("logging-agent", "imageValues", carried)).unwrap();
    world.open(40, &["general=100"]).unwrap();
    world.publish_catalog().unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    let pass = plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.level(), Some(40), "{}", pass.stderr);
    let files = world.git.files(&plane.name, "main").unwrap();
    let values = |component: &str| {
        let bytes = &files[&format!("pdp/{component}/helm-release.yaml")];
        let release: Value = serde_saphyr::from_str(std::str::from_utf8(bytes).unwrap()).unwrap();
        release["spec"]["values"].clone()
    };
    let (host, folder) = (world.registry_host(), "acme/tool");
    let tool = json!({ "registry": host, "repository": folder, "tag": format!("1@{digest}") });
    assert_eq!(values("logging-agent"), json!({ "tool": tool, "args": [format!("{host}/{folder}")] }));
    assert_eq!(values("logging-api"), Value::Null, "the others have none");
}

#[test]
fn one_list_carries_several_images_and_two_entries_of_one_list_are_refused() {
    let (charts, tool) = with_tool();
    let other = charts.image("team/other", "2");
    let values = "tool: quay.example/acme/tool:1\nother: ghcr.example/team/other:2\nextraArgs: []\n";
    let args = "{{ range .Values.extraArgs }}{{ . }} {{ end }}";
    let one = chart(&charts.world, "one", values, &pod("acme/app:1", args));
    let two = ", imageValues: [\
               {image: 'quay.example/acme/tool:1', values: {extraArgs: ['--tool-image={name}:1@{digest}']}}, \
               {image: 'ghcr.example/team/other:2', values: {extraArgs: ['--other-image={name}:2@{digest}']}}]";
    charts.release(std::slice::from_ref(&one), two);
    let (code, findings) = charts.lint();
    let said = |words: &str| findings.iter().any(|it| it["message"].as_str().unwrap().contains(words));
    assert!(code == Some(1) && codes(&findings).contains(&"BadImageValues"), "{findings:#?}");
    assert!(
        said("two entries fill /extraArgs: write one, with the second image in its `others`"),
        "{findings:#?}"
    );

    let both = ", imageValues: [{image: 'quay.example/acme/tool:1', others: {other: 'ghcr.example/team/other:2'}, values: \
                {extraArgs: ['--tool-image={name}:1@{digest}', '--other-image={name:other}:2@{digest:other}']}}]";
    charts.release(std::slice::from_ref(&one), both);
    let locked = charts.lock(&[]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    assert_eq!(charts.lint(), (Some(0), Vec::new()));
    for (image, digest) in [("quay.example/acme/tool:1", &tool), ("ghcr.example/team/other:2", &other)] {
        let found = charts.locked()["one"].iter().any(|line| line.starts_with(&format!("{image}@{digest}")));
        assert!(found, "{image}: {:?}", charts.locked());
    }
    let built = charts.built();
    assert_eq!(built["critical"], json!(["imageValues", "imageValuesOthers"]));
    let carried = &built["components"][0]["imageValues"][0];
    assert_eq!(
        carried["others"],
        json!({ "other": { "image": "ghcr.example/team/other", "digest": other } })
    );

    // One that follows to no mirror is told, also beside one that does.
    charts.release(&[one], &both.replace("{name:other}", "ghcr.example/team/other"));
    assert_eq!(charts.lock(&[]).code, Some(0));
    assert_eq!(codes(&charts.lint().1), ["UnmirroredImage"]);
}
