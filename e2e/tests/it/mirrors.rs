//! `publisher release mirror`: a customer's registry gets a level whole, or is told to have less.

use std::sync::OnceLock;

use pdp_e2e::{Finished, Harm, Program, Registry, Running, World, wait_for};
use serde_json::{Value, json};

use crate::forge::sha256;
use crate::images::{Layout, from_layout};
use crate::publish_memory::level_with;

/// Where the bundle and the image for two platforms lie behind the customer's prefix.
const BUNDLE: &str = "wso2/pdp/pdp-2026";
const CILIUM: &str = "wso2/cilium/cilium";
const LEVEL: &str = "40";

/// A vendor with level 40 promoted and open, and 41 published without promotion.
struct Vendor {
    world: World,
    layout: Layout,
    /// Of the bundle.
    digest: String,
}

impl Vendor {
    fn start() -> Self {
        let world = World::start().unwrap();
        let layout = Layout::new(&world);
        let out = level_with(&world, &layout.digest);
        let published = from_layout(&world, &out, &layout.folder);
        assert_eq!(published.code, Some(0), "{}", published.stderr);
        let published: Value = serde_json::from_str(&published.stdout).unwrap();
        world.publish_catalog().unwrap();
        world.promote(40, &["--tempo", "emergency"]).unwrap();
        world.publish_catalog().unwrap();
        world.open(40, &["general=100"]).unwrap();
        Self { digest: published["digest"].as_str().unwrap().to_owned(), world, layout }
    }

    fn args<'a>(to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let args = ["release", "mirror", LEVEL, "--line", "pdp-2026", "--to", to, "-o", "json"];
        [&args, more].concat()
    }

    fn mirror(&self, to: &str, more: &[&str]) -> Finished {
        self.world.run(Program::Publisher, &Self::args(to, more), &[]).unwrap()
    }

    fn verify(&self, to: &str) -> Finished {
        let args = ["release", "verify", LEVEL, "--line", "pdp-2026", "--images", "--registry", to];
        self.world.run(Program::Publisher, &args, &[]).unwrap()
    }
}

/// One vendor for all tests that don't change it.
fn vendor() -> &'static Vendor {
    static VENDOR: OnceLock<Vendor> = OnceLock::new();
    VENDOR.get_or_init(Vendor::start)
}

fn customer() -> (Registry, String) {
    let registry = Registry::start().unwrap();
    let to = format!("{}/wso2", registry.host());
    (registry, to)
}

fn has(registry: &Registry, repository: &str, reference: &str) -> Option<Vec<u8>> {
    registry.content().manifest(repository, reference).unwrap().map(|found| found.bytes)
}

fn said(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|_| panic!("{}{}", finished.stdout, finished.stderr))
}

fn refused(finished: &Finished, exit: i32, code: &str) {
    let is_so = finished.code == Some(exit) && finished.error().as_deref() == Some(code);
    assert!(is_so, "{:?}: {}{}", finished.code, finished.stdout, finished.stderr);
}

fn has_nothing(registry: &Registry) {
    let writes =
        registry.take_exchanges().into_iter().filter(|it| !["GET", "HEAD"].contains(&it.method.as_str()));
    assert_eq!(writes.count(), 0);
}

