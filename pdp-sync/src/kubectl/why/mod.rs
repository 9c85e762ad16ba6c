//! `kubectl pdp why`: why a data plane isn't further, who can change that, when, and with which command.

mod reasons;

use kube::ResourceExt;
use pdp_policies::gate::{Forecast, WindowWords};
use pdp_policies::{At, Level, ObstacleCode};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::print;
use serde::Serialize;

use super::cluster::Cluster;
use super::{Common, seen, words};
use crate::crd::{ConditionType, NextAction, TargetPhase, UpdateSubscription};
use crate::status::forecast_words;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let now = pdp_transport::cli::clock::now();
    let why = why(&cluster.subscription(args.common.name.as_deref()).await?, now);
    print(args.common.output, &why, &text(&why, now))?;
    Ok(why.exit())
}

/// The whole answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Why {
    subscription: String,
    pdp: String,
    level: Option<Level>,
    next: Option<Level>,
    pub(super) answer: Answer,
    pub(super) sentence: String,
    reasons: Vec<reasons::Reason>,
    next_action: Option<NextAction>,
    /// When the next level can start, and whether that is in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast: Option<Forecast>,
    /// The windows that keep it waiting, in words; none while no window does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    windows: Vec<WindowWords>,
}

/// In one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Answer {
    UpToDate,
    Waiting,
    UnderWay,
    Failed,
}

impl Why {
    /// Waiting is no error; a refusal and a failed level are.
    pub(super) fn exit(&self) -> u8 {
        if self.answer == Answer::Failed { exit::NEGATIVE } else { exit::DONE }
    }
}

/// The answer for one subscription.
pub(super) fn why(of: &UpdateSubscription, now: At) -> Why {
    let status = seen::status(of);
    let answer = answer(of);
    Why {
        subscription: format!("{}/{}", of.namespace().unwrap_or_default(), of.name_any()),
        pdp: seen::id(of).to_string(),
        level: status.level,
        next: status.target.as_ref().map(|target| target.level),
        answer,
        sentence: sentence(of, answer),
        reasons: reasons::all(of),
        next_action: status.next_action.clone(),
        forecast: status.forecast.clone(),
        windows: windows(of, now),
    }
}

fn windows(of: &UpdateSubscription, now: At) -> Vec<WindowWords> {
    let waits = seen::status(of).obstacles.iter().any(|it| it.code == ObstacleCode::OutsideWindow);
    if waits { of.spec.policy.windows_in_words(now) } else { Vec::new() }
}

fn answer(of: &UpdateSubscription) -> Answer {
    use TargetPhase as Phase;
    let status = seen::status(of);
    let phase = status.target.as_ref().map(|target| target.phase);
    let stalled = seen::condition(of, ConditionType::Stalled).is_some();
    match phase {
        _ if stalled || status.refusal.is_some() => Answer::Failed,
        Some(Phase::GoingBack | Phase::Quarantined) => Answer::Failed,
        _ if !seen::looked_at(of) || of.spec.suspend => Answer::Waiting,
        Some(Phase::Preflight | Phase::Applying | Phase::TakingBack) => Answer::UnderWay,
        Some(Phase::Waiting | Phase::TakenBack) => Answer::Waiting,
        None if of.spec.rollback.is_some() || status.level.is_none() => Answer::Waiting,
        None if seen::condition(of, ConditionType::UpToDate).is_some() => Answer::UpToDate,
        None => Answer::Waiting,
    }
}

fn sentence(of: &UpdateSubscription, answer: Answer) -> String {
    let status = seen::status(of);
    let here = match status.level {
        Some(_) => format!("{} is at {}", seen::id(of), seen::level_words(of)),
        None => format!("{} has nothing installed", seen::id(of)),
    };
    match (answer, seen::target_words(of), &status.target) {
        (Answer::UpToDate, ..) => format!("{here}; nothing newer is promoted"),
        (Answer::Waiting, _, Some(target)) if target.phase == TargetPhase::Waiting => {
            format!("{here}, level {} is next, not applied because:", target.level)
        }
        (Answer::Failed, Some(target), _) => format!("{here}, {target}; a person is needed:"),
        (Answer::Failed, None, _) => format!("{here}; a person is needed:"),
        (_, Some(target), _) => format!("{here}, {target}"),
        (_, None, _) => format!("{here}, and goes no further because:"),
    }
}

