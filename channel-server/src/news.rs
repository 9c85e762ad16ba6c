//! Who is woken by what: a poll that waits for news sleeps on through the news of other rings.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use pdp_policies::Ring;
use pdp_policies::rollout::{HaltScope, RolloutEvent as R};
use tokio::sync::watch;

use crate::event::Event;

/// Counts news: of everybody, and of each ring.
#[derive(Debug)]
pub(crate) struct News {
    all: watch::Sender<u64>,
    rings: Mutex<HashMap<Ring, watch::Sender<u64>>>,
}

/// What one poll listens to.
#[derive(Debug)]
pub(crate) struct Listener {
    all: watch::Receiver<u64>,
    ring: watch::Receiver<u64>,
}

/// Whom an event concerns, beyond the one that asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Concerned<'a> {
    Nobody,
    Ring(&'a Ring),
    Everybody,
}

impl News {
    pub(crate) fn new() -> Self {
        Self { all: watch::Sender::new(0), rings: Mutex::default() }
    }

    /// Listens to what concerns a ring. Whoever is moved to another ring is woken by that.
    pub(crate) fn listen(&self, ring: &Ring) -> Listener {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = rings.entry(ring.clone()).or_insert_with(|| watch::Sender::new(0)).subscribe();
        Listener { all: self.all.subscribe(), ring }
    }

    /// Wakes whom the events concern.
    pub(crate) fn tell(&self, events: &[Event]) {
        for event in events {
            match concerned(event) {
                Concerned::Nobody => {}
                Concerned::Everybody => self.all.send_modify(|count| *count += 1),
                Concerned::Ring(ring) => {
                    let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(news) = rings.get(ring) {
                        news.send_modify(|count| *count += 1);
                    }
                }
            }
        }
    }
}

impl Listener {
    /// What was told until now is no news any more.
    pub(crate) fn forget(&mut self) {
        self.all.mark_unchanged();
        self.ring.mark_unchanged();
    }

    /// Comes back with the next news.
    pub(crate) async fn news(&mut self) {
        tokio::select! { _ = self.all.changed() => {}, _ = self.ring.changed() => {} }
    }
}

fn concerned(event: &Event) -> Concerned<'_> {
    match event {
        Event::OrganizationSet { .. }
        | Event::RingOverridden { .. }
        | Event::CatalogFollowed { .. }
        | Event::EverythingHalted { .. }
        | Event::EverythingResumed { .. } => Concerned::Everybody,
        Event::Rollout { event, .. } => match event {
            R::RingOpened { ring } => Concerned::Ring(ring),
            R::Halted { scope, .. } | R::Resumed { scope, .. } => match scope {
                HaltScope::Ring { ring } => Concerned::Ring(ring),
                HaltScope::Rollout {} | HaltScope::Organization { .. } => Concerned::Everybody,
            },
            R::Paused { .. } | R::Continued { .. } | R::Retried { .. } => Concerned::Everybody,
            _ => Concerned::Nobody,
        },
        _ => Concerned::Nobody,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::{Digest, Level};

    use super::*;

    #[tokio::test]
    async fn a_ring_sleeps_through_the_news_of_another() {
        let (news, [canary, early]) =
            (News::new(), ["canary", "early"].map(|name| name.parse::<Ring>().unwrap()));
        let (mut one, mut other) = (news.listen(&canary), news.listen(&early));
        let opened = R::RingOpened { ring: canary };
        let line = "pdp-2026".parse().unwrap();
        news.tell(&[Event::of_rollout(&line, Level(42), Digest::of(b"42"), opened)]);
        one.news().await;
        assert!(!other.ring.has_changed().unwrap() && !other.all.has_changed().unwrap());
        news.tell(&[Event::CatalogFollowed { channels: 2, targets: 1 }]);
        other.news().await;
        one.news().await;
    }
}
