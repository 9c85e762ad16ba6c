//! A level of 14 charts with 60 MB of layers, beside the same with Helm and cosign: release, release again, verify.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pdp_e2e::{Program, Registry, Tools, World};
use serde_json::{Value, json};

use crate::row;
use crate::spent::{Counted, Spent, count, line};

const COMPONENTS: usize = 14;
/// Two files of it in each chart; nothing that packs well.
const FILE: usize = 2_150_000;
const RUNS: u32 = 3;
/// A verification is short beside the clock ticks that processor time is counted in.
const VERIFIED: u32 = 10;
const LATE: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];
const IMAGE: &str = "registry.wso2.example/team/agent";

/// Rows of the part `release`.
pub(crate) fn bench() -> Result<()> {
    let bench = Bench::start()?;
    let mut next = 100;
    for late in LATE {
        let (mut ours, mut theirs, mut last) = (Vec::new(), Vec::new(), None);
        for _ in 0..RUNS {
            let registry = Registry::start()?;
            registry.habits(|habits| habits.late = late);
            theirs.push(bench.helm_and_cosign(&registry)?);
            ours.push(bench.publisher(&registry, next)?);
            // The next level is proposed on a catalog that has this one.
            bench.world.publish_catalog()?;
            last = Some((registry, next));
            next += 1;
        }
        let (ours, theirs) = (Spent::median(&ours), Spent::median(&theirs));
        let late = late.as_millis();
        let what = format!(
            "release {COMPONENTS} charts, 60 MB, {late} ms late: Helm and cosign / build, sign and publish"
        );
        row(&what, "", "");
        compare("from folders: helm package, helm push, cosign sign", theirs.and(bench.packed), ours);
        compare("of packed charts alone: helm push, cosign sign", theirs, ours);
        let (registry, level) = last.context("a run")?;
        if late == 0 {
            bench.again(&registry, level, ours)?;
        }
        bench.verify(&registry, level, late)?;
    }
    Ok(())
}

/// Our side starts from folders in both.
fn compare(with: &str, theirs: Spent, ours: Spent) {
    row(&format!("  {with}"), "", "");
    line("    wall time", " s", theirs.wall, ours.wall, "<= 0.200");
    line("    processes", "", theirs.processes, ours.processes, "<= 0.200");
    line("    requests", "", theirs.requests, ours.requests, "<= 0.500");
    line("    processor time", " s", theirs.processor, ours.processor, "");
}

struct Bench {
    world: World,
    tools: Tools,
    /// What `helm package` of all charts costs.
    packed: Spent,
}

impl Bench {
    fn start() -> Result<Self> {
        let (world, tools) = (World::start()?, Tools::for_releases()?);
        let mut bench = Self { world, tools, packed: Spent::default() };
        (0..COMPONENTS).try_for_each(|number| bench.chart(number))?;
        let run = |_| bench.counted(&bench.world.registry).run(bench.packing());
        bench.packed = Spent::median(&(0..RUNS).map(run).collect::<Result<Vec<_>>>()?);
        Ok(bench)
    }

    fn counted<'a>(&'a self, registry: &'a Registry) -> Counted<'a> {
        Counted { world: &self.world, registry }
    }

