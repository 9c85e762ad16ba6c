//! Which promoted levels nobody can need any more. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::channel::{Channel, Promotion};
use crate::hotfix::Barred;
use crate::names::{Level, Organization};
use crate::reach::stranded;
use crate::report::LevelDigest;
use crate::time::At;
use crate::trust::Carried;

/// What is kept whatever the channel says.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// So many of the newest levels that anybody may start, and all above the lowest of them.
    pub newest: usize,
    /// Levels that were promoted at this time or later.
    pub promoted_since: At,
    /// Levels that data planes report.
    pub reported: &'a BTreeSet<Level>,
    /// Levels up to which a rollout lets a ring go.
    pub ceilings: &'a BTreeSet<Level>,
    /// What levels carry for others.
    pub carried: &'a [Carried],
}

/// Why a level stays in its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kept {
    /// It is one of the newest.
    Newest,
    /// It was promoted not long ago.
    Young,
    /// Nobody may jump over it.
    RequiredStop,
    /// It is the security floor.
    Floor,
    /// A data plane reports it.
    Reported,
    /// A rollout opens it to a ring, and nothing higher.
    Ceiling,
    /// A hotfix that stays was made on it.
    BaseOf(Level),
    /// A withdrawn level that stays names it as its fix.
    FixOf(Level),
    /// It takes the place of a level that stays, whose rollout would go on without it.
    Supersedes(Level),
    /// It is a hotfix that this higher level, which stays, doesn't hold: whoever runs it would lose it.
    NotFoldedInto(Level),
    /// It holds artifacts of this level (none: of another line) that a key signed which is out of use by now.
    Carries(Option<Level>),
    /// Levels below find their way to the newest one only by it.
    Step,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => write!(f, "it is one of the newest"),
            Self::Young => write!(f, "it was promoted not long ago"),
            Self::RequiredStop => write!(f, "it is a required stop"),
            Self::Floor => write!(f, "it is the security floor"),
            Self::Reported => write!(f, "a data plane reports it"),
            Self::Ceiling => write!(f, "a rollout lets a ring go as far as this"),
            Self::BaseOf(level) => write!(f, "hotfix {level} was made on it"),
            Self::FixOf(level) => write!(f, "it fixes the withdrawn level {level}"),
            Self::Supersedes(level) => write!(f, "it takes the place of level {level}"),
            Self::NotFoldedInto(level) => write!(f, "level {level} doesn't hold this hotfix"),
            Self::Carries(Some(level)) => {
                write!(f, "a key out of use counts by it for artifacts of level {level}")
            }
            Self::Carries(None) => write!(f, "a key out of use counts by it for artifacts of another line"),
            Self::Step => write!(f, "levels below need it as a step to the newest"),
        }
    }
}

/// The levels that stay, with all reasons, and those that may go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pruning {
    /// Why each level stays.
    pub kept: BTreeMap<Level, BTreeSet<Kept>>,
    /// Nobody can need them.
    pub gone: BTreeSet<Level>,
}

/// Decides which levels may leave a channel. `from` is a level's `requires.from`.
///
/// Nobody who runs any level that was ever promoted loses the way to the newest one, reported or not: those who don't
/// report are asked for nothing.
pub fn prune(channel: &Channel, keep: Keep<'_>, from: impl Fn(Level) -> Option<Level>) -> Pruning {
    let mut kept = by_themselves(channel, keep);
    loop {
        let mut more = for_others(channel, &kept);
        more.extend(carriers(&kept, keep.carried));
        if extend(&mut kept, more) {
            continue;
        }
        let more = steps(channel, &kept, keep.reported, &from);
        if !extend(&mut kept, more) {
            break;
        }
    }
    let gone = channel.levels.keys().filter(|level| !kept.contains_key(level)).copied().collect();
    Pruning { kept, gone }
}

type Reasons = BTreeMap<Level, BTreeSet<Kept>>;

/// True if a reason is new.
fn extend(kept: &mut Reasons, more: impl IntoIterator<Item = (Level, Kept)>) -> bool {
    let mut grew = false;
    for (level, reason) in more {
        grew |= kept.entry(level).or_default().insert(reason);
    }
    grew
}

fn is_for_all(channel: &Channel, level: Level, promotion: &Promotion) -> bool {
    !promotion.is_hotfix() && !channel.withdrawn.contains_key(&level)
}

fn by_themselves(channel: &Channel, keep: Keep<'_>) -> Reasons {
    let for_all = channel.levels.iter().rev().filter(|(level, it)| is_for_all(channel, **level, it));
    let lowest_new = for_all.map(|(level, _)| *level).take(keep.newest.max(1)).last();
    let enough = channel.levels.iter().filter(|(level, it)| is_for_all(channel, **level, it)).count();
    let mut kept = Reasons::new();
    for (level, promotion) in &channel.levels {
        let is_new = enough <= keep.newest || lowest_new.is_none_or(|lowest| *level >= lowest);
        let reasons = [
            (is_new, Kept::Newest),
            (promotion.promoted_at >= keep.promoted_since, Kept::Young),
            (channel.required_stops.contains(level), Kept::RequiredStop),
            (channel.floor == Some(*level), Kept::Floor),
            (keep.reported.contains(level), Kept::Reported),
            (keep.ceilings.contains(level), Kept::Ceiling),
        ];
        extend(&mut kept, reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, why)| (*level, why)));
    }
    kept
}

