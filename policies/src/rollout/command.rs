//! What people may do to a rollout, and when: one table, and what it leaves to the particulars.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::census::Tally;
use super::event::RolloutEvent;
use super::expedite::would_pass;
use super::fold::Rollout;
use super::halt::{Cause, HaltScope};
use super::phase::{Fate, Phase, furthest, phase};
use super::step::{Lack, lack};
use crate::names::{PdpId, Ring};
use crate::person::is_same_person;
use crate::plan::RingPlan;

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Command {
    /// Hold the whole rollout: no ring opens, no wave passes, nothing starts. One person suffices.
    Pause {},
    /// End the pause. One person suffices.
    Continue {},
    /// Halt: nothing starts until two people resume.
    Halt {
        /// What.
        scope: HaltScope,
    },
    /// Resume; the halt ends when a second person says so too.
    Resume {
        /// What.
        scope: HaltScope,
    },
    /// Let PDPs start again where the level failed, the same digest.
    Retry {},
    /// Leave one PDP out of this rollout.
    Skip {
        /// Which PDP.
        pdp: PdpId,
    },
    /// Pass a wave that has nobody to prove it.
    Acknowledge {
        /// Which ring.
        ring: Ring,
        /// The current wave, first is 0.
        wave: usize,
    },
    /// End the soak of the current wave.
    Expedite {
        /// Which ring.
        ring: Ring,
        /// The current wave, first is 0.
        wave: usize,
    },
}

/// The kinds of commands: the columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// See [`Command::Pause`].
    Pause,
    /// See [`Command::Continue`].
    Continue,
    /// See [`Command::Halt`].
    Halt,
    /// See [`Command::Resume`].
    Resume,
    /// See [`Command::Retry`].
    Retry,
    /// See [`Command::Skip`].
    Skip,
    /// See [`Command::Acknowledge`].
    Acknowledge,
    /// See [`Command::Expedite`].
    Expedite,
}

impl Kind {
    /// All of them, with their command line's name and the event that they lead to.
    pub const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Pause, "pause", "paused"),
        (Self::Continue, "continue", "continued"),
        (Self::Halt, "halt", "halted"),
        (Self::Resume, "resume", "resumeAsked, then resumed"),
        (Self::Retry, "retry", "retried"),
        (Self::Skip, "skip", "skipped"),
        (Self::Acknowledge, "acknowledge", "acknowledged"),
        (Self::Expedite, "expedite", "expedited"),
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum CommandRefusal {
    /// The ring isn't open.
    RingNotOpenYet,
    /// The plan has no such ring.
    UnknownRing,
    /// The wave isn't the current one.
    OtherWave,
    /// Data planes are there that can prove the wave, or fail it: health is not a matter of opinion.
    ProofPossible,
    /// The wave hasn't reached its healthy share: there is no soak to end.
    NotSoaking,
    /// The wave reached its healthy share and lacks something again: the end of its soak wouldn't pass it.
    NotProven,
    /// Nobody is there to prove the wave: the end of its soak wouldn't pass it.
    NobodyProves,
    /// The ring, or the rollout, is halted.
    Halted,
    /// The rollout is paused.
    Paused,
    /// All waves of the ring passed.
    AlreadyPassed,
    /// A higher level took the place of this one.
    Superseded,
    /// The level is withdrawn: promote another one.
    Withdrawn,
    /// The level failed nowhere.
    NothingFailed,
    /// The person asked before: a second person has to resume.
    SecondPersonNeeded,
}

