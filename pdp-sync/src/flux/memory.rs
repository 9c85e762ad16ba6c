//! What a process remembers between passes to spare others work. All of it may be lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pdp_policies::decision::DecisionRecord;
use pdp_policies::{At, Digest};

use super::installed::{Known, Standing};
use super::installed_images::Looked;
use super::observed::Objects;
use super::repairs::Repairs;
use super::watched::{Watched, Watching};
use crate::changes::Kept;
use crate::cluster::Kind;

/// Shared between the passes of one subscription.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The Flux objects of the namespace.
    pub(super) objects: Kept<Objects>,
    checked: Mutex<Option<Digest>>,
    keys: Mutex<Option<Digest>>,
    looked: Mutex<Option<Looked>>,
    known: Mutex<Option<Known>>,
    repairs: Mutex<BTreeMap<(Kind, String), Repairs>>,
    watching: Mutex<Watching>,
}

impl Memory {
    /// True if the artifacts behind this mark were fetched and found right before.
    pub(super) fn has_checked(&self, mark: Digest) -> bool {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) == Some(mark)
    }

    /// Everything is looked at anew, and put right at once.
    pub(crate) fn forget(&self) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.looked() = None;
        *self.known() = None;
        self.objects.forget();
        self.repairs().clear();
    }

    /// True if the Secret with the keys of this mark was written, or found right, by this process.
    pub(super) fn keeps(&self, mark: Digest) -> bool {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) == Some(mark)
    }

    pub(super) fn kept(&self, mark: Digest) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
    }

    pub(super) fn checked(&self, mark: Digest) {
        *self.checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
    }

    /// When this content may be written to an object again, if others changed it too often; none if now.
    pub(super) fn wait(&self, kind: Kind, name: &str, wanted: Digest, now: At) -> Option<At> {
        self.repairs().get(&(kind, name.to_owned()))?.wait(wanted, now)
    }

    /// It is written now.
    pub(super) fn written(&self, kind: Kind, name: &str, wanted: Digest, now: At) {
        let mut repairs = self.repairs();
        let key = (kind, name.to_owned());
        let before = repairs.remove(&key).unwrap_or_else(|| Repairs::of(wanted));
        repairs.insert(key, before.written(wanted, now));
    }

    /// For how long Flux has been at what it is at.
    pub(super) fn watched(&self, objects: &Objects) -> Watched {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner).look(objects, Instant::now())
    }

    /// What was seen last of the installed workloads.
    pub(super) fn looked(&self) -> MutexGuard<'_, Option<Looked>> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How this decision and these objects compare: as it was worked out last if neither changed since.
    pub(super) fn standing(
        &self,
        record: &DecisionRecord,
        objects: &Arc<Objects>,
        work_out: impl FnOnce() -> Standing,
    ) -> Arc<Standing> {
        let mut known = self.known();
        if !known.as_ref().is_some_and(|it| it.holds(record, objects)) {
            *known = None;
        }
        let known = known.get_or_insert_with(|| Known::new(record, objects, work_out()));
        Arc::clone(&known.standing)
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn repairs(&self) -> MutexGuard<'_, BTreeMap<(Kind, String), Repairs>> {
        self.repairs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
