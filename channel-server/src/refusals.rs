//! Refusals: every one is counted; the log names who it was, but nobody can flood it.

use std::sync::PoisonError;

use pdp_policies::{At, PdpId, Quota, Span, Used};

use crate::api::Refusal;
use crate::server::Server;

/// Lines about one data plane: whatever goes wrong once is seen, whatever goes on is seen to go on.
const LINES: Quota = Quota { burst: 20, every: Span::from_seconds(10) };

/// The log's lines about one party's refusals.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    used: Used,
    /// Refusals since the last line.
    unsaid: u64,
}

impl Lines {
    /// How many refusals have no line of their own since the last one, if this one gets a line.
    fn next(&mut self, now: At) -> Option<u64> {
        match self.used.take(LINES, now) {
            Ok(()) => Some(std::mem::take(&mut self.unsaid)),
            Err(_) => {
                self.unsaid += 1;
                None
            }
        }
    }
}

impl Server {
    /// A request about `what` was refused to a data plane, or to somebody in its name.
    pub(crate) fn refused(&self, pdp: &PdpId, what: &str, refusal: &Refusal) {
        let problem = &refusal.problem;
        self.metrics.refused(&problem.code);
        let fleet = self.fleet();
        let lines = fleet.planes.get(pdp).map_or(&self.strangers, |plane| &plane.lines);
        let line = lines.lock().unwrap_or_else(PoisonError::into_inner).next(self.now());
        drop(fleet);
        if let Some(unsaid) = line {
            tracing::warn!(%pdp, code = problem.code, why = problem.message, unsaid, "{what} refused");
        }
    }

    /// As [`Server::refused`], for a request that ended before it named anybody.
    pub(crate) fn refused_unread(&self, what: &str, refusal: Refusal) -> Refusal {
        let problem = &refusal.problem;
        self.metrics.refused(&problem.code);
        let line = self.strangers.lock().unwrap_or_else(PoisonError::into_inner).next(self.now());
        if let Some(unsaid) = line {
            tracing::warn!(code = problem.code, why = problem.message, unsaid, "{what} refused");
        }
        refusal
    }
}
