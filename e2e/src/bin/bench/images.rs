//! How long it takes to look for 50 images with all their parts where every answer comes late.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pdp_e2e::{DataPlane, Habits, Login, World};
use serde_json::json;

use crate::row;

const IMAGES: usize = 50;
/// Of these images, so many have parts.
const INDEXES: usize = 20;
/// An index for two platforms, each with its attestation.
const PARTS: usize = 4;
const LATE: Duration = Duration::from_millis(50);
const LEVEL: u32 = 7;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const AIM: &str = "<= 10 s";

pub(crate) fn bench() -> Result<()> {
    let world = World::start()?;
    let digests: Vec<_> = (0..IMAGES).map(|number| fill(&world, number)).collect::<Result<_>>()?;
    release(&world, &digests)?;
    let plane = |name: &str| world.data_plane("acme", name, "general", "");
    world.registry.habits(|habits| habits.late = LATE);
    let what = format!("{IMAGES} images, {INDEXES} of them with {PARTS} parts, {} ms late", LATE.as_millis());
    let begun = Instant::now();
    let (level, host) = (LEVEL.to_string(), world.registry_host());
    world.publisher(&["release", "verify", &level, "--line", "pdp-2026", "--images", "--registry", &host])?;
    line(&format!("publisher release verify --images: {what}"), begun.elapsed());
    line(&format!("a pass of pdp-sync that installs: {what}"), installs(&world, &plane("open")?)?);
    log_in(&world)?;
    let with_login = "the same, with a token for each repository";
    line(with_login, installs(&world, &plane("closed")?)?);
    world.registry.habits(|habits| *habits = Habits::default());
    world.registry.require(None);
    Ok(())
}

fn line(name: &str, took: Duration) {
    row(name, &format!("{:.1} s", took.as_secs_f64()), AIM);
}

/// From its start to the end of the pass; everything else that a pass asks the registry for is in it.
fn installs(world: &World, plane: &DataPlane) -> Result<Duration> {
    world.registry.take_exchanges();
    let begun = Instant::now();
    let pass = plane.pass(world, &[])?;
    let took = begun.elapsed();
    ensure!(plane.level() == Some(u64::from(LEVEL)), "{}", pass.stderr);
    let asked = world.registry.take_exchanges();
    let heads = asked.iter().filter(|it| it.method == "HEAD" && it.path.contains("/team/"));
    let wanted = IMAGES + INDEXES * PARTS;
    ensure!(heads.count() >= wanted, "every image and part was asked for");
    Ok(took)
}

/// From now on the registry wants a login, which the customer has.
fn log_in(world: &World) -> Result<()> {
    let config =
        json!({ "auths": { world.registry_host(): { "username": "customer", "password": "s3cret" } } });
    std::fs::create_dir_all(world.path(".docker"))?;
    std::fs::write(world.path(".docker/config.json"), config.to_string())?;
    world.registry.require(Some(Login::Token("customer".to_owned(), "s3cret".to_owned())));
    Ok(())
}

/// Puts an image with its parts into the registry, and gives its digest.
fn fill(world: &World, number: usize) -> Result<String> {
    let repository = format!("team/image-{number}");
    let content = world.registry.content();
    let blob =
        |text: String| json!({ "mediaType": "x/y", "digest": format!("sha256:{text:0>64}"), "size": 1 });
    let single = |part: usize| -> Result<(String, usize)> {
        let config = blob(format!("{number}{part}"));
        let text =
            json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] }).to_string();
        Ok((content.put(&repository, "part", MANIFEST, text.as_bytes())?, text.len()))
    };
    if number >= INDEXES {
        return Ok(single(0)?.0);
    }
    let parts: Vec<_> = (0..PARTS)
        .map(|part| {
            let (digest, size) = single(part)?;
            Ok(json!({ "mediaType": MANIFEST, "digest": digest, "size": size }))
        })
        .collect::<Result<_>>()?;
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": parts }).to_string();
    content.put(&repository, "index", INDEX, index.as_bytes())
}

/// A level of one chart that runs all of them, open to everybody.
fn release(world: &World, digests: &[String]) -> Result<()> {
    let (folder, out) = (world.path("many/7"), world.path("out-7").to_string_lossy().into_owned());
    std::fs::create_dir_all(folder.join("app/templates"))?;
    let mut pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n".to_owned();
    let mut images = Vec::new();
    for (number, digest) in digests.iter().enumerate() {
        let name = format!("registry.wso2.example/team/image-{number}");
        writeln!(pod, "    - name: c{number}\n      image: {name}")?;
        images.push(json!({ "name": name, "digest": digest }));
    }
    let release = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": LEVEL, "version": "7", "kind": "update",
        "repository": "registry.wso2.example/pdp/pdp-2026",
        "components": [{
            "name": "app", "version": "1.0.0", "stage": 1, "chart": { "name": "app", "path": "app" }, "releaseName": "app",
            "namespace": "app", "onFailure": "rollback", "timeout": "5m", "settle": "10s", "images": images,
        }],
    });
    for (path, text) in [
        ("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n".to_owned()),
        ("app/templates/pod.yaml", pod),
        ("release.yaml", release.to_string()),
    ] {
        std::fs::write(folder.join(path), text)?;
    }
    let file = folder.join("release.yaml");
    world.publisher(&["release", "build", file.to_str().context("a path in UTF-8")?, "--out", &out])?;
    world.publisher(&["release", "sign", &out, "--key", &world.key("artifact")])?;
    let (ci, person) = (world.key("ci"), world.key("release-1"));
    world.publisher(&["release", "publish", &out, "--key", &ci, "--key", &person])?;
    world.promote(LEVEL, &["--tempo", "emergency"])?;
    world.publish_catalog()?;
    world.open(LEVEL, &["general=100"])
}
