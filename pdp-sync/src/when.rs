//! When levels can start, for people: what is in the way now, what is later, and whether the vendor's deadline is met.

use pdp_policies::Level;
use pdp_policies::gate::Candidate;
use pdp_transport::cli::exit;
use serde::Serialize;

use crate::status::forecast_words;

/// The answer.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct When {
    pub(crate) pdp: String,
    pub(crate) installed: Option<Level>,
    /// Why nothing is foretold, none if something is.
    pub(crate) says: Option<String>,
    pub(crate) levels: Vec<Candidate>,
}

/// What is known of `asked`, or of each level above the installed one.
pub(crate) fn when(
    pdp: String,
    installed: Option<Level>,
    candidates: &[Candidate],
    asked: Option<Level>,
) -> When {
    let levels: Vec<_> =
        candidates.iter().filter(|it| asked.is_none_or(|asked| it.level == asked)).cloned().collect();
    let says = levels.is_empty().then(|| nothing(installed, candidates, asked));
    When { pdp, installed, says, levels }
}

fn nothing(installed: Option<Level>, candidates: &[Candidate], asked: Option<Level>) -> String {
    let names: Vec<_> = candidates.iter().map(|it| it.level.to_string()).collect();
    match (asked, installed) {
        (None, _) => "no level waits".to_owned(),
        (Some(asked), Some(installed)) if asked == installed => format!("level {asked} is installed"),
        (Some(asked), Some(installed)) if asked < installed => {
            format!("level {asked} is below level {installed}, which is installed")
        }
        (Some(asked), _) if names.is_empty() => {
            format!("level {asked} doesn't wait: it isn't promoted for this data plane, or it is under way")
        }
        (Some(asked), _) => {
            format!("level {asked} isn't promoted for this data plane; those that wait: {}", names.join(", "))
        }
    }
}

impl When {
    /// A level that isn't there is a negative answer.
    pub(crate) fn exit(&self, asked: Option<Level>) -> u8 {
        let there = asked.is_none() || !self.levels.is_empty() || asked == self.installed;
        if there { exit::DONE } else { exit::NEGATIVE }
    }

    /// The answer for people.
    pub(crate) fn text(&self) -> String {
        let says = self.says.iter().map(|says| format!("{}: {says}", self.pdp));
        says.chain(self.levels.iter().flat_map(lines)).collect::<Vec<_>>().join("\n")
    }
}

fn lines(candidate: &Candidate) -> Vec<String> {
    let mut lines = forecast_words(candidate.level, &candidate.forecast);
    for step in &candidate.steps {
        let at = step.at.map_or_else(|| "now".to_owned(), |at| at.to_string());
        let because = step.because.iter().enumerate();
        lines.extend(because.map(|(n, words)| format!("  {:20}  ✗ {words}", if n == 0 { &at } else { "" })));
    }
    let start = candidate.forecast.at.map(|at| at.to_string());
    lines.extend(start.map(|at| format!("  {at:20}  ✔ starts")));
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn candidates() -> Vec<Candidate> {
        serde_json::from_value(serde_json::json!([
            {
                "level": 42,
                "forecast": { "at": "2026-12-07T21:00:00Z", "once": ["AwaitingApproval"] },
                "steps": [
                    { "because": ["OutsideWindow: window `w` is closed", "TooYoung: younger than 7d"] },
                    { "at": "2026-12-07T09:00:00Z", "because": ["OutsideWindow: window `w` is closed"] },
                ],
            },
            { "level": 41, "forecast": {}, "steps": [] },
        ]))
        .unwrap()
    }

    fn asked(level: Option<u32>) -> (u8, String) {
        let asked = level.map(Level);
        let answer = when("nordbank/prod".to_owned(), Some(Level(40)), &candidates(), asked);
        (answer.exit(asked), answer.text())
    }

    #[test]
    fn the_way_to_the_start_is_told_step_by_step() {
        insta::assert_snapshot!(asked(None).1);
        assert_eq!(asked(Some(41)), (0, "level 41 can start now".to_owned()));
    }

    #[test]
    fn a_level_that_does_not_wait_says_why() {
        for (level, exit, words) in [
            (40, 0, "nordbank/prod: level 40 is installed"),
            (39, 1, "nordbank/prod: level 39 is below level 40, which is installed"),
            (50, 1, "nordbank/prod: level 50 isn't promoted for this data plane; those that wait: 42, 41"),
        ] {
            assert_eq!(asked(Some(level)), (exit, words.to_owned()));
        }
        let nothing = when("nordbank/prod".to_owned(), Some(Level(40)), &[], None);
        assert_eq!((nothing.exit(None), nothing.text().as_str()), (0, "nordbank/prod: no level waits"));
    }
}
