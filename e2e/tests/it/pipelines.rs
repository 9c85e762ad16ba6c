//! The pipelines of docs/ci take a level from a change to its rollout, by their own commands as written.

use std::process::Command;

use pdp_e2e::{Login, Tools, World};
use serde_json::Value;

use crate::pipeline_files::{file, github, gitlab};
use crate::pipeline_runs::{Ci, System};
use crate::pipeline_secrets::PUSHER;

const BOTH: [System; 2] = [System::GitHub, System::GitLab];

fn report(ci: &Ci) -> String {
    let name = if ci.system == System::GitHub { "lint.sarif" } else { "lint.xml" };
    std::fs::read_to_string(ci.world.path("job/clone").join(name)).unwrap()
}

/// Findings in the report of lint, in whichever of the two formats.
fn findings(ci: &Ci) -> usize {
    let text = report(ci);
    match ci.system {
        System::GitHub => {
            let sarif: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(sarif["version"], "2.1.0");
            sarif["runs"][0]["results"].as_array().unwrap().len()
        }
        System::GitLab => {
            let attribute = text.split("failures=\"").nth(1).unwrap();
            attribute.split('"').next().unwrap().parse().unwrap()
        }
    }
}

fn propose(ci: &mut Ci) {
    let login = Login::Basic(PUSHER.0.into(), PUSHER.1.into());
    ci.world.registry.require(Some(login));
    ci.works("propose");
    ci.world.registry.require(None);
}

/// Blobs that were sent to the registry since the last look.
fn uploads(world: &World) -> Vec<String> {
    let asked = world.registry.take_exchanges().into_iter();
    let sent = asked.filter(|it| it.path.contains("/blobs/uploads/") && it.received > 0);
    sent.map(|it| format!("{} {}", it.method, it.path)).collect()
}

#[test]
fn a_change_becomes_a_level_through_both_gates_and_every_job_may_run_again() {
    for system in BOTH {
        let mut ci = Ci::begin(system);
        ci.works("check");
        assert_eq!((findings(&ci), ci.level.as_deref()), (0, Some("8")));
        assert!(
            ci.log.contains("restarts") || ci.log.contains("Pod agent"),
            "the objects are compared: {}",
            ci.log
        );
        uploads(&ci.world);
        propose(&mut ci);
        assert!(!uploads(&ci.world).is_empty(), "{system:?}");
        let proposals = ci.proposals();
        assert!(proposals.len() == 1 && ci.log.contains(&proposals[0]), "{proposals:?}");
        assert_eq!(ci.listed(), [(7, true)]);

        // Nobody has signed: the gate was opened too early.
        let early = ci.run("released");
        assert!(!early.ok(), "{system:?}: {}", early.stdout);
        assert_eq!(ci.listed(), [(7, true)]);
        ci.gate(0);
        ci.works("released");
        assert_eq!(ci.listed(), [(8, false), (7, true)]);
        let early = ci.run("promoted");
        assert!(!early.ok() && ci.listed() == [(8, false), (7, true)], "{}", early.stderr);
        ci.gate(1);
        let shown = ci.works("promoted");
        assert_eq!(ci.listed(), [(8, true), (7, true)]);
        assert!(shown.stdout.contains('8'), "{}", shown.stdout);

        uploads(&ci.world);
        ci.works("check");
        propose(&mut ci);
        ci.works("released");
        ci.works("promoted");
        assert_eq!((uploads(&ci.world), ci.proposals()), (vec![], vec![]), "{system:?}");
        assert_eq!(ci.listed(), [(8, true), (7, true)]);
        for (name, secret) in
            ["release", "catalog", "promotion"].iter().flat_map(|name| ci.secrets(Some(name)))
        {
            let lines = secret.lines().filter(|line| line.len() > 8 && !line.starts_with("-----"));
            assert!(!lines.into_iter().any(|line| ci.log.contains(line)), "{system:?}: {name} is in a log");
        }
    }
}

