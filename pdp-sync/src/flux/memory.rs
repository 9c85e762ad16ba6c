//! What a process remembers between passes to spare others work. All of it may be lost.

use std::sync::{Mutex, PoisonError};

use pdp_policies::Digest;

/// Shared between the passes of one subscription.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    checked: Mutex<Option<Digest>>,
}

impl Memory {
    /// True if the artifacts behind this mark were fetched and found right before.
    pub(super) fn has_checked(&self, mark: Digest) -> bool {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) == Some(mark)
    }

    /// Everything is looked at anew.
    pub(crate) fn forget(&self) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn checked(&self, mark: Digest) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
    }
}
