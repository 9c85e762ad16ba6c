//! What was learned about registries; it lives as long as the client that it was learned with.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pdp_policies::Digest;
use reqwest::Method;
use reqwest::header::HeaderValue;

use super::pace::Pace;

/// So many grants, and so many registries, are kept at the most.
const MOST: usize = 1024;
/// So many blobs are known at the most.
const MOST_BLOBS: usize = 16_384;

/// Grants, paces and limits of registries.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    grants: Mutex<HashMap<Key, Grant>>,
    paces: Mutex<HashMap<String, Pace>>,
    /// The largest body that a registry took where it refused larger ones (bytes).
    pieces: Mutex<HashMap<String, u64>>,
    /// A repository of a registry that has a blob.
    blobs: Mutex<HashMap<(String, Digest), String>>,
    /// Held by whoever logs in, so that many requests at once log in once.
    pub(super) logging_in: tokio::sync::Mutex<()>,
}

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Access {
    Pull,
    Push,
}

impl Access {
    pub(super) fn of(method: &Method) -> Self {
        if method == Method::GET || method == Method::HEAD { Self::Pull } else { Self::Push }
    }

    /// As a registry's scope names it.
    pub(super) fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// What a grant is for: one login at one repository of one registry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) origin: String,
    pub(super) repository: String,
    /// Tells logins apart, none for nobody's.
    pub(super) login: Option<Digest>,
    pub(super) access: Access,
}

/// An `Authorization` that the registry takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) value: HeaderValue,
    /// None as long as nobody takes it back.
    pub(super) until: Option<Instant>,
    /// Why the login wasn't used for it, if there was one.
    pub(super) without_login: Option<String>,
}

impl Memory {
    /// A grant that is still good at `now`; one that may push may pull.
    pub(super) fn grant(&self, key: &Key, now: Instant) -> Option<Grant> {
        let grants = lock(&self.grants);
        let push = Key { access: Access::Push, ..key.clone() };
        let good = |key: &Key| grants.get(key).filter(|grant| grant.until.is_none_or(|until| now < until));
        good(key).or_else(|| good(&push)).cloned()
    }

    pub(super) fn keep_grant(&self, key: Key, grant: Grant, now: Instant) {
        let mut grants = lock(&self.grants);
        if grants.len() >= MOST {
            grants.retain(|_, grant| grant.until.is_some_and(|until| now < until));
        }
        if grants.len() >= MOST {
            grants.clear();
        }
        grants.insert(key, grant);
    }

    /// How long to wait before the next request to this registry; the request is counted.
    pub(super) fn reserve(&self, origin: &str, now: Instant) -> Duration {
        lock(&self.paces).get_mut(origin).map_or(Duration::ZERO, |pace| pace.reserve(now))
    }

    /// The registry wants fewer requests, and none before `until`, if it named a time.
    pub(super) fn slow_down(&self, origin: &str, now: Instant, until: Option<Instant>) {
        entry(&mut lock(&self.paces), origin.to_owned(), MOST).slow_down(now, until);
    }

    /// A request went well.
    pub(super) fn went_well(&self, origin: &str) {
        if let Some(pace) = lock(&self.paces).get_mut(origin) {
            pace.went_well();
        }
    }

    pub(super) fn piece(&self, origin: &str) -> Option<u64> {
        lock(&self.pieces).get(origin).copied()
    }

    pub(super) fn keep_piece(&self, origin: &str, piece: u64) {
        *entry(&mut lock(&self.pieces), origin.to_owned(), MOST) = piece;
    }

    /// The path of another repository of the registry that has the blob, if one was seen.
    pub(super) fn elsewhere(&self, origin: &str, digest: &Digest, here: &str) -> Option<String> {
        let found = lock(&self.blobs).get(&(origin.to_owned(), *digest)).cloned();
        found.filter(|path| path != here)
    }

    pub(super) fn keep_blob(&self, origin: String, digest: Digest, path: String) {
        *entry(&mut lock(&self.blobs), (origin, digest), MOST_BLOBS) = path;
    }
}

fn entry<K: Eq + Hash, T: Default>(all: &mut HashMap<K, T>, key: K, most: usize) -> &mut T {
    if all.len() >= most {
        all.clear();
    }
    all.entry(key).or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(repository: &str, login: &[u8], access: Access) -> Key {
        let (origin, login) = ("https://registry.example".into(), Some(Digest::of(login)));
        Key { origin, repository: repository.into(), login, access }
    }

    #[test]
    fn a_grant_is_for_its_login_repository_and_access_until_it_ends() {
        let (memory, now) = (Memory::default(), Instant::now());
        let until = Some(now + Duration::from_secs(60));
        let grant = Grant { value: HeaderValue::from_static("Bearer x"), until, without_login: None };
        memory.keep_grant(key("a", b"1", Access::Push), grant, now);
        for (wanted, later, found) in [
            (key("a", b"1", Access::Push), 0, true),
            (key("a", b"1", Access::Pull), 59, true),
            (key("a", b"1", Access::Push), 60, false),
            (key("a", b"2", Access::Push), 0, false),
            (key("b", b"1", Access::Push), 0, false),
        ] {
            let found_it = memory.grant(&wanted, now + Duration::from_secs(later)).is_some();
            assert_eq!(found_it, found, "{wanted:?} {later}");
        }
    }

    #[test]
    fn a_blob_is_elsewhere_in_another_repository_of_the_same_registry() {
        let (memory, blob) = (Memory::default(), Digest::of(b"layer"));
        memory.keep_blob("https://a.example".into(), blob, "team/base".into());
        for (origin, digest, here, found) in [
            ("https://a.example", blob, "team/app", Some("team/base")),
            ("https://a.example", blob, "team/base", None),
            ("https://b.example", blob, "team/app", None),
            ("https://a.example", Digest::of(b"other"), "team/app", None),
        ] {
            assert_eq!(memory.elsewhere(origin, &digest, here).as_deref(), found, "{origin} {here}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (memory, now) = (Memory::default(), Instant::now());
        for n in 0..3 * MOST {
            let grant =
                Grant { value: HeaderValue::from_static("Bearer x"), until: None, without_login: None };
            memory.keep_grant(key(&n.to_string(), b"1", Access::Pull), grant, now);
            memory.keep_piece(&n.to_string(), 1);
            memory.slow_down(&n.to_string(), now, None);
        }
        assert!(lock(&memory.grants).len() <= MOST && lock(&memory.pieces).len() <= MOST);
        assert!(lock(&memory.paces).len() <= MOST);
        for n in 0..=MOST_BLOBS {
            memory.keep_blob(String::new(), Digest::of(&n.to_le_bytes()), String::new());
        }
        assert!(lock(&memory.blobs).len() <= MOST_BLOBS);
    }
}
