//! How long an exchange may be silent while a body goes out: what moves may take any time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What the system and the connection hold of a body that was handed over (bytes): nobody sees it move.
const UNSEEN: u64 = 4 * 1024 * 1024;
/// The slowest link that is waited for (bytes a second).
const SLOWEST: u64 = 16 * 1024;
/// So fast at least a server stores what it got (bytes a second).
const STORED: u64 = 8 * 1024 * 1024;

/// When a request's body moved last.
#[derive(Debug)]
pub(crate) struct Progress {
    size: u64,
    last: Mutex<Instant>,
}

impl Progress {
    /// Of a body of `size` bytes that begins now.
    pub(crate) fn of(size: u64) -> Self {
        Self { size, last: Mutex::new(Instant::now()) }
    }

    /// A piece was handed over.
    pub(crate) fn note(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Until when the exchange may stay silent, as seen now. A link that is dead, and not only slow, is noticed
    /// before: by what nobody acknowledges.
    pub(super) fn deadline(&self, silence: Duration) -> Instant {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last + silence + unseen_time(self.size)
    }
}

/// How much longer than with an empty body nothing may move to be seen, with one of `size` bytes: what was handed over
/// is on its way for so long, and the server has to store it.
pub(super) fn unseen_time(size: u64) -> Duration {
    Duration::from_millis(size.min(UNSEEN) * 1000 / SLOWEST + size.saturating_mul(1000) / STORED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_with_what_nobody_sees_moving() {
        for (size, seconds) in [(0, 0), (16 * 1024, 1), (4 << 20, 256), (1 << 30, 256 + 128)] {
            assert_eq!(unseen_time(size).as_secs(), seconds, "{size}");
        }
    }

    #[tokio::test]
    async fn each_piece_gives_new_time() {
        let progress = Progress::of(32 * 1024);
        let first = progress.deadline(Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(progress.deadline(Duration::from_secs(30)), first);
        progress.note();
        assert!(progress.deadline(Duration::from_secs(30)) > first);
    }
}
