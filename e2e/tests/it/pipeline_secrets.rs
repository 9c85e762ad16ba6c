//! What a CI system gives to a job: variables of its own, and the secrets of the job's environment.

use std::path::Path;

use sha2::Digest;

use crate::pipeline_files::Job;
use crate::pipeline_runs::{Ci, System};

const TOKEN: &str = "a token for the catalog";
const PASSWORD: &str = "test keys only";
/// What the registry wants from whoever pushes.
pub(crate) const PUSHER: (&str, &str) = ("ci", "a login to push");

impl Ci {
    /// What the CI system sets by itself; GitLab gives a job the secrets of its environment, too.
    pub(crate) fn of_the_system(&self, job: &Job, room: &Path) -> Vec<(String, String)> {
        let owned = |name: &str, value: String| (name.to_owned(), value);
        if self.system == System::GitHub {
            let file = |name: &str| room.join("temp").join(name).display().to_string();
            let mut given = vec![owned("RUNNER_TEMP", file("")), owned("GITHUB_ACTIONS", "true".into())];
            for name in ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"] {
                std::fs::OpenOptions::new().create(true).append(true).open(file(name)).unwrap();
                given.push(owned(name, file(name)));
            }
            let set = std::fs::read_to_string(file("GITHUB_ENV")).unwrap();
            given.extend(
                set.lines().map(|line| line.split_once('=').unwrap()).map(|(a, b)| owned(a, b.into())),
            );
            return given;
        }
        let mut given: Vec<_> = self.level.iter().map(|level| owned("LEVEL", level.clone())).collect();
        for (name, value) in self.secrets(job.environment.as_deref()) {
            let in_file = ["_KEY", "_LOGIN"].iter().any(|ending| name.ends_with(ending));
            let path = room.join("temp").join(name);
            if in_file {
                std::fs::write(&path, &value).unwrap();
            }
            let name = name.replace("CI_KEYS_PASSWORD", "PUBLISHER_PASSWORD");
            let name = name.replace("ONLINE_KEYS_PASSWORD", "PUBLISHER_PASSWORD");
            let name = name
                .replace("CATALOG_TOKEN", "PUBLISHER_GIT_TOKEN")
                .replace("SERVER_TOKEN", "PUBLISHER_TOKEN");
            given.push((name, if in_file { path.display().to_string() } else { value }));
        }
        given
    }

    /// The secrets of an environment, by their names on GitHub.
    pub(crate) fn secrets(&self, environment: Option<&str>) -> Vec<(&'static str, String)> {
        let key = |name: &str| std::fs::read_to_string(self.world.key(name)).unwrap();
        let login = format!(
            r#"{{"auths":{{"{}":{{"username":"{}","password":"{}"}}}}}}"#,
            self.world.registry_host(),
            PUSHER.0,
            PUSHER.1
        );
        let mut all = match environment {
            Some("release") => vec![
                ("ARTIFACT_KEY", key("artifact")),
                ("RELEASES_KEY", key("ci")),
                ("REGISTRY_LOGIN", login),
                ("CI_KEYS_PASSWORD", PASSWORD.to_owned()),
            ],
            Some("catalog" | "promotion") => vec![
                ("SNAPSHOT_KEY", key("snapshot")),
                ("TIMESTAMP_KEY", key("timestamp")),
                ("ONLINE_KEYS_PASSWORD", PASSWORD.to_owned()),
            ],
            None => return Vec::new(),
            Some(other) => panic!("the page knows no environment {other}"),
        };
        all.push(("CATALOG_TOKEN", TOKEN.to_owned()));
        if environment == Some("promotion") {
            all.push(("SERVER_TOKEN", self.world.server.as_ref().unwrap().token.clone()));
        }
        all
    }

    /// A variable's value: the page says what is to be replaced, and what is given by expressions.
    pub(crate) fn filled_in(&self, job: &Job, value: &str) -> String {
        if let Some(expression) = value.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}")) {
            let secret = expression.strip_prefix("secrets.");
            let secrets = self.secrets(job.environment.as_deref());
            let found = secrets.into_iter().find(|(name, _)| Some(*name) == secret).map(|(_, value)| value);
            let level = (expression == "needs.check.outputs.level").then(|| self.level.clone().unwrap());
            return found.or(level).unwrap_or_else(|| panic!("{} has no {expression}", job.name));
        }
        let helm = hex::encode(sha2::Sha256::digest(std::fs::read(&self.helm).unwrap()));
        let server = self.world.server.as_ref().unwrap().url();
        value
            .replace("https://git.wso2.example/pdp/catalog", &self.world.git_url("catalog"))
            .replace("https://updates.wso2.example", &server)
            .replace("sha256:HELM", &format!("sha256:{helm}"))
    }
}
