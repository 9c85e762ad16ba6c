//! SBOMs and VEX documents: from the release.yaml by a key of their own into a customer's mirror; and what is no statement.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pdp_e2e::{Finished, Program, Registry, World};
use serde_json::{Value, json};

use crate::images::Layout;
use crate::publish_memory::copy;
use crate::statements_forged::{attach, stranger};

pub(crate) const BUNDLE: &str = "pdp/pdp-2026";
pub(crate) const CYCLONEDX: &str = "https://cyclonedx.org/bom";
pub(crate) const OPENVEX: &str = "https://openvex.dev/ns";

/// A copy of the line whose level 40 has statements and an image for two platforms.
pub(crate) struct Line {
    folder: PathBuf,
    level: u32,
}

impl Line {
    pub(crate) fn new(world: &World, image: &str) -> Self {
        let (fixtures, folder) = (World::fixtures().join("pdp-2026"), world.path("stated-line"));
        let text = std::fs::read_to_string(fixtures.join("40/release.yaml")).unwrap();
        let at = text.find("sha256:").unwrap();
        let old = text[at..at + "sha256:".len() + 64].to_owned();
        copy(&fixtures, &folder, &|text| text.replace(&old, image));
        Self { folder, level: 40 }
    }

    pub(crate) fn at(&self, level: u32) -> Self {
        Self { folder: self.folder.clone(), level }
    }

    pub(crate) fn file(&self) -> String {
        self.folder.join(format!("{}/release.yaml", self.level)).to_string_lossy().into_owned()
    }

    pub(crate) fn put(&self, name: &str, document: &Value) {
        self.text(name, &document.to_string());
    }

    fn text(&self, name: &str, text: &str) {
        let path = self.folder.join(self.level.to_string()).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// `statements:` with these lines.
    pub(crate) fn states(&self, lines: &[&str]) {
        let text = std::fs::read_to_string(self.file()).unwrap();
        let text = text.split("\nstatements:").next().unwrap().trim_end();
        let lines: String = lines.iter().map(|line| format!("\n  - {line}")).collect();
        std::fs::write(self.file(), format!("{text}\nstatements:{lines}\n")).unwrap();
    }
}

fn sbom(digest: &str) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": { "type": "container", "name": "cilium", "version": digest } },
        "components": [{ "type": "library", "name": "musl", "version": "1.2.5" }],
    })
}

fn vex(statements: &Value) -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://a.example/vex", "author": "a",
        "timestamp": "2026-11-01T00:00:00Z", "version": 1, "statements": statements,
    })
}

fn run(world: &World, args: &[&str]) -> Finished {
    world.run(Program::Publisher, args, &[]).unwrap()
}

pub(crate) fn done(world: &World, args: &[&str]) -> Value {
    let finished = run(world, &[args, &["-o", "json"]].concat());
    assert!(finished.ok(), "{args:?}: {}{}", finished.stdout, finished.stderr);
    serde_json::from_str(&finished.stdout).unwrap()
}

fn refused(world: &World, args: &[&str], code: &str) {
    let finished = run(world, &[args, &["-o", "json"]].concat());
    assert_eq!(finished.error().as_deref(), Some(code), "{args:?}: {}{}", finished.stdout, finished.stderr);
}

/// A statement key that the catalog lists; its file.
pub(crate) fn statement_key(world: &World) -> String {
    world.statement_key().unwrap()
}

fn publish<'a>(out: &'a str, layout: &'a str, ci: &'a str, person: &'a str) -> Vec<&'a str> {
    vec!["release", "publish", out, "--images", layout, "--key", ci, "--key", person]
}

/// The proposed level is published, and promoted.
pub(crate) fn released(world: &World, level: u32) {
    world.publish_catalog().unwrap();
    world.promote(level, &["--tempo", "emergency"]).unwrap();
    world.publish_catalog().unwrap();
}

/// What `release verify` finds: kinds by predicate, what about.
pub(crate) fn stated(value: &Value) -> Vec<(String, String)> {
    let each = value["statements"].as_array().unwrap().iter();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    let mut found: Vec<_> = each.map(|it| (text(it, "about"), text(it, "predicateType"))).collect();
    found.sort();
    found
}