#[test]
fn a_change_that_is_wrong_is_stopped_before_anybody_signs() {
    for system in BOTH {
        let mut ci = Ci::begin(system);
        // A value is another one than when it was locked.
        let values = ci.repository().join("pdp-2026/charts/agent-1.1.0/values.yaml");
        std::fs::write(&values, "tag: 1.1.0\nmore: true\n").unwrap();
        std::fs::write(ci.repository().join("pdp-2026/8/notes.txt"), "a\n").unwrap();
        ci.commit("not locked");
        let stale = ci.run("check");
        assert_eq!(stale.code, Some(1), "{system:?}: {}", stale.stderr);
        // Two levels at once, and a name that a shell would run.
        std::fs::write(ci.repository().join("pdp-2026/7/$(touch ran)"), "a\n").unwrap();
        std::fs::write(ci.repository().join("pdp-2026/8/notes.txt"), "b\n").unwrap();
        ci.commit("two levels");
        let two = ci.run("check");
        assert!(!two.ok() && two.stderr.contains("one level at a time"), "{system:?}: {}", two.stderr);
        // A name that git quotes, and a file that only moves from one level to another.
        std::fs::write(ci.repository().join("pdp-2026/7/\u{e9}\n"), "a\n").unwrap();
        std::fs::write(ci.repository().join("pdp-2026/8/notes.txt"), "c\n").unwrap();
        ci.commit("a level under a quoted name");
        let quoted = ci.run("check");
        assert!(
            !quoted.ok() && quoted.stderr.contains("one level at a time"),
            "{system:?}: {}",
            quoted.stderr
        );
        let at = |path: &str| ci.repository().join("pdp-2026").join(path);
        std::fs::rename(at("7/\u{e9}\n"), at("8/moved.txt")).unwrap();
        ci.commit("moved");
        let moved = ci.run("check");
        assert!(!moved.ok() && moved.stderr.contains("one level at a time"), "{system:?}: {}", moved.stderr);
        std::fs::create_dir_all(ci.repository().join("pdp-2026/9; touch ran")).unwrap();
        std::fs::write(ci.repository().join("pdp-2026/9; touch ran/release.yaml"), "a\n").unwrap();
        ci.commit("no level");
        let odd = ci.run("check");
        assert!(!odd.ok() && odd.stderr.contains("not: none"), "{system:?}: {}", odd.stderr);
        assert!(!ci.world.path("job/clone/ran").exists());
    }
}

/// What is wrong with a workflow of GitHub, by rules that its own linter doesn't have.
fn faults_on_github(workflow: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let on = &workflow["on"];
    if !on["pull_request_target"].is_null() || on["pull_request"].is_null() {
        faults.push("pull requests of forks get secrets, or no check".to_owned());
    }
    if workflow["permissions"] != serde_json::json!({}) {
        faults.push("the workflow's own token may do something".to_owned());
    }
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let mut fault = |what: &str| faults.push(format!("{name}: {what}"));
        let on_main = "github.event_name == 'push' && github.ref == 'refs/heads/main'";
        let inherits = job["needs"].as_array().is_some_and(|needs| needs.contains(&"propose".into()))
            || job["needs"].as_array().is_some_and(|needs| needs.contains(&"released".into()));
        let secret = job.to_string().contains("secrets.");
        if secret && !(inherits || job["if"] == on_main) {
            fault("has secrets outside of the protected branch");
        }
        if secret != job["environment"].is_string() {
            fault("secrets belong to an environment");
        }
        if job["permissions"] != serde_json::json!({ "contents": "read" }) {
            fault("its token may do more than read");
        }
        if job["concurrency"].is_null() || job["timeout-minutes"].is_null() {
            fault("it runs beside itself, or for ever");
        }
        if job["env"].to_string().contains("secrets.") {
            fault("each step of it gets the secrets of all");
        }
        for step in job["steps"].as_array().unwrap() {
            let pinned = |uses: &str| {
                uses.split_once('@')
                    .is_some_and(|(_, at)| at.len() == 40 && at.bytes().all(|b| b.is_ascii_hexdigit()))
            };
            if step["uses"].as_str().is_some_and(|uses| !pinned(uses)) {
                fault("an action that isn't pinned by its commit");
            }
            if step["run"].as_str().is_some_and(|run| run.contains("${{")) {
                fault("an expression becomes part of a script");
            }
            if step["uses"].as_str().is_some_and(|uses| uses.contains("/checkout@"))
                && step["with"]["persist-credentials"] != false
            {
                fault("the token stays in the clone");
            }
        }
    }
    faults
}

