//! One ring in words.

use pdp_policies::rollout::{Failing, Lack, Phase, WaitsFor};
use pdp_transport::channel_server::{RingStatus, RingView, RolloutView};

use super::holds::Next;
use super::left::{self, When, span};

/// How it goes, at a glance.
pub(super) fn sign(ring: &RingView) -> &'static str {
    match (ring.phase, ring.status) {
        (Phase::Halted | Phase::Withdrawn, _) => "✗",
        (Phase::Paused, _) => "‖",
        (_, RingStatus::Waiting) => "·",
        (_, RingStatus::Open) => "◎",
        (_, RingStatus::Passed) => "✔",
    }
}

/// How far it has come, what comes next, and how many failures it bears until then. `place` is 0 for the first ring.
pub(super) fn state(ring: &RingView, place: usize, when: When) -> String {
    let mut words = match ring.status {
        RingStatus::Waiting => vec![opening(ring, place, when)],
        RingStatus::Open => {
            let mut words = vec![format!("wave {} of {}", ring.wave, ring.waves)];
            words.extend(ring.cap.map(|cap| format!("{} of {cap} starts", ring.starts)));
            words.extend(left::soak(ring, when));
            words.extend(ring.lacks.map(|lack| lacking(ring, lack)));
            words.extend(unheard(ring));
            if ring.lacks.is_none() && words.len() == 1 + usize::from(ring.cap.is_some()) {
                words.push(if ring.soaked_at.is_some() { "soaked" } else { "about to soak" }.to_owned());
            }
            words
        }
        RingStatus::Passed => vec!["passed".to_owned()],
    };
    match ring.phase {
        Phase::Halted | Phase::Paused | Phase::Withdrawn => words.insert(0, ring.phase.as_str().to_owned()),
        _ => {}
    }
    if ring.failures > 0 || (ring.status == RingStatus::Open && ring.census.eligible() > 0) {
        words.extend(left::budget(ring));
    }
    words.join(", ")
}

fn opening(ring: &RingView, place: usize, when: When) -> String {
    match (ring.opens_at, when) {
        _ if ring.phase == Phase::Superseded => "won't open: a higher level took its place".to_owned(),
        (Some(at), When::Left(now)) if at > now => {
            format!("waits {} at least, until {at}", span(at.seconds_since(now)))
        }
        (Some(at), When::Until) => format!("waits, not before {at}"),
        _ if place == 0 => "about to open".to_owned(),
        _ => "waits for the ring before".to_owned(),
    }
}

fn lacking(ring: &RingView, lack: Lack) -> String {
    let but = if ring.soaked_at.is_some() { "but " } else { "" };
    match lack {
        Lack::Nobody {} => format!("{but}nobody is there to prove it"),
        Lack::Sample { started, needed } => format!("{but}{started} of {needed} needed have started"),
        Lack::Healthy { healthy, needed } => format!("{but}{healthy} of {needed} needed are healthy"),
        Lack::Budget {} => format!("{but}its budget is used up"),
    }
}

/// Who is waited for without ever having said a word, and for how long.
fn unheard(ring: &RingView) -> Option<String> {
    let waits = ring.lacks.is_some() && ring.unheard > 0;
    waits.then(|| format!("{} started unheard and count no longer than `silenceAfter`", ring.unheard))
}

/// How many do what, and why; only what isn't zero. None if nobody is in the ring.
pub(super) fn census(ring: &RingView) -> Option<String> {
    let (census, reasons) = (&ring.census, &ring.reasons);
    let all = [
        ("healthy", census.healthy, String::new()),
        ("started", census.started, String::new()),
        ("failed", census.failed, because(reasons.failed.iter())),
        ("silent", census.silent, String::new()),
        ("offered", census.offered, String::new()),
        ("deferred", census.deferred, because(reasons.deferred.iter())),
        ("waiting", census.waiting, String::new()),
        ("not reporting", census.not_reporting, String::new()),
        ("past", census.past, String::new()),
        ("unmeasured", census.excluded, String::new()),
    ];
    let some: Vec<_> =
        all.iter().filter(|(_, n, _)| *n > 0).map(|(name, n, why)| format!("{n} {name}{why}")).collect();
    (!some.is_empty()).then(|| some.join(", "))
}

