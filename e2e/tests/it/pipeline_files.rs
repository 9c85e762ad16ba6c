//! Pipelines as files say them: jobs in order, each with what it runs and by which variables.

use std::path::Path;

use serde_json::Value;

/// The steps that belong to the CI system, with nothing of ours in them.
const OF_THE_SYSTEM: [&str; 2] = ["actions/checkout", "actions/upload-artifact"];
/// All that a job of GitLab may say here: anything else could run commands that no test sees.
const OF_GITLAB: [&str; 11] = [
    "stage",
    "timeout",
    "interruptible",
    "rules",
    "environment",
    "resource_group",
    "variables",
    "script",
    "artifacts",
    "needs",
    "image",
];
const NO_JOBS_OF_GITLAB: [&str; 4] = ["workflow", "default", "variables", "stages"];

/// One shell, with the variables that the file gives it; values are as written.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) script: String,
    pub(crate) env: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    /// The environment whose secrets it gets, and which people guard.
    pub(crate) environment: Option<String>,
}

/// A file of `docs/ci`, and what it says.
pub(crate) fn file(name: &str) -> (String, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ci").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let value = serde_saphyr::from_str(&text).unwrap();
    (text, value)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn pairs(env: &Value) -> Vec<(String, String)> {
    let given = env.as_object().into_iter().flatten();
    given.map(|(name, value)| (name.clone(), text(value).unwrap())).collect()
}

/// The jobs in the order of the file, which each one's `needs` has to bear out.
pub(crate) fn github(workflow: &Value) -> Vec<Job> {
    let jobs = workflow["jobs"].as_object().unwrap();
    let mut done: Vec<Job> = Vec::new();
    for name in order(jobs.keys(), |name| named(&workflow["jobs"][name]["needs"])) {
        let job = &workflow["jobs"][&name];
        let outer = [pairs(&workflow["env"]), pairs(&job["env"])].concat();
        let steps = job["steps"].as_array().unwrap();
        let steps = steps.iter().filter_map(|step| github_step(&name, step, &outer)).collect();
        done.push(Job { name, steps, environment: text(&job["environment"]) });
    }
    done
}

fn github_step(job: &str, step: &Value, outer: &[(String, String)]) -> Option<Step> {
    match (step["run"].as_str(), step["uses"].as_str()) {
        (Some(script), None) => {
            Some(Step { script: script.to_owned(), env: [outer, &pairs(&step["env"])].concat() })
        }
        (None, Some(action)) if OF_THE_SYSTEM.contains(&action.split('@').next().unwrap()) => None,
        _ => panic!("{job}: neither a command of ours nor a step of the system: {step}"),
    }
}

fn named(needs: &Value) -> Vec<String> {
    match needs {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().map(|it| text(it).unwrap()).collect(),
        _ => Vec::new(),
    }
}

/// Names so that each one comes after all that it needs.
fn order<'a>(names: impl Iterator<Item = &'a String>, needs: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut left: Vec<_> = names.cloned().collect();
    let mut sorted: Vec<String> = Vec::new();
    while !left.is_empty() {
        let next = left.iter().position(|name| needs(name).iter().all(|it| sorted.contains(it)));
        sorted.push(left.remove(next.expect("a job that can never run")));
    }
    sorted
}

/// The jobs stage by stage; the lines of a script are one shell there.
pub(crate) fn gitlab(pipeline: &Value) -> Vec<Job> {
    let stages = pipeline["stages"].as_array().unwrap();
    let jobs = pipeline.as_object().unwrap().iter();
    let jobs: Vec<_> = jobs.filter(|(name, _)| !NO_JOBS_OF_GITLAB.contains(&name.as_str())).collect();
    let of = |stage: &Value| jobs.iter().filter(move |(_, job)| job["stage"] == *stage).collect::<Vec<_>>();
    let sorted: Vec<_> = stages.iter().flat_map(of).collect();
    assert_eq!(sorted.len(), jobs.len(), "each job has a stage");
    sorted.iter().map(|(name, job)| gitlab_job(name, job, &pairs(&pipeline["variables"]))).collect()
}

fn gitlab_job(name: &str, job: &Value, outer: &[(String, String)]) -> Job {
    let said = job.as_object().unwrap().keys();
    let other: Vec<_> = said.filter(|key| !OF_GITLAB.contains(&key.as_str())).collect();
    assert!(other.is_empty(), "{name}: neither commands of ours nor the system's own: {other:?}");
    let lines: Vec<_> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let step = Step { script: lines.join("\n"), env: [outer, &pairs(&job["variables"])].concat() };
    Job { name: name.to_owned(), steps: vec![step], environment: text(&job["environment"]) }
}
