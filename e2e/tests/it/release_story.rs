//! The night of docs/release-engineering.md, as written: three people with a shell each, from an installed chart over a
//! CVE to a level that is promoted, withdrawn and superseded.

use std::path::Path;
use std::process::{Command, Stdio};

use pdp_e2e::{Program, Tools, World};
use serde_json::Value;

use crate::chart_sources::push_chart;
use crate::release_doc::image;
use crate::rings::Story;

const TEMPLATE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: agent}\nspec:\n\
    \x20 selector: {matchLabels: {app: agent}}\n  template:\n    metadata: {labels: {app: agent}}\n\
    \x20   spec: {containers: [{name: agent, image: \"quay.io/acme/agent:{{ .Chart.AppVersion }}\"}]}\n";
/// Who has which keys.
const PEOPLE: [(&str, &[&str]); 3] = [
    ("ann", &["artifact", "release-1"]),
    ("ben", &["release-2", "manager-1"]),
    ("mia", &["manager-2", "snapshot", "timestamp"]),
];

/// The chart and its image, as the makers of the agent publish them.
fn published(world: &World, version: &str) {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let about = format!("apiVersion: v2\nname: agent\nversion: {version}\nappVersion: '{version}'\n");
    for (path, text) in
        [("Chart.yaml", about.as_str()), ("values.yaml", ""), ("templates/agent.yaml", TEMPLATE)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("agent/{path}"), text.as_bytes()).unwrap();
    }
    push_chart(world, "charts/agent", version, &tar.into_inner().unwrap().finish().unwrap());
    image(world, "acme/agent", version);
}

/// What a person's shell runs, in that person's own folder with nothing but that person's keys.
struct Block {
    person: String,
    script: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    for rest in page.split("\n```sh ").skip(1) {
        let (person, rest) = rest.split_once('\n').unwrap();
        let script = rest.split("```").next().unwrap().to_owned();
        found.push(Block { person: person.to_owned(), script });
    }
    found
}

fn git(folder: &Path, args: &[&str]) {
    let done = Command::new("git").current_dir(folder).args(args).output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A folder for each person: a clone of the repository of releases, beside it the keys.
fn moved_in(world: &World, fleet: &str) {
    let bare = world.path("releases.git");
    std::fs::create_dir_all(&bare).unwrap();
    git(&bare, &["init", "--quiet", "--bare", "--initial-branch", "main"]);
    for (person, keys) in PEOPLE {
        let home = world.path(person);
        git(&world.path(""), &["clone", "--quiet", bare.to_str().unwrap(), home.to_str().unwrap()]);
        git(&home, &["checkout", "--quiet", "-B", "main"]);
        git(&home, &["config", "user.name", person]);
        git(&home, &["config", "user.email", &format!("{person}@example.com")]);
        git(&home, &["config", "push.default", "current"]);
        std::fs::create_dir_all(home.join("keys")).unwrap();
        for key in keys {
            std::fs::copy(world.key(key), home.join(format!("keys/{key}.key"))).unwrap();
        }
        if person == "ann" {
            std::fs::create_dir_all(home.join("fleet")).unwrap();
            std::fs::write(home.join("fleet/agent.yaml"), fleet).unwrap();
        }
    }
}

/// The digest that a person read before signing: the only proposal that the block signs.
fn read_first(world: &World, script: &str) -> String {
    if !script.contains("--expect DIGEST") {
        return script.to_owned();
    }
    let branch = script.split_whitespace().find(|word| word.starts_with("proposals/")).unwrap();
    let shown = world.publisher(&["catalog", "proposals", "show", branch, "-o", "json"]).unwrap().stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    script.replace("DIGEST", shown["digest"].as_str().unwrap())
}

fn run(world: &World, block: &Block) -> String {
    let programs = world.command(Program::Publisher).unwrap();
    let programs = Path::new(programs.get_program()).parent().unwrap().to_path_buf();
    let home = world.path(&block.person);
    let helm = Tools::for_charts().unwrap().path("helm4");
    let mut shell = world.within(Command::new("bash"));
    let output = shell
        .args(["-euo", "pipefail", "-c", &read_first(world, &block.script)])
        .current_dir(&home)
        .env("HOME", &home)
        .env("XDG_CACHE_HOME", home.join(".cache"))
        .env("PUBLISHER_HELM", helm)
        .env("PUBLISHER_LOCK_VIA", world.registry_host())
        .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{}: {}\n{out}{err}", block.person, block.script);
    out
}

fn known(story: &Story, level: u32) {
    let known = || story.world.rollout(level).is_ok_and(|view| !view["created"].is_null());
    pdp_e2e::wait_for("the server to know the level", known).unwrap();
}

#[test]
fn from_a_flux_repository_over_a_cve_to_a_level_that_is_promoted_withdrawn_and_superseded() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/release-engineering.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut story = Story::begin(&[("wso2-lab", "canary"), ("acme", "early")]);
    let fleet = page.split("```yaml fleet/agent.yaml\n").nth(1).unwrap().split("```").next().unwrap();
    moved_in(&story.world, &fleet.replace("registry.wso2.example", &story.world.registry.host()));
    published(&story.world, "1.0.0");

    let mut told = Vec::new();
    for block in blocks(&page) {
        if block.script.contains("release init 2") || block.script.contains("release init 3") {
            published(&story.world, if block.script.contains("init 2") { "1.0.1" } else { "1.0.2" });
        }
        if block.script.contains("rollout status 2") {
            known(&story, 2);
        }
        told.push((block.script.clone(), run(&story.world, &block)));
        if block.script.contains("release verify 1") {
            known(&story, 1);
            story.until_all_at(1);
            story.round();
        }
        if block.script.contains("rollout status 2") {
            assert_eq!(story.round()["wso2-lab-prod"], Some(2));
        }
        if block.script.contains("catalog sign proposals/channels-4") {
            assert_eq!(story.planes[1].level(), Some(1), "it was withdrawn in time");
        }
    }
    let exposed =
        told.iter().find(|(script, _)| script.contains("publisher exposure")).map(|(_, out)| out).unwrap();
    assert!(exposed.contains("wso2-lab/prod") && exposed.contains("acme/prod"), "{exposed}");
    let (_, list) = told.last().unwrap();
    assert!(list.contains("Withdrawn"), "{list}");

    known(&story, 3);
    story.until_all_at(3);
    story.round();
    let args = ["exposure", "--line", "pdp-2026", "-o", "json"];
    let open = story.world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(
        open.ok() && open.stdout.contains(r#""exposed": []"#),
        "level 3 fixes what level 2 fixed: {}",
        open.stdout
    );
}
