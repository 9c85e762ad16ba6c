//! What a rollout means to PDPs that nobody grants a start: the shares of the ring state.

use std::collections::BTreeMap;

use super::fold::{Progress, Rollout};
use super::offer::{Asker, progress_of};
use crate::channel::Channel;
use crate::instruction::RingShare;
use crate::names::{Level, Ring};
use crate::plan::{Cap, Percent, RingRules};
use crate::time::{At, Span};

/// A wave's share grows in so many steps: each is signed and published.
const STEPS: i64 = 10;

/// The share of each ring that a level is open to, for PDPs that nobody grants a start: a cohort that grows to the size
/// of the wave. A halt keeps the share and says so; a pause looks the same here. A halted organization can't be named.
///
/// A wave that counts heads can't be told to those whom nobody counts: it opens nobody here. A withdrawn level
/// is open to nobody.
pub fn ring_shares<'a>(
    channel: &Channel,
    level: Level,
    rollout: impl Fn(Level) -> Option<&'a Rollout>,
    now: At,
) -> BTreeMap<Ring, RingShare> {
    let (Some(own), Some(promotion)) = (rollout(level), channel.levels.get(&level)) else {
        return BTreeMap::new();
    };
    let rings = channel.plan.rings.iter().filter_map(|rules| {
        let asker = Asker { ring: &rules.name, organization: None, current: None };
        let progress = progress_of(channel, level, &rollout, asker, now)?;
        let soak = channel.plan.pace(promotion.tempo, &rules.name).map_or(Span::default(), |pace| pace.soak);
        let percent = share(rules, soak, progress, now);
        let halted = own.is_halted(&rules.name) || own.paused.is_some();
        Some((rules.name.clone(), RingShare { percent, halted, attempt: own.attempt() }))
    });
    rings.collect()
}

/// The share that has grown by now. Within a wave it grows from the one before over the length of a soak; and it is never
/// ahead of a plan that takes one soak for each wave since the ring opened: waves that people pass, or that nobody is there
/// to prove, don't open everybody at once. It never shrinks.
fn share(rules: &RingRules, soak: Span, progress: Progress, now: At) -> Percent {
    let since = |begun: At| now.seconds_since(begun).max(0);
    let soak = soak.seconds().max(1);
    let in_wave = grown(rules, progress.wave, since(progress.wave_passed.unwrap_or(progress.opened)), soak);
    let whole = since(progress.opened);
    let by_time = usize::try_from(whole / soak).unwrap_or(usize::MAX);
    in_wave.min(grown(rules, by_time, whole % soak, soak))
}

/// The share of a wave that began so many seconds ago.
fn grown(rules: &RingRules, wave: usize, seconds: i64, soak: i64) -> Percent {
    let [from, to] = [wave.checked_sub(1), Some(wave)]
        .map(|wave| wave.map_or(Percent::default(), |wave| full(rules, wave)));
    let steps = (seconds.saturating_mul(STEPS) / soak + 1).min(STEPS);
    let more = (i64::from(to.get().saturating_sub(from.get())) * steps + STEPS - 1) / STEPS;
    let percent = u8::try_from(i64::from(from.get()) + more).ok();
    percent.and_then(|percent| percent.try_into().ok()).unwrap_or(to)
}

/// The share of a wave at its end; after the last one: everybody.
fn full(rules: &RingRules, wave: usize) -> Percent {
    match rules.waves.get(wave) {
        Some(Cap::Percent(percent)) => *percent,
        Some(Cap::Count(_)) => Percent::default(),
        None => Percent::ALL,
    }
}