impl CommandRefusal {
    /// The code as it appears in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RingNotOpenYet => "RingNotOpenYet",
            Self::UnknownRing => "UnknownRing",
            Self::OtherWave => "OtherWave",
            Self::ProofPossible => "ProofPossible",
            Self::NotSoaking => "NotSoaking",
            Self::NotProven => "NotProven",
            Self::NobodyProves => "NobodyProves",
            Self::Halted => "Halted",
            Self::Paused => "Paused",
            Self::AlreadyPassed => "AlreadyPassed",
            Self::Superseded => "Superseded",
            Self::Withdrawn => "Withdrawn",
            Self::NothingFailed => "NothingFailed",
            Self::SecondPersonNeeded => "SecondPersonNeeded",
        }
    }

    /// What usually brings it about.
    pub fn cause(self) -> &'static str {
        match self {
            Self::RingNotOpenYet => "an earlier ring hasn't passed yet",
            Self::UnknownRing => "the name is mistyped, or the plan was changed",
            Self::OtherWave => "the rollout went on meanwhile",
            Self::ProofPossible => {
                "a wave is passed over by hand where nobody can prove it, and here somebody can"
            }
            Self::NotSoaking => "too few data planes report the level as healthy",
            Self::NotProven => {
                "data planes failed, fell silent or started since, and the healthy ones are too few now"
            }
            Self::NobodyProves => "those who proved it were skipped, or left",
            Self::Halted => "too many data planes failed, or a person halted it",
            Self::Paused => "a person paused it",
            Self::AlreadyPassed => "somebody else gave the command before, or the wave passed by itself",
            Self::Superseded => "a higher level was promoted meanwhile",
            Self::Withdrawn => "release managers withdrew it",
            Self::NothingFailed => {
                "the name of the organization or data plane is another one, or it was retried already"
            }
            Self::SecondPersonNeeded => "the same token was used twice",
        }
    }

    /// What to do.
    pub fn hint(self) -> &'static str {
        match self {
            Self::RingNotOpenYet => "wait until it opens: `rollout status` shows when",
            Self::UnknownRing => "the rings stand in `channel show`",
            Self::OtherWave => "`rollout status` shows the current wave",
            Self::ProofPossible => {
                "wait for them (no longer than `silenceAfter` for one that was never heard); where they failed, retry, or skip them with a reason"
            }
            Self::NotSoaking => "wait for the healthy share",
            Self::NotProven => {
                "`rollout status` shows what the wave lacks; retry what failed, or skip with a reason what is silent"
            }
            Self::NobodyProves => "acknowledge the wave instead",
            Self::Halted => "resume first; it takes two people",
            Self::Paused => "continue first",
            Self::AlreadyPassed => "nothing is left to do here",
            Self::Superseded => "follow the higher level, or withdraw it",
            Self::Withdrawn => "promote another level",
            Self::NothingFailed => "nothing is left to do here",
            Self::SecondPersonNeeded => "ask a colleague to resume with their own token",
        }
    }
}

impl std::fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The table: may a command be given where a ring stands so? True leads to its event, false is so already.
///
/// # Errors
/// The code of the refusal.
pub fn allowed(phase: Phase, kind: Kind) -> Result<bool, CommandRefusal> {
    use CommandRefusal as No;
    use {Kind as K, Phase as P};
    match (phase, kind) {
        (P::Withdrawn, _) => Err(No::Withdrawn),
        // A pause lies beside a halt: both can stand, and each ends by its own command.
        (P::Paused, K::Pause) => Ok(false),
        (_, K::Pause) => Ok(true),
        (P::Paused | P::Halted, K::Continue) => Ok(true),
        (_, K::Continue) => Ok(false),
        (P::Halted, K::Halt) => Ok(false),
        (_, K::Halt) => Ok(true),
        (P::Halted, K::Resume) => Ok(true),
        (_, K::Resume) => Ok(false),
        (_, K::Skip) => Ok(true),
        (P::Halted, _) => Err(No::Halted),
        (P::Paused, _) => Err(No::Paused),
        (P::Superseded, _) => Err(No::Superseded),
        (P::Waiting, _) => Err(No::RingNotOpenYet),
        (_, K::Retry) => Ok(true),
        (P::Passed, _) => Err(No::AlreadyPassed),
        (P::Open, K::Expedite) => Err(No::NotSoaking),
        // Whether anybody is there to prove it is a particular.
        (P::Open | P::Soaking, K::Acknowledge) | (P::Soaking, K::Expedite) => Ok(true),
    }
}

/// A command with its author and their reason.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// What.
    pub command: &'a Command,
    /// Who: whatever tells two people apart.
    pub by: &'a str,
    /// Why, for the auditor.
    pub reason: &'a str,
}

