//! The moves that were read last, kept so that a restart finds the new address when the old one is gone.

use pdp_policies::At;
use pdp_policies::moves::{Address, MAX_MOVES, Move, MoveKind, successors};
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
}

impl Remembered {
    /// The channel's moves, and those that were taken back. No two start at one address.
    pub(super) fn with_dropped(&self) -> Vec<Move> {
        self.moves.iter().chain(&self.dropped).cloned().collect()
    }

    /// What is remembered after a catalog with these moves; `from` is the successor that it came from, none for the
    /// address that the subscription names.
    ///
    /// Without the dropped ones a move that was lost by mistake would leave a data plane at an address that is gone,
    /// where no correction reaches it. Those beyond an address that answers are needed no more.
    pub(crate) fn after(&self, moves: &[Move], from: Option<&Address>, now: At) -> Self {
        let mut after = Self { moves: moves.to_vec(), dropped: Vec::new() };
        let Some(from) = from else { return after };
        let listed = |old: &Move| moves.iter().any(|new| (new.kind, &new.from) == (old.kind, &old.from));
        let old = self.moves.iter().chain(&self.dropped);
        let dropped = old.filter(|old| old.kind == MoveKind::Catalog && !listed(old));
        after.dropped = dropped.take(MAX_MOVES).cloned().collect();
        let all = after.with_dropped();
        let beyond = successors(&all, MoveKind::Catalog, from, now);
        after.dropped.retain(|old| beyond.iter().all(|hop| hop.by != old));
        after
    }
}
