//! The moves that were read last, kept so that a restart finds the new address when the old one is gone.

use pdp_policies::At;
use pdp_policies::moves::{Address, Hop, MAX_MOVES, Move, MoveKind, successors};
use serde::{Deserialize, Serialize};

/// The piece of state.
pub(crate) const MOVES: &str = "moves.json";

/// What the newest catalog said. All of it may be lost: it is read again wherever a catalog is had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remembered {
    /// The channel's moves.
    #[serde(default)]
    pub(crate) moves: Vec<Move>,
    /// Moves of the catalog that aren't listed any more, while nothing was had from the old address since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dropped: Vec<Move>,
    /// What was seen here of the successors of the catalog's address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) successors: Vec<Successor>,
}

/// A successor of the catalog's address, as this data plane knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Successor {
    pub(super) address: Address,
    /// When it was read of first.
    pub(super) first_read: At,
    /// True once it gave a fresh catalog.
    pub(super) answered: bool,
}

/// Where a catalog came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// None for the address that the subscription names.
    pub(crate) successor: Option<Address>,
    pub(crate) is_fresh: bool,
}

impl Remembered {
    /// The channel's moves, and those that were taken back. No two start at one address.
    pub(super) fn with_dropped(&self) -> Vec<Move> {
        self.moves.iter().chain(&self.dropped).cloned().collect()
    }

    /// Until when the address that a hop leaves counts. A wrong move of another kind is put right by the catalog: those
    /// end as signed.
    pub(super) fn kept_until(&self, hop: &Hop<'_>) -> At {
        let known = self.successor(&hop.to).filter(|_| hop.by.kind == MoveKind::Catalog);
        known.map_or(hop.by.until, |known| hop.by.kept_until(known.first_read))
    }

    /// True once one of them gave a fresh catalog.
    pub(super) fn has_answered(&self, hops: &[Hop<'_>]) -> bool {
        hops.iter().filter_map(|hop| self.successor(&hop.to)).any(|known| known.answered)
    }

    fn successor(&self, address: &Address) -> Option<&Successor> {
        self.successors.iter().find(|known| known.address == *address)
    }

    /// What is remembered after a catalog with these moves.
    pub(crate) fn after(&self, moves: &[Move], origin: &Origin, now: At) -> Self {
        let dropped = self.dropped_after(moves, origin, now);
        let mut after = Self { moves: moves.to_vec(), dropped, successors: Vec::new() };
        for one in after.with_dropped().into_iter().filter(|one| one.kind == MoveKind::Catalog) {
            if after.successor(&one.to).is_none() {
                after.successors.push(self.seen(one.to, origin, now));
            }
        }
        after
    }

    /// Without the dropped ones a move that was lost by mistake would leave a data plane at an address that is gone,
    /// where no correction reaches it. Those beyond an address that gives a fresh catalog are needed no more.
    fn dropped_after(&self, moves: &[Move], origin: &Origin, now: At) -> Vec<Move> {
        let listed = |old: &Move| moves.iter().any(|new| (new.kind, &new.from) == (old.kind, &old.from));
        let old = self.moves.iter().chain(&self.dropped);
        let old = old.filter(|old| old.kind == MoveKind::Catalog && !listed(old));
        let mut dropped: Vec<_> = old.take(MAX_MOVES).cloned().collect();
        match &origin.successor {
            _ if !origin.is_fresh => {}
            None => dropped.clear(),
            Some(from) => {
                let all: Vec<_> = moves.iter().chain(&dropped).cloned().collect();
                let beyond = successors(&all, MoveKind::Catalog, from, now);
                dropped.retain(|old| beyond.iter().all(|hop| hop.by != old));
            }
        }
        dropped
    }

    /// A clock that was ahead is put right: it would keep the old address for as long.
    fn seen(&self, address: Address, origin: &Origin, now: At) -> Successor {
        let before = self.successor(&address);
        let answers = origin.is_fresh && origin.successor.as_ref() == Some(&address);
        Successor {
            first_read: before.map_or(now, |before| before.first_read.min(now)),
            answered: answers || before.is_some_and(|before| before.answered),
            address,
        }
    }
}
