//! How long a level takes: what it took here, else what the vendor declares, and never less than a few minutes.

use std::collections::BTreeMap;

use crate::release::Release;
use crate::time::Span;

/// No level is done sooner: images are pulled, and each stage settles.
pub(crate) const AT_LEAST: Span = Span::from_seconds(300);
/// No level takes longer, whatever is declared or was learnt: it would hold every window for ever.
pub const AT_MOST: Span = Span::from_seconds(86_400);
/// So many of the last lengths tell what is usual.
pub const LENGTHS: usize = 5;
/// Fewer tell nothing: what the vendor declares counts.
const FEWEST: usize = 3;

/// How long `release` will take at a data plane where levels usually take `usual`.
pub(super) fn of(release: &Release, usual: Option<Span>) -> Span {
    usual.or(release.usual_length).unwrap_or_default().clamp(AT_LEAST, AT_MOST)
}

impl Release {
    /// Longer than this it takes only where something else holds it up: each stage has failed by then.
    pub fn longest(&self) -> Span {
        let mut stages: BTreeMap<u32, i64> = BTreeMap::new();
        for component in &self.components {
            let most = 2 * component.timeout.seconds() + component.settle.seconds();
            let stage = stages.entry(component.stage).or_default();
            *stage = most.max(*stage);
        }
        Span::from_seconds(u32::try_from(stages.values().sum::<i64>()).unwrap_or(u32::MAX))
    }
}

/// What is usual, none until three levels were done: the middle one of the last lengths. One level that was stopped for days says
/// nothing.
pub fn usual_length(lengths: &[Span]) -> Option<Span> {
    let mut last: Vec<_> = lengths.iter().rev().take(LENGTHS).copied().collect();
    last.sort_unstable();
    last.get(last.len() / 2).filter(|_| last.len() >= FEWEST).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn three_levels_tell_what_is_usual_and_one_that_was_stopped_for_days_does_not() {
        let spans =
            |minutes: &[u32]| minutes.iter().map(|it| Span::from_seconds(it * 60)).collect::<Vec<_>>();
        let usual = |minutes: &[u32]| usual_length(&spans(minutes)).map(|it| it.seconds() / 60);
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&[40, 50]), None);
        assert_eq!(usual(&[40, 10_000, 50]), Some(50));
        assert_eq!(usual(&[40, 40, 60, 60, 60, 5, 5]), Some(60), "only the last five");
    }
}
