//! The channel server's figures: cost per poll, memory per data plane, and how soon a promotion is told.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pdp_e2e::connection::{Connection, get};
use pdp_e2e::{Wire, World, unix_now, wait_for};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::load;
use crate::row;

const LINE: &str = "assignment?line=pdp-2026";
const CONNECTIONS: usize = 32;
/// So many wait for news at once.
const CONNECTED: usize = 10_000;
/// Polls per measurement.
const POLLS: usize = 60_000;

/// One measurement of many requests.
struct Cost {
    /// CPU of the server, milliseconds per request.
    cpu_ms: f64,
    per_second: f64,
}

/// Prints the rows.
pub(crate) fn bench() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    // In memory, if there is such a place: a hundred thousand enrolments would wait for the disk only.
    let shm = std::path::Path::new("/dev/shm");
    let folder = if shm.is_dir() { tempfile::tempdir_in(shm)? } else { tempfile::tempdir()? };
    let mut world = World::start()?;
    world.serve_on(&folder.path().join("server.db").to_string_lossy())?;
    world.release(40, "emergency")?;
    world.wait_for_ring(40, "canary", "open")?;
    let mut fleet = Vec::new();
    let mut small = None;
    for size in [1_000, 100_000] {
        let started = Instant::now();
        let before = fleet.len();
        enrol(&runtime, &world, &mut fleet, size)?;
        let rate = (size - before) as f64 / started.elapsed().as_secs_f64();
        row(
            &format!("{size} data planes: enrolments, each with a token, per second"),
            &format!("{rate:.0}"),
            "",
        );
        let costs = polls(&runtime, &world, &fleet)?;
        for (what, cost, aim) in [
            ("first poll with a new login, signed answer", &costs[0], ""),
            ("unchanged (authenticated, no signature)", &costs[1], "<= 0.02"),
            ("changed (authenticated, signed answer)", &costs[2], ""),
        ] {
            row(&format!("{size} data planes: CPU-ms per poll, {what}"), &format!("{:.4}", cost.cpu_ms), aim);
            row(
                &format!("{size} data planes: polls per second, {what}"),
                &format!("{:.0}", cost.per_second),
                "",
            );
        }
        let added = costs[2].cpu_ms - costs[1].cpu_ms;
        row(
            &format!("{size} data planes: what the signature and its answer add, CPU-ms"),
            &format!("{added:.4}"),
            "",
        );
        let used = (rss(&world)?, size as u64);
        let (before, fewer) = *small.get_or_insert(used);
        if size as u64 > fewer {
            let bytes = used.0.saturating_sub(before) * 1024 / (size as u64 - fewer);
            row(
                &format!("{fewer} -> {size} data planes: resident bytes each"),
                &bytes.to_string(),
                "<= 1024",
            );
        }
    }
    let told = told(&runtime, &world, &fleet[..CONNECTED])?;
    let what = format!("promotion visible -> last of {CONNECTED} connected data planes told");
    row(&what, &format!("{told:.2} s"), "< 5 s");
    Ok(())
}

fn host(world: &World) -> Result<String> {
    Ok(world.server()?.url().trim_start_matches("http://").to_owned())
}

/// Enrols data planes until there are `size`, a hundred per organization, over the real API.
fn enrol(runtime: &Runtime, world: &World, fleet: &mut Vec<Arc<Wire>>, size: usize) -> Result<()> {
    let (host, admin) = (host(world)?, world.server()?.token.clone());
    let from = fleet.len();
    for n in from..size {
        if n % 100 == 0 {
            world.server()?.call(
                reqwest::Method::PUT,
                &format!("/v1/organizations/org-{}", n / 100),
                Some(&admin),
                Some(json!({ "ring": "general", "reason": "bench" }).to_string().into_bytes()),
            )?;
        }
        fleet.push(Arc::new(Wire::new(&format!("org-{}", n / 100), &format!("dp-{}", n % 100))?));
    }
    runtime.block_on(pdp_e2e::fleet::enrol(&host, &admin, &fleet[from..]))
}

