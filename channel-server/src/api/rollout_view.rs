//! A rollout as people see it: computed anew for each answer, nothing of it is kept.

use std::collections::BTreeMap;

use pdp_policies::rollout::{
    Fate, Halt, HaltScope, Reasons, Rollout, Tally, WaitsFor, bears, cap_of, explained,
    is_empty_beside_others, lack, may_retry, overall, phase, superseded, tally, waits_for,
};
use pdp_policies::trust::Catalog;
use pdp_policies::{At, Channel, Level, ObstacleCode, Organization, Promotion, Ring, RingRules};
use pdp_transport::channel_server::{HaltView, RingStatus, RingView, RolloutView};

use crate::fleet::Fleet;
use crate::server::Server;

/// So many organizations with failures are named per ring.
const NAMED: usize = 10;

/// The level of a channel that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Looked<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) channel: &'a Channel,
    pub(super) promotion: &'a Promotion,
    pub(super) level: Level,
}

/// What the channel says of a level.
pub(super) fn fate(channel: &Channel, level: Level) -> Fate {
    Fate { withdrawn: channel.withdrawn.contains_key(&level), superseded: superseded(channel, level) }
}

pub(super) fn view(server: &Server, looked: Looked<'_>, fleet: &Fleet, now: At) -> RolloutView {
    let Looked { catalog, channel, promotion, level } = looked;
    let nothing = Rollout::default();
    let rollout = fleet.rollout(&channel.line, level).unwrap_or(&nothing);
    let (rows, clock) = (fleet.rows(), server.clock(fleet, now));
    let (tally, reasons) = explained(&channel.plan, promotion, rollout, level, rows, clock);
    let fate = fate(channel, level);
    let behind = match server.follows_newest(catalog, fleet) {
        true => "the event log is behind what was published",
        false => "another server follows another catalog",
    };
    let braked = server.brake(catalog, channel, level, fleet, now);
    let (braked_since, braked_detail) =
        braked.map_or((None, None), |code| brake(code, looked, fleet, behind, now));
    let ring = |rules: &RingRules| ring_view(looked, rollout, rules, &tally, &reasons, fate);
    RolloutView {
        line: channel.line.clone(),
        level,
        sha256: promotion.sha256,
        tempo: promotion.tempo,
        created: rollout.created,
        now,
        braked: braked.map(|code| code.to_string()),
        braked_since,
        braked_detail,
        phase: overall(&channel.plan, rollout, fate),
        waits_for: braked
            .is_none()
            .then(|| waits_for(&channel.plan, promotion, rollout, &tally, fate, clock))
            .flatten(),
        paused: rollout.paused.as_ref().map(|pause| pause.at),
        paused_by: rollout.paused.as_ref().map(|pause| pause.by.clone()),
        paused_reason: rollout.paused.as_ref().map(|pause| pause.reason.clone()),
        recorded: None,
        retryable: may_retry(rollout),
        halts: rollout.halts.iter().map(halt_view).collect(),
        attempt: rollout.attempt(),
        rings: channel.plan.rings.iter().map(ring).collect(),
    }
}

/// What a rollout waits for; none while a brake holds it.
pub(super) fn waiting(
    server: &Server,
    looked: Looked<'_>,
    rollout: &Rollout,
    fleet: &Fleet,
    now: At,
) -> Option<WaitsFor> {
    let Looked { catalog, channel, promotion, level } = looked;
    if server.brake(catalog, channel, level, fleet, now).is_some() {
        return None;
    }
    let clock = server.clock(fleet, now);
    let tally = tally(&channel.plan, promotion, rollout, level, fleet.rows(), clock);
    waits_for(&channel.plan, promotion, rollout, &tally, fate(channel, level), clock)
}

/// Since when a brake is on, and what people said of it.
fn brake(
    code: ObstacleCode,
    looked: Looked<'_>,
    fleet: &Fleet,
    behind: &str,
    now: At,
) -> (Option<At>, Option<String>) {
    let Looked { catalog, channel, level, .. } = looked;
    match code {
        ObstacleCode::Stopped => channel.stop.as_ref().map(|stop| (stop.at, stop.reason.clone())).unzip(),
        ObstacleCode::Withdrawn => {
            let withdrawal = channel.withdrawn.get(&level);
            withdrawal.map(|withdrawal| (withdrawal.at, withdrawal.reason.clone())).unzip()
        }
        ObstacleCode::CatalogExpired => {
            let first = catalog.expiries().into_iter().filter(|(_, at)| *at < now).min_by_key(|(_, at)| *at);
            first.map(|(role, at)| (at, format!("role `{role}`"))).unzip()
        }
        _ => match &fleet.everything {
            Some(halt) => {
                let asked = halt.resume_asked.as_ref();
                let asked = asked.map_or_else(String::new, |by| {
                    format!("; {by} asked to resume, a second person is needed")
                });
                (Some(halt.at), Some(format!("{}: {}{asked}", halt.by, halt.reason)))
            }
            None => (None, Some(behind.to_owned())),
        },
    }
}

fn halt_view((scope, halt): (&HaltScope, &Halt)) -> HaltView {
    let Halt { at, cause, resume_asked, .. } = halt.clone();
    HaltView { scope: scope.clone(), at, cause, resume_asked }
}

fn ring_view(
    looked: Looked<'_>,
    rollout: &Rollout,
    rules: &RingRules,
    tally: &Tally,
    reasons: &BTreeMap<Ring, Reasons>,
    fate: Fate,
) -> RingView {
    let (plan, promotion) = (&looked.channel.plan, looked.promotion);
    let (counts, failures) = (tally.census(&rules.name), tally.failures(&rules.name));
    let progress = rollout.rings.get(&rules.name);
    let waves = rules.waves.len();
    let wave = progress.map_or(0, |progress| progress.wave);
    let status = match progress {
        None => RingStatus::Waiting,
        Some(_) if wave >= waves => RingStatus::Passed,
        Some(_) => RingStatus::Open,
    };
    let soaked_at = progress.and_then(|progress| {
        let (reached, pace) = (progress.share_reached?, plan.pace(promotion.tempo, &rules.name)?);
        Some(if progress.expedited { reached } else { reached.plus(pace.soak) })
    });
    let judged = status == RingStatus::Open && !is_empty_beside_others(plan, tally, &rules.name);
    RingView {
        ring: rules.name.clone(),
        status,
        phase: phase(plan, rollout, &rules.name, fate),
        opens_at: promotion.opens_at.get(&rules.name).copied(),
        opened: progress.map(|progress| progress.opened),
        wave: progress.map_or(0, |_| (wave + 1).min(waves)),
        waves,
        cap: progress.map(|_| cap_of(rules, wave, tally.present(&rules.name))).filter(|cap| *cap != u32::MAX),
        starts: rollout.starts_in(&rules.name),
        unheard: tally.unheard(&rules.name),
        soaked_at,
        failures: failures.all,
        budget: rules.failure_budget,
        bears: bears(plan, rules, wave, tally, rollout),
        organization_budget: rules.organization_failures,
        organization_failures: most(failures.organizations.clone()),
        lacks: lack(plan, rules, wave, tally, rollout).filter(|_| judged),
        census: counts,
        reasons: reasons.get(&rules.name).cloned().unwrap_or_default(),
    }
}

/// Those with most failures; of equals the first by name.
fn most(failures: BTreeMap<Organization, u32>) -> BTreeMap<Organization, u32> {
    let mut all: Vec<_> = failures.into_iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all.into_iter().take(NAMED).collect()
}
