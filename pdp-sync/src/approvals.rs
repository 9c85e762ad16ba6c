//! The customer's approvals, judged: those that count, why others don't, and when certified ones were seen first.

use std::collections::BTreeMap;

use pdp_policies::instruction::MAX_APPROVAL_LIFE;
use pdp_policies::trust::{self, Approved, Times, Uncounted, Verified};
use pdp_policies::{At, Digest, Refusal};

use crate::content::SignedApproval;
use crate::customer::Customer;

/// So many certified approvals are remembered.
const MOST_SEEN: usize = 500;

/// What became of all that are at hand.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) counted: Vec<Verified<Approved>>,
    /// Those that don't count, with the reasons.
    pub(crate) uncounted: Vec<Uncounted>,
    /// When those were seen first that count by a certificate: it has to be valid then, and may have ended since.
    pub(crate) certified: BTreeMap<Digest, At>,
}

/// Judges requests first, then the approvals that answer them. `seen` is what was remembered of certified ones.
pub(crate) fn judge(
    signed: &[SignedApproval],
    customer: &Customer,
    seen: &BTreeMap<Digest, At>,
    now: At,
) -> Judged {
    let Some(rule) = &customer.policy.approval else {
        return Judged { certified: seen.clone(), ..Judged::default() };
    };
    let (requests, approvals): (Vec<_>, Vec<_>) =
        signed.iter().partition(|it| trust::is_request(&it.signature));
    let fresh = |at: &At| now.seconds_since(*at) < MAX_APPROVAL_LIFE.seconds();
    // What isn't at hand for a while was seen all the same.
    let certified = seen.iter().filter(|(_, at)| fresh(at)).take(MOST_SEEN);
    let mut judged =
        Judged { certified: certified.map(|(digest, at)| (*digest, *at)).collect(), ..Judged::default() };
    let mut counting = Vec::new();
    for it in requests {
        let (digest, times) = times(it, seen, now);
        let request = trust::request(&it.document, &it.signature, rule, &customer.pdp, times);
        if let Some(request) = judged.sorted(it, request) {
            judged.remember(request.certified, digest, times);
            counting.push(request);
        }
    }
    for it in approvals {
        let (digest, times) = times(it, seen, now);
        let approval = trust::approval(&it.document, &it.signature, rule, &counting, &customer.pdp, times);
        if let Some(approval) = judged.sorted(it, approval) {
            judged.remember(approval.certified, digest, times);
            judged.counted.push(approval);
        }
    }
    judged
}

/// By when its certificate has to be valid: when exactly these bytes were seen valid first, else now.
fn times(signed: &SignedApproval, seen: &BTreeMap<Digest, At>, now: At) -> (Digest, Times) {
    let digest = Digest::of(&[signed.signature.as_slice(), b"\n", &signed.document].concat());
    (digest, Times { now, certified_at: seen.get(&digest).copied().unwrap_or(now) })
}

impl Judged {
    fn remember(&mut self, certified: bool, digest: Digest, times: Times) {
        if certified {
            self.certified.insert(digest, times.certified_at);
        }
    }

    fn sorted<T>(&mut self, signed: &SignedApproval, judged: Result<T, Refusal>) -> Option<T> {
        judged
            .map_err(|refusal| {
                tracing::warn!(name = signed.name, %refusal, "an approval doesn't count");
                self.uncounted.push(Uncounted::new(&signed.name, &signed.document, &refusal));
            })
            .ok()
    }
}
