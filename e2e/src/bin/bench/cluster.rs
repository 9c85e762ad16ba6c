//! On a real control plane with real Flux: how long a level takes, beside the same Flux patched by hand, and what
//! pdp-sync costs at rest beside Flux's controllers.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, Flux, Kind, Part, PdpSync, Subscription, Usage, tools};
use serde_json::{Value, json};

use crate::row;

const NAMESPACE: &str = "flux-system";
/// What is written for a level, sources first.
const WRITTEN: [Kind; 3] = [Kind::OCI_REPOSITORY, Kind::HELM_RELEASE, Kind::KUSTOMIZATION];
/// So many intervals are watched at rest.
const INTERVALS: f64 = 10.0;

/// The data plane that is measured.
struct Plane {
    world: World,
    cluster: Cluster,
    pdp_sync: PdpSync,
    subscription: Subscription,
}

pub(crate) fn bench() -> Result<()> {
    let plane = at_41()?;
    let by_hand_back = written(&plane.cluster)?;
    let (first, healthy) = by_pdp_sync(&plane)?;
    row("published -> first write, connected", &format!("{first:.1} s"), "< 5 s");
    row("published -> all components healthy and settled", &format!("{healthy:.1} s"), "");
    at_rest(&plane)?;
    let hand = by_hand(&plane, &by_hand_back)?;
    row("the same patched by hand at once -> all ready, same Flux", &format!("{hand:.1} s"), "");
    row("ratio: by pdp-sync / by hand", &format!("{:.2}", healthy / hand), "");
    Ok(())
}

/// Connected: the server opens levels and grants starts; the ordinary interval is so long that only news count.
fn at_41() -> Result<Plane> {
    let cluster = Cluster::start(tools(), Flux::Current)?;
    let mut world = World::start()?;
    world.serve()?;
    world.organization("acme", "canary")?;
    quick(&world, 41)?;
    for namespace in world.target_namespaces(41)? {
        cluster.namespace(&namespace)?;
    }
    let kubeconfig = cluster.admit_pdp_sync(NAMESPACE)?;
    let subscription = cluster.subscription(&world, NAMESPACE)?.with("interval", json!("10m"));
    let subscription = subscription.from_server(&world)?.apply()?;
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[])?;
    subscription.until_level(&pdp_sync, 41)?;
    Ok(Plane { world, cluster, pdp_sync, subscription })
}

/// Components settle for a second: what is compared is the way, not how long a release wants to be watched.
fn quick(world: &World, level: u32) -> Result<()> {
    world.release_with(level, "emergency", |line| {
        line.quick();
        Ok(())
    })
}

/// Seconds from the commit that makes level 42 visible to the first write to a Flux object, and to its end.
fn by_pdp_sync(plane: &Plane) -> Result<(f64, f64)> {
    let moment = plane.cluster.moment();
    quick(&plane.world, 42)?;
    let published = Instant::now();
    let wrote = || {
        let all = plane.cluster.writes_by("pdp-sync", NAMESPACE, moment).unwrap_or_default();
        all.iter().any(|(_, resource)| resource == "ocirepositories")
    };
    plane.pdp_sync.wait("the first write", wrote)?;
    let first = published.elapsed().as_secs_f64();
    plane.subscription.until_level(&plane.pdp_sync, 42)?;
    Ok((first, published.elapsed().as_secs_f64()))
}

/// A person applies all objects of level 42 at once, beginning at level 41; no order, no verification, no settling.
fn by_hand(plane: &Plane, before: &[Value]) -> Result<f64> {
    let (after, cluster) = (written(&plane.cluster)?, &plane.cluster);
    plane.pdp_sync.kill();
    apply(cluster, before)?;
    let begun = Instant::now();
    apply(cluster, &after)?;
    ensure!(begun.elapsed().as_secs() < 600, "the cluster is out of breath");
    Ok(begun.elapsed().as_secs_f64())
}

/// All that is written for the installed level, as a person would keep it.
fn written(cluster: &Cluster) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for kind in WRITTEN {
        for object in cluster.api.list(kind, NAMESPACE)? {
            let (name, spec) = (&object["metadata"]["name"], &object["spec"]);
            all.push(json!({
                "apiVersion": kind.api_version(), "kind": kind.name(),
                "metadata": { "name": name, "namespace": NAMESPACE }, "spec": spec,
            }));
        }
    }
    Ok(all)
}

/// Applies objects and waits until Flux has done all of it.
fn apply(cluster: &Cluster, objects: &[Value]) -> Result<()> {
    for object in objects {
        let kind = Kind::of(object).context("a kind of Flux")?;
        cluster.api.apply_as("by-hand", kind, object)?;
    }
    cluster.wait_for("everything to be ready", || objects.iter().all(|object| is_done(cluster, object)))
}

fn is_done(cluster: &Cluster, wanted: &Value) -> bool {
    let Some(kind) = Kind::of(wanted) else { return false };
    let name = wanted["metadata"]["name"].as_str().unwrap_or_default();
    let live = cluster.api.get(kind, NAMESPACE, name).ok().flatten().unwrap_or_default();
    let ready = pdp_e2e::cluster::condition(&live, "Ready");
    ready["status"] == "True"
        && ready["observedGeneration"] == live["metadata"]["generation"]
        && pdp_e2e::cluster::condition(&live, "Reconciling")["status"] != "True"
}

