//! Moving a branch by compare-and-swap, and what the host says when it refuses.

use std::cell::{Cell, RefCell};

use git2::{Oid, PushOptions, PushUpdate, RemoteCallbacks};

use super::failure::failed;
use super::host::Service;
use super::remote::{CommitId, Remote};
use super::words::words;
use crate::error::{Error, Kind, Result};
use crate::http;
use crate::runtime::block_on;

/// A push is sent so often at the most.
const TRIES: u32 = 3;
/// More of a host's words isn't kept (bytes).
const MOST_WORDS: usize = 4096;

/// What came of a push.
#[derive(Default)]
struct Outcome {
    moved: Cell<bool>,
    rejected: RefCell<Option<String>>,
    said: RefCell<Vec<u8>>,
}

impl Remote {
    /// Moves `branch` from `expected` to `new`; none means that it doesn't exist before, or after. When the connection
    /// breaks, the branch says whether the host did it.
    ///
    /// # Errors
    /// `BranchMoved` when the branch isn't at `expected`; nothing was changed then. `GitRefused`, with the words of
    /// the host; what requests can end with.
    pub fn push(&self, branch: &str, expected: Option<CommitId>, new: Option<CommitId>) -> Result<()> {
        for tries in 1.. {
            let broke = match self.push_once(branch, expected, new) {
                Err(error) if error.kind == Kind::Unreachable && tries < TRIES => error,
                Err(error) => return Err(error),
                Ok(()) => break,
            };
            block_on(async { tokio::time::sleep(http::pause(tries)).await })?;
            let Ok(now) = self.head(branch) else { return Err(broke) };
            if now == new {
                break;
            }
        }
        self.remember(branch, new)
    }

    fn push_once(&self, branch: &str, expected: Option<CommitId>, new: Option<CommitId>) -> Result<()> {
        let what = format!("push to {} ({branch})", self.shown());
        let outcome = Outcome::default();
        let sent = self.run(&what, || self.send(branch, expected, new, &outcome));
        if outcome.moved.get() {
            return Err(Error::new(Kind::BranchMoved, what, "it is no longer where it was read"));
        }
        let said = words(&outcome.said.borrow());
        let with_words = |cause: String| match said.as_str() {
            "" => cause,
            said => format!("{cause}; the host says: {said}"),
        };
        sent.map_err(|error| Error { cause: with_words(error.cause), ..error })?;
        if let Some(status) = outcome.rejected.into_inner() {
            return Err(Error::new(rejection(&status), what, with_words(words(status.as_bytes()))));
        }
        Ok(())
    }

    /// Where the branch is now, none if there is none.
    fn head(&self, branch: &str) -> Result<Option<CommitId>> {
        Ok(self.look(Service::UploadPack, branch)?.head(branch).map(CommitId))
    }

    /// Asks whether this login may push to this repository. Branches that are protected say so only when they are
    /// pushed to. Nothing is written.
    ///
    /// # Errors
    /// `LoginNeeded`, which names the right that is missing, and what requests can end with.
    pub fn may_push(&self) -> Result<()> {
        self.look(Service::ReceivePack, "\0").map(|_| ())
    }

    fn send(
        &self,
        branch: &str,
        expected: Option<CommitId>,
        new: Option<CommitId>,
        outcome: &Outcome,
    ) -> std::result::Result<(), git2::Error> {
        // libgit2 reads which commits have no parents here when it opens a repository, and not again after a fetch.
        let repository = git2::Repository::open(self.cache.repository.path())?;
        let target = format!("refs/heads/{branch}");
        let refspec = match new {
            Some(commit) => {
                repository.reference(&target, commit.0, true, "push")?;
                format!("+{target}:{target}")
            }
            None => format!(":{target}"),
        };
        let mut callbacks = RemoteCallbacks::new();
        // The host compares the old id that is sent here, so this check and its own make the swap atomic.
        callbacks.push_negotiation(|updates| {
            let seen = updates.first().map_or(Oid::ZERO_SHA1, PushUpdate::src);
            outcome.moved.set(seen != expected.map_or(Oid::ZERO_SHA1, |commit| commit.0));
            if outcome.moved.get() { Err(git2::Error::from_str("the branch moved")) } else { Ok(()) }
        });
        callbacks.push_update_reference(|_, status| {
            *outcome.rejected.borrow_mut() = status.map(str::to_owned);
            Ok(())
        });
        callbacks.sideband_progress(|said| {
            let mut kept = outcome.said.borrow_mut();
            let room = MOST_WORDS.saturating_sub(kept.len());
            kept.extend(said.iter().take(room));
            true
        });
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks);
        repository.remote_anonymous(&self.address())?.push(&[&refspec], Some(&mut options))
    }

    /// What was pushed needn't be fetched.
    fn remember(&self, branch: &str, new: Option<CommitId>) -> Result<()> {
        let name = format!("refs/remotes/origin/{branch}");
        let repository = &self.cache.repository;
        let noted = match new {
            Some(commit) => repository.reference(&name, commit.0, true, "push").map(|_| ()),
            None => repository.find_reference(&name).and_then(|mut found| found.delete()).or(Ok(())),
        };
        noted.map_err(|e| failed(Kind::GitRefused, "note what was pushed", &e))
    }
}

/// A host that lost the race says so in its own words.
fn rejection(status: &str) -> Kind {
    let raced = ["failed to update ref", "cannot lock", "fetch first", "already exists", "stale info"];
    if raced.iter().any(|word| status.contains(word)) { Kind::BranchMoved } else { Kind::GitRefused }
}
