//! Every component of the fixtures goes 41 -> 42 on each platform, with the channel server and without it.

use anyhow::{Context, Result};
use pdp_e2e::World;
use pdp_e2e::cluster::{Cluster, shared};
use serde_json::json;

use crate::scenario::Scenario;

const PLATFORMS: [&str; 4] = ["azure", "aws", "gcp", "on-prem"];

#[test]
fn every_component_goes_from_41_to_42_on_every_platform_with_and_without_the_server() {
    let cluster = shared();
    let _scenario = Scenario::begin("matrix: 41 -> 42 on azure, aws, gcp, on-prem; connected and Git-only");
    let cluster: &Cluster = &cluster;
    std::thread::scope(|scope| {
        let all: Vec<_> = PLATFORMS
            .iter()
            .flat_map(|platform| [(*platform, true), (*platform, false)])
            .map(|(platform, connected)| scope.spawn(move || one(cluster, platform, connected)))
            .collect();
        for thread in all {
            thread.join().unwrap().unwrap();
        }
    });
}

/// One data plane in namespaces of its own.
fn one(cluster: &Cluster, platform: &str, connected: bool) -> Result<()> {
    let profile = if connected { "connected" } else { "git-only" };
    let name = format!("{profile}-{platform}");
    let mut world = World::start()?;
    if connected {
        world.serve()?;
        world.organization("acme", "canary")?;
    }
    world.release_variant(41, &name)?;
    for namespace in world.target_namespaces(41)? {
        cluster.namespace(&namespace)?;
    }
    let pdp_sync = cluster.start_pdp_sync(&name, &cluster.admit_pdp_sync(&name)?, &[])?;
    let subscription = cluster.subscription(&world, &name)?.with("platform", json!(platform));
    let subscription = match connected {
        true => subscription.from_server(&world)?,
        false => subscription.from_git_repository(&world),
    };
    let next = |level: u32| match connected {
        true => Ok(()),
        false => world.open(level, &["general=100"]),
    };
    next(41)?;
    let subscription = subscription.apply()?;
    subscription.until_level(&pdp_sync, 41).with_context(|| name.clone())?;
    world.release_variant(42, &name)?;
    next(42)?;
    subscription.until_level(&pdp_sync, 42).with_context(|| name.clone())?;
    let release = std::fs::read(world.path("level-42/release-pdp-2026-42.json"))?;
    let release: serde_json::Value = serde_json::from_slice(&release)?;
    for component in release["components"].as_array().context("components")? {
        let platforms = component["platforms"].as_array();
        let here = platforms.is_none_or(|all| all.is_empty() || all.iter().any(|it| it == platform));
        let state = subscription.state().component(component["name"].as_str().unwrap_or_default());
        let wanted = if here { "healthy" } else { "" };
        anyhow::ensure!(state == wanted, "{name}: {} is `{state}`, not `{wanted}`", component["name"]);
    }
    Ok(())
}
