//! The clock of a pass: real, or moved by tests; then waiting costs nothing.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use pdp_policies::{At, Span};
use pdp_transport::cli::clock;

/// The time, and waiting for it.
#[derive(Debug)]
pub(crate) struct Clock {
    /// Seconds that a moved clock has waited so far; none if the clock is real.
    waited: Option<Cell<i64>>,
    started: At,
}

impl Clock {
    /// The machine's clock; in debug builds with `PDP_NOW` one that starts there and only moves by waiting.
    pub(crate) fn new() -> Self {
        Self { waited: clock::is_stopped().then(|| Cell::new(0)), started: clock::now() }
    }

    pub(crate) fn now(&self) -> At {
        match &self.waited {
            Some(waited) => At::from_unix(self.started.unix() + waited.get()),
            None => clock::now(),
        }
    }

    pub(crate) fn wait(&self, span: Span) {
        match &self.waited {
            Some(waited) => waited.set(waited.get() + span.seconds()),
            None => std::thread::sleep(Duration::from_secs(span.seconds().unsigned_abs())),
        }
    }
}

/// The span and up to a tenth more, so that a fleet doesn't come all at once.
pub(crate) fn jittered(span: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    span + Duration::from_millis(random % (millis / 10 + 1))
}
