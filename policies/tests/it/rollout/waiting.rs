//! What a rollout waits for, and where nobody has to be waited for.

use pdp_policies::rollout::{
    Command, Fate, Lack, Outcome, Phase, RolloutEvent, WaitsFor, overall, waits_for,
};
use pdp_policies::{At, Span};

use super::world::{Does, World, ring};
use crate::vendor::now;

fn waits(world: &World) -> Option<WaitsFor> {
    let (plan, promotion) = (&world.channel.plan, world.promotion());
    waits_for(plan, promotion, &world.rollout, &world.tally(), Fate::default(), world.clock())
}

/// Plays `hours` in steps of five minutes; whoever may start does, and is healthy at once.
fn play(world: &mut World, hours: u32) {
    for _ in 0..hours * 12 {
        world.settle();
        for n in 0..world.planes.len() {
            if world.planes[n].does == Does::Nothing && world.start(n) {
                world.finish(n, Outcome::Healthy);
            }
        }
        world.pass_time(300);
    }
}

#[test]
fn rings_without_members_pass_where_another_has_some_and_keep_to_the_signed_times() {
    for only in ["canary", "early", "general", "regulated"] {
        let mut world = World::new(&[(only, 3)]);
        play(&mut world, 20);
        assert!(world.rollout.is_through(&world.channel.plan), "{only}: {:?}", world.rollout.rings);
        for (ring, progress) in &world.rollout.rings {
            assert!(progress.opened >= world.promotion().opens_at[ring], "{only}: {ring} opened early");
        }
        let by_people = |(_, event): &(At, RolloutEvent)| matches!(event, RolloutEvent::Acknowledged { .. });
        assert!(!world.events.iter().any(by_people));
    }
}

#[test]
fn no_ring_passes_by_itself_where_all_are_empty_or_somebody_is_in_it() {
    let nobody = World::new(&[]);
    // A plan that lost a ring: whoever is in it is nobody's canary.
    let elsewhere = World::new(&[("lost", 3)]);
    let mut offline = World::new(&[("canary", 1), ("early", 3)]);
    offline.planes[0].heard = None;
    for mut world in [nobody, elsewhere, offline] {
        world.settle();
        world.silence(20 * 3600);
        world.settle();
        let canary = world.rollout.rings[&ring("canary")];
        assert_eq!((world.rollout.rings.len(), canary.wave), (1, 0));
        let lack = Lack::Nobody {};
        assert_eq!(waits(&world), Some(WaitsFor::People { ring: ring("canary"), wave: 0, lack }));
    }
}

#[test]
fn what_it_waits_for_is_said_at_every_stage() {
    let mut world = World::new(&[("canary", 1), ("early", 1)]);
    let (canary, early) = (ring("canary"), ring("early"));
    let at = |seconds: u32| now().plus(Span::from_seconds(seconds));
    let time = |ring: &str, until| Some(WaitsFor::Time { ring: super::world::ring(ring), until });
    assert_eq!(waits(&world), time("canary", at(0)));
    world.settle();
    let (lack, wave) = (Lack::Sample { started: 0, needed: 1 }, 0);
    let proof = Some(WaitsFor::Proof { ring: canary.clone(), wave, lack });
    assert_eq!(waits(&world), proof);
    assert!(world.start(0));
    world.pass_time(2000);
    let lack = Lack::Healthy { healthy: 0, needed: 1 };
    assert_eq!(
        waits(&world),
        Some(WaitsFor::Proof { ring: canary.clone(), wave, lack }),
        "it runs and says so"
    );
    world.finish(0, Outcome::Healthy);
    world.settle();
    assert_eq!(waits(&world), Some(WaitsFor::Soak { ring: canary, wave, until: at(2900) }));
    let fate = Fate::default();
    world.channel.levels.values_mut().for_each(|it| it.opens_at.extend([(early.clone(), at(9000))]));
    for _ in 0..2 {
        world.pass_time(900);
        world.settle();
    }
    assert_eq!(waits(&world), time("early", at(9000)));
    assert_eq!(
        overall(&world.channel.plan, &world.rollout, fate),
        Phase::Waiting,
        "two rings of four passed"
    );
    assert_eq!(world.order("ada", Command::Pause {}), Ok(true));
    assert_eq!(waits(&world), None);
    assert_eq!(world.order("ada", Command::Continue {}), Ok(true));
    play(&mut world, 20);
    assert_eq!((waits(&world), overall(&world.channel.plan, &world.rollout, fate)), (None, Phase::Passed));
}

#[test]
fn people_are_asked_when_nothing_has_started_for_silence_after_of_listening() {
    for (restart, long) in [(0, 900), (600, 1500)] {
        let mut world = World::new(&[("canary", 1)]);
        world.settle();
        world.listening = world.now.plus(Span::from_seconds(restart));
        let lack = Lack::Sample { started: 0, needed: 1 };
        let (ring, wave) = (ring("canary"), 0);
        world.pass_time(long - 1);
        assert_eq!(waits(&world), Some(WaitsFor::Proof { ring: ring.clone(), wave, lack }));
        world.pass_time(1);
        assert_eq!(waits(&world), Some(WaitsFor::People { ring, wave, lack }), "it may start, and doesn't");
    }
}
