//! `make demo-cluster`: the story of one data plane on a real control plane with real Flux, every command printed.
//! It ends with `kubectl pdp status`. `KEEP=1` keeps the cluster and says how to look around.

use anyhow::{Result, ensure};
use pdp_e2e::cluster::{Cluster, Flux, PdpSync, Subscription, tools};
use pdp_e2e::{Fate, Harm, Program, World};
use serde_json::json;

const NAMESPACE: &str = "flux-system";

/// The world, the cluster, and what runs in it.
struct Story {
    world: World,
    cluster: Cluster,
    pdp_sync: PdpSync,
    subscription: Subscription,
}

fn main() -> Result<()> {
    let story = begin()?;
    pinned(&story)?;
    critical_fix(&story)?;
    bad_level(&story)?;
    audit(&story)?;
    keep(&story)
}

fn begin() -> Result<Story> {
    chapter(
        "A control plane with Flux: etcd, kube-apiserver, kube-controller-manager, kwok, three controllers",
    );
    let cluster = Cluster::start(tools(), Flux::Current)?;
    chapter("The vendor makes keys and publishes levels 41 and 42");
    let world = World::start_with(true)?;
    for level in [41, 42] {
        world.release_with(level, "emergency", |line| {
            line.quick();
            Ok(())
        })?;
    }
    chapter("The customer subscribes; pdp-sync runs with exactly the rights of its chart");
    let kubeconfig = cluster.admit_pdp_sync(NAMESPACE)?;
    for namespace in world.target_namespaces(41)? {
        cluster.namespace(&namespace)?;
    }
    let subscription = cluster.subscription(&world, NAMESPACE)?.from_git_repository(&world).apply()?;
    println!("{:#}", subscription.object());
    let pdp_sync = cluster.start_pdp_sync(NAMESPACE, &kubeconfig, &[])?;
    world.open(41, &["general=100"])?;
    subscription.until_level(&pdp_sync, 41)?;
    let story = Story { world, cluster, pdp_sync, subscription };
    story.pdp(&["status"])?;
    Ok(story)
}

fn pinned(story: &Story) -> Result<()> {
    chapter("The customer pins level 41; the vendor opens level 42: it waits, and says why");
    let pin =
        json!({ "to": { "level": 41 }, "reason": "quarter-end close", "expires": "2099-01-31T00:00:00Z" });
    story.subscription.patch(&json!({ "spec": { "policy": { "pin": pin } } }))?;
    story.world.open(42, &["general=100"])?;
    let held = |state: &pdp_e2e::cluster::SubscriptionState| state.obstacles() == ["Pinned"];
    story.subscription.until(&story.pdp_sync, "the pin to hold level 42", held)?;
    story.pdp(&["why"])?;
    story.pdp(&["plan"])
}

fn critical_fix(story: &Story) -> Result<()> {
    chapter(
        "The pin is taken away, but the registry is hostile: it serves other content for the same digests",
    );
    story.world.registry.faults().add("GET", "/manifests/sha256:", Harm::Swapped, None);
    story.subscription.patch(&json!({ "spec": { "policy": { "pin": null } } }))?;
    let refused = |state: &pdp_e2e::cluster::SubscriptionState| state.status("refusal")["code"].is_string();
    story.subscription.until(&story.pdp_sync, "the attack to be refused", refused)?;
    story.pdp(&["why"])?;
    chapter("The true registry is back: level 42 goes through, stage by stage");
    story.world.registry.faults().clear();
    story.subscription.until_level(&story.pdp_sync, 42)?;
    story.pdp(&["status"])
}

fn bad_level(story: &Story) -> Result<()> {
    chapter("Level 43 is bad: the enforcer never gets ready. It stops, and what it touched goes back");
    story.world.release_with(43, "emergency", |line| {
        line.quick();
        line.fate("choreo-connect-enforcer", Fate::NeverReady)
    })?;
    story.world.open(43, &["general=100"])?;
    let failed = |state: &pdp_e2e::cluster::SubscriptionState| state.reason("Stalled") == "LevelFailed";
    story.subscription.until(&story.pdp_sync, "level 43 to fail and go back", failed)?;
    ensure!(story.subscription.state().level() == Some(42), "level 42 counts as installed again");
    story.pdp(&["why"])
}

fn audit(story: &Story) -> Result<()> {
    chapter("The auditor asks: what happened, on whose word, and is what runs what was decided?");
    story.pdp(&["history"])?;
    story.pdp(&["verify", "--pods"])?;
    story.pdp(&["trust", "show"])?;
    story.pdp(&["status"])
}

impl Story {
    /// `kubectl pdp ...` as its user; exit code 1 is an answer, too.
    fn pdp(&self, args: &[&str]) -> Result<()> {
        let kubeconfig = self.cluster.kubeconfig().to_string_lossy().into_owned();
        let place = ["--kubeconfig", &kubeconfig, "-n", NAMESPACE];
        println!("\n$ kubectl pdp {}", args.join(" "));
        let mut command = Program::KubectlPdp.command()?;
        let output = command.args(args).args(place).output()?;
        print!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        let code = output.status.code();
        ensure!(matches!(code, Some(0 | 1)), "kubectl pdp {} ended with {code:?}", args.join(" "));
        Ok(())
    }
}

fn chapter(title: &str) {
    println!("\n━━ {title}");
}

fn keep(story: &Story) -> Result<()> {
    if std::env::var("KEEP").as_deref() != Ok("1") {
        return Ok(());
    }
    println!("\nKept running until Ctrl-C. Look around from another terminal:");
    println!("  export KUBECONFIG={}", story.cluster.kubeconfig().display());
    println!("  target/debug/kubectl-pdp status -n {NAMESPACE}");
    println!("  kubectl -n {NAMESPACE} get usub,ocirepositories,helmreleases,kustomizations");
    loop {
        std::thread::park();
    }
}
