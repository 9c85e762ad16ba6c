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