    fn chart(&self, number: usize) -> Result<()> {
        let folder = self.world.path(&format!("line/charts/part-{number}"));
        std::fs::create_dir_all(folder.join("templates"))?;
        let about = format!("apiVersion: v2\nname: part-{number}\nversion: 1.0.0\n");
        std::fs::write(folder.join("Chart.yaml"), about)?;
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: part-{number}}}\nspec:\n  containers:\n    - name: a\n      image: {IMAGE}\n"
        );
        std::fs::write(folder.join("templates/pod.yaml"), pod)?;
        for (file, seed) in [("a.bin", 2 * number + 1), ("b.bin", 2 * number + 2)] {
            std::fs::write(folder.join(file), noise(u64::try_from(seed)?, FILE))?;
        }
        Ok(())
    }

    /// A tool that finds nothing of whoever runs the bench.
    fn tool(&self, name: &str, args: &[&str]) -> Command {
        let mut command = self.world.within(self.tools.command(name));
        command.env("COSIGN_PASSWORD", "test keys only").args(args);
        command
    }

    fn packing(&self) -> Vec<Command> {
        let pack =
            |number| self.tool("helm4", &["package", &format!("line/charts/part-{number}"), "-d", "packed"]);
        (0..COMPONENTS).map(pack).collect()
    }

    /// Each chart is pushed, then signed by its digest.
    fn helm_and_cosign(&self, registry: &Registry) -> Result<Spent> {
        let host = registry.host();
        let push = |number| {
            let packed = format!("packed/part-{number}-1.0.0.tgz");
            self.tool("helm4", &["push", &packed, &format!("oci://{host}/charts"), "--plain-http"])
        };
        let pushed = self.counted(registry).run((0..COMPONENTS).map(push).collect())?;
        let images = self.images(registry)?;
        let key = self.world.key("artifact");
        let fixed = ["--key", &key, "--yes", "--tlog-upload=false", "--use-signing-config=false"];
        let sign = |image: &String| {
            self.tool("cosign", &[&["sign"], &fixed[..], &["--allow-http-registry", image]].concat())
        };
        let signed = self.counted(registry).run(images.iter().map(sign).collect())?;
        Ok(pushed.and(signed))
    }

    /// What Helm pushed, by digest.
    fn images(&self, registry: &Registry) -> Result<Vec<String>> {
        let digest = |number| -> Result<String> {
            let repository = format!("charts/part-{number}");
            let found = registry.content().manifest(&repository, "1.0.0")?.context("what Helm pushed")?;
            Ok(format!("{}/{repository}@{}", registry.host(), found.digest))
        };
        (0..COMPONENTS).map(digest).collect()
    }

    fn publisher(&self, registry: &Registry, level: u32) -> Result<Spent> {
        let (file, out) = (self.level(level)?, format!("out/{level}"));
        let build = self.command(&["release", "build", &file, "--out", &out])?;
        let sign = self.command(&["release", "sign", &out, "--key", &self.world.key("artifact")])?;
        self.counted(registry).run(vec![build, sign, self.publish(registry, level)?])
    }

    fn publish(&self, registry: &Registry, level: u32) -> Result<Command> {
        let (out, host) = (format!("out/{level}"), registry.host());
        let (ci, person) = (self.world.key("ci"), self.world.key("release-1"));
        let args =
            ["release", "publish", &out, "--registry", &host, "--key", &ci, "--key", &person, "-o", "json"];
        self.command(&args)
    }

    fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = self.world.command(Program::Publisher)?;
        command.args(args);
        Ok(command)
    }

    /// A level with the same charts, alone in its line.
    fn level(&self, level: u32) -> Result<String> {
        let component = |number| {
            let name = format!("part-{number}");
            json!({
                "name": name, "version": "1.0.0", "stage": 1, "chart": { "name": name, "path": format!("../charts/{name}") },
                "releaseName": name, "namespace": name, "onFailure": "rollback", "timeout": "5m", "settle": "10s",
                "images": [{ "name": IMAGE, "digest": format!("sha256:{}", "ab".repeat(32)) }],
            })
        };
        let components: Vec<_> = (0..COMPONENTS).map(component).collect();
        let release = json!({
            "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level, "version": "1", "kind": "update",
            "repository": "registry.wso2.example/pdp/pdp-2026", "components": components,
        });
        let (folder, before) = (format!("line/{level}"), self.world.path(&format!("line/{}", level - 1)));
        if before.exists() {
            std::fs::remove_dir_all(before)?;
        }
        std::fs::create_dir_all(self.world.path(&folder))?;
        std::fs::write(self.world.path(&format!("{folder}/release.yaml")), release.to_string())?;
        Ok(format!("{folder}/release.yaml"))
    }

    /// The same level once more.
    fn again(&self, registry: &Registry, level: u32, first: Spent) -> Result<()> {
        registry.take_exchanges();
        self.world.git.take_exchanges();
        let output = self.publish(registry, level)?.output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let requests = registry.take_exchanges().len() + self.world.git.take_exchanges().len();
        let told: Value = serde_json::from_slice(&output.stdout)?;
        row("publish again: blobs uploaded", &told["traffic"]["blobsUploaded"].to_string(), "0");
        line("publish again: requests, first / again", "", first.requests, count(requests), "<= 0.100");
        Ok(())
    }

    /// Index and charts, by one process and by one for each chart. Git, which cosign doesn't ask, is never late.
    fn verify(&self, registry: &Registry, level: u32, late: u128) -> Result<()> {
        self.world.promote(level, &[])?;
        self.world.publish_catalog()?;
        let (images, key, host) =
            (self.images(registry)?, self.world.public_key("artifact"), registry.host());
        let fixed = ["verify", "--key", &key, "--insecure-ignore-tlog=true", "--allow-http-registry"];
        let verify = |image: &String| self.tool("cosign", &[&fixed[..], &[image.as_str()]].concat());
        let level = level.to_string();
        let ours = ["release", "verify", &level, "--line", "pdp-2026", "--registry", &host];
        let (mut all_theirs, mut all_ours) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            all_theirs.push(self.counted(registry).run(images.iter().map(verify).collect())?);
            let many = (0..VERIFIED).map(|_| self.command(&ours)).collect::<Result<_>>()?;
            all_ours.push(self.counted(registry).run(many)?.each(f64::from(VERIFIED)));
        }
        let (theirs, ours) = (Spent::median(&all_theirs), Spent::median(&all_ours));
        row(
            &format!("verify the level, {late} ms late: cosign verify of each chart / release verify"),
            "",
            "",
        );
        line("  wall time", " s", theirs.wall, ours.wall, "<= 0.050");
        line("  processor time", " s", theirs.processor, ours.processor, "<= 0.100");
        line("  requests", "", theirs.requests, ours.requests, "");
        Ok(())
    }
}

/// The same bytes for the same seed, without a pattern that packing finds (xorshift).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
