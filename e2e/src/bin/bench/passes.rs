//! What a pass of a data plane costs beside a catalog of 500 levels and beside one of 10; and what a catalog costs that
//! was refreshed every hour for ten years.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use pdp_e2e::{DataPlane, Grown, World, rfc3339, unix_now};

use crate::row;

/// The best of so many is taken.
const TRIES: i64 = 15;
/// Every hour for ten years.
const MANY_REFRESHES: i64 = 90_000;
const TWICE: &str = "<= 2";

/// Of one pass.
#[derive(Debug, Clone, Copy)]
struct Cost {
    milliseconds: f64,
    /// What the catalog's host sent.
    bytes: f64,
}

impl Cost {
    const NONE: Self = Self { milliseconds: f64::INFINITY, bytes: f64::INFINITY };

    fn or_less(self, other: Self) -> Self {
        Self { milliseconds: self.milliseconds.min(other.milliseconds), bytes: self.bytes.min(other.bytes) }
    }
}

/// A vendor's catalog on the world's Git host, and a data plane that follows it.
struct Stage<'a> {
    world: &'a World,
    grown: Grown,
    repository: String,
    plane: DataPlane,
    /// When the catalog was signed last.
    signed: i64,
}

/// Rows of the part `release`.
pub(crate) fn bench() -> Result<()> {
    let world = World::start()?;
    world.release(41, "emergency")?;
    let [mut some, mut many] = [Stage::new(&world, 10, "levels")?, Stage::new(&world, 500, "levels")?];
    let [first_of_some, first_of_many] = [some.pass(10)?, many.pass(500)?];
    compare("the first pass, which installs: 500 levels / 10", first_of_many, first_of_some, TWICE);
    let [mut refreshed, mut renewed] = [[Cost::NONE; 2]; 2];
    for _ in 0..TRIES {
        for (n, (stage, level)) in [(&mut some, 10), (&mut many, 500)].into_iter().enumerate() {
            refreshed[n] = refreshed[n].or_less(stage.refreshed_pass(level)?);
            renewed[n] = renewed[n].or_less(stage.pass_without_cache(level)?);
        }
    }
    compare("a pass after a refresh: 500 levels / 10", refreshed[1], refreshed[0], TWICE);
    compare("a pass whose cache was lost: 500 levels / 10", renewed[1], renewed[0], TWICE);
    history(&world)
}

/// The same after many refreshes as after few.
fn history(world: &World) -> Result<()> {
    let [mut few, mut many] = [Stage::new(world, 10, "few")?, Stage::new(world, 10, "many")?];
    few.age(10)?;
    many.age(MANY_REFRESHES)?;
    let [mut refreshed, mut renewed] = [[Cost::NONE; 2]; 2];
    few.pass(10)?;
    many.pass(10)?;
    for _ in 0..TRIES {
        for (n, stage) in [&mut few, &mut many].into_iter().enumerate() {
            refreshed[n] = refreshed[n].or_less(stage.refreshed_pass(10)?);
            renewed[n] = renewed[n].or_less(stage.pass_without_cache(10)?);
        }
    }
    let name = |what: &str| format!("{what}: {MANY_REFRESHES} refreshes / 10");
    compare(&name("a pass after a refresh"), refreshed[1], refreshed[0], TWICE);
    compare(&name("a pass whose cache was lost"), renewed[1], renewed[0], TWICE);
    Ok(())
}

impl<'a> Stage<'a> {
    fn new(world: &'a World, levels: u32, name: &str) -> Result<Self> {
        let signed = unix_now() - 7200;
        let grown = Grown::new(world, levels, signed)?;
        let repository = format!("{name}-{levels}");
        world.create_repository(&repository)?;
        world.git.append(&repository, "catalog", [&grown.at(signed)?])?;
        let catalog = format!("{{git: {{url: \"{}\", branch: catalog}}}}", world.git_url(&repository));
        let plane =
            world.data_plane_on("acme", &repository, "general", &catalog, &world.registry_host(), "")?;
        let root = world.path(&format!("{repository}.root.json"));
        std::fs::write(&root, grown.root_file()?)?;
        let [before, after] = [world.root(), root].map(|root| root.display().to_string());
        let text = std::fs::read_to_string(&plane.subscription)?.replace(&before, &after);
        std::fs::write(&plane.subscription, text)?;
        Ok(Self { world, grown, repository, plane, signed })
    }

    /// One pass, after which a level is installed.
    fn pass(&self, level: u64) -> Result<Cost> {
        self.world.git.take_exchanges();
        let begun = Instant::now();
        let finished = self.plane.pass(self.world, &[])?;
        let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        ensure!(finished.ok() && self.plane.level() == Some(level), "{}", finished.stderr);
        let asked = self.world.git.take_exchanges().into_iter();
        let of_catalog = asked.filter(|it| it.path.starts_with(&format!("/{}/", self.repository)));
        let bytes: u64 = of_catalog.map(|it| it.sent.context("a length")).sum::<Result<_>>()?;
        #[expect(clippy::cast_precision_loss, reason = "bytes of one run")]
        Ok(Cost { milliseconds, bytes: bytes as f64 })
    }

    fn refreshed_pass(&mut self, level: u64) -> Result<Cost> {
        self.refresh(1)?;
        let cost = self.pass(level)?;
        // The pass judged the new catalog, whatever it cost.
        let seen = self.plane.status()?["catalog"]["signedAt"].clone();
        ensure!(seen == rfc3339(self.signed), "{seen} instead of {}", rfc3339(self.signed));
        Ok(cost)
    }

    fn pass_without_cache(&self, level: u64) -> Result<Cost> {
        std::fs::remove_dir_all(self.plane.state.join("cache/catalog"))?;
        self.pass(level)
    }

    /// Further refreshes, one a second; all are signed.
    fn refresh(&mut self, count: i64) -> Result<()> {
        let files: Vec<_> =
            (1..=count).map(|n| self.grown.refreshed(self.signed + n)).collect::<Result<_>>()?;
        self.signed += count;
        self.world.git.append(&self.repository, "catalog", &files)
    }

    /// Refreshes of the past; the last one is of now.
    fn age(&mut self, refreshes: i64) -> Result<()> {
        let now = self.signed;
        self.signed = now - refreshes;
        while self.signed < now {
            self.refresh((now - self.signed).min(1000))?;
        }
        Ok(())
    }
}

fn compare(name: &str, of: Cost, beside: Cost, aim: &str) {
    let line = |what: &str, of: f64, beside: f64, aim: &str| {
        let ratio = of / beside.max(1.0);
        row(&format!("{name}: {what}"), &format!("{of:.0} / {beside:.0} = {ratio:.2}"), aim);
    };
    line("ms", of.milliseconds, beside.milliseconds, aim);
    line("bytes from the catalog's host", of.bytes, beside.bytes, "");
}