/// The answer for people.
pub(super) fn text(why: &Why, now: At) -> String {
    let sign = match why.answer {
        Answer::UpToDate => "✔ ",
        Answer::UnderWay => "◎ ",
        Answer::Waiting | Answer::Failed => "",
    };
    let mut lines = vec![format!("{sign}{}", why.sentence)];
    lines.extend(why.reasons.iter().map(|reason| reasons::text(reason, now)));
    lines.extend(why.windows.iter().map(ToString::to_string));
    if let (Some(level), Some(forecast)) = (why.next, &why.forecast) {
        lines.extend(forecast_words(level, forecast));
    } else if let Some(next) = &why.next_action {
        lines.push(format!("next possible {}", words::when(next.at, now)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crd::ObstacleStatus;
    use crate::kubectl::testing::{self, now};
    use serde_json::json;

    #[test]
    fn each_state_of_a_data_plane_has_an_answer() {
        for (name, one) in testing::all() {
            insta::assert_snapshot!(name, text(&why(&one, now()), now()));
        }
    }

    #[test]
    fn only_what_needs_a_person_is_a_negative_answer() {
        for (name, answer, code) in [
            ("healthy", Answer::UpToDate, 0),
            ("waiting", Answer::Waiting, 0),
            ("suspended", Answer::Waiting, 0),
            ("applying", Answer::UnderWay, 0),
            ("taken-back", Answer::Waiting, 0),
            ("never-looked-at", Answer::Waiting, 0),
            ("refused", Answer::Failed, 1),
            ("quarantined", Answer::Failed, 1),
        ] {
            let (_, one) = testing::all().into_iter().find(|(found, _)| *found == name).unwrap();
            let why = why(&one, now());
            assert_eq!((why.answer, why.exit()), (answer, code), "{name}");
        }
    }

    #[test]
    fn an_image_of_nobody_is_told_with_the_way_out_and_blocks_nothing() {
        let mut one = testing::all().into_iter().find(|(name, _)| *name == "healthy").unwrap().1;
        let words = "`agent`: Deployment apps/agent, container app: evil.example/x:1";
        let condition = testing::condition("ForeignImage", "ForeignImage", words);
        let status = one.status.as_mut().unwrap();
        status.conditions.push(serde_json::from_value(condition).unwrap());
        let why = why(&one, now());
        assert_eq!((why.answer, why.exit()), (Answer::UpToDate, 0));
        let text = text(&why, now());
        assert!(text.contains(words) && text.contains("spec.policy.ownImages"), "{text}");
    }

    #[test]
    fn when_it_can_start_and_whether_that_is_in_time_is_told() {
        let mut one = testing::waiting();
        let at = "2026-11-28T21:00:00Z";
        for (forecast, words) in [
            (
                json!({ "at": at, "once": ["AwaitingApproval"], "deadline": { "at": "2026-11-30T00:00:00Z", "severity": "critical" } }),
                "level 42 can start at 2026-11-28T21:00:00Z at the earliest, once people have settled AwaitingApproval\n\
                 ✔ in time for the vendor's deadline: 2026-11-30T00:00:00Z (critical, 7d)",
            ),
            (
                json!({ "at": at, "late": true, "deadline": { "at": "2026-11-27T00:00:00Z", "severity": "high" } }),
                "level 42 can start at 2026-11-28T21:00:00Z at the earliest\n\
                 ✗ too late for the vendor's deadline: 2026-11-27T00:00:00Z (high, 14d)",
            ),
            (json!({ "once": ["Frozen"] }), "level 42 can start once people have settled Frozen"),
            (json!({ "notWithinAYear": true }), "level 42 can't start within a year as things stand"),
        ] {
            one.status.as_mut().unwrap().forecast = serde_json::from_value(forecast).unwrap();
            let text = text(&why(&one, now()), now());
            assert!(text.contains(words), "{words} in {text}");
        }
    }

    /// The words are the gate's; who can act, when, and the way out stand beside them.
    #[test]
    fn each_obstacle_says_who_can_act_and_how() {
        let schema = serde_json::to_value(schemars::schema_for!(ObstacleCode)).unwrap();
        let codes = schema["oneOf"].as_array().unwrap().iter().map(|it| it["const"].clone());
        let text = |code: serde_json::Value| {
            let code: ObstacleCode = serde_json::from_value(code).unwrap();
            let detail = "words of the gate".to_owned();
            let mut one = testing::waiting();
            let obstacle = ObstacleStatus { code, owner: code.owner(), next: None, detail };
            one.status.as_mut().unwrap().obstacles = vec![obstacle];
            let why = why(&one, now());
            why.reasons.iter().map(|reason| reasons::text(reason, now())).next().unwrap_or_default()
        };
        insta::assert_snapshot!(codes.map(text).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn machines_get_the_same() {
        insta::assert_json_snapshot!(why(&testing::waiting(), now()));
    }
}