/// Memory, processor time and writes while nothing happens.
fn at_rest(plane: &Plane) -> Result<()> {
    let Plane { cluster, pdp_sync, subscription, .. } = plane;
    subscription.patch(&json!({ "spec": { "interval": "6s" } }))?;
    let passes = || pdp_sync.passes().unwrap_or_default();
    let settled = passes();
    pdp_sync.wait("the new interval", || passes() >= settled + 2.0)?;
    let flux = [Part::SourceController, Part::HelmController, Part::KustomizeController];
    let usage = |part: Part| Usage::of(cluster.pid(part).context("Flux runs")?);
    let (begun, moment, clock) = (passes(), cluster.moment(), Instant::now());
    let before = (pdp_sync.usage()?, flux.map(usage));
    // Until shortly before their end nobody asks for metrics, which would cost more than the passes.
    std::thread::sleep(Duration::from_secs(50));
    pdp_sync.wait("ten intervals", || passes() >= begun + INTERVALS)?;
    let minutes = clock.elapsed().as_secs_f64() / 60.0;
    let writes = cluster.writes_by("pdp-sync", NAMESPACE, moment)?;
    let own = pdp_sync.usage()?;
    row("pdp-sync at rest: writes to the API server over ten intervals", &writes.len().to_string(), "0");
    cost("pdp-sync", before.0, own, minutes, "< 20480 KiB");
    for (part, before) in flux.into_iter().zip(before.1) {
        cost(part.name(), before?, usage(part)?, minutes, "");
    }
    let source = usage(Part::SourceController)?;
    #[expect(clippy::cast_precision_loss, reason = "KiB of a process")]
    let share = own.memory as f64 / source.memory as f64;
    row("pdp-sync's memory / source-controller's", &format!("{share:.2}"), "< 0.25");
    Ok(())
}

/// A data plane in the cluster at rest: first as `program` costs, then as what is tested does.
pub(crate) fn rest_beside(program: &Path) -> Result<()> {
    let plane = idle()?;
    let Plane { cluster, pdp_sync, .. } = &plane;
    let today = rest_of(&plane, Some(program))?;
    let now = rest_of(&plane, None)?;
    let ratio = now.milliseconds / today.milliseconds;
    row(
        "an idle pass in the cluster: processor time, ms",
        &format!("{:.1} / {:.1} = {ratio:.2}", today.milliseconds, now.milliseconds),
        "<= 0.125",
    );
    let kib = |of: fn(&Usage) -> u64| format!("{} / {} KiB", of(&today.usage), of(&now.usage));
    row("in the cluster at rest: resident memory", &kib(|usage| usage.memory), "< 20480 KiB");
    row("of it not pages of the program's file", &kib(|usage| usage.own), "");
    let source = Usage::of(cluster.pid(Part::SourceController).context("Flux runs")?)?;
    row("source-controller: resident memory", &format!("{} KiB", source.memory), "");
    pdp_sync.kill();
    Ok(())
}

/// What a data plane in the cluster holds in memory at rest.
pub(crate) fn rest() -> Result<()> {
    let plane = idle()?;
    let now = rest_of(&plane, None)?;
    row("in the cluster at rest: resident memory", &format!("{} KiB", now.usage.memory), "< 20480 KiB");
    plane.pdp_sync.kill();
    Ok(())
}

/// At level 41, and looking again and again.
fn idle() -> Result<Plane> {
    let plane = at_41()?;
    plane.subscription.patch(&json!({ "spec": { "interval": "2s" } }))?;
    Ok(plane)
}

/// So long passes are watched; nobody asks for metrics meanwhile, which would cost more than the passes.
const WATCHED: Duration = Duration::from_secs(90);

/// What rest costs.
struct Rest {
    usage: Usage,
    /// Of one pass.
    milliseconds: f64,
}

fn rest_of(plane: &Plane, program: Option<&Path>) -> Result<Rest> {
    let pdp_sync = &plane.pdp_sync;
    pdp_sync.replace(program)?;
    pdp_sync.ready()?;
    pdp_sync.wait("the first passes", || pdp_sync.passes().unwrap_or_default() >= 3.0)?;
    let (begun, before) = (pdp_sync.passes()?, pdp_sync.usage()?);
    std::thread::sleep(WATCHED);
    let usage = pdp_sync.usage()?;
    let passes = pdp_sync.passes()? - begun;
    ensure!(passes >= 20.0, "only {passes} passes in {WATCHED:?}");
    Ok(Rest { usage, milliseconds: (usage.seconds - before.seconds) * 1000.0 / passes })
}

fn cost(name: &str, before: Usage, after: Usage, minutes: f64, aim: &str) {
    row(&format!("{name} at rest: resident memory"), &format!("{} KiB", after.memory), aim);
    row(&format!("{name} at rest: of it not pages of the program's file"), &format!("{} KiB", after.own), "");
    let seconds = (after.seconds - before.seconds) / minutes;
    row(&format!("{name} at rest: processor time per minute"), &format!("{:.0} ms", seconds * 1000.0), "");
}
