//! Which data planes are open to what, by when it has to be fixed, and what helps most. Pure.

mod judged;
mod lineage;
mod merged;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::release::{Advisory, Release, ReleaseKind};
use pdp_policies::{At, Channel, Digest, Level};
use pdp_transport::channel_server::DataPlaneView;
use pdp_transport::cli::exit;
use serde::Serialize;

pub(crate) use judged::NotJudged;
pub(crate) use lineage::Lineage;
pub(crate) use text::text;

use crate::advisories::Told;

/// What is said of all data planes.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exposure {
    pub(crate) exposed: Vec<Exposed>,
    /// Nobody knows of these whether they are open to anything.
    pub(crate) not_judged: Vec<NotJudged>,
}

impl Exposure {
    /// The exit code. Whoever isn't judged may be past a deadline, too: that isn't "done".
    pub(crate) fn exit(&self) -> u8 {
        let overdue = self.exposed.iter().flat_map(|it| &it.open).any(|it| it.overdue);
        match (overdue, self.not_judged.is_empty()) {
            (true, _) => exit::NEGATIVE,
            (false, false) => exit::NOT_JUDGED,
            (false, true) => exit::DONE,
        }
    }
}

/// A data plane that is open to something.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exposed {
    /// `organization/data plane`.
    pub(crate) data_plane: String,
    pub(crate) level: Level,
    /// What is due first stands first.
    pub(crate) open: Vec<Open>,
    /// The promoted level with the greatest net reduction; none if no level helps.
    pub(crate) best: Option<Best>,
}

/// One advisory that it is open to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Open {
    #[serde(flatten)]
    pub(crate) told: Told,
    /// By when the vendor promises that it is fixed.
    pub(crate) due: At,
    pub(crate) overdue: bool,
    /// The lowest promoted level that helps; none as long as nobody promoted one.
    pub(crate) fixed_by: Option<Level>,
}

impl Open {
    fn id(&self) -> &str {
        &self.told.advisory.id
    }
}

/// What a level would change there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Best {
    pub(crate) level: Level,
    pub(crate) fixes: Vec<String>,
    /// To what it would be open that it isn't now: never hidden behind what is fixed.
    pub(crate) introduces: Vec<String>,
}

/// All that is published of a line, and what of it is promoted.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    releases: &'a [(Release, Digest)],
    channel: &'a Channel,
    /// As all levels together have them.
    advisories: BTreeMap<String, Advisory>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(releases: &'a [(Release, Digest)], channel: &'a Channel) -> Self {
        Self { releases, channel, advisories: merged::merged(releases) }
    }

    /// True if a level names an advisory, by its id or a CVE id.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.advisories.values().any(|it| it.is_called(name))
    }

    /// What a level is open to: what none of the levels that it is made of fixes.
    pub(crate) fn open_at(&self, level: Level) -> BTreeSet<String> {
        let lineage = Lineage::of(level, self.releases);
        let fixed: BTreeSet<_> =
            lineage.releases().flat_map(|it| &it.advisories).map(|it| it.id.as_str()).collect();
        // Where the level that introduced it was pruned, nobody knows who is made of it.
        let pruned = |first: Level| self.releases.iter().all(|(release, _)| release.level != first);
        let has = |first: Level| lineage.has(first) || (first <= level && pruned(first));
        let affected = |it: &&Advisory| it.introduced_in.is_none_or(has);
        let open = self.advisories.values().filter(|it| !fixed.contains(it.id.as_str())).filter(affected);
        open.map(|it| it.id.clone()).collect()
    }

    /// Promoted levels above one that everybody may have.
    fn above(&self, level: Level) -> impl Iterator<Item = Level> {
        let for_all = |level: Level| {
            let release = self.releases.iter().find(|(release, _)| release.level == level);
            release.is_some_and(|(release, _)| release.kind != ReleaseKind::Hotfix)
        };
        let higher = self.channel.levels.keys().copied().filter(move |it| *it > level);
        higher.filter(move |it| !self.channel.withdrawn.contains_key(it) && for_all(*it))
    }

    fn best(&self, level: Level, open: &BTreeSet<String>) -> Option<Best> {
        let helps = self.above(level).map(|higher| {
            let then = self.open_at(higher);
            let names =
                |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect();
            Best { level: higher, fixes: names(open, &then), introduces: names(&then, open) }
        });
        let net = |it: &Best| it.fixes.len() as i64 - it.introduces.len() as i64;
        helps.filter(|it| net(it) > 0).max_by_key(|it| (net(it), it.level))
    }

    fn open(&self, id: &str, level: Level, now: At) -> Option<Open> {
        let advisory = self.advisories.get(id)?;
        let due = advisory.confirmed_at.plus(advisory.severity.patience());
        Some(Open {
            told: Told::of(advisory),
            due,
            overdue: now > due,
            fixed_by: self.above(level).find(|higher| !self.open_at(*higher).contains(id)),
        })
    }
}

/// Those that are open to anything, or to `only`, what is due first first; and those of which that can't be said. One that is
/// shut out is nobody's any more.
pub(crate) fn exposure(known: &Known<'_>, planes: &[DataPlaneView], only: Option<&str>, now: At) -> Exposure {
    let mut all = Exposure::default();
    for plane in planes.iter().filter(|plane| plane.revoked.is_none()) {
        match judged::level(known.releases, plane) {
            Ok(level) => all.exposed.extend(one(known, plane, level, only, now)),
            Err(reason) => all.not_judged.push(NotJudged { data_plane: name(plane), reason }),
        }
    }
    all.exposed.sort_by(|one, other| {
        (one.open[0].due, &one.data_plane).cmp(&(other.open[0].due, &other.data_plane))
    });
    all.not_judged.sort_by(|one, other| one.data_plane.cmp(&other.data_plane));
    all
}

fn one(
    known: &Known<'_>,
    plane: &DataPlaneView,
    level: Level,
    only: Option<&str>,
    now: At,
) -> Option<Exposed> {
    let all = known.open_at(level);
    let mut open: Vec<_> = all.iter().filter_map(|id| known.open(id, level, now)).collect();
    open.retain(|it| only.is_none_or(|only| it.told.advisory.is_called(only)));
    open.sort_by(|one, other| (one.due, one.id()).cmp(&(other.due, other.id())));
    (!open.is_empty()).then(|| Exposed {
        data_plane: name(plane),
        level,
        best: known.best(level, &all),
        open,
    })
}

fn name(plane: &DataPlaneView) -> String {
    format!("{}/{}", plane.organization, plane.data_plane)
}
