//! Hotfixes: levels for a few organizations, made on one level, folded into a later one.

use std::collections::{BTreeMap, BTreeSet};

use crate::channel::{Channel, Promotion};
use crate::digest::Digest;
use crate::names::{Level, Organization};

/// The feature that a channel with a hotfix names in `critical`: a reader that doesn't know audiences would install
/// the level everywhere.
pub const AUDIENCES: &str = "audiences";

/// How an organization stands in the audience of a release: SHA-256 of `<release sha256 hex>/<organization>`.
///
/// The catalog goes to all customers and names none of them; fresh per release, so that two hotfixes for one customer
/// don't look alike. Whoever guesses a name can check the guess.
pub fn audience_member(release: &Digest, organization: &Organization) -> Digest {
    Digest::of(format!("{}/{organization}", release.hex()).as_bytes())
}

impl Promotion {
    /// True for a level that is meant for a few organizations only.
    pub fn is_hotfix(&self) -> bool {
        !self.audience.is_empty()
    }

    /// True if the level is meant for an organization.
    pub fn is_for(&self, organization: &Organization) -> bool {
        !self.is_hotfix() || self.audience.contains(&audience_member(&self.sha256, organization))
    }
}

/// Why no step leads from the installed level to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barred {
    /// A hotfix goes on the level that it was made on, and on no other one.
    OtherBase(Level),
    /// The hotfix that is installed isn't in the other level: it would be lost.
    LosesHotfix(Level),
}

impl Channel {
    /// Whether a step leads from the installed level (none before the first installation) to another one, as far as
    /// hotfixes go; none if it does. What is withdrawn may be left for whatever comes.
    pub fn barred(&self, installed: Option<Level>, to: Level) -> Option<Barred> {
        let promotion = self.levels.get(&to).filter(|_| installed < Some(to))?;
        if let Some(base) = promotion.base.filter(|_| promotion.is_hotfix())
            && installed != Some(base)
        {
            return Some(Barred::OtherBase(base));
        }
        let fix = installed.filter(|level| self.is_standing_hotfix(*level))?;
        (!self.holds(to, fix)).then_some(Barred::LosesHotfix(fix))
    }

    fn is_standing_hotfix(&self, level: Level) -> bool {
        let hotfix = self.levels.get(&level).is_some_and(Promotion::is_hotfix);
        hotfix && !self.withdrawn.contains_key(&level)
    }

    /// True if a level was made on the hotfix or says that it takes its place, itself or by what it was made of.
    fn holds(&self, level: Level, fix: Level) -> bool {
        let (mut open, mut seen) = (vec![level], BTreeSet::new());
        while let Some(at) = open.pop() {
            let Some(promotion) = self.levels.get(&at).filter(|_| seen.insert(at)) else { continue };
            let made_of = promotion.base.iter().chain(&promotion.supersedes);
            if made_of.clone().any(|lower| *lower == fix) {
                return true;
            }
            open.extend(made_of.filter(|lower| **lower > fix));
        }
        false
    }

    /// What is inconsistent about hotfixes, in words.
    pub(crate) fn hotfix_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let hotfixes = self.levels.iter().filter(|(_, promotion)| promotion.is_hotfix());
        for (level, promotion) in hotfixes {
            match promotion.base {
                None => problems.push(format!("level {level} is a hotfix but says of no level")),
                Some(base) if base >= *level || !self.levels.contains_key(&base) => {
                    problems.push(format!(
                        "level {level} is a hotfix of level {base}, which isn't promoted below it"
                    ));
                }
                Some(_) => {}
            }
            if self.required_stops.contains(level) {
                problems.push(format!("level {level} is a hotfix: it can't be a required stop for all"));
            }
            if !self.critical.iter().any(|feature| feature == AUDIENCES) {
                problems.push(format!(
                    "level {level} has an audience, but `critical` doesn't name `{AUDIENCES}`"
                ));
            }
        }
        problems
    }
}

/// Who is in the audience of one level: every organization is looked up once, however many data planes it has.
#[derive(Debug)]
pub struct Audience<'a> {
    promotion: &'a Promotion,
    known: BTreeMap<&'a Organization, bool>,
}

impl<'a> Audience<'a> {
    /// Nobody is looked up yet.
    pub fn new(promotion: &'a Promotion) -> Self {
        Self { promotion, known: BTreeMap::new() }
    }

    /// True if the level is meant for the organization.
    pub fn includes(&mut self, organization: &'a Organization) -> bool {
        !self.promotion.is_hotfix()
            || *self.known.entry(organization).or_insert_with(|| self.promotion.is_for(organization))
    }
}
