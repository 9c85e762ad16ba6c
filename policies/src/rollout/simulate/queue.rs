//! What is due for which data plane, earliest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Its upgrade, or what came of it, ends.
    End,
    /// Its silence begins to count.
    Silence,
    /// Its window opens or shuts.
    Window,
}

/// Moments to come, as seconds since the promotion.
#[derive(Debug, Default)]
pub(super) struct Queue(BinaryHeap<Reverse<(i64, usize, Due)>>);

impl Queue {
    pub(super) fn push(&mut self, at: i64, plane: usize, due: Due) {
        self.0.push(Reverse((at, plane, due)));
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<i64> {
        self.0.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes one that is due by now.
    pub(super) fn pop(&mut self, now: i64) -> Option<(usize, Due)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop().map(|Reverse((_, plane, due))| (plane, due))
    }
}
