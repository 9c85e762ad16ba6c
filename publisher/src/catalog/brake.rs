//! Brakes: what stops something that runs today goes before all else of its version, once somebody who may has signed it.

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Channel};

use super::current::Current;
use super::holders::Holders;
use super::laid::channels;
use super::role::RoleFile;

/// True if a proposal stops something that runs today: a line, or a level.
pub(super) fn is_brake(current: &Current, file: &RoleFile, tree: &CatalogTree) -> bool {
    let is_stopped = |open: &Channel| current.catalog.channel(&open.line).is_some_and(|now| stops(now, open));
    file.role == Role::Channels && channels(file, tree).iter().any(is_stopped)
}

/// True if others of its version wait for a proposal: it is a brake that somebody who holds the role signed lately.
///
/// Whoever may push a branch can lay an old one there again, and an unsigned one at any time: neither is in the way.
pub(super) fn holds_others(current: &Current, file: &RoleFile, tree: &CatalogTree) -> bool {
    let signed = || Holders::one_signed(&current.tree, file).unwrap_or(false);
    file.is_recent(current.now) && is_brake(current, file, tree) && signed()
}

fn stops(now: &Channel, open: &Channel) -> bool {
    let withdrawn = open.withdrawn.keys().any(|level| !now.withdrawn.contains_key(level));
    (open.stop.is_some() && now.stop.is_none()) || withdrawn
}

/// Why a proposal that is whole waits for another one of its role: for one that is whole and stands before it, or for a
/// brake that isn't whole yet and whose signatures would be gone.
pub(super) fn why_behind(whole: Option<&str>, brake: Option<&str>) -> Option<String> {
    match (whole, brake) {
        (Some(first), _) => Some(format!("`{first}` goes first; it is proposed again on top of that one")),
        (None, Some(brake)) => Some(format!(
            "`{brake}` STOPS something and goes first: `publisher catalog sign {brake}` and publish again, or drop it if \
             nobody means it any more"
        )),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_policies::{At, RingPlan, Stop, Withdrawal};

    use super::*;

    fn channel(edit: impl FnOnce(&mut Channel)) -> Channel {
        let mut channel = Channel::new("pdp-2026".parse().unwrap(), RingPlan::shipped().unwrap());
        edit(&mut channel);
        channel
    }

    #[test]
    fn only_what_stops_more_than_the_published_channel_is_a_brake() {
        let (at, reason) = (At::from_unix(1_800_000_000), "looks bad".to_owned());
        let withdrawal = Withdrawal { at, reason: reason.clone(), fixed_by: None };
        let runs = channel(|_| {});
        let stopped = channel(|it| it.stop = Some(Stop { at, reason }));
        let withdrawn = channel(|it| drop(it.withdrawn.insert("41".parse().unwrap(), withdrawal)));
        for (now, open, brakes) in [
            (&runs, &runs, false),
            (&runs, &stopped, true),
            (&runs, &withdrawn, true),
            (&stopped, &withdrawn, true),
            (&stopped, &stopped, false),
            (&withdrawn, &withdrawn, false),
            (&stopped, &runs, false),
        ] {
            assert_eq!(stops(now, open), brakes, "{now:?} {open:?}");
        }
    }

    #[test]
    fn a_whole_proposal_waits_for_one_before_it_and_for_a_brake_that_lacks_signatures() {
        assert_eq!(why_behind(None, None), None);
        let behind = why_behind(Some("proposals/channels-7"), Some("proposals/channels-7-ab")).unwrap();
        assert!(behind.starts_with("`proposals/channels-7` goes first; it is proposed again"), "{behind}");
        let held = why_behind(None, Some("proposals/channels-7-ab")).unwrap();
        assert!(held.contains("publisher catalog sign proposals/channels-7-ab"), "{held}");
    }
}
