//! The channel: the promoted levels of one line, signed by two release managers.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::codes::{Refusal, RefusalCode};
use crate::digest::{Digest, hex_form};
use crate::document;
use crate::moves::{self, Move};
use crate::names::{Level, Line, Ring};
use crate::plan::{Percent, RingPlan, Tempo};
use crate::time::At;

/// The channel document (catalog target `channel-<line>.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Always [`document::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know to honour this document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// The release line.
    pub line: Line,
    /// Rings, waves, shares, budgets and times.
    pub plan: RingPlan,
    /// The promoted levels, but those that were pruned.
    #[serde(default)]
    pub levels: BTreeMap<Level, Promotion>,
    /// Levels that may not be started any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub withdrawn: BTreeMap<Level, Withdrawal>,
    /// The brake: while it stands, nothing of this channel starts anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Levels that may not be jumped over.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required_stops: BTreeSet<Level>,
    /// The security floor: a PDP below it shows `Exposed`; it moves and blocks nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Level>,
    /// Successors of the vendor's addresses. A reader that doesn't know moves stays at the old addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// The highest level that was pruned. What lies at or below it and isn't promoted may have been: nothing new takes
    /// its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruned_through: Option<Level>,
}

/// One promoted level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// SHA-256 of the release descriptor (hex).
    #[serde(with = "hex_form")]
    #[schemars(with = "String")]
    pub sha256: Digest,
    /// Its length in bytes.
    pub length: u64,
    /// When the proposal was opened.
    pub promoted_at: At,
    /// How fast it travels.
    pub tempo: Tempo,
    /// The earliest time per ring: the tempo's offsets, fixed when the proposal was opened.
    pub opens_at: BTreeMap<Ring, At>,
    /// The vendor's door without the server: the share of each ring that may start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open_to: BTreeMap<Ring, Percent>,
    /// Levels whose place it takes: they open no further ring.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub supersedes: BTreeSet<Level>,
    /// The level that the release was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Level>,
    /// Of a hotfix: the organizations that get it, each as [`crate::audience_member`] writes it. Empty: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub audience: BTreeSet<Digest>,
    /// What this level asks the customer's policy to let it pass; only the customer can say yes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub asks_override: BTreeSet<Overridable>,
}

/// The customer's instruments that a release may ask to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Overridable {
    /// Maintenance windows.
    Window,
    /// Freezes.
    Freeze,
    /// The minimum age.
    MinimumAge,
}

/// Why a level was withdrawn. PDPs that run it keep running it and show the fixing level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Withdrawal {
    /// When.
    pub at: At,
    /// Why, for people.
    pub reason: String,
    /// The level that fixes it, if there is one already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_by: Option<Level>,
}

/// The brake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// Since when.
    pub at: At,
    /// Why, for people.
    pub reason: String,
}

impl Channel {
    /// An empty channel with a plan.
    pub fn new(line: Line, plan: RingPlan) -> Self {
        Self {
            api_version: document::API_VERSION.to_owned(),
            critical: Vec::new(),
            line,
            plan,
            levels: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
            stop: None,
            required_stops: BTreeSet::new(),
            floor: None,
            moves: Vec::new(),
            pruned_through: None,
        }
    }

    /// The catalog's target name of a channel.
    pub fn target_name(line: &Line) -> String {
        format!("channel-{line}.json")
    }

    /// Reads a channel and checks that it is whole.
    ///
    /// # Errors
    /// `Unreadable`, `UnknownCriticalFeature`.
    pub fn read(subject: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        let channel: Self = document::read(subject, bytes)?;
        match channel.problems().into_iter().next() {
            Some(problem) => Err(Refusal::new(RefusalCode::Unreadable, subject, problem)),
            None => Ok(channel),
        }
    }

    /// All that is inconsistent within the channel, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.plan.problems();
        problems.extend(self.hotfix_problems());
        problems.extend(moves::problems(&self.moves));
        for (level, promotion) in &self.levels {
            let rings = promotion.open_to.keys().chain(promotion.opens_at.keys());
            let unknown = rings.filter(|ring| self.plan.position(ring).is_none());
            problems.extend(unknown.map(|ring| format!("level {level} names the unknown ring `{ring}`")));
        }
        for (level, withdrawal) in &self.withdrawn {
            if !self.levels.contains_key(level) {
                problems.push(format!("level {level} is withdrawn but was never promoted"));
            }
            if withdrawal.fixed_by.is_some_and(|fix| fix <= *level) {
                problems.push(format!("level {level} can only be fixed by a higher level"));
            }
        }
        problems
    }
}
