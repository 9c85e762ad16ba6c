//! The shares of the ring state grow with time.

use pdp_policies::rollout::RolloutEvent;
use pdp_policies::{At, Cap, Level, Percent, Span, Tempo};

use super::offers::Levels;
use super::world::ring;
use crate::vendor::now;

const SOAK: u32 = 3600;

/// The share of `general` (5, 25 and 100 %; a soak of an hour) so many seconds after it opened, with its
/// waves passed at these seconds.
fn share(seconds: u32, passed: &[u32]) -> u8 {
    let mut levels = Levels::new(&[(42, &["canary", "early"])]);
    let plan = &mut levels.channel.plan;
    plan.rings[2].waves = [5, 25, 100].map(|share| Cap::Percent(share.try_into().unwrap())).into();
    let pace = plan.tempos.get_mut(&Tempo::Emergency).unwrap().get_mut(&ring("general")).unwrap();
    pace.soak = Span::from_seconds(SOAK);
    let opened = now().plus(Span::from_seconds(86_400));
    let at = |seconds: u32| opened.plus(Span::from_seconds(seconds));
    let mut event = |at: At, event| levels.rollouts.get_mut(&Level(42)).unwrap().apply(at, &event);
    event(opened, RolloutEvent::RingOpened { ring: ring("general") });
    for (wave, seconds) in passed.iter().enumerate() {
        event(at(*seconds), RolloutEvent::WavePassed { ring: ring("general"), wave });
    }
    levels.now = at(seconds);
    levels.share(42, "general").map(|(percent, _)| Percent::get(percent)).unwrap()
}

#[test]
fn a_share_grows_in_steps_to_its_wave_and_waits_there_for_the_proof() {
    for (seconds, passed, expected) in [
        (0, &[][..], 1),
        (SOAK / 2, &[], 3),
        (SOAK, &[], 5),
        (50 * SOAK, &[], 5),
        (50 * SOAK, &[50 * SOAK], 7),
        (50 * SOAK + SOAK / 2, &[50 * SOAK], 17),
        (52 * SOAK, &[50 * SOAK], 25),
        (100 * SOAK, &[50 * SOAK, 52 * SOAK, 60 * SOAK], 100),
    ] {
        assert_eq!(share(seconds, passed), expected, "{seconds} {passed:?}");
    }
}

#[test]
fn waves_that_pass_at_once_open_one_soak_after_the_other() {
    for (seconds, expected) in [(0, 1), (SOAK, 7), (2 * SOAK, 33), (3 * SOAK - 1, 100), (3 * SOAK, 100)] {
        assert_eq!(share(seconds, &[0, 0, 0]), expected, "{seconds}");
    }
}

#[test]
fn a_share_never_shrinks() {
    for passed in [&[][..], &[0, 0, 0], &[100, 4000, 4001], &[7200, 7300, 20_000]] {
        let known = |seconds: u32| passed.iter().filter(|at| **at <= seconds).copied().collect::<Vec<_>>();
        let shares: Vec<u8> =
            (0..25_000).step_by(100).map(|seconds| share(seconds, &known(seconds))).collect();
        assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{passed:?}: {shares:?}");
    }
}
