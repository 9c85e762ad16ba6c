//! `release lock` of 20 charts beside as many bare runs of Helm as it makes.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use pdp_e2e::{Program, Tools, World};
use serde_json::json;

use crate::row;
use crate::spent::{Counted, Spent, line};

const CHARTS: usize = 20;
const RUNS: u32 = 3;
/// Deployments of a chart, each with what belongs to it.
const WORKLOADS: usize = 12;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Rows of the part `release`.
pub(crate) fn bench() -> Result<()> {
    let (world, helm) = (World::start()?, Tools::for_charts()?);
    let program = helm.path("helm4").to_string_lossy().into_owned();
    let counted = Counted { world: &world, registry: &world.registry };
    let file = release(&world)?;
    let runs = bare_runs(&world, &file, &program)?;
    let (mut bare, mut first, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let commands = runs.iter().map(|args| {
            let mut command = world.within(helm.command("helm4"));
            command.args(args);
            command
        });
        bare.push(counted.run(commands.collect())?);
        std::fs::remove_file(world.path("line/7/release.lock"))?;
        first.push(counted.run(vec![lock(&world, &file, &program, &[])?])?);
        again.push(counted.run(vec![lock(&world, &file, &program, &["--check"])?])?);
    }
    let (bare, first, again) = (Spent::median(&bare), Spent::median(&first), Spent::median(&again));
    row(&format!("lock {CHARTS} charts: {} bare runs of helm template / release lock", runs.len()), "", "");
    line("  wall time, all images known (no registry)", " s", bare.wall, again.wall, "<= 1.200");
    line("  wall time, no image known", " s", bare.wall, first.wall, "");
    line("  processor time, all images known", " s", bare.processor, again.processor, "");
    ensure!(again.requests == 0.0, "nothing is asked for images that are known");
    Ok(())
}

fn lock(world: &World, file: &str, helm: &str, more: &[&str]) -> Result<Command> {
    let mut command = world.command(Program::Publisher)?;
    let via = world.registry_host();
    command.args(["release", "lock", file, "--via", &via, "--helm", helm]).args(more);
    Ok(command)
}

/// The arguments of each run of Helm that renders, as a program in its place was given them; its chart is a copy that stays.
fn bare_runs(world: &World, file: &str, helm: &str) -> Result<Vec<Vec<String>>> {
    let (noted, script) = (world.path("runs"), world.path("helm.sh"));
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = version ] || echo \"$@\" >> {}\nexec {helm} \"$@\"\n",
        noted.display()
    );
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    let output = lock(world, file, &script.to_string_lossy(), &[])?.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(noted)?;
    text.lines().map(|run| here(world, run)).collect()
}

/// `template NAME CHART ...`: the chart lay in a folder that is gone.
fn here(world: &World, run: &str) -> Result<Vec<String>> {
    let mut args: Vec<_> = run.split(' ').map(str::to_owned).collect();
    ensure!(args.len() > 3 && args[0] == "template" && !run.contains("--values"), "another run: {run}");
    let chart = world.path(&format!("line/charts/{}", args[1]));
    *args.get_mut(2).context("a chart")? = chart.to_string_lossy().into_owned();
    Ok(args)
}

/// A level of charts as vendors make them, with their images in the registry; its file.
fn release(world: &World) -> Result<String> {
    let mut components = Vec::new();
    for number in 0..CHARTS {
        let name = format!("chart-{number}");
        chart(world, &name)?;
        components.push(json!({
            "name": name, "version": "1.0.0", "stage": 1, "chart": { "name": name, "path": format!("../charts/{name}") },
            "releaseName": name, "namespace": name, "onFailure": "rollback", "timeout": "5m", "settle": "10s",
        }));
    }
    let release = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": 7, "version": "7", "kind": "update",
        "repository": "registry.wso2.example/pdp/pdp-2026", "components": components,
        "rendered": { "kubernetes": ["v1.33.4", "v1.34.1-gke.1829001"] },
    });
    std::fs::create_dir_all(world.path("line/7"))?;
    std::fs::write(world.path("line/7/release.yaml"), release.to_string())?;
    Ok("line/7/release.yaml".to_owned())
}

fn chart(world: &World, name: &str) -> Result<()> {
    let folder = world.path(&format!("line/charts/{name}"));
    std::fs::create_dir_all(folder.join("templates"))?;
    let mut values = String::new();
    for number in 0..WORKLOADS {
        writeln!(values, "w{number}: {{image: {{repository: {name}/w{number}, tag: '1'}}, replicas: 2}}")?;
        std::fs::write(folder.join(format!("templates/w{number}.yaml")), template(number))?;
        let part = json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2,
            "digest": format!("sha256:{:064}", number), "platform": { "os": "linux", "architecture": "amd64" },
        });
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [part] }).to_string();
        world.registry.content().put(&format!("{name}/w{number}"), "1", INDEX, index.as_bytes())?;
    }
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    for (file, text) in
        [("Chart.yaml", about.as_str()), ("values.yaml", &values), ("templates/_names.tpl", NAMES)]
    {
        std::fs::write(folder.join(file), text)?;
    }
    Ok(())
}

const NAMES: &str = r#"{{ define "labels" }}app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}{{ end }}
"#;

fn template(number: usize) -> String {
    r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-wN
  labels: {{ include "labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.wN.replicas }}
  selector: {matchLabels: {app: wN}}
  template:
    metadata: {labels: {app: wN}}
    spec:
      serviceAccountName: {{ .Release.Name }}-wN
      containers:
        - name: main
          image: "{{ .Values.wN.image.repository }}:{{ .Values.wN.image.tag }}"
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: "{{ .Release.Name }}-wN"}
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}-wN"}
spec: {selector: {app: wN}, ports: [{port: 80}]}
"#
    .replace("wN", &format!("w{number}"))
}
