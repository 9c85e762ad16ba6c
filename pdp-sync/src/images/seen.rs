//! What was settled of the images of one level, so that it isn't asked for again. All of it may be lost.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pdp_policies::Digest;

use super::places::Pulled;

/// Of one subscription, and of one level: a release is of bounded size, and so is this.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Level>);

#[derive(Debug, Default)]
struct Level {
    sha256: Option<Digest>,
    settled: BTreeSet<Pulled>,
    /// Hosts that were told to be out of reach.
    told: BTreeSet<String>,
}

impl Seen {
    /// Those of the level's images that aren't settled.
    pub(super) fn open(&self, level: Digest, all: &BTreeSet<Pulled>) -> BTreeSet<Pulled> {
        let mut known = self.lock();
        if known.sha256 != Some(level) {
            *known = Level { sha256: Some(level), ..Level::default() };
        }
        known.settled.retain(|image| all.contains(image));
        all.difference(&known.settled).cloned().collect()
    }

    pub(super) fn settled(&self, level: Digest, images: BTreeSet<Pulled>) {
        let mut known = self.lock();
        if known.sha256 == Some(level) {
            known.settled.extend(images);
        }
    }

    /// True when a host is told of for the first time.
    pub(super) fn is_first(&self, host: &str) -> bool {
        self.lock().told.insert(host.to_owned())
    }

    /// Everything is asked for anew.
    pub(crate) fn forget(&self) {
        *self.lock() = Level::default();
    }

    fn lock(&self) -> MutexGuard<'_, Level> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_level_is_remembered_and_what_it_no_longer_names_is_not() {
        let image = |name: &str| Pulled {
            repository: format!("q.io/{name}").parse().unwrap(),
            digest: Digest::of(name.as_bytes()),
        };
        let set = |names: &[&str]| names.iter().map(|name| image(name)).collect::<BTreeSet<_>>();
        let (seen, first, second) = (Seen::default(), Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(seen.open(first, &set(&["a", "b"])), set(&["a", "b"]));
        seen.settled(first, set(&["a"]));
        assert_eq!(seen.open(first, &set(&["a", "b"])), set(&["b"]));
        assert_eq!(seen.open(first, &set(&["b"])), set(&["b"]));
        assert_eq!(seen.open(first, &set(&["a"])), set(&["a"]), "it is kept no longer than it is named");
        seen.settled(first, set(&["a"]));
        assert_eq!(seen.open(second, &set(&["a"])), set(&["a"]), "another level is asked for anew");
        seen.settled(first, set(&["a"]));
        assert_eq!(seen.open(second, &set(&["a"])), set(&["a"]));
        assert!(seen.is_first("q.io") && !seen.is_first("q.io"));
    }
}