/// What a level that stays needs beside it.
fn for_others(channel: &Channel, kept: &Reasons) -> Vec<(Level, Kept)> {
    let mut found = Vec::new();
    for (level, promotion) in channel.levels.iter().filter(|(level, _)| kept.contains_key(level)) {
        if promotion.is_hotfix() {
            found.extend(promotion.base.map(|base| (base, Kept::BaseOf(*level))));
        }
        let fix = channel.withdrawn.get(level).and_then(|withdrawal| withdrawal.fixed_by);
        found.extend(fix.map(|fix| (fix, Kept::FixOf(*level))));
        let mut above = superseding(channel, *level);
        if above.iter().all(|higher| !kept.contains_key(higher)) {
            found.extend(above.pop().map(|highest| (highest, Kept::Supersedes(*level))));
        }
        if is_for_all(channel, *level, promotion) {
            found.extend(lost_in(channel, *level).map(|hotfix| (hotfix, Kept::NotFoldedInto(*level))));
        }
    }
    found.retain(|(level, _)| channel.levels.contains_key(level));
    found
}

/// The highest level that carries something which none that stays carries.
fn carriers(kept: &Reasons, carried: &[Carried]) -> Vec<(Level, Kept)> {
    let stays = |level: &Level| kept.contains_key(level);
    let lost = carried.iter().filter(|it| it.level.as_ref().is_none_or(stays) && !it.by.iter().any(stays));
    lost.filter_map(|it| Some((*it.by.last()?, Kept::Carries(it.level)))).collect()
}

/// The levels that take the place of one, in ascending order.
fn superseding(channel: &Channel, level: Level) -> Vec<Level> {
    let takes = |(higher, promotion): &(&Level, &Promotion)| {
        **higher > level && promotion.supersedes.contains(&level) && is_for_all(channel, **higher, promotion)
    };
    channel.levels.iter().filter(takes).map(|(higher, _)| *higher).collect()
}

/// Hotfixes below a level that it doesn't hold.
fn lost_in(channel: &Channel, level: Level) -> impl Iterator<Item = Level> {
    let hotfixes = channel.levels.range(..level).filter(|(_, promotion)| promotion.is_hotfix());
    let lost =
        move |hotfix: &Level| matches!(channel.barred(Some(*hotfix), level), Some(Barred::LosesHotfix(_)));
    hotfixes.map(|(hotfix, _)| *hotfix).filter(lost)
}

/// Levels without which somebody would be stranded who isn't now.
fn steps(
    channel: &Channel,
    kept: &Reasons,
    reported: &BTreeSet<Level>,
    from: &impl Fn(Level) -> Option<Level>,
) -> Vec<(Level, Kept)> {
    let installed: BTreeSet<Level> = channel.levels.keys().chain(reported).copied().collect();
    let left = |channel: &Channel| -> BTreeSet<Level> {
        stranded(channel, installed.iter().copied(), from).into_iter().collect()
    };
    let before = left(channel);
    let going: BTreeSet<Level> =
        channel.levels.keys().filter(|level| !kept.contains_key(level)).copied().collect();
    if left(&channel.without(&going)).is_subset(&before) {
        return Vec::new();
    }
    let (mut gone, mut found) = (BTreeSet::new(), Vec::new());
    for level in going {
        gone.insert(level);
        if !left(&channel.without(&gone)).is_subset(&before) {
            gone.remove(&level);
            found.push((level, Kept::Step));
        }
    }
    found
}

impl Channel {
    /// The channel without levels that were pruned, and with the mark up to which levels are gone.
    #[must_use]
    pub fn without(&self, gone: &BTreeSet<Level>) -> Self {
        let mut channel = self.clone();
        channel.levels.retain(|level, _| !gone.contains(level));
        channel.withdrawn.retain(|level, _| !gone.contains(level));
        channel.pruned_through = channel.pruned_through.max(gone.last().copied());
        channel
    }

    /// True for a level that isn't promoted and that may have been, before it was pruned.
    pub fn may_be_pruned(&self, level: Level) -> bool {
        Some(level) <= self.pruned_through && !self.levels.contains_key(&level)
    }

    /// True if an organization's data planes may run this content: it is promoted to them as this level, or may have been
    /// before the level was pruned. What else they report nobody gave them.
    pub fn was_promoted_to(&self, organization: &Organization, installed: LevelDigest) -> bool {
        match self.levels.get(&installed.level) {
            Some(promotion) => promotion.sha256 == installed.sha256 && promotion.is_for(organization),
            None => self.may_be_pruned(installed.level),
        }
    }
}