#[test]
fn the_workflow_gives_nothing_to_whoever_has_no_right_to_it() {
    let (text, _) = file("github-actions.yaml");
    let faults = |text: &str| faults_on_github(&serde_saphyr::from_str(text).unwrap());
    assert_eq!(faults(&text), Vec::<String>::new());
    for (from, to) in [
        ("pull_request:", "pull_request_target:"),
        ("permissions: {}", "permissions: {contents: write}"),
        ("permissions:\n      contents: read", "permissions:\n      contents: write"),
        ("    if: github.event_name == 'push' && github.ref == 'refs/heads/main'\n", ""),
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v5"),
        ("release lint \"$LINE", "release lint \"${{ github.head_ref }}"),
        ("          persist-credentials: false\n", ""),
        ("    environment: release\n", ""),
    ] {
        assert!(text.contains(from), "{from}");
        assert_ne!(faults(&text.replacen(from, to, 1)), Vec::<String>::new(), "{from}");
    }
}

#[test]
fn only_jobs_of_the_protected_branch_have_an_environment_on_gitlab() {
    let (_, pipeline) = file("gitlab-ci.yaml");
    let protected = "$CI_PIPELINE_SOURCE == \"push\" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_COMMIT_REF_PROTECTED == \"true\"";
    for job in gitlab(&pipeline) {
        let said = &pipeline[&job.name];
        let rules = said["rules"].as_array();
        let guarded = rules.is_some_and(|rules| rules.iter().all(|rule| rule["if"] == protected));
        assert_eq!(guarded, job.environment.is_some(), "{}", job.name);
        let manual = rules.is_some_and(|rules| {
            rules.iter().all(|rule| rule["when"] == "manual" && rule["allow_failure"] == false)
        });
        assert_eq!(manual, ["released", "promoted"].contains(&job.name.as_str()), "{}", job.name);
        assert_eq!(said["resource_group"].is_string(), job.environment.is_some(), "{}", job.name);
    }
}

#[test]
#[should_panic(expected = "neither")]
fn a_step_that_is_neither_ours_nor_the_systems_fails() {
    let (text, _) = file("github-actions.yaml");
    github(
        &serde_saphyr::from_str(&text.replacen("actions/upload-artifact@", "somebody/upload@", 1)).unwrap(),
    );
}

#[test]
#[should_panic(expected = "neither")]
fn a_script_that_no_test_would_run_fails() {
    let (text, _) = file("gitlab-ci.yaml");
    gitlab(
        &serde_saphyr::from_str(&text.replacen("  interruptible: true\n", "  before_script: [make]\n", 1))
            .unwrap(),
    );
}

#[test]
fn the_linter_of_its_makers_has_nothing_to_say() {
    let tools = Tools::for_workflows().unwrap();
    let lint = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("workflow.yaml");
        std::fs::write(&file, text).unwrap();
        // Nothing that this machine may have or not.
        let mut command: Command = tools.command("actionlint");
        command.args(["-no-color", "-shellcheck=", "-pyflakes="]).arg(&file);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (text, _) = file("github-actions.yaml");
    assert_eq!(lint(&text), (Some(0), String::new()));
    assert_eq!(lint(&text.replacen("needs: check", "needs: chek", 1)).0, Some(1));
}