/// The bundles that a registry lists of something.
fn listed(registry: &Registry, repository: &str, digest: &str) -> usize {
    listed_if(registry, repository, digest, |_| true)
}

/// Those of one kind.
pub(crate) fn listed_as(registry: &Registry, repository: &str, digest: &str, predicate: &str) -> usize {
    listed_if(registry, repository, digest, |it| {
        it["annotations"]["dev.sigstore.bundle.predicateType"] == predicate
    })
}

fn listed_if(registry: &Registry, repository: &str, digest: &str, wanted: impl Fn(&Value) -> bool) -> usize {
    let all = referrers(registry, repository, digest).into_iter().filter(wanted);
    // What is pushed again is listed again.
    all.map(|it| it["digest"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>().len()
}

/// What a registry lists, as it says it.
pub(crate) fn referrers(registry: &Registry, repository: &str, digest: &str) -> Vec<Value> {
    let url = format!("http://{}/v2/{repository}/referrers/{digest}", registry.host());
    let list: Value = reqwest::blocking::get(url).unwrap().json().unwrap();
    list["manifests"].as_array().unwrap().clone()
}

#[test]
fn statements_go_from_the_release_file_by_a_key_of_their_own_into_a_mirror() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let line = Line::new(&world, &layout.digest);
    line.put("sbom/cilium.json", &sbom(&layout.digest));
    line.put("sbom/amd64.json", &sbom(&layout.parts[0]));
    line.put("sbom/cert-manager.json", &json!({ "bomFormat": "CycloneDX", "specVersion": "1.6" }));
    let fixed = json!([{
        "vulnerability": { "name": "CVE-2026-1" }, "status": "fixed",
        "products": [{ "@id": format!("quay.io/cilium/cilium@{}", layout.digest) }],
    }]);
    line.put("vex.json", &vex(&fixed));
    let part = format!("{{path: sbom/amd64.json, of: \"quay.io/cilium/cilium@{}\"}}", layout.parts[0]);
    line.states(&[
        "{path: sbom/cilium.json, of: quay.io/cilium/cilium}",
        &part,
        "{path: sbom/cert-manager.json, of: certificate-manager}",
        "{path: vex.json}",
    ]);
    let (file, out) = (line.file(), world.path("stated").to_string_lossy().into_owned());
    let key = statement_key(&world);
    let (artifact, ci, person) = (world.key("artifact"), world.key("ci"), world.key("release-1"));
    done(&world, &["release", "build", &file, "--out", &out]);
    let record = std::fs::read(Path::new(&out).join("statements.json")).unwrap();

    // Nothing goes out half.
    let folder = layout.folder.to_string_lossy().into_owned();
    done(&world, &["release", "sign", &out, "--key", &artifact]);
    refused(&world, &publish(&out, &folder, &ci, &person), "StatementUnsigned");
    assert!(world.registry.content().tags(BUNDLE).unwrap_or_default().is_empty());
    // One key for both would make releases of SBOMs.
    refused(&world, &["release", "sign", &out, "--key", &artifact, "--statement-key", &artifact], "KeyInUse");
    let signed = done(&world, &["release", "sign", &out, "--key", &artifact, "--statement-key", &key]);
    // Those four, and the level's own SBOM.
    assert_eq!(signed["statements"], 5);
    let again = done(&world, &["release", "sign", &out, "--key", &artifact, "--statement-key", &key]);
    assert_eq!((&again["statements"], &again["signatures"]), (&json!(0), &json!(0)));

    let published = done(&world, &publish(&out, &folder, &ci, &person));
    let bundle = published["digest"].as_str().unwrap();
    let once_more = done(&world, &publish(&out, &folder, &ci, &person));
    assert_eq!(once_more["traffic"]["blobsUploaded"], 0);
    assert_eq!(listed(&world.registry, BUNDLE, bundle), 3, "a signature, an SBOM, a VEX document");
    released(&world, 40);
    world.open(40, &["general=100"]).unwrap();

    let image = |predicate: &str| ("quay.io/cilium/cilium".to_owned(), predicate.to_owned());
    let of = |about: &str, predicate: &str| (about.to_owned(), predicate.to_owned());
    let own = [of("certificate-manager", CYCLONEDX), of("the bundle", CYCLONEDX), of("the bundle", OPENVEX)];
    let all = [&own[..1], &[image(CYCLONEDX), image(CYCLONEDX)], &own[1..]].concat();
    let verify = ["release", "verify", "40", "--line", "pdp-2026"];
    assert_eq!(stated(&done(&world, &verify)), own);
    assert_eq!(stated(&done(&world, &[&verify[..], &["--images"]].concat())), all);
    let text = run(&world, &verify).stdout;
    assert!(text.contains("CycloneDX of the bundle, by statement key"), "{text}");

    // A stranger's statement stays behind.
    stranger(&world, bundle);
    assert_eq!(stated(&done(&world, &verify)), own);
    let mirror = Registry::start().unwrap();
    let to = format!("{}/wso2", mirror.host());
    done(&world, &["release", "mirror", "40", "--line", "pdp-2026", "--to", &to]);
    assert_eq!(listed(&mirror, "wso2/pdp/pdp-2026", bundle), 3);
    assert_eq!(listed(&world.registry, BUNDLE, bundle), 5);
    let there = done(&world, &[&verify[..], &["--images", "--registry", &to]].concat());
    assert_eq!(stated(&there), all);
    assert_eq!(listed(&mirror, "wso2/cilium/cilium", &layout.parts[0]), 1);

    // Data planes go on as they did; what is attached belongs to what registries keep.
    let catalog = format!("{{git: {{url: \"{}\", branch: catalog}}}}", world.git_url("catalog"));
    let plane = world.data_plane_on("acme", "prod", "general", &catalog, &to, "").unwrap();
    let pass = plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.level(), Some(40), "{}", pass.stderr);
    let kept = done(&world, &["release", "keep", "--without-server"]);
    let needed = kept["needed"].to_string();
    let statements = there["statements"].as_array().unwrap();
    assert!(statements.iter().all(|it| needed.contains(it["manifest"].as_str().unwrap())), "{needed}");

    // Signing anew what is released leaves what is said about it as it is, and tells so.
    let resigned = run(&world, &["release", "resign", "40", "--line", "pdp-2026", "--key", &artifact]);
    assert!(
        resigned.ok() && resigned.stderr.contains("keep the signatures that they have"),
        "{}",
        resigned.stderr
    );
    // Taken back, the key's words count no more.
    let more = world.path("statement-2.key").to_string_lossy().into_owned();
    world.publisher(&["key", "new", &more]).unwrap();
    world.changed_key("statement", "add", &more.replace(".key", ".pub"), &[]).unwrap();
    world.changed_key("statement", "revoke", &key.replace(".key", ".pub"), &[]).unwrap();
    assert_eq!(stated(&done(&world, &verify)), []);
    // A key has one purpose, also one that is out of use.
    for (list, public) in
        [("statement", world.public_key("artifact")), ("artifact", world.public_key("statement"))]
    {
        let added = world.change_key(list, "add", &public, &[]).unwrap();
        assert!(!added.ok() && added.stderr.contains("error[KeyInUse]"), "{list}: {}", added.stderr);
    }
    refused(&world, &["release", "resign", "40", "--line", "pdp-2026", "--key", &more], "KeyInUse");

    // The same level gives the same statements.
    done(&world, &["release", "build", &file, "--out", &world.path("again").to_string_lossy()]);
    assert_eq!(std::fs::read(world.path("again/statements.json")).unwrap(), record);
    // By the artifact key they would be releases.
    let again = world.path("again").to_string_lossy().into_owned();
    done(&world, &["release", "sign", &again, "--key", &more, "--statement-key", &artifact]);
    refused(&world, &publish(&again, &folder, &ci, &person), "KeyInUse");
}

