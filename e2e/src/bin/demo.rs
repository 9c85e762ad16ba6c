//! `make demo`: the whole story on loopback, played by the real programs, every command printed.
//! `CHAOS=1` kills and restarts server, Git and registry in turn while it goes on; the end is the same.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pdp_e2e::fleet::{Fleet, Script};
use pdp_e2e::{DataPlane, Harm, Impostor, Key, Program, World, rfc3339, unix_now, wait_for};
use serde_json::{Value, json};

/// Their own health check finds level 43 bad.
const PROBE: &str = "  probe: {command: [sh, -c, 'test $PDP_LEVEL != 43'], interval: 1s}\n";
const PIN: &str = "  policy: {pin: {to: {level: 41}, reason: quarter-end close, owner: change board, expires: 2099-01-31T00:00:00Z}}\n";

/// The world, its data planes, and its clock.
struct Story {
    world: World,
    planes: Vec<DataPlane>,
    now: i64,
    chaos: bool,
    rounds: usize,
}

fn main() -> Result<()> {
    let mut story = begin()?;
    first_level(&mut story)?;
    hostile_registry(&mut story)?;
    ring_by_ring(&mut story)?;
    stolen_server(&mut story)?;
    rollback(&mut story)?;
    bad_level(&mut story)?;
    audit(&story)?;
    keep(&story)
}

fn begin() -> Result<Story> {
    chapter("The vendor makes keys, signs a first catalog and pushes it to Git");
    let mut world = World::start_with(true)?;
    let now = unix_now();
    world.set_now(now)?;
    chapter("The channel server follows it; three organizations, each with staging and production");
    world.serve()?;
    let mut planes = Vec::new();
    for (name, ring) in [("wso2-lab", "canary"), ("acme-retail", "general"), ("nordbank", "general")] {
        world.organization(name, ring)?;
        if ring == "general" {
            let staging = format!("{name}/staging");
            world.publisher(&[
                "pdp",
                "override",
                &staging,
                "--ring",
                "early",
                "--reason",
                "staging first",
            ])?;
        }
        for plane in ["staging", "prod"] {
            let pin = if (name, plane) == ("nordbank", "prod") { PIN } else { "" };
            planes.push(world.enrolled(name, plane, &format!("{PROBE}{pin}"))?);
        }
    }
    let chaos = std::env::var("CHAOS").as_deref() == Ok("1");
    Ok(Story { world, planes, now, chaos, rounds: 0 })
}

fn first_level(story: &mut Story) -> Result<()> {
    chapter("Level 41: linted, built, signed, published, promoted; people open it to everybody");
    story.world.release(41, "emergency")?;
    story.world.open(41, &["canary=100", "early=100", "general=100"])?;
    chapter("Six data planes that trust nobody enrol and take it: each verifies everything itself");
    story.round()?;
    story.all_at(&[("", 41)])?;
    story.loud(true, |story| story.world.publisher(&["pdp", "list"]).map(|_| ()))
}

/// A critical fix; before it goes anywhere, somebody tampers with the registry.
fn hostile_registry(story: &mut Story) -> Result<()> {
    chapter("Level 42 fixes a critical vulnerability; two release managers promote it at tempo emergency");
    story.world.release(42, "emergency")?;
    story.world.wait_for_ring(42, "canary", "open")?;
    chapter("The registry is hostile now: it serves another manifest for the same digest");
    story.world.registry.faults().add("GET", "/manifests/sha256:", Harm::Swapped, None);
    let attacked = story.plane("wso2-lab-staging")?.pass(&story.world, &[])?;
    ensure!(attacked.code == Some(1), "the attack must be refused");
    story.world.registry.faults().clear();
    println!("→ refused, nothing written. The true registry is back.");
    story.all_at(&[("", 41)])
}

fn ring_by_ring(story: &mut Story) -> Result<()> {
    chapter("The server opens 42 ring by ring: canary, early, general. The clock jumps; nobody waits");
    if story.chaos {
        println!("  CHAOS: server, Git and registry are killed and restarted in turn, one per round");
    }
    for ring in ["canary", "early", "general"] {
        story.until_passed(ring)?;
        story.loud(true, |story| {
            story.world.publisher(&["rollout", "status", "42", "--line", "pdp-2026"]).map(|_| ())
        })?;
    }
    chapter("A customer pinned level 41: the pin wins, with its reason and its end, and holds nobody up");
    story.all_at(&[("", 42), ("nordbank-prod", 41)])?;
    let pinned = story.plane("nordbank-prod")?;
    story.world.run(Program::PdpSync, &["status", "--state", &pinned.state.to_string_lossy()], &[])?;
    Ok(())
}