/// ` (4 OutsideWindow, 2 Pinned)`, the most frequent first.
fn because<'a>(reasons: impl Iterator<Item = (impl std::fmt::Display, &'a u32)>) -> String {
    let mut reasons: Vec<_> = reasons.collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words: Vec<_> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// Who failed, and where: `nordbank/prod (gateway)`; some of many.
pub(super) fn failing(ring: &RingView) -> Option<String> {
    let words = |(pdp, failing): (&String, &Failing)| match &failing.component {
        Some(component) => format!("{pdp} ({component})"),
        None if failing.silent => format!("{pdp} (silent)"),
        None => pdp.clone(),
    };
    let all: Vec<_> = ring.reasons.failing.iter().map(words).collect();
    let known = ring.census.failed + ring.census.silent;
    let more = usize::try_from(known).unwrap_or(usize::MAX).saturating_sub(all.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!all.is_empty()).then(|| format!("not well: {}{more}", all.join(", ")))
}

/// True if the wave can only be proven by some that failed or fell silent: nobody runs, and nobody else may start.
pub(super) fn is_exhausted(ring: &RingView) -> bool {
    matches!(ring.lacks, Some(Lack::Healthy { .. }))
        && ring.census.failed + ring.census.silent > 0
        && ring.census.started + ring.unheard == 0
        && ring.cap.is_some_and(|cap| ring.starts >= cap)
        && !is_held(ring)
}

/// What lets a wave go on that too many failed in; `why` nobody else is expected to prove it.
fn mended(view: &RolloutView, ring: &RingView, why: &str) -> Next {
    if view.retryable && ring.census.failed > 0 {
        let words = format!("{why}: people let it try again (or skip those that failed)");
        let RolloutView { level, line, .. } = view;
        return Next {
            words,
            command: format!("publisher rollout retry {level} --line {line} --reason \"...\""),
        };
    }
    let words = format!("{why}: people skip those that failed or fell silent");
    Next { words, command: skip(view, ring) }
}

/// Leaves out the first that isn't well, or whom people name.
fn skip(view: &RolloutView, ring: &RingView) -> String {
    let pdp = ring.reasons.failing.keys().next().map_or("ORGANIZATION/NAME", String::as_str);
    format!("publisher rollout skip {} --line {} --pdp {pdp} --reason \"...\"", view.level, view.line)
}

/// What people can do where somebody could prove the wave, and nobody is about to.
fn stalled(view: &RolloutView, ring: &RingView) -> Option<Next> {
    let here = |waits: &&WaitsFor| matches!(waits, WaitsFor::People { ring: at, .. } if *at == ring.ring);
    view.waits_for.as_ref().filter(here)?;
    Some(match ring.lacks? {
        Lack::Nobody {} => return None,
        Lack::Sample { .. } => Next {
            words: "nothing starts: ask one who is offered it what `kubectl pdp why` says, or people leave it out"
                .to_owned(),
            command: skip(view, ring),
        },
        Lack::Healthy { .. } | Lack::Budget {} => mended(view, ring, "nothing runs or starts"),
    })
}

/// What a person can do where nobody proves the wave.
pub(super) fn next(view: &RolloutView, ring: &RingView) -> Option<Next> {
    if is_exhausted(ring) {
        return Some(mended(view, ring, "nobody else may start"));
    }
    if let Some(next) = stalled(view, ring) {
        return Some(next);
    }
    let waits = matches!(ring.lacks, Some(Lack::Nobody {})) && !is_held(ring);
    let come = ring.census.deferred + ring.census.not_reporting;
    let unless = if come > 0 { format!("unless one of {come} comes, ") } else { String::new() };
    waits.then(|| {
        let RingView { ring, wave, .. } = ring;
        let (level, line) = (view.level, &view.line);
        Next {
            words: format!("{unless}people pass the wave"),
            command: format!(
                "publisher rollout acknowledge {level} --line {line} --ring {ring} --wave {wave} --reason \"...\""
            ),
        }
    })
}

/// True while people or a halt hold the ring.
pub(super) fn is_held(ring: &RingView) -> bool {
    matches!(ring.phase, Phase::Halted | Phase::Paused | Phase::Withdrawn)
}
