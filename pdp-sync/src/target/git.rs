//! The customer's repository: what stands there, and moving it by compare-and-swap.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{At, Digest, Obstacle, ObstacleCode};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::git::{Author, Change, CommitId, Remote};
use pdp_transport::{Error, Kind};

use super::{Alive, Found, Images, Preflight, Progress, Tidied, git_apply, meaning};
use crate::crd::Signatures;
use crate::endpoints::Endpoints;
use crate::preflight::{self, Trouble};
use crate::render::{self, Files, Place};
use crate::state::State;
use crate::subscription::{Probe, Subscription, Target};
use crate::time::Clock;

/// Our part of the repository may not be larger (bytes).
const MAX_TARGET_BYTES: u64 = 16 * 1024 * 1024;
/// Someone else may push at the same moment this often.
const TRIES: u32 = 5;

/// The customer's repository.
#[derive(Debug)]
pub(crate) struct GitTarget<'a> {
    endpoints: &'a Endpoints,
    signatures: Signatures,
    probe: Option<&'a Probe>,
    remote: Remote,
    branch: &'a str,
    pub(crate) place: Place<'a>,
}

/// Our folder at one commit.
#[derive(Debug)]
pub(crate) struct Head {
    commit: Option<CommitId>,
    /// Files by their full path.
    pub(crate) files: Files,
}

impl<'a> GitTarget<'a> {
    pub(crate) fn open(
        subscription: &'a Subscription,
        endpoints: &'a Endpoints,
        cache: &Path,
    ) -> Result<Self> {
        let (Target::Git { path, .. }, Some(endpoint)) = (&subscription.spec.target, &endpoints.target)
        else {
            return Err(internal("a cluster's subscription has no repository"));
        };
        let remote = Remote::open(&endpoint.url, cache, endpoint.options.clone())?;
        let place = Place { path, namespace: &subscription.metadata.namespace };
        let (signatures, probe) = (subscription.spec.signatures, subscription.spec.probe.as_ref());
        Ok(Self { endpoints, signatures, probe, remote, branch: &endpoint.branch, place })
    }

    /// The files of what is installed, as this pdp-sync writes them.
    fn installed(&self, state: &State) -> Files {
        let record = state.record.as_ref().filter(|record| matches!(record.phase(), Phase::Done {}));
        record.map(|record| git_apply::all_files(self.place, record)).unwrap_or_default()
    }

    /// What somebody else changed in what was written, or put where `ours` would go.
    pub(crate) fn foreign(&self, head: &Head, ours: &Files, state: &State) -> Vec<Obstacle> {
        foreign(&head.files, ours, &self.installed(state), &state.written)
    }

    pub(crate) fn head(&self) -> Result<Head> {
        let commit = self.remote.fetch_or_first(self.branch)?;
        let below = match commit {
            Some(commit) => self.remote.files(commit, self.place.path, MAX_TARGET_BYTES)?,
            None => Vec::new(),
        };
        let files = below.into_iter().map(|(path, content)| (format!("{}/{path}", self.place.path), content));
        Ok(Head { commit, files: files.collect() })
    }

    /// Makes the repository hold `wanted` (none: no such file); no commit if it does already. True if it wrote.
    ///
    /// Other people's files are left alone. A branch that moved meanwhile is read again.
    pub(crate) fn write(
        &self,
        wanted: &BTreeMap<String, Option<Vec<u8>>>,
        message: &str,
        now: At,
    ) -> Result<bool> {
        let author = Author { name: "pdp-sync".into(), email: "pdp-sync@updates.pdp.wso2.com".into() };
        for _ in 1..TRIES {
            let head = self.head()?;
            let changes = changes(&head.files, wanted, self.place);
            if changes.is_empty() {
                return Ok(false);
            }
            let commit = self.remote.commit(head.commit, &changes, message, &author, now.unix(), None)?;
            match self.remote.push(self.branch, head.commit, Some(commit)) {
                Err(error) if error.kind == Kind::BranchMoved => {}
                outcome => return Ok(outcome.map(|()| true)?),
            }
        }
        Err(Error::new(Kind::BranchMoved, self.remote.shown(), "others keep pushing at the same time").into())
    }
}

impl super::Target for GitTarget<'_> {
    /// Edits by others in what we wrote. Only files that pdp-sync wrote can be edited.
    fn found(&self, state: &State) -> Result<Found> {
        if state.written.is_empty() {
            return Ok(Found::default());
        }
        let obstacles = self.foreign(&self.head()?, &Files::new(), state);
        Ok(Found { obstacles, ..Found::default() })
    }

    fn preflight(
        &self,
        state: &State,
        catalog: &Verified<Catalog>,
        record: &DecisionRecord,
        images: &Images<'_>,
    ) -> Result<Preflight> {
        let endpoint = &self.endpoints.artifacts;
        // Whoever may not push must not count as having begun.
        if let Err(error) = self.remote.may_push() {
            return Ok(Preflight::Trouble(Trouble::Unavailable(error)));
        }
        if let Err(trouble) = preflight::artifacts(endpoint, self.signatures, catalog, record, None)? {
            return Ok(Preflight::Trouble(trouble));
        }
        let ours = git_apply::all_files(self.place, record);
        let mut obstacles = self.foreign(&self.head()?, &ours, state);
        obstacles.extend(images()?);
        Ok(if obstacles.is_empty() { Preflight::Ready } else { Preflight::Blocked(obstacles) })
    }

    fn carry_on(&self, state: &mut State, clock: &Clock, alive: &Alive<'_>) -> Result<Progress> {
        git_apply::carry_on(state, self, self.probe, clock, alive).map(Progress::Ended)
    }

    /// A person's edit of a file is respected: nothing is put right.
    fn tidy(&self, _: &State) -> Result<Tidied> {
        Ok(Tidied::default())
    }

    fn clear(&self, _: &State) -> Result<()> {
        Ok(())
    }

    /// The customer gives Flux its keys.
    fn trust(&self, _: &State, _: &Verified<Catalog>) -> Result<()> {
        Ok(())
    }
}