#[test]
fn a_mirror_is_enough_to_install_from_when_the_vendors_registry_is_away() {
    let vendor = Vendor::start();
    let (mirror, to) = customer();
    let dry = vendor.mirror(&to, &["--dry-run"]);
    assert_eq!(dry.code, Some(1), "{}", dry.stderr);
    let lacking = said(&dry)["lacking"].to_string();
    for what in [&vendor.digest, &vendor.layout.digest, &vendor.layout.parts[1], "40-cilium"] {
        assert!(lacking.contains(what), "{what} in {lacking}");
    }
    has_nothing(&mirror);

    let mirrored = vendor.mirror(&to, &[]);
    assert_eq!(mirrored.code, Some(0), "{}", mirrored.stderr);
    // This registry has the empty config from the beginning.
    assert_eq!(said(&mirrored)["alreadyThere"], 1);
    assert_eq!(
        has(&mirror, CILIUM, &vendor.layout.digest),
        Some(vendor.layout.bytes.clone()),
        "byte for byte"
    );
    assert!(vendor.layout.parts.iter().all(|part| has(&mirror, CILIUM, part).is_some()));
    let own = |tag: &str| has(&vendor.world.registry, "pdp/pdp-2026", tag);
    let tags = vendor.world.registry.content().tags("pdp/pdp-2026").unwrap();
    assert!(
        tags.len() > 2 && tags.iter().all(|tag| own(tag).is_some() && own(tag) == has(&mirror, BUNDLE, tag))
    );
    let again = said(&vendor.mirror(&to, &[]));
    assert_eq!(
        (&again["copied"], &again["tagged"], &again["traffic"]["blobsUploaded"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(vendor.mirror(&to, &["--dry-run"]).code, Some(0));

    vendor.world.registry.stop();
    assert_eq!(vendor.verify(&to).code, Some(0), "{}", vendor.verify(&to).stderr);
    let catalog = format!("{{git: {{url: \"{}\", branch: catalog}}}}", vendor.world.git_url("catalog"));
    let plane = vendor.world.data_plane_on("acme", "prod", "general", &catalog, &to, "").unwrap();
    let pass = plane.pass(&vendor.world, &[]).unwrap();
    assert_eq!(plane.level(), Some(40), "{}", pass.stderr);
    let files = vendor.world.git.files(&plane.name, "main").unwrap();
    let text = String::from_utf8_lossy(&files["pdp/cilium/helm-release.yaml"]).into_owned();
    assert!(text.contains(&format!("{to}/cilium/cilium")), "{text}");
}

#[test]
fn signatures_are_found_in_a_mirror_that_keeps_no_list_of_referrers() {
    let vendor = vendor();
    let (mirror, to) = customer();
    mirror.without_referrers(true);
    let mirrored = vendor.mirror(&to, &[]);
    assert_eq!(mirrored.code, Some(0), "{}", mirrored.stderr);
    assert!(has(&mirror, BUNDLE, &vendor.digest.replace(':', "-")).is_some(), "the fallback tag");
    assert_eq!(vendor.verify(&to).code, Some(0));
    let again = said(&vendor.mirror(&to, &[]));
    assert_eq!(again["copied"], 0);
}

#[test]
fn killed_at_every_step_it_is_no_level_to_anybody_and_the_next_run_finishes_it() {
    let vendor = Vendor::start();
    let layer = format!("blobs/sha256:{}", sha256(b"arm64"));
    let manifest = |digest: &str| format!("manifests/{digest}");
    let (part, list) = (manifest(&vendor.layout.parts[0]), manifest(&vendor.layout.digest));
    let bundle = manifest(&vendor.digest);
    let points = [
        (true, "GET", layer.as_str(), false),
        (false, "POST", "blobs/uploads/", false),
        (false, "PUT", "blobs/uploads/", false),
        (false, "PUT", &part, true),
        (false, "PUT", &list, true),
        (false, "PUT", &bundle, true),
        (false, "PUT", "manifests/40-", true),
    ];
    for (at_the_vendor, method, path, all_blobs) in points {
        let (mirror, to) = customer();
        let faults = if at_the_vendor { vendor.world.registry.faults() } else { mirror.faults() };
        faults.add(method, path, Harm::Silent, None);
        faults.take_asked();
        let mut command = vendor.world.command(Program::Publisher).unwrap();
        command.args(Vendor::args(&to, &[]));
        let mut running = Running::start(command, vendor.world.path("killed.log")).unwrap();
        let is_meant = |asked: &String| asked.starts_with(&format!("{method} ")) && asked.contains(path);
        let reached = wait_for(path, || faults.take_asked().iter().any(is_meant));
        running.kill();
        reached.unwrap_or_else(|error| panic!("{error}: {}", running.stderr()));
        faults.clear();
        assert_eq!(has(&mirror, BUNDLE, LEVEL), None, "{method} {path}: no level before it is whole");
        let mirrored = vendor.mirror(&to, &[]);
        assert_eq!(mirrored.code, Some(0), "{method} {path}: {}", mirrored.stderr);
        if all_blobs {
            assert_eq!(
                said(&mirrored)["traffic"]["blobsUploaded"],
                0,
                "{method} {path}: nothing is sent twice"
            );
        }
        assert_eq!(vendor.verify(&to).code, Some(0), "{method} {path}");
    }
}

#[test]
fn a_layer_with_other_bytes_is_refused_and_nothing_names_it() {
    let vendor = Vendor::start();
    let (mirror, to) = customer();
    let layer = format!("blobs/sha256:{}", sha256(b"arm64"));
    for (harm, code) in
        [(Harm::Swapped, "DigestMismatch"), (Harm::Shortened, "SizeMismatch"), (Harm::Endless, "TooLarge")]
    {
        vendor.world.registry.faults().add("GET", &layer, harm, None);
        refused(&vendor.mirror(&to, &[]), 2, code);
        vendor.world.registry.faults().clear();
        assert_eq!((has(&mirror, CILIUM, &vendor.layout.digest), has(&mirror, BUNDLE, LEVEL)), (None, None));
    }
    assert_eq!(vendor.mirror(&to, &[]).code, Some(0));
}

#[test]
fn a_tag_of_somebody_else_is_named_and_stays() {
    let vendor = vendor();
    let (mirror, to) = customer();
    let theirs = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let digest = mirror.content().put(BUNDLE, LEVEL, kind, theirs).unwrap();
    for more in [&[][..], &["--dry-run"]] {
        let finished = vendor.mirror(&to, more);
        refused(&finished, 1, "TagTaken");
        for what in [format!("{to}/pdp/pdp-2026:40"), digest.clone(), vendor.digest.clone()] {
            assert!(finished.stderr.contains(&what), "{what}: {}", finished.stderr);
        }
    }
    assert_eq!(has(&mirror, BUNDLE, LEVEL), Some(theirs.to_vec()));
    has_nothing(&mirror);
}

#[test]
fn a_registry_that_loses_what_it_took_is_not_called_whole() {
    let vendor = vendor();
    let (mirror, to) = customer();
    assert_eq!(vendor.mirror(&to, &[]).code, Some(0));
    // Some registries delete parts that a list still names.
    assert!(mirror.content().delete(CILIUM, &vendor.layout.parts[0]).unwrap());
    let dry = vendor.mirror(&to, &["--dry-run"]);
    assert!(dry.code == Some(1) && said(&dry)["lacking"][0].to_string().contains(&vendor.layout.parts[0]));
    let mended = vendor.mirror(&to, &[]);
    assert_eq!((mended.code, &said(&mended)["copied"]), (Some(0), &json!(1)), "{}", mended.stderr);
    for path in
        [format!("manifests/{}", vendor.layout.parts[0]), format!("blobs/sha256:{}", sha256(b"arm64"))]
    {
        mirror.faults().add("HEAD", &path, Harm::Status(404), None);
        refused(&vendor.mirror(&to, &[]), 1, "MirrorIncomplete");
        mirror.faults().clear();
    }
}

#[test]
fn what_no_release_manager_promoted_or_nobody_signed_is_not_mirrored() {
    let vendor = Vendor::start();
    let (mirror, to) = customer();
    let world = &vendor.world;
    let args = ["release", "mirror", "40", "41", "--line", "pdp-2026", "--to", &to];
    refused(&world.run(Program::Publisher, &args, &[]).unwrap(), 11, "CeilingNotInChannel");
    refused(&vendor.mirror("not a host", &[]), 2, "BadReference");
    world.registry.without_referrers(true);
    refused(&vendor.mirror(&to, &[]), 10, "Unsigned");
    world.registry.without_referrers(false);
    assert!(world.registry.content().delete("cilium/cilium", &vendor.layout.parts[0]).unwrap());
    let missing = vendor.mirror(&to, &[]);
    refused(&missing, 2, "ImageMissing");
    assert!(missing.stderr.contains(&vendor.layout.parts[0]), "{}", missing.stderr);
    world.registry.faults().add(
        "HEAD",
        &format!("blobs/sha256:{}", sha256(b"arm64")),
        Harm::Status(404),
        None,
    );
    from_layout(world, &world.path("level-40").to_string_lossy(), &vendor.layout.folder);
    refused(&vendor.mirror(&to, &["--dry-run"]), 2, "ImageMissing");
    has_nothing(&mirror);
}
