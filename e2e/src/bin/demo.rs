//! `make demo`: the whole story on loopback, played by the real programs, every command printed.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use pdp_e2e::{DataPlane, Harm, World};

const PIN: &str = "  policy: {pin: {to: {level: 41}, reason: quarter-end close, owner: change board, expires: 2027-01-31T00:00:00Z}}\n";

fn main() -> Result<()> {
    chapter("The vendor makes keys, signs a first catalog and pushes it to Git");
    let world = World::start_with(true)?;
    chapter("Level 41: linted, built, signed, published, promoted, opened");
    world.release(41, "accelerated")?;
    world.open(41, &["canary=100", "general=100"])?;

    chapter("Three data planes that trust nobody take level 41: each verifies everything itself");
    let acme = world.data_plane("acme-retail", "prod", "general", "")?;
    let nordbank = world.data_plane("nordbank", "prod", "general", PIN)?;
    let medicus = world.data_plane("medicus", "prod", "canary", "")?;
    for plane in [&acme, &nordbank, &medicus] {
        at_level(&world, plane, 41)?;
    }

    chapter("Level 42 fixes a critical vulnerability; it is published and opened");
    world.release(42, "emergency")?;
    world.open(42, &["canary=100", "general=100"])?;

    chapter("The registry is hostile now: it serves another manifest for the same digest");
    world.registry.faults().add("GET", "/manifests/sha256:", Harm::Swapped, None);
    let attacked = acme.pass(&world, &[])?;
    ensure!(attacked.code == Some(1) && acme.level() == Some(41), "the attack must be refused");
    world.registry.faults().clear();
    println!("→ refused, nothing written. The true registry is back:");
    at_level(&world, &acme, 42)?;
    at_level(&world, &medicus, 42)?;

    chapter("A customer pinned level 41: the pin wins, with its reason and its end");
    at_level(&world, &nordbank, 41)?;

    chapter("A thief at the Git host serves the old catalog again");
    let now = world.git.files("catalog", "catalog")?;
    rewind(&world, 2)?;
    let rolled_back = medicus.pass(&world, &[])?;
    ensure!(rolled_back.code == Some(1) && medicus.level() == Some(42), "the rollback must be refused");
    world.git.overwrite("catalog", "catalog", &now)?;

    chapter("What the customer's Git history tells the auditor");
    println!("$ git log --stat (acme-retail)");
    print!("{}", world.git.git(&acme.name, &["log", "-3", "--stat=100", "--format=%h %s%n%n%b", "main"])?);
    chapter("Done: 41 everywhere, 42 where it may be, an attack and a rollback refused, a pin respected");
    keep(&world, &acme)
}

fn chapter(title: &str) {
    println!("\n━━ {title}");
}

fn at_level(world: &World, plane: &DataPlane, level: u64) -> Result<()> {
    let pass = plane.pass(world, &[])?;
    ensure!(
        pass.ok() && plane.level() == Some(level),
        "{} is at {:?}: {}",
        plane.name,
        plane.level(),
        pass.stderr
    );
    Ok(())
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
fn keep(world: &World, plane: &DataPlane) -> Result<()> {
    if std::env::var("KEEP").as_deref() != Ok("1") {
        return Ok(());
    }
    let (state, root) = (plane.state.display(), world.root());
    println!("\nKept running until Ctrl-C. Look around from another terminal:");
    println!("  git clone -b catalog {}", world.git.url("catalog"));
    println!("  git clone {}", world.git.url(&plane.name));
    println!("  curl http://{}/v2/pdp/pdp-2026/tags/list", world.registry.host());
    println!("  target/debug/pdp-sync status --state {state}");
    println!("  export PUBLISHER_CATALOG={} PUBLISHER_ROOT={}", world.git.url("catalog"), root.display());
    println!("  export PUBLISHER_REGISTRY={}", world.registry.host());
    println!("  target/debug/publisher channel show --line pdp-2026");
    println!("  target/debug/publisher release verify 42 --line pdp-2026");
    loop {
        std::thread::park();
    }
}