#[test]
fn what_is_wrong_with_statements_is_found_before_anything_is_built() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let line = Line::new(&world, &layout.digest);
    let other = format!("sha256:{}", "0a".repeat(32));
    line.put("good.json", &sbom(&layout.digest));
    line.put("other.json", &sbom(&other));
    line.text("broken.json", "{\n  \"bomFormat\": \"CycloneDX\",\n");
    line.put("unknown.json", &json!({ "hello": 1 }));
    line.text(
        "invalid.json",
        "{\n \"bomFormat\": \"CycloneDX\",\n \"specVersion\": \"1.6\",\n \"components\": [\n  {\n   \"type\": \"car\",\n   \"name\": \"x\"\n  }\n ]\n}\n",
    );
    let mut large = sbom(&layout.digest);
    large["metadata"]["component"]["description"] = json!("x".repeat(3_000_000));
    line.put("large.json", &large);
    line.text("huge.json", &" ".repeat((16 << 20) + 1));
    let cilium = format!("quay.io/cilium/cilium@{}", layout.digest);
    let product = |status: &str| json!({ "vulnerability": { "name": "CVE-1" }, "products": [{ "@id": cilium }], "status": status });
    line.put("twice.json", &vex(&json!([product("fixed"), product("fixed")])));
    line.put("both.json", &vex(&json!([product("fixed"), product("under_investigation")])));
    let strange = json!([{ "vulnerability": { "name": "CVE-1" }, "products": [{ "@id": "pkg:oci/other" }], "status": "fixed" }]);
    line.put("strange.json", &vex(&strange));
    let many: Vec<_> =
        (0..9).map(|n| format!("{{path: good-{n}.json, of: quay.io/cilium/cilium}}")).collect();
    (0..9).for_each(|n| line.put(&format!("good-{n}.json"), &sbom(&layout.digest)));
    let crowd: Vec<_> = many.iter().map(String::as_str).collect();
    let everyone: Vec<_> = std::iter::repeat_n("{path: good.json}", 257).collect();
    let findings = |lines: &[&str]| -> Vec<(String, String, Value)> {
        line.states(lines);
        let finished = run(&world, &["release", "lint", &line.file(), "-o", "json"]);
        assert!(matches!(finished.code, Some(0 | 1)), "{}", finished.stderr);
        let found: Value = serde_json::from_str(&finished.stdout).unwrap();
        let found =
            found.as_array().cloned().unwrap_or_else(|| found["findings"].as_array().unwrap().clone());
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        found.iter().map(|it| (text(it, "code"), text(it, "path"), it["line"].clone())).collect()
    };
    for (lines, code, file) in [
        (&["{path: gone.json}"][..], "StatementUnreadable", "release.yaml"),
        (&["{path: ../../../secret.json}"], "StatementUnreadable", "release.yaml"),
        (&["{path: broken.json}"], "StatementUnreadable", "release.yaml"),
        (&["{path: huge.json, of: quay.io/cilium/cilium}"], "StatementUnreadable", "release.yaml"),
        (&["{path: unknown.json}"], "StatementUnknown", "unknown.json"),
        (&["{path: invalid.json}"], "StatementInvalid", "invalid.json"),
        (&["{path: good.json, of: quay.io/cilium/other}"], "StatementOfNothing", "release.yaml"),
        (&["{path: other.json, of: quay.io/cilium/cilium}"], "StatementOfAnotherImage", "other.json"),
        (&["{path: large.json}"], "StatementTooLarge", "large.json"),
        (&["{path: twice.json}"], "VexProductTwice", "twice.json"),
        (&["{path: both.json}"], "VexContradiction", "both.json"),
        (&["{path: strange.json}"], "VexProductUnknown", "strange.json"),
        (&["{path: good.json, of: quay.io/cilium/cilium}"; 2], "StatementTwice", "release.yaml"),
        (&crowd, "TooManyStatements", "release.yaml"),
        (&everyone, "TooManyStatements", "release.yaml"),
        (&["{path: good.json, off: cilium}"], "BadYaml", "release.yaml"),
    ] {
        let found = findings(lines);
        assert_eq!(found.len(), 1, "{lines:?}: {found:?}");
        assert!(found[0].0 == code && found[0].1.ends_with(file), "{lines:?}: {found:?}");
    }
    assert_eq!(findings(&["{path: invalid.json}"])[0].2, 6, "the line of the type");
    assert_eq!(findings(&["{path: large.json, of: quay.io/cilium/cilium}"]), []);
    // An SBOM of an image is none of its component: that is seen when the component has its digest.
    line.states(&["{path: good.json, of: cilium}"]);
    let out = world.path("wrong").to_string_lossy().into_owned();
    refused(&world, &["release", "build", &line.file(), "--out", &out], "StatementOfAnotherImage");
}