/// A thief has the server and the director's key: what nobody promoted is refused all the same.
fn stolen_server(story: &mut Story) -> Result<()> {
    chapter("A thief has stolen the channel server with the director's key and opens a level of their own");
    let thief = Impostor::start()?;
    let key = Key::read(&story.world.path("director.pem"))?;
    let lie = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": rfc3339(story.now + 5), "expires": rfc3339(story.now + 3600),
        "organization": "acme-retail", "dataPlane": "prod", "ring": "general",
        "ceiling": { "line": "pdp-2026", "level": 99, "length": 666, "sha256": "66".repeat(32) },
        "minCatalog": { "channels": 1, "targets": 1 },
        "start": { "level": 99, "sha256": "66".repeat(32), "attempt": 1, "until": rfc3339(story.now + 3600) },
        "pollAfter": "1m",
    });
    thief.says("assignment", key.seal("application/vnd.wso2.pdp.assignment.v1+json", &lie));
    let victim = story.plane("acme-retail-prod")?;
    let honest = std::fs::read_to_string(&victim.subscription)?;
    std::fs::write(&victim.subscription, honest.replace(&story.world.server()?.url(), &thief.url()))?;
    let attacked = victim.pass(&story.world, &[])?;
    ensure!(attacked.code == Some(1) && victim.level() == Some(42), "the attack must be refused");
    std::fs::write(&victim.subscription, honest)?;
    println!("→ refused, nothing written.");
    Ok(())
}

fn rollback(story: &mut Story) -> Result<()> {
    chapter("A thief at the Git host serves the old catalog again");
    let now = story.world.git.files("catalog", "catalog")?;
    rewind(&story.world, 2)?;
    let victim = story.plane("wso2-lab-prod")?;
    let rolled_back = victim.pass(&story.world, &[])?;
    ensure!(rolled_back.code == Some(1) && victim.level() == Some(42), "the rollback must be refused");
    story.world.git.overwrite("catalog", "catalog", &now)
}

/// Three hundred more data planes, simulated, and a level that breaks every one that takes it.
fn bad_level(story: &mut Story) -> Result<()> {
    chapter(
        "Three hundred more data planes join: simulated, but each with its own key and the real protocol",
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let fleet =
        Fleet::enrol(&runtime, &story.world, &[("canary", 2, 10), ("early", 4, 20), ("general", 10, 20)])?;
    let script = Script { breaks: [(43, 100)].into(), ..Script::default() };
    let playing = fleet.play(&runtime, script, Some((42, story.world.sha256(42)?)));
    chapter("Level 43 is promoted at tempo emergency, and breaks every data plane that takes it");
    story.world.release(43, "emergency")?;
    let opened = Instant::now();
    let halted = |view: &Value| view["rings"][0]["phase"] == "halted";
    let mut waited = 0;
    while !story.world.rollout(43).is_ok_and(|view| halted(&view)) {
        waited += 1;
        ensure!(waited < 60, "level 43 must halt by itself: {:#}", story.world.rollout(43)?);
        story.round()?;
    }
    let seconds = opened.elapsed().as_secs_f64();
    story.loud(true, |story| {
        story.world.publisher(&["rollout", "status", "43", "--line", "pdp-2026"]).map(|_| ())
    })?;
    let view = story.world.rollout(43)?;
    let starts = view["rings"].as_array().into_iter().flatten().filter_map(|ring| ring["starts"].as_u64());
    let (exposed, all) = (starts.sum::<u64>(), fleet.len() + story.planes.len());
    println!(
        "→ halted by itself {seconds:.1} s after it was opened: {exposed} of {all} data planes had started it."
    );
    ensure!(exposed == 1, "the first canary wave lets one start");
    ensure!(playing.so_far().0 <= 1, "nobody else started");
    story.round()?;
    story.all_at(&[("", 42), ("nordbank-prod", 41)])
}

fn audit(story: &Story) -> Result<()> {
    chapter("What the auditor gets: the customer's Git history, and the server's hash-chained event log");
    println!("$ git log --stat (acme-retail-prod)");
    let log = ["log", "-1", "--stat=100", "--format=%h %s%n%n%b", "main"];
    print!("{}", story.world.git.git("acme-retail-prod", &log)?);
    ensure!(story.world.verify_events()?.ok(), "the event log must be whole");
    let mut counts = BTreeMap::<String, usize>::new();
    for event in story.world.server()?.events()? {
        let body: Value = serde_json::from_str(event["body"].as_str().unwrap_or_default())?;
        let kind =
            body["rollout"]["event"].as_object().or(body.as_object()).and_then(|o| o.keys().next().cloned());
        *counts.entry(kind.unwrap_or_default()).or_default() += 1;
    }
    println!("  {}", counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", "));
    chapter("Done: 41 everywhere, 42 ring by ring, 43 halted at one; a pin respected; three attacks refused");
    Ok(())
}

impl Story {
    fn plane(&self, name: &str) -> Result<&DataPlane> {
        self.planes.iter().find(|plane| plane.name == name).context("no such data plane")
    }