/// What to change so that `wanted` holds; the list of files follows along.
pub(crate) fn changes(
    head: &Files,
    wanted: &BTreeMap<String, Option<Vec<u8>>>,
    place: Place<'_>,
) -> Vec<Change> {
    let differs = |(path, content): &(&String, &Option<Vec<u8>>)| head.get(*path) != content.as_ref();
    let mut changes: Vec<_> = wanted
        .iter()
        .filter(differs)
        .map(|(path, content)| Change { path: path.clone(), content: content.clone() })
        .collect();
    if changes.is_empty() {
        return changes;
    }
    let mut after: BTreeSet<_> = head.keys().cloned().collect();
    for change in &changes {
        match change.content {
            Some(_) => after.insert(change.path.clone()),
            None => after.remove(&change.path),
        };
    }
    let (path, content) = render::list(place, &after.into_iter().collect::<Vec<_>>());
    if head.get(&path) != Some(&content) {
        changes.push(Change { path, content: Some(content) });
    }
    changes
}

/// Files of ours that hold something which pdp-sync didn't write: a person's edit is respected. `told` is what was written
/// there, as far as it is known, to say what differs.
fn foreign(
    head: &Files,
    ours: &Files,
    told: &Files,
    written: &BTreeMap<String, BTreeSet<Digest>>,
) -> Vec<Obstacle> {
    let edited = |path: &String| -> Option<&'static str> {
        let known = written.get(path);
        let Some(content) = head.get(path) else { return known.map(|_| "was deleted") };
        let marks = meaning::marks(content);
        let is = |known: &BTreeSet<Digest>| known.intersection(&marks).next().is_some();
        match known {
            Some(known) if is(known) => None,
            _ if ours.get(path).is_some_and(|content| is(&meaning::marks(content))) => None,
            Some(_) => Some("was edited"),
            None => Some("belongs to someone else"),
        }
    };
    let paths: BTreeSet<_> = ours.keys().chain(written.keys()).collect();
    let found = paths.into_iter().filter_map(|path| Some((path, edited(path)?)));
    let obstacle = |(path, how): (&String, &str)| {
        let code = match how {
            "belongs to someone else" => ObstacleCode::ForeignOwner,
            _ => ObstacleCode::HeldByEdit,
        };
        let known = |content: &&Vec<u8>| {
            let marks = meaning::marks(content);
            written.get(path).is_some_and(|known| known.intersection(&marks).next().is_some())
        };
        let differences = told.get(path).filter(known).zip(head.get(path));
        let differences = differences.and_then(|(ours, theirs)| meaning::differences(ours, theirs));
        let differences = differences.map_or_else(String::new, |all| format!(" ({})", all.join(", ")));
        Obstacle::new(
            code,
            None,
            format!("`{path}` {how}{differences}; put it back, or take it out of the way"),
        )
    };
    found.map(obstacle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn an_edit_a_deletion_and_a_stranger_each_hold() {
        let ours =
            files(&[("p/a.yaml", "new"), ("p/b.yaml", "new"), ("p/c.yaml", "new"), ("p/d.yaml", "new")]);
        let old = BTreeSet::from([Digest::of(b"old")]);
        let written = BTreeMap::from([
            ("p/a.yaml".to_owned(), old.clone()),
            ("p/b.yaml".to_owned(), old.clone()),
            ("p/d.yaml".to_owned(), old),
        ]);
        let head = files(&[("p/a.yaml", "old"), ("p/b.yaml", "mine"), ("p/c.yaml", "stranger")]);
        let told = files(&[("p/b.yaml", "old")]);
        let found: Vec<_> =
            foreign(&head, &ours, &told, &written).into_iter().map(|o| (o.code, o.detail)).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].0 == ObstacleCode::HeldByEdit
                && found[0].1.contains("p/b.yaml` was edited (: \"old\" -> \"mine\")")
        );
        assert!(found[1].0 == ObstacleCode::ForeignOwner && found[1].1.contains("p/c.yaml"));
        assert!(found[2].0 == ObstacleCode::HeldByEdit && found[2].1.contains("was deleted"));
    }

    #[test]
    fn nothing_changes_when_nothing_differs_and_strangers_stay() {
        let place = Place { path: "p", namespace: "flux-system" };
        let wanted = BTreeMap::from([("p/a/x.yaml".to_owned(), Some(b"1".to_vec()))]);
        let first = changes(&files(&[("p/theirs.yaml", "t")]), &wanted, place);
        let paths: Vec<_> = first.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(paths, ["p/a/x.yaml", "p/kustomization.yaml"]);
        let list = String::from_utf8_lossy(first[1].content.as_deref().unwrap_or_default()).into_owned();
        let head = files(&[("p/theirs.yaml", "t"), ("p/a/x.yaml", "1"), ("p/kustomization.yaml", &list)]);
        assert!(changes(&head, &wanted, place).is_empty());
    }
}
