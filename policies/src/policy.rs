//! The customer's instruments: what wins in the PDP, always.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::channel::Overridable;
use crate::image_name::ImageName;
use crate::loosened::{Loosening, loosened};
use crate::names::{DataPlaneName, Level};
use crate::release::Severity;
use crate::time::{At, Span};

/// The policy of one data plane; empty means: take what the vendor opens, at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Stay at a level, or take security releases only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// Start nothing until a person takes this away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When starts are allowed; always if there is no window of kind `allow`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub windows: Vec<Window>,
    /// Start nothing between two times.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub freezes: Vec<Freeze>,
    /// Let a level ripen before it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_age: Option<MinimumAge>,
    /// People who must say yes to each release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
    /// Data planes of the same organization that must be healthy on the level first. Not supported yet: must be empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<DataPlaneName>,
    /// What a release may pass if it asks for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<OverrideRule>,
    /// Images of the customer's own that components may run beside the release's, by name without tag and digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub own_images: Vec<ImageName>,
}

/// More windows than this are no policy.
const MAX_WINDOWS: usize = 100;
/// More own images than this are nobody's sidecars.
const MAX_OWN_IMAGES: usize = 64;

/// A pin needs a reason and an end, so that none is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// To what.
    pub to: PinTarget,
    /// Why, for people.
    pub reason: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// From then on the pin binds nobody.
    pub expires: At,
}

/// What a data plane is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PinTarget {
    /// Nothing above this level.
    Level(Level),
    /// Security releases and hotfixes only.
    SecurityOnly {},
}

/// A person's "not now" without an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Why, for people.
    pub reason: String,
}

/// A recurring stretch of time. Deny beats allow; a window gates the start, never the finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// Its name in messages.
    pub name: String,
    /// Whether it opens or closes.
    pub kind: WindowKind,
    /// Its beginnings: five cron fields (minute, hour, day of month, month, weekday; Sunday is 0).
    pub cron: String,
    /// IANA name, such as `Europe/Stockholm`.
    pub time_zone: String,
    /// How long it lasts: elapsed time, also in the nights when clocks change.
    pub length: Span,
}

/// Whether a window opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WindowKind {
    /// Starts are allowed inside.
    Allow,
    /// Starts are forbidden inside.
    Deny,
}

/// No starts between two times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Freeze {
    /// Why, for people.
    pub reason: String,
    /// First second of the freeze.
    pub from: At,
    /// First second after it.
    pub until: At,
}

/// How old a level must be, counted from its promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinimumAge {
    /// For all levels.
    pub age: Span,
    /// Shorter for levels that fix something at least as severe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severe: Option<SevereAge>,
}

/// A shorter minimum age for severe findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SevereAge {
    /// From this severity on.
    pub at_least: Severity,
    /// How old such a level must be.
    pub age: Span,
}

/// Who must approve: distinct people, the requester never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRule {
    /// How many.
    pub quorum: u32,
    /// Their public keys, OpenSSH format, one line each.
    pub approvers: Vec<String>,
}

/// What a release may pass, if it asks and is severe enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverrideRule {
    /// Only releases that fix something at least as severe.
    pub at_least: Severity,
    /// Only if it is exploited in the wild.
    #[serde(default)]
    pub known_exploited: bool,
    /// The instruments that it may pass.
    pub pass: BTreeSet<Overridable>,
}

impl ApprovalRule {
    /// All that would make approvals impossible, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (n, key) in self.approvers.iter().enumerate() {
            if ssh_key::PublicKey::from_openssh(key).is_err() {
                found.push(format!("approvers[{n}] is not an OpenSSH public key"));
            }
        }
        if self.quorum == 0 || self.quorum as usize > self.approvers.len() {
            found.push(format!(
                "quorum {} of {} approvers is never, or always, reached",
                self.quorum,
                self.approvers.len()
            ));
        }
        found
    }
}

impl Freeze {
    fn problem(&self) -> Option<String> {
        let Self { from, until, .. } = self;
        (until <= from).then(|| {
            format!("ends (`until: {until}`) before it begins (`from: {from}`), so it would hold nothing")
        })
    }
}

impl Policy {
    /// All in it that could never do what it says, in words. What depends on the time: [`Policy::pin_is_over`].
    pub fn problems(&self) -> Vec<String> {
        let freezes = self.freezes.iter().enumerate();
        let freezes = freezes.filter_map(|(n, freeze)| Some(format!("freezes[{n}] {}", freeze.problem()?)));
        let mut found: Vec<_> = freezes.collect();
        if !self.after.is_empty() {
            found.push(
                "after is not supported yet: it would hold every level for ever; take it out".to_owned(),
            );
        }
        if self.windows.len() > MAX_WINDOWS {
            found.push(format!("windows lists {}; at most {MAX_WINDOWS} are read", self.windows.len()));
        }
        if self.own_images.len() > MAX_OWN_IMAGES {
            let count = self.own_images.len();
            found.push(format!("ownImages lists {count} images; at most {MAX_OWN_IMAGES} are read"));
        }
        let rule = self.approval.iter().flat_map(ApprovalRule::problems);
        found.extend(rule.map(|problem| format!("approval: {problem}")));
        found
    }