/// New logins; then unchanged; then signed answers again.
fn polls(runtime: &Runtime, world: &World, fleet: &[Arc<Wire>]) -> Result<[Cost; 3]> {
    let (host, now) = (host(world)?, unix_now());
    let tokens: Vec<_> = fleet.iter().map(|wire| wire.token(now)).collect();
    let ask = |more: &dyn Fn(usize) -> String| {
        let all = fleet.iter().zip(&tokens).enumerate();
        Arc::new(
            all.map(|(n, (wire, token))| get(&host, &wire.path(LINE), token, &more(n))).collect::<Vec<_>>(),
        )
    };
    let plain = ask(&|_| String::new());
    let first = measure(runtime, world, plain.clone(), fleet.len().min(POLLS), 200)?;
    // Everyone polls once, so that every login is known; then each asks with its own tag.
    let tags: Vec<String> = runtime.block_on(async {
        let mut connection = Connection::open(&host).await?;
        let mut tags = Vec::with_capacity(plain.len());
        for request in plain.iter() {
            tags.push(connection.ask(request).await?.tag.context("no tag")?);
        }
        anyhow::Ok(tags)
    })?;
    let known = ask(&|n| format!("if-none-match: {}\r\n", tags[n]));
    let unchanged = measure(runtime, world, known, POLLS, 304)?;
    let signed = measure(runtime, world, plain, POLLS, 200)?;
    Ok([first, unchanged, signed])
}

fn measure(
    runtime: &Runtime,
    world: &World,
    requests: Arc<Vec<Vec<u8>>>,
    times: usize,
    expected: u16,
) -> Result<Cost> {
    let (host, cpu, started) = (host(world)?, cpu_ms(world)?, Instant::now());
    runtime.block_on(load::run(&host, requests, times, CONNECTIONS, expected))?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Cost { cpu_ms: (cpu_ms(world)? - cpu) / times as f64, per_second: times as f64 / seconds })
}

/// From the moment when the new level is visible in Git to the last long poll's answer.
fn told(runtime: &Runtime, world: &World, fleet: &[Arc<Wire>]) -> Result<f64> {
    let (host, now) = (host(world)?, unix_now());
    let (sender, mut answers) = tokio::sync::mpsc::channel(fleet.len());
    let (waiting, mut ready) = tokio::sync::mpsc::channel(fleet.len());
    runtime.block_on(async {
        for wire in fleet {
            let (wire, host, sender, waiting) = (wire.clone(), host.clone(), sender.clone(), waiting.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&host).await?;
                let token = wire.token(now);
                let tag =
                    connection.ask(&get(&host, &wire.path(LINE), &token, "")).await?.tag.context("no tag")?;
                waiting.send(()).await?;
                let more = format!("if-none-match: {tag}\r\nprefer: wait=50\r\n");
                let status = connection.ask(&get(&host, &wire.path(LINE), &token, &more)).await?.status;
                sender.send((Instant::now(), status)).await?;
                anyhow::Ok(())
            });
        }
        for _ in fleet {
            ready.recv().await.context("a data plane gave up")?;
        }
        anyhow::Ok(())
    })?;
    world.release(41, "emergency")?;
    let visible = Instant::now();
    let mut last = visible;
    runtime.block_on(async {
        for _ in fleet {
            let (at, status) = answers.recv().await.context("a data plane gave up")?;
            ensure!(status == 200, "a poll ended with {status}");
            last = last.max(at);
        }
        Ok(())
    })?;
    wait_for("the server to know it", || world.rollout(41).is_ok())?;
    Ok(last.saturating_duration_since(visible).as_secs_f64())
}

fn stat(world: &World, file: &str) -> Result<String> {
    let id = world.server()?.id().context("not running")?;
    Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
}

/// User and system time so far; the clock ticks a hundred times a second on Linux.
fn cpu_ms(world: &World) -> Result<f64> {
    let text = stat(world, "stat")?;
    let fields: Vec<_> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok()).context("no CPU time");
    Ok((ticks(11)? + ticks(12)?) * 10.0)
}

/// Resident memory in KiB.
fn rss(world: &World) -> Result<u64> {
    let text = stat(world, "status")?;
    let line = text.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}
