//! What follows once a catalog is visible: branches that are done with go, and what lay beside them is proposed again on
//! top. None of it makes publishing fail.

use pdp_policies::{At, CatalogTree, printable};
use pdp_transport::cli::failure::Failure;

use super::again::{Again, propose_again};
use super::current::{ChangeArgs, Current};
use super::merge::{Pending, laid_since};

/// So often one is proposed again while others take its name.
const MOST_TRIES: u32 = 3;

/// What came of it.
#[derive(Default)]
pub(crate) struct Afterwards {
    /// What lay beside something that was published.
    pub(crate) again: Vec<Again>,
    /// Proposals that stay, and why.
    pub(crate) waiting: Vec<(String, String)>,
    /// What went wrong, and what to do about it.
    pub(crate) warnings: Vec<String>,
}

/// Takes the branches of what was published away and proposes again what waited, also what was laid since both were read.
pub(crate) fn afterwards(
    current: &Current,
    published: &CatalogTree,
    done: &[Pending],
    waiting: Vec<Pending>,
    args: &ChangeArgs,
    now: At,
) -> Afterwards {
    let mut after = Afterwards::default();
    let known: Vec<_> = done.iter().chain(&waiting).map(|it| (it.branch.clone(), it.commit)).collect();
    let late = laid_since(current, &known).unwrap_or_else(|failure| {
        after.warnings.push(unseen(&failure));
        Vec::new()
    });
    // What was signed once more meanwhile is another commit on the same branch.
    let is_late = |it: &Pending| late.iter().any(|late| late.branch == it.branch);
    done.iter().filter(|it| !is_late(it)).for_each(|it| after.take_away(current, it, args));
    let waiting: Vec<_> = waiting.into_iter().filter(|it| !is_late(it)).collect();
    for it in waiting.into_iter().chain(late) {
        after.settle(current, published, it, args, now);
    }
    after
}

fn unseen(failure: &Failure) -> String {
    let what = printable(&failure.what);
    format!(
        "what was proposed meanwhile wasn't looked for ({what}): `publisher catalog proposals list` shows it"
    )
}

/// Nothing looks at an outdated proposal again by itself: people have to. That two change the same value is told with what
/// waits.
fn lost(branch: &str, brake: bool, failure: &Failure) -> Option<String> {
    if !brake && failure.code == "ProposalOvertaken" {
        return None;
    }
    let (branch, what) = (printable(branch), printable(&failure.what));
    let brake = if brake { " STOPS something and" } else { "" };
    Some(format!(
        "`{branch}`{brake} is outdated and couldn't be proposed again ({}: {what}): run the command that proposed it once \
         more, then `publisher catalog proposals drop {branch}`",
        failure.code
    ))
}

impl Afterwards {
    fn settle(
        &mut self,
        current: &Current,
        published: &CatalogTree,
        waited: Pending,
        args: &ChangeArgs,
        now: At,
    ) {
        let mut tries = 1;
        let proposed = loop {
            match propose_again(current, published, &waited, args, now) {
                // Somebody took the name in the same moment.
                Err(failure) if failure.code == "BranchMoved" && tries < MOST_TRIES => tries += 1,
                done => break done,
            }
        };
        match proposed {
            Ok(Some(again)) => {
                self.again.push(again);
                self.take_away(current, &waited, args);
            }
            Ok(None) => self.waiting.push((waited.branch, waited.obstacle.unwrap_or_default())),
            Err(failure) => {
                self.warnings.extend(lost(&waited.branch, waited.brake, &failure));
                self.waiting.push((waited.branch, failure.what));
            }
        }
    }

    fn take_away(&mut self, current: &Current, done: &Pending, args: &ChangeArgs) {
        if let Err(failure) = args.push(&current.remote, &done.branch, Some(done.commit), None) {
            let (branch, what) = (printable(&done.branch), printable(&failure.what));
            self.warnings.push(format!(
                "`{branch}` is done with, but its branch stays ({}: {what}): `publisher catalog proposals drop {branch}` \
                 takes it away",
                failure.code
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_that_is_lost_is_told_with_the_way_on_and_a_brake_as_one() {
        let told = |brake, code| lost("proposals/channels-7", brake, &Failure::new(code, "push to the host"));
        let brake = told(true, "Unreachable").unwrap_or_default();
        assert!(brake.starts_with("`proposals/channels-7` STOPS something and is outdated"), "{brake}");
        assert!(
            brake.contains("(Unreachable: push to the host)") && brake.contains("proposals drop"),
            "{brake}"
        );
        assert!(told(true, "ProposalOvertaken").is_some_and(|told| told.contains("STOPS")));
        assert!(told(false, "Unreachable").is_some_and(|told| !told.contains("STOPS")));
        assert_eq!(told(false, "ProposalOvertaken"), None);
    }
}
