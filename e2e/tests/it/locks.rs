//! `release lock` with the real Helm: every image of charts of every kind, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pdp_e2e::{Finished, Harm, Program, Tools, World};
use serde_json::{Value, json};
use sha2::Digest;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that has images under the paths of every other one, and the charts of a release.
pub(crate) struct Charts {
    pub(crate) world: World,
    pub(crate) folder: PathBuf,
}

/// One kind of chart, and the right answer.
#[derive(Debug)]
struct Kind {
    name: String,
    chart: PathBuf,
    /// Lines `rendered | pull | seen, seen | reach`.
    expected: BTreeSet<String>,
    findings: Vec<String>,
}

fn kinds() -> Vec<Kind> {
    let lines = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let mut kinds: Vec<_> = std::fs::read_dir(World::fixtures().join("charts-to-lock"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|folder| Kind {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            chart: folder.join("chart"),
            expected: std::fs::read_to_string(folder.join("expect.txt"))
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect(),
            findings: lines(&folder.join("findings.txt")).lines().map(str::to_owned).collect(),
        })
        .collect();
    kinds.sort_by(|a, b| a.name.cmp(&b.name));
    kinds
}

impl Charts {
    pub(crate) fn start() -> Self {
        let world = World::start().unwrap();
        let folder = world.path("line/7");
        std::fs::create_dir_all(&folder).unwrap();
        Self { world, folder }
    }

    /// An index for one platform under a path and tag; its digest.
    pub(crate) fn image(&self, path: &str, tag: &str) -> String {
        let bytes = manifest(&format!("{path}:{tag}"));
        self.world.registry.content().put(path, tag, INDEX, bytes.as_bytes()).unwrap()
    }

    /// A level with these charts.
    pub(crate) fn release(&self, charts: &[(String, PathBuf)], more: &str) {
        let mut text = String::from(
            "apiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: 7\nversion: '7'\nkind: update\nrepository: registry.wso2.example/pdp/pdp-2026\n\
             rendered: {kubernetes: [v1.33.4, v1.34.1-gke.1829001]}\ncomponents:\n",
        );
        for (name, chart) in charts {
            copy(chart, &self.folder.join(name));
            writeln!(
                text,
                "  - {{name: {name}, version: 1.2.3, stage: 1, chart: {{name: {name}, path: {name}}}, releaseName: {name}, namespace: {name}, \
                 onFailure: rollback, timeout: 5m, settle: 10s{more}}}"
            )
            .unwrap();
        }
        std::fs::write(self.file(), text).unwrap();
    }

    pub(crate) fn file(&self) -> String {
        self.folder.join("release.yaml").to_string_lossy().into_owned()
    }

    /// Builds the release, and gives its descriptor.
    pub(crate) fn built(&self) -> Value {
        let out = self.world.path("out").to_string_lossy().into_owned();
        self.world.publisher(&["release", "build", &self.file(), "--out", &out]).unwrap();
        let text = std::fs::read(self.world.path("out/release-pdp-2026-7.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    pub(crate) fn lock(&self, more: &[&str]) -> Finished {
        let (file, via) = (self.file(), self.world.registry.host());
        let helm = Tools::for_charts().unwrap().path("helm4");
        let mut args =
            vec!["release", "lock", file.as_str(), "--via", via.as_str(), "--helm", helm.to_str().unwrap()];
        args.extend(more);
        self.world.run(Program::Publisher, &args, &[]).unwrap()
    }

    pub(crate) fn lint(&self) -> (Option<i32>, Vec<Value>) {
        let file = self.file();
        let finished =
            self.world.run(Program::Publisher, &["release", "lint", &file, "-o", "json"], &[]).unwrap();
        (finished.code, serde_json::from_str(&finished.stdout).unwrap())
    }

    /// The lines of each component, as `expect.txt` has them.
    pub(crate) fn locked(&self) -> BTreeMap<String, BTreeSet<String>> {
        let text = std::fs::read_to_string(self.folder.join("release.lock")).unwrap();
        let lock: Value = serde_saphyr::from_str(&text).unwrap();
        let components = lock["components"].as_array().unwrap();
        let name = |component: &Value| component["name"].as_str().unwrap().to_owned();
        components
            .iter()
            .map(|one| (name(one), one["images"].as_array().unwrap().iter().map(line).collect()))
            .collect()
    }
}

fn manifest(image: &str) -> String {
    let child = sha256(image);
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{child}","size":2,"platform":{{"os":"linux","architecture":"amd64"}}}}],"annotations":{{"image":"{image}"}}}}"#
    )
}

pub(crate) fn sha256(text: &str) -> String {
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

fn line(image: &Value) -> String {
    let seen: Vec<_> =
        image["seen"].as_array().unwrap().iter().map(|place| place.as_str().unwrap()).collect();
    let text = |field: &str| image[field].as_str().unwrap().to_owned();
    assert_eq!(image["platforms"], json!(["linux/amd64"]), "{image}");
    format!("{} | {} | {} | {}", text("rendered"), text("pull"), seen.join(", "), text("reach"))
}

fn copy(from: &Path, to: &Path) {
    crate::publish_memory::copy(from, to, &|text| text);
}

/// Path and tag of a line's image, behind any registry.
fn in_registry(line: &str) -> (String, String) {
    let mut parts = line.split(" | ");
    let (rendered, pull) = (parts.next().unwrap(), parts.next().unwrap());
    let tagged = rendered.split('@').next().unwrap();
    let tag = tagged.rsplit_once(':').map(|(_, tag)| tag).filter(|tag| !tag.contains('/'));
    let path = pull.split_once('/').unwrap().1;
    // By digest alone: pushed under the tag that its fixture was made with.
    (path.to_owned(), tag.unwrap_or(if path.ends_with("database") { "v8" } else { "v3" }).to_owned())
}

#[test]
fn every_image_of_every_kind_of_chart_is_found_and_nothing_else() {
    let charts = Charts::start();
    let kinds = kinds();
    assert!(kinds.len() >= 14, "{}", kinds.len());
    for (path, tag) in kinds.iter().flat_map(|kind| &kind.expected).map(|line| in_registry(line)) {
        charts.image(&path, &tag);
    }
    charts.release(&kinds.iter().map(|kind| (kind.name.clone(), kind.chart.clone())).collect::<Vec<_>>(), "");
    let first = charts.lock(&[]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stderr.contains("values name `quay.example/team/not-there:1`"), "{}", first.stderr);
    let locked = charts.locked();
    for kind in &kinds {
        assert_eq!(locked[&kind.name], kind.expected, "{}", kind.name);
    }
    // What can't be pinned is said by lint, offline.
    let (code, findings) = charts.lint();
    let codes = |name: &str| {
        let place = format!("components.{name}");
        findings
            .iter()
            .filter(|f| f["place"] == place.as_str())
            .map(|f| f["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(code, Some(1));
    for kind in &kinds {
        assert_eq!(codes(&kind.name), kind.findings, "{}: {findings:#?}", kind.name);
    }
    // The same again: nothing is asked, nothing changes.
    charts.world.registry.faults().take_asked();
    let again = charts.lock(&["--check"]);
    assert_eq!((again.code, again.stdout.contains(" 0 changes")), (Some(0), true), "{}", again.stdout);
}

/// A chart of one template, in a folder of its own.
pub(crate) fn chart(world: &World, name: &str, values: &str, template: &str) -> (String, PathBuf) {
    let folder = world.path(&format!("charts/{name}"));
    std::fs::create_dir_all(folder.join("templates")).unwrap();
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.2.3\nappVersion: '1'\n");
    for (path, text) in
        [("Chart.yaml", about.as_str()), ("values.yaml", values), ("templates/app.yaml", template)]
    {
        std::fs::write(folder.join(path), text).unwrap();
    }
    (name.to_owned(), folder)
}

pub(crate) fn pod(image: &str, args: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: app}}\nspec: {{containers: [{{name: app, image: \"{image}\", args: [{args}]}}]}}\n"
    )
}

pub(crate) fn codes(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn a_lock_of_other_sources_or_of_another_release_is_refused_offline() {
    let charts = Charts::start();
    charts.image("acme/app", "1");
    charts.image("acme/other", "1");
    let one = chart(&charts.world, "one", "a: 1\n", &pod("acme/app:1", ""));
    let two = chart(&charts.world, "two", "a: 1\n", &pod("acme/other:1", ""));
    charts.release(&[one.clone(), two.clone()], "");
    assert_eq!(charts.lock(&[]).code, Some(0));
    assert_eq!(charts.lint(), (Some(0), Vec::new()));
    let lock = charts.folder.join("release.lock");
    let good = std::fs::read_to_string(&lock).unwrap();

    std::fs::write(charts.folder.join("one/values.yaml"), "a: 2\n").unwrap();
    assert_eq!(codes(&charts.lint().1), ["LockStale"]);
    charts.release(std::slice::from_ref(&two), "");
    assert_eq!(codes(&charts.lint().1), ["LockStale"], "a component that is gone");
    charts.release(&[one, two], ", sampleValues: [../samples/a.yaml]");
    assert_eq!(codes(&charts.lint().1), ["SampleUnreadable", "SampleUnreadable"]);
    std::fs::write(&lock, good.replace("level: 7", "level: 6")).unwrap();
    assert!(codes(&charts.lint().1).contains(&"LockOfAnotherRelease"));
    std::fs::write(&lock, "components: [").unwrap();
    assert!(codes(&charts.lint().1).contains(&"BadYaml"));
}

#[test]
fn a_locked_digest_stays_until_it_is_refreshed_and_what_is_missing_is_named() {
    let charts = Charts::start();
    let old = charts.image("acme/app", "1");
    charts.release(&[chart(&charts.world, "one", "{}\n", &pod("acme/app:1", ""))], "");
    assert!(charts.lock(&[]).stderr.contains("+ one: acme/app:1"));
    // The tag moves.
    let new = charts.image("acme/app", "2");
    charts.world.registry.content().point("acme/app", "1", &new).unwrap();
    assert_eq!(charts.lock(&["--check"]).code, Some(0));
    let check = charts.lock(&["--check", "--refresh"]);
    assert_eq!(check.code, Some(1), "{}", check.stderr);
    let text = || std::fs::read_to_string(charts.folder.join("release.lock")).unwrap();
    assert!(text().contains(&old), "checking writes nothing");
    let refreshed = charts.lock(&["--refresh"]);
    assert!(refreshed.stderr.contains("~ one: acme/app:1") && text().contains(&new), "{}", refreshed.stderr);

    charts.release(&[chart(&charts.world, "one", "{}\n", &pod("acme/gone:1", ""))], "");
    let before = text();
    let missing = charts.lock(&[]);
    assert!(missing.code == Some(2) && missing.stderr.contains("error[ImageMissing]"), "{missing:?}");
    assert_eq!(text(), before, "nothing half done");
}

#[test]
fn what_is_built_lists_the_name_as_rendered_and_the_one_to_pull() {
    let charts = Charts::start();
    charts.image("acme/app", "1");
    charts.release(&[chart(&charts.world, "one", "{}\n", &pod("acme/app:1", ""))], "");
    assert_eq!(charts.lock(&[]).code, Some(0));
    let built = charts.built();
    let images = &built["components"][0]["images"];
    assert_eq!(images[0]["name"], "acme/app");
    assert_eq!(images[0]["from"], "docker.io/acme/app");
    assert_eq!(built["critical"], Value::Null, "nothing that an older reader has to know");
}

#[test]
fn an_image_of_an_option_that_is_off_may_be_missing_or_private_and_a_rendered_one_may_not() {
    let charts = Charts::start();
    charts.image("acme/app", "1");
    let values = "proxy: {enabled: false, image: 'quay.example/acme/private:1'}\nother: {image: {repository: quay.example/acme/gone, tag: '1'}}\n";
    charts.release(&[chart(&charts.world, "one", values, &pod("quay.example/acme/app:1", ""))], "");
    charts.world.registry.faults().add("", "/acme/private/", Harm::Status(401), None);
    let locked = charts.lock(&[]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    for words in [
        "`quay.example/acme/gone:1`, which its registry doesn't",
        "`quay.example/acme/private:1`, which its registry keeps",
    ] {
        assert!(locked.stderr.contains(words), "{words}: {}", locked.stderr);
    }
    assert_eq!(charts.locked()["one"].len(), 1, "{:?}", charts.locked());
    charts.release(&[chart(&charts.world, "one", values, &pod("quay.example/acme/private:1", ""))], "");
    let refused = charts.lock(&[]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("error[LoginNeeded]"), "{}", refused.stderr);
}

#[test]
fn a_helm_that_nobody_agreed_on_is_not_run() {
    let charts = Charts::start();
    charts.image("acme/app", "1");
    charts.release(&[chart(&charts.world, "one", "{}\n", &pod("acme/app:1", ""))], "");
    let program = charts.world.path("helm");
    let mark = charts.world.path("ran");
    std::fs::write(&program, format!("#!/bin/sh\ntouch {}\necho v4.0.0\n", mark.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let real = std::fs::read(Tools::for_charts().unwrap().path("helm4")).unwrap();
    let agreed = format!("sha256:{}", hex::encode(sha2::Sha256::digest(real)));
    assert_eq!(charts.lock(&["--helm-digest", &agreed]).code, Some(0));
    let file = charts.file();
    let helm = program.to_str().unwrap();
    let args = ["release", "lock", &file, "--helm", helm, "--helm-digest", &agreed];
    let refused = charts.world.run(Program::Publisher, &args, &[]).unwrap();
    assert!(refused.code == Some(2) && refused.stderr.contains("error[HelmChanged]"), "{}", refused.stderr);
    assert!(!mark.exists(), "it ran");
}

#[test]
fn samples_find_what_values_switch_on_and_help_a_chart_that_needs_values() {
    let charts = Charts::start();
    charts.image("acme/app", "1");
    charts.image("acme/extra", "1");
    let template = format!(
        "{{{{ required \"name it\" .Values.name }}}}\n---\n{}---\n{{{{ if .Values.extra }}}}\n{}{{{{ end }}}}\n",
        pod("acme/app:1", "").replace("name: app}", "name: \"{{ .Values.name }}\"}"),
        pod("acme/extra:1", "").replace("name: app}", "name: extra}")
    )
    .replacen("{{ required \"name it\" .Values.name }}\n---\n", "# {{ required \"name it\" .Values.name }}\n---\n", 1);
    charts.release(
        &[chart(&charts.world, "one", "{}\n", &template)],
        ", sampleValues: [../samples/plain.yaml, ../samples/extra.yaml]",
    );
    let samples = charts.folder.join("../samples");
    std::fs::create_dir_all(&samples).unwrap();
    std::fs::write(samples.join("plain.yaml"), "name: a\n").unwrap();
    std::fs::write(samples.join("extra.yaml"), "name: a\nextra: true\n").unwrap();
    let locked = charts.lock(&[]);
    assert!(
        locked.code == Some(0) && locked.stderr.contains("`one` can't do without values"),
        "{}",
        locked.stderr
    );
    let lines: Vec<_> = charts.locked()["one"].iter().cloned().collect();
    assert_eq!(
        lines,
        [
            "acme/app:1 | docker.io/acme/app | container | postRenderer",
            "acme/extra:1 | docker.io/acme/extra | container | postRenderer"
        ]
    );
    assert_eq!(charts.lint(), (Some(0), Vec::new()));
}
