//! A CI system in a world: jobs in fresh clones, people at their desks between them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use pdp_e2e::{Finished, Program, Tools, World};
use serde_json::Value;

use crate::keys_doc::{blocks, shell};
use crate::pipeline_files::{Job, Step, file, github, gitlab};
use crate::release_doc::image;

const TEMPLATE: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: agent}\n\
                        spec: {containers: [{name: agent, image: \"quay.io/acme/agent:{{ .Values.tag }}\"}]}\n";
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum System {
    GitHub,
    GitLab,
}

/// The vendor's repository with releases, what CI remembers, and all that was ever in a log.
pub(crate) struct Ci {
    pub(crate) world: World,
    pub(crate) system: System,
    pub(crate) helm: PathBuf,
    pub(crate) level: Option<String>,
    pub(crate) log: String,
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl Ci {
    /// Level 7 is promoted, and level 8 is a change that waits.
    pub(crate) fn begin(system: System) -> Self {
        let mut world = World::start().unwrap();
        world.serve().unwrap();
        let helm = Tools::for_charts().unwrap().path("helm4");
        let ci = Self { world, system, helm, level: None, log: String::new() };
        let repository = ci.repository();
        std::fs::create_dir_all(&repository).unwrap();
        ci.git(&["init", "--quiet", "--initial-branch", "main"]);
        std::fs::copy(ci.world.root(), repository.join("1.root.json")).unwrap();
        ci.write_level(7, "1.0.0");
        ci.commit("level 7");
        for line in [
            "publisher release build line/pdp-2026/7/release.yaml --out out/7",
            "publisher release sign out/7 --key vendor/keys/artifact.key",
            "publisher release publish out/7 --key vendor/keys/ci.key --key vendor/keys/release-1.key",
        ] {
            ci.at_a_desk(line);
        }
        ci.world.publish_catalog().unwrap();
        ci.world.promote(7, &[]).unwrap();
        ci.world.publish_catalog().unwrap();
        ci.write_level(8, "1.1.0");
        ci.commit("level 8");
        ci
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.world.path("line")
    }

    fn git(&self, args: &[&str]) {
        let mut git = self.world.within(Command::new("git"));
        git.current_dir(self.repository()).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        assert!(git.args(args).status().unwrap().success(), "git {args:?}");
    }

    pub(crate) fn commit(&self, words: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", words]);
    }

    /// A level with a chart of its own, locked at a desk.
    pub(crate) fn write_level(&self, level: u32, tag: &str) {
        let folder = self.repository().join("pdp-2026");
        image(&self.world, "acme/agent", tag);
        let chart = folder.join(format!("charts/agent-{tag}"));
        write(&chart.join("Chart.yaml"), &format!("apiVersion: v2\nname: agent\nversion: {tag}\n"));
        write(&chart.join("values.yaml"), &format!("tag: {tag}\n"));
        write(&chart.join("templates/pod.yaml"), TEMPLATE);
        let base = if level > 7 { format!("base: {}\n", level - 1) } else { String::new() };
        let text = format!(
            "apiVersion: updates.pdp.wso2.com/v1\nline: pdp-2026\nlevel: {level}\nversion: '{level}'\nkind: update\n{base}\
             repository: registry.wso2.example/pdp/pdp-2026\nrequires: {{kubernetes: '>=1.33', flux: '>=2.9'}}\n\
             components:\n  - {{name: agent, version: {tag}, stage: 1, chart: {{name: agent, path: ../charts/agent-{tag}}}, \
             releaseName: agent, namespace: pdp, onFailure: rollback, timeout: 5m, settle: 1s}}\n"
        );
        write(&folder.join(format!("{level}/release.yaml")), &text);
        self.at_a_desk(&format!("publisher release lock line/pdp-2026/{level}/release.yaml"));
    }

    /// A line as a person types it, with all keys at hand.
    pub(crate) fn at_a_desk(&self, line: &str) -> Finished {
        let (helm, via) = (self.helm.display(), self.world.registry_host());
        let given = format!("export PUBLISHER_HELM={helm} PUBLISHER_LOCK_VIA={via}; ");
        let finished = shell(&self.world, &format!("{given}{line}"));
        assert!(finished.ok(), "{line}: {}{}", finished.stdout, finished.stderr);
        finished
    }

    fn jobs(&self) -> BTreeMap<String, Job> {
        let jobs = match self.system {
            System::GitHub => github(&file("github-actions.yaml").1),
            System::GitLab => gitlab(&file("gitlab-ci.yaml").1),
        };
        let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!(names, ["check", "propose", "released", "promoted"]);
        jobs.into_iter().map(|job| (job.name.clone(), job)).collect()
    }

    /// A job in a fresh clone with a fresh home, up to the first step that fails.
    pub(crate) fn run(&mut self, name: &str) -> Finished {
        let job = self.jobs().remove(name).unwrap();
        let room = self.world.path("job");
        let _ = std::fs::remove_dir_all(&room);
        for folder in ["home", "temp"] {
            std::fs::create_dir_all(room.join(folder)).unwrap();
        }
        let clone = room.join("clone");
        self.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
        let mut last = None;
        for step in &job.steps {
            let finished = self.step(&job, step, &room);
            self.log.push_str(&format!("{}{}", finished.stdout, finished.stderr));
            last = Some(finished);
            if !last.as_ref().unwrap().ok() {
                break;
            }
        }
        self.level = given(&room, &clone).or(self.level.take());
        last.unwrap()
    }

    fn step(&self, job: &Job, step: &Step, room: &Path) -> Finished {
        let mut bash = self.world.within(Command::new("bash"));
        for name in ["PASSWORD", "CATALOG", "ROOT", "SERVER", "TOKEN"] {
            bash.env_remove(format!("PUBLISHER_{name}"));
        }
        let publisher = self.world.command(Program::Publisher).unwrap();
        let folder = Path::new(publisher.get_program()).parent().unwrap().display().to_string();
        bash.args(["-euo", "pipefail", "-c", &step.script]).current_dir(room.join("clone"));
        bash.env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap()));
        bash.env("HOME", room.join("home")).env("XDG_CACHE_HOME", room.join("home/.cache"));
        // What the image has: Helm, and the way to the world's servers in place of the public ones.
        bash.env("PUBLISHER_HELM", &self.helm).env("PUBLISHER_LOCK_VIA", self.world.registry_host());
        bash.envs(self.of_the_system(job, room));
        bash.envs(step.env.iter().map(|(name, value)| (name, self.filled_in(job, value))));
        let output = bash.stdin(std::process::Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    pub(crate) fn works(&mut self, job: &str) -> Finished {
        let finished = self.run(job);
        assert!(finished.ok(), "{:?} {job}: {}{}", self.system, finished.stdout, finished.stderr);
        finished
    }

    /// The people's part of the page, with the proposal and its digest as they are.
    pub(crate) fn gate(&self, block: usize) {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci/README.md");
        let page = std::fs::read_to_string(page).unwrap();
        for line in blocks(&page, "sh")[block].lines() {
            let kind = if line.contains("proposals/releases") { "releases" } else { "channels" };
            let line = match line.contains("proposals/") {
                true => self.with_proposal(line, kind),
                false => line.to_owned(),
            };
            let line = line.replace("--key ", "--key vendor/keys/");
            self.at_a_desk(&line);
        }
    }

    fn with_proposal(&self, line: &str, kind: &str) -> String {
        let name = self.proposals().into_iter().find(|name| name.contains(kind)).unwrap();
        let shown = self.at_a_desk(&format!("publisher catalog proposals show {name} -o json"));
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        let words = line.split(' ').map(|word| match word {
            word if word.starts_with("proposals/") => &name,
            "DIGEST" => shown["digest"].as_str().unwrap(),
            other => other,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn proposals(&self) -> Vec<String> {
        let listed = self.at_a_desk("publisher catalog proposals list -o name");
        listed.stdout.lines().map(str::to_owned).collect()
    }

    pub(crate) fn listed(&self) -> Vec<(u64, bool)> {
        let listed = self.at_a_desk("publisher release list --line pdp-2026 -o json");
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
        let levels = listed.as_array().unwrap().iter();
        levels.map(|it| (it["level"].as_u64().unwrap(), !it["promotedAt"].is_null())).collect()
    }
}

/// The level that a job hands on, if it does.
fn given(room: &Path, clone: &Path) -> Option<String> {
    let files = [room.join("temp/GITHUB_OUTPUT"), clone.join("level.env")];
    let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok())?;
    text.trim().split_once('=').map(|(_, level)| level.to_owned())
}