#[test]
fn nothing_is_attached_where_it_does_not_belong_or_where_it_would_crowd_a_signature_out() {
    let world = World::start().unwrap();
    let layout = Layout::new(&world);
    let line = Line::new(&world, &layout.digest);
    let key = world.statement_key().unwrap();
    let (artifact, ci, person) = (world.key("artifact"), world.key("ci"), world.key("release-1"));
    let folder = layout.folder.to_string_lossy().into_owned();
    let built = |name: &str| {
        let out = world.path(name).to_string_lossy().into_owned();
        done(&world, &["release", "build", &line.file(), "--out", &out]);
        done(&world, &["release", "sign", &out, "--key", &artifact, "--statement-key", &key]);
        out
    };
    // A digest that the level's image doesn't have as a part.
    let stranger = format!("sha256:{}", "0a".repeat(32));
    line.put("part.json", &sbom(&stranger));
    line.states(&[&format!("{{path: part.json, of: \"quay.io/cilium/cilium@{stranger}\"}}")]);
    refused(&world, &publish(&built("part"), &folder, &ci, &person), "StatementOfAnotherImage");

    // Fifteen bundles of whoever, and the signature: one more, and a data plane might not see that.
    line.states(&[]);
    let text = std::fs::read_to_string(line.file()).unwrap();
    std::fs::write(line.file(), text.replace("\nstatements:\n", "\n")).unwrap();
    let out = built("crowd");
    let release = std::fs::read(Path::new(&out).join("release-pdp-2026-40.json")).unwrap();
    let release: Value = serde_json::from_slice(&release).unwrap();
    let of = |kind: &str, bytes: &[u8]| {
        let digest = format!("sha256:{}", crate::forge::sha256(bytes));
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    };
    let (bundle, size) = (release["bundle"]["digest"].as_str().unwrap(), &release["bundle"]["size"]);
    let (kind, index) =
        ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json");
    let sigstore = "application/vnd.dev.sigstore.bundle.v0.3+json";
    for n in 0..15 {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind, "artifactType": sigstore,
            "config": of("application/vnd.oci.empty.v1+json", b"{}"), "layers": [of(sigstore, b"{}")],
            "subject": { "mediaType": index, "digest": bundle, "size": size }, "annotations": { "n": n.to_string() },
        });
        attach(&world.registry, manifest.to_string());
    }
    let full = run(&world, &[&publish(&out, &folder, &ci, &person)[..], &["-o", "json"]].concat());
    assert_eq!((full.error().as_deref(), full.code), (Some("ReferrersFull"), Some(6)), "{}", full.stderr);
    assert!(
        full.stderr.contains("level 40 is proposed, and its statements aren't all attached"),
        "{}",
        full.stderr
    );
    assert_eq!(listed(&world.registry, BUNDLE, bundle), 16, "the signature is there, and no statement");

    // What is said about a level doesn't hold it back; what is missing is attached once there is room.
    released(&world, 40);
    let verified = done(&world, &["release", "verify", "40", "--line", "pdp-2026"]);
    assert_eq!(stated(&verified), []);
    let full = run(&world, &publish(&out, &folder, &ci, &person));
    assert!(full.code == Some(6) && full.stderr.contains("level 40 is published"), "{}", full.stderr);
}