    /// Why a pin that comes new protects nothing: it is over already. One that `before`, the policy of the pass before,
    /// had or replaced was seen in force, and binds nobody from its end on.
    pub fn pin_is_over(&self, before: Option<&Self>, now: At) -> Option<String> {
        let pin = self.pin.as_ref().filter(|pin| pin.expires <= now)?;
        let seen = before.is_some_and(|before| before.pin.is_some());
        (!seen).then(|| {
            format!("pin ends (`expires: {}`) before it begins, now: it would hold nothing", pin.expires)
        })
    }

    /// What this policy lets pass that `before` held back, field by field.
    pub fn loosened(&self, before: &Self) -> Vec<Loosening> {
        loosened(before, self)
    }

    /// True if this policy lets something pass that `before` held back.
    pub fn looser_than(&self, before: &Self) -> bool {
        !self.loosened(before).is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: &str = "2026-11-23T12:00:00Z";

    fn policy(text: &str) -> Policy {
        crate::yaml::read(text).unwrap()
    }

    fn freeze(from: &str, until: &str) -> Policy {
        policy(&format!("freezes: [{{reason: year end, from: {from}, until: {until}}}]"))
    }

    #[test]
    fn a_freeze_that_ends_before_it_begins_is_a_problem() {
        for (from, until, bad) in [
            ("2026-12-20T00:00:00Z", "2027-01-04T00:00:00Z", false),
            ("2026-12-20T00:00:00Z", "2026-12-20T00:00:01Z", false),
            ("2026-12-20T00:00:00Z", "2026-12-20T00:00:00Z", true),
            ("2026-12-20T00:00:00Z", "2026-01-04T00:00:00Z", true),
            ("2027-01-04T00:00:00Z", "2026-12-20T00:00:00Z", true),
        ] {
            let problems = freeze(from, until).problems();
            assert_eq!(!problems.is_empty(), bad, "{from} {until}: {problems:?}");
            assert!(!bad || problems[0].starts_with("freezes[0] ends"), "{problems:?}");
        }
    }

    #[test]
    fn own_images_are_names_and_a_further_one_is_looser() {
        let none = Policy::default();
        let one = policy("ownImages: [registry.bank.example/sidecar]");
        let two = policy("ownImages: [registry.bank.example/sidecar, proxy]");
        assert!(one.problems().is_empty() && one.looser_than(&none) && two.looser_than(&one));
        assert!(!one.looser_than(&two) && !one.looser_than(&one));
        for bad in ["registry.bank.example/sidecar:1", "'*'", "https://a.example/b", "''"] {
            assert!(crate::yaml::read::<Policy>(&format!("ownImages: [{bad}]")).is_err(), "{bad}");
        }
        let images: Vec<_> = (0..65).map(|n| format!("a.example/i{n}")).collect();
        assert!(policy(&format!("ownImages: [{}]", images[1..].join(", "))).problems().is_empty());
        let many = policy(&format!("ownImages: [{}]", images.join(", ")));
        assert!(many.problems()[0].starts_with("ownImages lists 65"), "{:?}", many.problems());
    }

    #[test]
    fn waiting_for_another_data_plane_is_a_problem() {
        assert!(policy("after: [staging]").problems()[0].contains("after is not supported yet"));
        assert!(policy("after: []").problems().is_empty());
    }

    #[test]
    fn a_pin_that_is_over_when_it_comes_is_a_problem_and_one_that_was_seen_is_not() {
        let pin =
            |expires: &str| policy(&format!("pin: {{to: {{level: 41}}, reason: close, expires: {expires}}}"));
        let now = NOW.parse().unwrap();
        let none = Policy::default();
        for (policy, before, bad) in [
            (pin("2026-11-23T12:00:01Z"), None, false),
            (pin(NOW), None, true),
            (pin(NOW), Some(&none), true),
            (pin("2025-12-31T00:00:00Z"), Some(&none), true),
            (pin("2025-12-31T00:00:00Z"), Some(&pin("2025-12-31T00:00:00Z")), false),
            (none.clone(), None, false),
        ] {
            assert_eq!(policy.pin_is_over(before, now).is_some(), bad, "{policy:?}");
        }
    }
}