/// The event that an order leads to; none if it is so already.
///
/// # Errors
/// The code of the refusal.
pub fn command(
    plan: &RingPlan,
    rollout: &Rollout,
    fate: Fate,
    tally: &Tally,
    order: Order<'_>,
) -> Result<Option<RolloutEvent>, CommandRefusal> {
    let (by, reason) = (order.by.to_owned(), order.reason.to_owned());
    // Whoever halts what is halted disagrees with the one who asked to end it.
    if let Command::Halt { scope } = order.command
        && rollout.halts.get(scope).is_some_and(|halt| halt.resume_asked.is_some())
    {
        let cause = Cause::Person { by, reason };
        return Ok(Some(RolloutEvent::Halted { scope: scope.clone(), cause }));
    }
    if !allowed(where_it_stands(plan, rollout, fate, order.command)?, order.command.kind())? {
        return Ok(None);
    }
    Ok(Some(match order.command {
        Command::Pause {} if rollout.paused.is_some() => return Ok(None),
        Command::Pause {} => RolloutEvent::Paused { by, reason },
        Command::Continue {} if rollout.paused.is_none() => return Ok(None),
        Command::Continue {} => RolloutEvent::Continued { by, reason },
        Command::Halt { scope } => {
            RolloutEvent::Halted { scope: scope.clone(), cause: Cause::Person { by, reason } }
        }
        Command::Resume { scope } => resume(rollout, scope.clone(), by, reason)?,
        Command::Retry {} => match retry(rollout)? {
            Some(attempt) => RolloutEvent::Retried { attempt, by, reason },
            None => return Ok(None),
        },
        Command::Skip { pdp } if rollout.skipped.contains(pdp) => return Ok(None),
        Command::Skip { pdp } => RolloutEvent::Skipped { pdp: pdp.clone(), by, reason },
        Command::Acknowledge { ring, wave } => {
            current(rollout, ring, *wave)?;
            let rules = plan.rules(ring).ok_or(CommandRefusal::UnknownRing)?;
            if lack(plan, rules, *wave, tally, rollout) != Some(Lack::Nobody {}) {
                return Err(CommandRefusal::ProofPossible);
            }
            RolloutEvent::Acknowledged { ring: ring.clone(), wave: *wave, by, reason }
        }
        Command::Expedite { ring, wave } => {
            if current(rollout, ring, *wave)?.expedited {
                return Ok(None);
            }
            would_pass(plan, rollout, tally, ring, *wave)?;
            RolloutEvent::Expedited { ring: ring.clone(), wave: *wave, by, reason }
        }
    }))
}

/// The phase that the table is asked with: of what the command is about.
fn where_it_stands(
    plan: &RingPlan,
    rollout: &Rollout,
    fate: Fate,
    command: &Command,
) -> Result<Phase, CommandRefusal> {
    let known = |ring: &Ring| plan.rules(ring).map(|_| ()).ok_or(CommandRefusal::UnknownRing);
    Ok(match command {
        Command::Halt { scope } | Command::Resume { scope } => {
            if let HaltScope::Ring { ring } = scope {
                known(ring)?;
            }
            match rollout.halts.contains_key(scope) {
                _ if fate.withdrawn => Phase::Withdrawn,
                true => Phase::Halted,
                false => Phase::Open,
            }
        }
        Command::Acknowledge { ring, .. } | Command::Expedite { ring, .. } => {
            known(ring)?;
            phase(plan, rollout, ring, fate)
        }
        Command::Pause {} | Command::Continue {} | Command::Retry {} | Command::Skip { .. } => {
            furthest(plan, rollout, fate)
        }
    })
}

fn resume(
    rollout: &Rollout,
    scope: HaltScope,
    by: String,
    reason: String,
) -> Result<RolloutEvent, CommandRefusal> {
    match rollout.halts.get(&scope).and_then(|halt| halt.resume_asked.as_ref()) {
        None => Ok(RolloutEvent::ResumeAsked { scope, by, reason }),
        Some(first) if is_same_person(first, &by) => Err(CommandRefusal::SecondPersonNeeded),
        Some(_) => Ok(RolloutEvent::Resumed { scope, by, reason }),
    }
}

/// True if a retry would let something start again.
pub fn may_retry(rollout: &Rollout) -> bool {
    matches!(retry(rollout), Ok(Some(_)))
}

/// The next attempt; none if whatever failed may start again already.
fn retry(rollout: &Rollout) -> Result<Option<u32>, CommandRefusal> {
    let failed = rollout.failed.iter().filter_map(|pdp| rollout.starts.get(pdp));
    match failed.map(|start| start.attempt).max() {
        None => Err(CommandRefusal::NothingFailed),
        Some(attempt) if attempt < rollout.attempt() => Ok(None),
        Some(attempt) => Ok(attempt.checked_add(1)),
    }
}

fn current<'a>(
    rollout: &'a Rollout,
    ring: &Ring,
    wave: usize,
) -> Result<&'a super::fold::Progress, CommandRefusal> {
    let progress = rollout.rings.get(ring).ok_or(CommandRefusal::RingNotOpenYet)?;
    if progress.wave == wave { Ok(progress) } else { Err(CommandRefusal::OtherWave) }
}

impl Command {
    /// Its column in the table.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Pause {} => Kind::Pause,
            Self::Continue {} => Kind::Continue,
            Self::Halt { .. } => Kind::Halt,
            Self::Resume { .. } => Kind::Resume,
            Self::Retry {} => Kind::Retry,
            Self::Skip { .. } => Kind::Skip,
            Self::Acknowledge { .. } => Kind::Acknowledge,
            Self::Expedite { .. } => Kind::Expedite,
        }
    }
}
