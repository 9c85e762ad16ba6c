//! The table of states and commands: documented as it is, and kept by what is decided.

use pdp_policies::rollout::{Command, HaltScope, Kind, Outcome, Phase, allowed, overall, phase};
use pdp_policies::rollout::{CommandRefusal, Fate};
use pdp_policies::{Span, Withdrawal};

use super::world::{LEVEL, World, pdp, ring};

const DOC: &str = include_str!("../../../../docs/rollout-states.md");

#[test]
fn the_documented_table_is_the_programs_own() {
    for phase in Phase::ALL {
        let cells = Kind::ALL.map(|(kind, _, event)| match allowed(phase, kind) {
            Ok(true) => event.to_owned(),
            Ok(false) => "so already".to_owned(),
            Err(code) => format!("`{code}`"),
        });
        let row = format!("| **{}** | {} |", phase.as_str(), cells.join(" | "));
        assert!(DOC.contains(&row), "docs/rollout-states.md lacks:\n{row}\nrun `make reference`");
    }
}

/// A world whose canary ring stands so.
fn standing(phase: Phase) -> World {
    let mut world = World::new(&[("canary", 1), ("early", 2)]);
    if phase == Phase::Waiting {
        return world;
    }
    if phase == Phase::Superseded {
        let mut higher = world.promotion().clone();
        higher.supersedes.insert(LEVEL);
        world.channel.levels.insert(pdp_policies::Level(43), higher);
        return world;
    }
    world.settle();
    if matches!(phase, Phase::Soaking | Phase::Passed) {
        assert!(world.start(0));
        world.finish(0, Outcome::Healthy);
        world.settle();
    }
    if phase == Phase::Passed {
        for _ in 0..2 {
            world.pass_time(900);
            world.settle();
        }
        world.now = world.now.plus(Span::from_seconds(0));
    }
    match phase {
        Phase::Paused => assert_eq!(world.order("ada", Command::Pause {}), Ok(true)),
        Phase::Halted => {
            let scope = HaltScope::Ring { ring: ring("canary") };
            assert_eq!(world.order("ada", Command::Halt { scope }), Ok(true));
        }
        Phase::Withdrawn => {
            let withdrawal = Withdrawal { at: world.now, reason: "x".into(), fixed_by: None };
            world.channel.withdrawn.insert(LEVEL, withdrawal);
        }
        _ => {}
    }
    world
}

#[test]
fn what_is_decided_keeps_to_the_table_in_every_state() {
    for standing_so in Phase::ALL {
        let world = standing(standing_so);
        let fate =
            Fate { withdrawn: standing_so == Phase::Withdrawn, superseded: standing_so == Phase::Superseded };
        let canary = ring("canary");
        assert_eq!(phase(&world.channel.plan, &world.rollout, &canary, fate), standing_so);
        // The next ring has opened.
        let whole = if standing_so == Phase::Passed { Phase::Open } else { standing_so };
        assert_eq!(overall(&world.channel.plan, &world.rollout, fate), whole);
        let wave = world.rollout.rings.get(&canary).map_or(0, |progress| progress.wave);
        let scope = HaltScope::Ring { ring: canary.clone() };
        let commands = [
            Command::Pause {},
            Command::Continue {},
            Command::Halt { scope: scope.clone() },
            Command::Resume { scope },
            Command::Retry {},
            Command::Skip { pdp: pdp("canary-0") },
            Command::Acknowledge { ring: canary.clone(), wave },
            Command::Expedite { ring: canary.clone(), wave },
        ];
        for command in commands {
            let table = allowed(standing_so, command.kind());
            let decided = world.ask("bob", &command).map(|event| event.is_some());
            match (table, decided) {
                // The particulars can only narrow a yes.
                (Ok(true), Ok(_)) => {}
                (Ok(true), Err(CommandRefusal::NothingFailed | CommandRefusal::ProofPossible)) => {}
                (Ok(true), Err(CommandRefusal::NotProven | CommandRefusal::NobodyProves)) => {}
                (table, decided) => {
                    // A pause that isn't there can't be continued, wherever it stands otherwise.
                    assert_eq!(decided, table, "{standing_so:?} {command:?}");
                }
            }
        }
        let unknown = Command::Expedite { ring: ring("nowhere"), wave: 0 };
        assert_eq!(world.ask("bob", &unknown), Err(CommandRefusal::UnknownRing));
    }
}

#[test]
fn whoever_halts_again_takes_back_that_somebody_asked_to_resume() {
    let mut world = World::new(&[("canary", 1)]);
    let (scope, at) = (HaltScope::Ring { ring: ring("canary") }, world.now);
    let (halt, resume) = (Command::Halt { scope: scope.clone() }, Command::Resume { scope: scope.clone() });
    assert_eq!(world.order("ada", halt.clone()), Ok(true));
    assert_eq!(world.order("bob", halt.clone()), Ok(false), "it stands already");
    assert_eq!(world.order("ada", resume.clone()), Ok(true));
    assert_eq!(world.order("bob", halt), Ok(true), "bob disagrees");
    assert_eq!((world.rollout.halts[&scope].at, &world.rollout.halts[&scope].resume_asked), (at, &None));
    assert_eq!(world.order("Bob", resume.clone()), Ok(true), "who asks is the first again");
    assert_eq!(
        world.order("bob", resume.clone()),
        Err(CommandRefusal::SecondPersonNeeded),
        "written otherwise"
    );
    assert_eq!(world.order("ada", resume), Ok(true));
    assert!(world.rollout.halts.is_empty());
}
