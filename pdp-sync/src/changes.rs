//! What the watches saw. What was read of the cluster stays true until one of them says something.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::runtime::watcher::{Error, Event};
use pdp_transport::cli::failure::Result;

/// A watch that went silent without an end is told by nobody: what was read counts for so long at most.
const MAX_AGE: Duration = Duration::from_secs(600);

/// How often any of the watches said something, and which of them see everything there is.
#[derive(Debug)]
pub(crate) struct Changes {
    watches: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    count: u64,
    up: BTreeSet<&'static str>,
}

/// Between two equal marks no watch saw a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark(u64);

impl Changes {
    /// For so many watches, none of them up yet.
    pub(crate) fn of(watches: usize) -> Self {
        Self { watches, seen: Mutex::default() }
    }

    /// A watch said something: a change, the beginning or end of its list, or that it broke off.
    pub(crate) fn saw<T>(&self, watch: &'static str, said: &std::result::Result<Event<T>, Error>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.count += 1;
        match said {
            // A change comes only over a watch that sees everything again, even if it broke off before.
            Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => drop(seen.up.insert(watch)),
            Ok(Event::Init) | Err(_) => drop(seen.up.remove(watch)),
            Ok(Event::InitApply(_)) => {}
        }
    }

    /// None while a watch is down: nobody would tell of a change.
    fn mark(&self) -> Option<Mark> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.up.len() == self.watches).then_some(Mark(seen.count))
    }
}

/// What was read last, as long as no watch has seen a change since. All of it may be lost.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<Option<Reading<T>>>);

#[derive(Debug)]
struct Reading<T> {
    mark: Mark,
    at: Instant,
    value: Arc<T>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Kept<T> {
    /// What was read last if that holds, else what `read` reads now.
    pub(crate) fn get(&self, changes: &Changes, read: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mark = changes.mark();
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |it: &&Reading<T>| Some(it.mark) == mark && it.at.elapsed() < MAX_AGE;
        if let Some(reading) = kept.as_ref().filter(holds) {
            return Ok(Arc::clone(&reading.value));
        }
        drop(kept);
        self.renew(changes, read)
    }

    /// What `read` reads now.
    pub(crate) fn renew(&self, changes: &Changes, read: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        self.forget();
        // The mark of before: a change that comes while it is read counts as one after it.
        let (mark, at) = (changes.mark(), Instant::now());
        let value = Arc::new(read()?);
        let kept = mark.map(|mark| Reading { mark, at, value: Arc::clone(&value) });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(value)
    }

    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    type Said = std::result::Result<Event<()>, Error>;

    fn up() -> Changes {
        let changes = Changes::of(2);
        for watch in ["a", "b"] {
            changes.saw::<()>(watch, &Ok(Event::Init));
            changes.saw::<()>(watch, &Ok(Event::InitDone));
        }
        changes
    }

    /// How often it is read when two passes ask for it, and a watch says `said` in between.
    fn reads(changes: &Changes, said: Vec<Said>) -> u32 {
        let (kept, mut reads) = (Kept::default(), 0);
        let ask = |reads: &mut u32| {
            let read = || {
                *reads += 1;
                Ok(*reads)
            };
            *kept.get(changes, read).unwrap()
        };
        assert_eq!(ask(&mut reads), 1);
        said.iter().for_each(|said| changes.saw("a", said));
        assert_eq!(ask(&mut reads), reads, "what is handed out is the newest");
        reads
    }

    #[test]
    fn what_was_read_holds_until_a_watch_says_something() {
        assert_eq!(reads(&up(), vec![]), 1);
        for said in [Event::Apply(()), Event::Delete(()), Event::Init, Event::InitApply(()), Event::InitDone]
        {
            let shown = format!("{said:?}");
            assert_eq!(reads(&up(), vec![Ok(said)]), 2, "{shown}");
        }
    }

    #[test]
    fn nothing_holds_while_a_watch_is_down() {
        let changes = up();
        assert_eq!(reads(&changes, vec![Err(Error::NoResourceVersion)]), 2);
        assert_eq!(reads(&changes, vec![]), 2, "it is still down");
        assert_eq!(reads(&changes, vec![Ok(Event::InitApply(()))]), 2, "not all was seen");
        changes.saw::<()>("a", &Ok(Event::Apply(())));
        assert_eq!(reads(&changes, vec![]), 1);
        assert_eq!(reads(&Changes::of(1), vec![]), 2, "it was never up");
    }

    #[test]
    fn a_change_while_it_is_read_counts_as_one_after_it() {
        let (changes, kept) = (up(), Kept::default());
        let read = || {
            changes.saw("b", &Ok(Event::Apply(())));
            Ok(1)
        };
        kept.get(&changes, read).unwrap();
        assert_eq!(*kept.get(&changes, || Ok(2)).unwrap(), 2);
    }

    #[test]
    fn what_is_forgotten_or_renewed_is_read_anew() {
        let (changes, kept) = (up(), Kept::default());
        kept.get(&changes, || Ok(1)).unwrap();
        assert_eq!(*kept.renew(&changes, || Ok(2)).unwrap(), 2);
        kept.forget();
        assert_eq!(*kept.get(&changes, || Ok(3)).unwrap(), 3);
    }
}
