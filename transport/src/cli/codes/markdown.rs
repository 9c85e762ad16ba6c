//! `docs/codes.md`.

use std::fmt::Write;

use super::Source;

const HEAD: &str = "# Codes\n\n\
    Written by `make reference` from the types and tables in code; a test compares. Codes are stable. `explain CODE` of \
    every\nprogram says the same.\n";

/// All codes as a document; what registries, Git hosts and files fail with is in `docs/failures.md`, with more columns.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for source in Source::ALL.into_iter().filter(|source| *source != Source::Failure) {
        let (title, words) = title(source);
        let last = if source == Source::Obstacle { " who can take it away |" } else { "" };
        let rule = if source == Source::Obstacle { " --- |" } else { "" };
        let _ = writeln!(text, "\n## {title}\n\n{words}\n");
        let _ = writeln!(text, "| code | meaning | usual cause | what to do |{last}");
        let _ = writeln!(text, "| --- | --- | --- | --- |{rule}");
        for entry in source.entries() {
            let owner = owner(source, &entry.code);
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |{owner}",
                entry.code, entry.meaning, entry.cause, entry.next
            );
        }
    }
    text
}

fn title(source: Source) -> (&'static str, &'static str) {
    match source {
        Source::Refusal => {
            ("Refusals", "They judge documents, in this order. What is refused is not looked at any further.")
        }
        Source::Obstacle => (
            "Obstacles",
            "They judge one candidate level: \"not yet\", with an owner and, where it is known, the next time.",
        ),
        Source::Failure => ("Failures", "See [failures.md](failures.md)."),
        Source::CommandLine => ("Command lines", "Of every program."),
        Source::Publisher => {
            ("publisher", "What its commands end with, beside refusals and [failures](failures.md).")
        }
        Source::Lint => ("Findings", "What `publisher release lint` and `release lock` find in a release."),
        Source::Rollout => (
            "Orders to rollouts",
            "What a person wants isn't possible where the rollout stands ([rollout-states.md](rollout-states.md)).",
        ),
        Source::ChannelServer => {
            ("channel-server", "What it ends with, logs, and answers ([api.md](api.md)).")
        }
        Source::DataPlane => ("pdp-sync and kubectl pdp", "What they end with, or wait for."),
    }
}

fn owner(source: Source, code: &str) -> &'static str {
    let parsed = || serde_json::from_value::<pdp_policies::ObstacleCode>(code.into()).ok();
    match (source == Source::Obstacle).then(parsed).flatten().map(|code| code.owner()) {
        Some(pdp_policies::Owner::Vendor) => " WSO2 |",
        Some(pdp_policies::Owner::Customer) => " customer |",
        None => "",
    }
}
