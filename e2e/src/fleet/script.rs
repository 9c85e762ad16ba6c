//! What simulated data planes are like: decided by a seed, so that the same story can be played again.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How a fleet behaves.
#[derive(Debug, Clone)]
pub struct Script {
    /// The same seed gives the same fates.
    pub seed: u64,
    /// Levels that break this share of the data planes (percent).
    pub breaks: BTreeMap<u32, u8>,
    /// From the second attempt on nothing breaks any more.
    pub mended: bool,
    /// This share starts and is never heard of again (percent).
    pub silent: u8,
    /// This share says that it isn't the time (percent).
    pub deferred: u8,
    /// And why: one of these each, obstacle codes in the order of the gate.
    pub reasons: Vec<Vec<&'static str>>,
    /// The component in which what breaks does.
    pub component: Option<&'static str>,
    /// Every report is sent twice, every `ready` asked twice.
    pub doubled: bool,
    /// How long an installation takes.
    pub takes: Duration,
    /// How soon a refused `ready` is asked again.
    pub again: Duration,
}

impl Default for Script {
    fn default() -> Self {
        let (takes, again) = (Duration::from_millis(20), Duration::from_millis(200));
        Self {
            seed: 1,
            breaks: BTreeMap::new(),
            mended: false,
            silent: 0,
            deferred: 0,
            reasons: Vec::new(),
            component: None,
            doubled: false,
            takes,
            again,
        }
    }
}

/// What becomes of one level at one data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lot {
    /// It will be healthy.
    Healthy,
    /// It will fail.
    Failed,
    /// It starts and says nothing more.
    Silent,
    /// Its window stays closed.
    Deferred,
}

impl Script {
    /// The lot of a data plane at an attempt of a level.
    pub fn lot(&self, pdp: &str, level: u32, attempt: u32) -> Lot {
        let breaks = self.breaks.get(&level).filter(|_| !(self.mended && attempt > 1));
        let breaks = breaks.copied().unwrap_or_default();
        match () {
            () if self.drawn(pdp, level, "deferred") < self.deferred => Lot::Deferred,
            () if self.drawn(pdp, level, "silent") < self.silent => Lot::Silent,
            () if self.drawn(pdp, level, "breaks") < breaks => Lot::Failed,
            () => Lot::Healthy,
        }
    }

    /// The obstacles that a deferred data plane tells.
    pub fn reasons(&self, pdp: &str, level: u32) -> &[&'static str] {
        let count = self.reasons.len().max(1);
        self.reasons.get(usize::from(self.drawn(pdp, level, "reason")) % count).map_or(&[], Vec::as_slice)
    }

    /// A number below 100, evenly.
    fn drawn(&self, pdp: &str, level: u32, what: &str) -> u8 {
        let hash = Sha256::digest(format!("{}/{pdp}/{level}/{what}", self.seed));
        let number = u64::from_be_bytes(std::array::from_fn(|n| hash[n]));
        u8::try_from(number % 100).unwrap_or_default()
    }
}