    fn loud<T>(&mut self, loud: bool, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.world.loud, loud);
        let outcome = act(self);
        self.world.loud = before;
        outcome
    }

    /// Every data plane makes one pass, two at a time; only what changed is said.
    fn round(&mut self) -> Result<()> {
        self.rounds += 1;
        if self.chaos {
            self.harm()?;
        }
        self.passes()
    }

    fn passes(&mut self) -> Result<()> {
        let before: Vec<_> = self.planes.iter().map(DataPlane::level).collect();
        self.loud(false, |story| {
            let (world, half) = (&story.world, story.planes.len() / 2);
            std::thread::scope(|scope| {
                for planes in [&story.planes[..half], &story.planes[half..]] {
                    scope.spawn(move || planes.iter().map(|plane| plane.pass(world, &[])).for_each(drop));
                }
            });
            Ok(())
        })?;
        for (plane, before) in
            self.planes.iter().zip(before).filter(|(plane, before)| plane.level() != *before)
        {
            let level = |level: Option<u64>| level.map_or("nothing".to_owned(), |level| level.to_string());
            println!(
                "  {}  {:18} {} → {}",
                rfc3339(self.now),
                plane.name,
                level(before),
                level(plane.level())
            );
        }
        Ok(())
    }

    /// One server after the other goes down while all data planes make a pass, and comes back.
    fn harm(&mut self) -> Result<()> {
        match self.rounds % 3 {
            0 => {
                println!("  CHAOS: the channel server is killed");
                self.world.server()?.kill();
                self.passes()?;
                self.world.start_server()?;
                self.world.server()?.ready()
            }
            1 => {
                println!("  CHAOS: Git is gone");
                self.world.git.stop();
                self.passes()?;
                self.world.git.restart()
            }
            _ => {
                println!("  CHAOS: the registry is gone");
                self.world.registry.stop();
                self.passes()?;
                self.world.registry.restart()
            }
        }
    }

    /// The clock jumps by a quarter of an hour at a time until the server says that the ring has passed.
    fn until_passed(&mut self, ring: &str) -> Result<()> {
        for _ in 0..60 {
            self.round()?;
            let view = self.world.rollout(42)?;
            let rings = view["rings"].as_array().cloned().unwrap_or_default();
            if rings.iter().any(|r| r["ring"] == ring && r["status"] == "passed") {
                return Ok(());
            }
            self.now += 900;
            self.world.set_now(self.now)?;
            // The server looks once a second: wait until it has seen the new time.
            let ends = |view: &Value| view["rings"].to_string();
            let (before, start) = (ends(&view), Instant::now());
            wait_for("the server's next look", || {
                start.elapsed().as_millis() > 1100
                    || self.world.rollout(42).is_ok_and(|view| ends(&view) != before)
            })?;
        }
        anyhow::bail!("ring {ring} never passed: {:#}", self.world.rollout(42)?)
    }

    /// Checks levels by the beginning of the name; the last rule that fits counts.
    fn all_at(&self, rules: &[(&str, u64)]) -> Result<()> {
        for plane in &self.planes {
            let rule = rules.iter().rev().find(|(name, _)| plane.name.starts_with(name));
            let expected = rule.map(|(_, level)| *level);
            ensure!(plane.level() == expected, "{} is at {:?}, not {expected:?}", plane.name, plane.level());
        }
        Ok(())
    }
}

fn chapter(title: &str) {
    println!("\n━━ {title}");
}

/// Puts the catalog branch to what it held some commits ago.
fn rewind(world: &World, commits: usize) -> Result<()> {
    let old = format!("catalog~{commits}");
    let mut files = BTreeMap::new();
    for path in world.git.git("catalog", &["ls-tree", "-r", "--name-only", &old])?.lines() {
        let content = world.git.git("catalog", &["show", &format!("{old}:{path}")])?;
        files.insert(path.to_owned(), content.into_bytes());
    }
    world.git.overwrite("catalog", "catalog", &files)
}

/// With `KEEP=1`: stays until Ctrl-C and says how to look around.
fn keep(story: &Story) -> Result<()> {
    if std::env::var("KEEP").as_deref() != Ok("1") {
        return Ok(());
    }
    let (world, plane) = (&story.world, story.plane("acme-retail-prod")?);
    let server = world.server()?;
    println!("\nKept running until Ctrl-C. Look around from another terminal:");
    println!("  git clone -b catalog {}", world.git.url("catalog"));
    println!("  git clone {}", world.git.url(&plane.name));
    println!("  curl http://{}/v2/pdp/pdp-2026/tags/list", world.registry.host());
    println!("  curl {}/metrics", server.url());
    println!("  target/debug/pdp-sync status --state {}", plane.state.display());
    println!(
        "  export PUBLISHER_CATALOG={} PUBLISHER_ROOT={}",
        world.git.url("catalog"),
        world.root().display()
    );
    println!("  export PUBLISHER_REGISTRY={}", world.registry.host());
    println!("  export PUBLISHER_SERVER={} PUBLISHER_TOKEN={}", server.url(), server.token);
    println!("  target/debug/publisher rollout list");
    println!("  target/debug/publisher pdp list");
    println!("  target/debug/publisher channel show --line pdp-2026");
    loop {
        std::thread::park();
    }
}
